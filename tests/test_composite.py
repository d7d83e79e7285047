import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import alphacut
from alphacut import _core
from alphacut._color import parse_color
from alphacut.compositing import blurred_background, checkerboard, composite, premultiply, unpremultiply
from reference import composite as reference

kernel = pytest.mark.usefixtures("isa")
WHOLE = {np.uint8: 255, np.uint16: 65535, np.float32: 1}
DTYPES = list(WHOLE)


def picture(rng, shape, dtype):
    return (rng.random(shape) * WHOLE[dtype] * 1.0001).clip(0, WHOLE[dtype]).astype(dtype)


def matte(rng, shape, dtype):
    """With many pixels wholly in and out."""
    return ((rng.random(shape) * 3 - 1).clip(0, 1) * WHOLE[dtype]).astype(dtype)


@kernel
def test_every_byte_case_is_the_nearest_integer():
    values = np.arange(256, dtype=np.uint8)
    alpha = np.repeat(values[None], 256, 0)
    back = np.repeat(values[:, None], 256, 1)
    exact = back * (255 - alpha.astype(np.int32))
    for value in range(256):
        front = np.full((256, 256), value, np.uint8)
        expected = (2 * (value * alpha.astype(np.int32) + exact) + 255) // 510
        result = composite(front, alpha, back)
        assert np.array_equal(result, np.repeat(expected[..., None], 3, 2)), value


@kernel
@pytest.mark.parametrize("dtype", DTYPES)
def test_small_shapes(dtype, rng):
    for height in range(1, 18):
        for width in range(1, 18):
            front, back = picture(rng, (2, height, width, 3), dtype)
            alpha = matte(rng, (height, width), dtype)
            expected = reference.blend(front, alpha, back, WHOLE[dtype])
            tolerance = {np.uint8: 0.5, np.uint16: 0.51, np.float32: 1e-6}[dtype]
            over = composite(front, alpha, back)
            assert over.dtype == dtype
            assert np.abs(over - expected).max() <= tolerance
            rgba = composite(front, alpha)
            assert np.array_equal(rgba, np.dstack([front, alpha]))


@kernel
def test_widths_around_tiles(rng):
    for width in [*range(120, 137), 255, 256, 257, 1000]:
        front, back = picture(rng, (2, 2, width, 3), np.uint8)
        alpha = matte(rng, (2, width), np.uint8)
        expected = reference.blend(front, alpha, back, 255)
        assert np.array_equal(composite(front, alpha, back), np.floor(expected + 0.5))
        assert np.array_equal(composite(front, alpha), np.dstack([front, alpha]))
        assert np.array_equal(composite(front[..., 0], alpha)[..., 1], front[..., 0])


@kernel
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_whole_and_zero_alpha_give_the_inputs(dtype, linear, rng):
    front, back = picture(rng, (2, 9, 300, 3), dtype)
    alpha = rng.random((9, 300)) < 0.5
    expected = np.where(alpha[..., None], front, back)
    assert np.array_equal(composite(front, alpha, back, linear=linear), expected)
    full = alpha.astype(dtype) * dtype(WHOLE[dtype])
    assert np.array_equal(composite(front, full, back, linear=linear), expected)


@kernel
def test_linear_light_of_bytes_is_within_a_level():
    values = np.arange(256, dtype=np.uint8)
    front, back = np.meshgrid(values, values)
    for level in [1, 2, 31, 64, 127, 128, 200, 253, 254]:
        alpha = np.full_like(front, level)
        expected = reference.blend_linear(front[..., None], alpha, back[..., None], 255.0)
        result = composite(front, alpha, back, linear=True)
        assert np.abs(result - expected).max() <= 1
        assert np.abs(result - np.floor(expected + 0.5)).max() <= 1
        same = composite(front, alpha, front, linear=True)
        assert np.array_equal(same[..., 0], front)


@kernel
def test_linear_light_of_floats(rng):
    front, back = picture(rng, (2, 100, 100, 3), np.float32) ** np.float32(3)
    alpha = picture(rng, (100, 100), np.float32)
    expected = reference.blend_linear(front.astype(np.float64), alpha, back.astype(np.float64))
    assert np.abs(composite(front, alpha, back, linear=True) - expected).max() < 1e-6
    ramp = np.linspace(0, 1, 1 << 16, dtype=np.float32).reshape(256, 256)
    half = np.full_like(ramp, 0.5)
    result = composite(ramp, half, ramp, linear=True)
    assert np.abs(result[..., 0] - ramp).max() < 1e-6
    assert result.max() <= 1


@kernel
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("linear", [False, True])
def test_colours_are_pictures_of_one_colour(dtype, linear, rng):
    front, alpha = picture(rng, (5, 33, 3), dtype), matte(rng, (5, 33), dtype)
    back = np.zeros_like(front)
    back[:] = np.array([255, 165, 0]) * (WHOLE[dtype] / 255)
    expected = composite(front, alpha, back, linear=linear)
    for color in ["orange", "#ffa500", (255, 165, 0), [255, 165, 0], tuple(np.array([255, 165, 0]))]:
        assert np.array_equal(composite(front, alpha, color, linear=linear), expected)


@kernel
@pytest.mark.parametrize("dtype", DTYPES)
def test_gray_is_rgb_of_equal_channels(dtype, rng):
    front, back = picture(rng, (2, 7, 150), dtype)
    alpha = matte(rng, (7, 150), dtype)
    rgb = [np.repeat(x[..., None], 3, 2) for x in (front, back)]
    assert np.array_equal(composite(front, alpha, back), composite(rgb[0], alpha, rgb[1]))
    assert np.array_equal(composite(front, alpha, rgb[1]), composite(rgb[0], alpha, back))
    assert np.array_equal(composite(front, alpha), composite(rgb[0], alpha))


def test_agrees_with_opencv_and_pillow_to_a_level(rng):
    from PIL import Image

    front, back = picture(rng, (2, 50, 70, 3), np.uint8)
    alpha = matte(rng, (50, 70), np.uint8)
    ours = composite(front, alpha, back).astype(int)
    pasted = Image.composite(Image.fromarray(front), Image.fromarray(back), Image.fromarray(alpha))
    assert np.array_equal(ours, np.asarray(pasted))


@kernel
def test_premultiply_of_every_pair():
    alpha, value = (x.astype(np.uint8) for x in np.mgrid[0:256, 0:256])
    rgba = np.dstack([value, 255 - value, value, alpha])
    colours, weight = rgba[..., :3].astype(np.int64), alpha[..., None].astype(np.int64)
    result = premultiply(rgba)
    assert np.array_equal(result[..., :3], (2 * colours * weight + 255) // 510)
    assert np.array_equal(result[..., 3], alpha)
    back = unpremultiply(rgba)
    exact = np.where(weight == 0, 0, (510 * colours + weight) // np.maximum(2 * weight, 1)).clip(0, 255)
    assert np.array_equal(back[..., :3], exact)
    assert np.array_equal(back[..., 3], alpha)
    assert np.array_equal(premultiply(unpremultiply(result)), result)


@kernel
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_premultiply_of_deep_pictures(dtype, rng):
    rgba = picture(rng, (13, 300, 4), dtype)
    rgba[::3, ::2, 3] = 0
    weight = rgba[..., 3:].astype(np.float64) / WHOLE[dtype]
    tolerance = 1e-6 if dtype == np.float32 else 0.51
    result = premultiply(rgba)
    assert result.dtype == dtype
    assert np.abs(result[..., :3] - rgba[..., :3] * weight).max() <= tolerance
    quotient = np.divide(rgba[..., :3], weight, out=np.zeros((13, 300, 3)), where=weight > 0).clip(0, WHOLE[dtype])
    assert np.abs(unpremultiply(rgba)[..., :3] - quotient).max() <= tolerance
    assert np.array_equal(unpremultiply(rgba)[..., 3], rgba[..., 3])


@pytest.mark.parametrize("sigma", [0.3, 0.8, 1.0, 2.5, 7.0, 100.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_blurred_background_equals_float64(sigma, channels, rng):
    for height, width in [(1, 1), (1, 9), (23, 1), (17, 40), (33, 65)]:
        image = rng.random((height, width, channels)).astype(np.float32)
        alpha = matte(rng, (height, width), np.float32)
        alpha[: height // 2, : width // 2] = 1
        shaped = image if channels == 3 else image[..., 0]
        result = blurred_background(shaped, alpha, sigma).reshape(image.shape)
        tolerance = 1e-4
        assert np.abs(result - reference.blurred_background(image, alpha, sigma)).max() < tolerance
        as_bytes = [(x * 255 + 0.5).astype(np.uint8) for x in (shaped, alpha)]
        exact = reference.blurred_background(as_bytes[0].reshape(image.shape) / 255, as_bytes[1] / 255, sigma)
        assert (
            np.abs(blurred_background(*as_bytes, sigma).reshape(image.shape) - 255 * exact).max()
            <= 0.5 + 255 * tolerance
        )


def test_the_subject_does_not_bleed(rng):
    image = np.full((60, 80, 3), [20, 200, 90], np.uint8)
    alpha = np.zeros((60, 80), np.uint8)
    alpha[10:50, 20:60] = 255
    image[alpha > 0] = picture(rng, (40 * 40, 3), np.uint8)
    for sigma in [0.1, 1, 5, 1e300]:
        assert np.array_equal(
            np.unique(blurred_background(image, alpha, sigma).reshape(-1, 3), axis=0), [[20, 200, 90]]
        )
    assert (blurred_background(image, np.full_like(alpha, 255)) == 128).all()
    assert blurred_background(image, alpha).shape == image.shape


@pytest.mark.parametrize("linear", [False, True])
def test_the_same_bytes_for_all_threads_and_instruction_sets(linear, rng):
    before = _core.isa(), _core.num_threads()
    front, back = picture(rng, (2, 401, 1003, 3), np.uint8)
    alpha = matte(rng, (401, 1003), np.uint8)
    rgba = np.dstack([front, alpha])
    floats = [x.astype(np.float32) / np.float32(255) for x in (front, alpha, back)]
    results = set()
    for isa in _core.available_isas():
        for threads in [1, 2, 5]:
            _core.set_isa(isa)
            _core.set_num_threads(threads)
            results.add(
                b"".join(
                    x.tobytes()
                    for x in [
                        composite(front, alpha, back, linear=linear),
                        composite(*floats, linear=linear),
                        composite(front, alpha),
                        premultiply(rgba),
                        unpremultiply(rgba),
                        blurred_background(front, alpha, 9.0),
                    ]
                )
            )
    _core.set_isa(before[0])
    _core.set_num_threads(before[1])
    assert len(results) == 1


@given(
    st.sampled_from([np.uint8, np.float32]).flatmap(
        lambda d: hnp.arrays(d, (3, 5, 4), elements=st.integers(0, 255) if d == np.uint8 else st.floats(0, 1, width=32))
    ),
    st.booleans(),
)
def test_composing_over_itself_changes_nothing(rgba, linear):
    front, alpha = np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])
    result = composite(front, alpha, front, linear=linear)
    if rgba.dtype == np.uint8:
        assert np.array_equal(result, front)
    else:
        assert np.abs(result - front).max() <= 1e-6
        assert result.min() >= 0
        assert result.max() <= 1


@kernel
def test_layouts_and_out(rng):
    front, back = picture(rng, (2, 20, 60, 3), np.uint8)
    alpha = matte(rng, (20, 60), np.uint8)
    expected = composite(front, alpha, back)
    for cut in [np.s_[:, ::2], np.s_[::-1], np.s_[3:15, 7:41], np.s_[::3]]:
        assert np.array_equal(composite(front[cut], alpha[cut], back[cut]), expected[cut])
        out = np.full_like(expected, 77)[:, :30] if cut == np.s_[:, ::2] else np.full(expected[cut].shape, 77, np.uint8)
        assert composite(front[cut], alpha[cut], back[cut], out=out) is out
        assert np.array_equal(out, expected[cut])
        rgba = composite(front[cut], alpha[cut])
        assert np.array_equal(rgba, np.dstack([front, alpha])[cut])
        assert np.array_equal(premultiply(np.dstack([front, alpha])[cut]), premultiply(rgba))
        assert np.array_equal(
            blurred_background(front[cut], alpha[cut], 2), blurred_background(front[cut].copy(), alpha[cut].copy(), 2)
        )
    for array in (front, alpha, back):
        array.flags.writeable = False
    assert np.array_equal(composite(front, alpha, back), expected)
    wide = np.full((20, 100, 3), 9, np.uint8)
    composite(front, alpha, back, out=wide[:, 20:80])
    assert np.array_equal(wide[:, 20:80], expected)
    assert (wide[:, :20] == 9).all()
    assert (wide[:, 80:] == 9).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_out_of_every_function(dtype, rng):
    front, alpha = picture(rng, (6, 8, 3), dtype), matte(rng, (6, 8), dtype)
    rgba = np.dstack([front, alpha])
    calls = [
        (lambda out: composite(front, alpha, out=out), (6, 8, 4)),
        (lambda out: composite(front, alpha, "red", out=out), (6, 8, 3)),
        (lambda out: composite(front, alpha, front, out=out), (6, 8, 3)),
        (lambda out: premultiply(rgba, out=out), (6, 8, 4)),
        (lambda out: unpremultiply(rgba, out=out), (6, 8, 4)),
        (lambda out: blurred_background(front, alpha, 1.5, out=out), (6, 8, 3)),
        (lambda out: blurred_background(front[..., 1], alpha, 1.5, out=out), (6, 8)),
    ]
    for call, shape in calls:
        out = np.full(shape, 1, dtype)
        assert call(out) is out
        assert np.array_equal(out, call(None))
        with pytest.raises(ValueError, match="out must have shape"):
            call(np.zeros((6, 9, *shape[2:]), dtype))
        with pytest.raises(TypeError, match="out must"):
            call(np.zeros(shape, np.float64))
        with pytest.raises(TypeError, match="out must"):
            call([1])
        out.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            call(out)


def test_overlapping_out():
    buffer = np.zeros((8, 9, 4), np.uint8)
    alpha = np.zeros((8, 9), np.uint8)
    with pytest.raises(ValueError, match="out overlaps an input"):
        premultiply(buffer[:4], out=buffer[2:6])
    with pytest.raises(ValueError, match="out overlaps an input"):
        unpremultiply(buffer, out=buffer)
    image = np.zeros((8, 9, 3), np.uint8)
    with pytest.raises(ValueError, match="out overlaps an input"):
        composite(image.copy(), alpha, image, out=image)
    with pytest.raises(ValueError, match="out overlaps an input"):
        blurred_background(image, alpha, out=image)


def test_wrong_arguments():
    image, alpha = np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), np.uint8)
    with pytest.raises(TypeError, match=r"foreground must be a numpy\.ndarray, got list"):
        composite([[1]], alpha)
    with pytest.raises(TypeError, match="foreground must have dtype uint8, uint16 or float32, got float64"):
        composite(image.astype(np.float64), alpha)
    with pytest.raises(TypeError, match="alpha must have dtype uint8 or bool, got float32"):
        composite(image, alpha.astype(np.float32))
    with pytest.raises(TypeError, match="background must have dtype uint8, got float32"):
        composite(image, alpha, image.astype(np.float32))
    for other in [np.uint8, np.float32]:
        with pytest.raises(TypeError, match=f"alpha must have dtype uint16, got {np.dtype(other)}"):
            composite(image.astype(np.uint16), alpha.astype(other))
        with pytest.raises(TypeError, match=f"background must have dtype {np.dtype(other)}, got uint16"):
            composite(image.astype(other), alpha.astype(other), image.astype(np.uint16))
    with pytest.raises(TypeError, match="background must be '#rrggbb', a CSS name or"):
        composite(image, alpha, 5)
    with pytest.raises(ValueError, match=r"foreground must have shape .* got \(4, 5, 4\)"):
        composite(np.zeros((4, 5, 4), np.uint8), alpha)
    with pytest.raises(ValueError, match="foreground must have shape"):
        composite(image[:0], alpha[:0])
    with pytest.raises(ValueError, match="alpha must have the size of foreground, 4 x 5, got 3 x 5"):
        composite(image, alpha[:3])
    with pytest.raises(ValueError, match="background must have the size of foreground, 4 x 5, got 4 x 4"):
        composite(image, alpha, image[:, :4])
    with pytest.raises(ValueError, match="linear needs a background"):
        composite(image, alpha, linear=True)
    with pytest.raises(ValueError, match=r"rgba must have shape \(height, width, 4\)"):
        premultiply(image)
    with pytest.raises(TypeError, match="rgba must have dtype uint8, uint16 or float32"):
        unpremultiply(np.zeros((2, 2, 4), np.int32))
    for sigma in [0, -1, np.nan, np.inf]:
        with pytest.raises(ValueError, match="sigma must be a finite number"):
            blurred_background(image, alpha, sigma)
    for size in [(0, 4), (4, 0), (-1, 4)]:
        with pytest.raises(ValueError, match="height and width must be at least 1"):
            checkerboard(*size)
    with pytest.raises(ValueError, match="tile must be at least 1"):
        checkerboard(2, 2, tile=0)


@kernel
@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.01, 1.01])
def test_floats_out_of_range(bad):
    for place in range(3):
        arrays = [np.zeros((4, 37, 3), np.float32), np.zeros((4, 37), np.float32), np.zeros((4, 37, 3), np.float32)]
        arrays[place][3, 36] = bad
        with pytest.raises(ValueError, match=["foreground", "alpha", "background"][place]):
            composite(*arrays)
    with pytest.raises(ValueError, match="rgba"):
        premultiply(np.full((1, 1, 4), bad, np.float32))


def test_checkerboard():
    for height, width, tile in [(1, 1, 1), (3, 5, 1), (16, 33, 8), (7, 9, 100)]:
        y, x = np.mgrid[:height, :width] // tile
        expected = np.where((x + y) % 2, 204, 255)
        board = checkerboard(height, width, tile=tile)
        assert np.array_equal(board, np.repeat(expected[..., None], 3, 2))
    assert checkerboard(20, 20)[8, 0, 0] == 204


def test_colours():
    assert parse_color("rebeccapurple") == parse_color("#663399") == parse_color((102, 51, 153)) == (102, 51, 153)
    for wrong in ["no-such-colour", "#12345", "#11223344", (1, 2), (1, 2, 256), (-1, 0, 0)]:
        with pytest.raises(ValueError, match="color must"):
            parse_color(wrong)
    for wrong in [None, 3, (0.5, 1, 1), (True, False, True), ("1", "2", "3")]:
        with pytest.raises(TypeError, match="color must"):
            parse_color(wrong)
    assert alphacut.composite is composite


def test_srgb_is_decoded_and_encoded(rng):
    for shape in [(1, 1), (3, 17), (40, 33, 3), (300, 500, 3)]:
        for dtype in DTYPES:
            image = picture(rng, shape, dtype)
            light = alphacut.decode_srgb(image)
            assert (light.dtype, light.shape) == (np.float32, shape)
            assert np.abs(light - reference.to_linear(image / WHOLE[dtype])).max() < 1e-6
            assert np.abs(alphacut.encode_srgb(light) - image / WHOLE[dtype]).max() < 3e-6
    ends = np.array([[0, 1]], np.float32)
    assert np.array_equal(alphacut.decode_srgb(ends), ends)
    assert np.array_equal(alphacut.encode_srgb(ends), ends)
    linear = np.linspace(0, 1, 1 << 16, dtype=np.float32).reshape(256, 256)
    encoded = alphacut.encode_srgb(linear)
    assert np.abs(encoded - reference.to_encoded(linear.astype(np.float64))).max() < 1e-6
    assert np.array_equal(
        alphacut.encode_srgb(linear[::-1, ::2], out=np.empty((256, 128), np.float32)), encoded[::-1, ::2]
    )
    with pytest.raises(TypeError, match="light"):
        alphacut.encode_srgb(np.zeros((2, 2), np.uint8))


def test_linear_blend_is_decode_blend_encode(rng):
    front, back = picture(rng, (2, 20, 30, 3), np.float32)
    alpha = picture(rng, (20, 30), np.float32)
    light = composite(alphacut.decode_srgb(front), alpha, alphacut.decode_srgb(back))
    assert np.abs(alphacut.encode_srgb(light) - composite(front, alpha, back, linear=True)).max() < 3e-6
