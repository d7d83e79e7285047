import functools

import numpy as np
import pytest

import alphacut
from alphacut import _core
from reference import foreground as reference

pytestmark = pytest.mark.usefixtures("isa")


def scene(rng, height, width, channels=3):
    """A picture and an alpha with known, partial and missing foreground."""
    image = rng.random((height, width, channels), dtype=np.float32)
    alpha = np.clip(rng.random((height, width), dtype=np.float32) * 1.6 - 0.3, 0, 1)
    return image, alpha


def error(result, alpha, expected):
    """The largest; where alpha is 0 either of the oracle's answers will do."""
    solved, coarse = (abs(result - answer.reshape(result.shape)) for answer in expected)
    zero = (alpha == 0).reshape(alpha.shape + (1,) * (result.ndim - 2))
    return np.where(zero, np.minimum(solved, coarse), solved).max()


@functools.cache
def small_cases():
    """The oracle is slow: once for all instruction sets."""
    rng, cases = np.random.default_rng(1), []
    for height in range(1, 18):
        for width in range(1, 18):
            image, alpha = scene(rng, height, width)
            cases.append((image, alpha, reference.estimate_foreground(image, alpha)))
    return cases


def test_equals_oracle_at_all_small_shapes():
    for image, alpha, expected in small_cases():
        assert error(alphacut.estimate_foreground(image, alpha), alpha, expected) < 2e-4, alpha.shape


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours_of_the_background(dtype, rng):
    """With the foreground's they make the picture, and they are what a second solver of the same equations gives."""
    y, x = np.mgrid[:60, :70]
    alpha = np.clip((np.hypot(y - 30, x - 33) - 14) / 9, 0, 1)
    colours = np.stack([np.full((60, 70), v) + 0.1 * x / 70 for v in (0.8, 0.2, 0.4, 0.1, 0.6, 0.3)], axis=2)
    image = alpha[..., None] * colours[..., :3] + (1 - alpha[..., None]) * colours[..., 3:]
    top = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    image, matte = ((v * top).astype(dtype) for v in (image, alpha))
    out = np.empty_like(image)
    foreground, background = alphacut.estimate_foreground(image, matte, return_background=True, out=out)
    assert foreground is out
    assert background.dtype == dtype
    assert np.array_equal(foreground, alphacut.estimate_foreground(image, matte))
    share = (matte / top)[..., None]
    partial = (share[..., 0] > 0) & (share[..., 0] < 1)
    again = share * foreground + (1 - share) * background
    assert np.abs(again - image)[partial].max() < 0.02 * top
    assert np.abs(background / top - colours[..., 3:])[partial & (alpha < 0.7)].max() < 0.05
    assert np.array_equal(background[matte == 0], image[matte == 0])
    with pytest.raises(TypeError, match="return_background"):
        alphacut.estimate_foreground(image, matte, return_background=1)


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("regularization", [1e-8, 1e-3, 0.1, 1])
def test_regularization_equals_oracle(regularization, rng):
    image, alpha = scene(rng, 65, 131)
    expected = reference.estimate_foreground(image, alpha, regularization)
    found = alphacut.estimate_foreground(image, alpha, regularization=regularization)
    assert error(found, alpha, expected) < 2e-4
    usual = alphacut.estimate_foreground(image, alpha)
    assert np.array_equal(usual, alphacut.estimate_foreground(image, alpha, regularization=1e-5))
    assert not np.array_equal(found, usual)


@pytest.mark.parametrize("shape", [(1, 90), (70, 1), (65, 131), (40, 256), (300, 141)])
def test_equals_oracle_at_larger_shapes_gray_and_colour(shape, rng):
    image, alpha = scene(rng, *shape)
    expected = reference.estimate_foreground(image, alpha)
    assert error(alphacut.estimate_foreground(image, alpha), alpha, expected) < 2e-4
    gray = np.ascontiguousarray(image[..., 0])
    assert error(alphacut.estimate_foreground(gray, alpha), alpha, [answer[..., 0] for answer in expected]) < 2e-4


def test_equals_oracle_where_little_is_partial(rng):
    """A soft edge through a large picture: most of it is known, and skipped."""
    image = rng.random((330, 410, 3), dtype=np.float32)
    y, x = np.mgrid[:330, :410]
    alpha = np.clip((np.hypot(y - 150, x - 230) - 90) / 9, 0, 1).astype(np.float32)
    expected = reference.estimate_foreground(image, alpha)
    assert error(alphacut.estimate_foreground(image, alpha), alpha, expected) < 2e-4


def test_depths_agree(rng):
    image, alpha = scene(rng, 33, 29)
    image8, alpha8 = (image * 255).astype(np.uint8), (alpha * 255).astype(np.uint8)
    expected = reference.estimate_foreground(image8 / 255, alpha8 / 255)
    assert 255 * error(alphacut.estimate_foreground(image8, alpha8) / 255, alpha8, expected) < 0.6
    wide = alphacut.estimate_foreground(image8.astype(np.uint16) * 257, alpha8.astype(np.uint16) * 257)
    assert wide.dtype == np.uint16
    assert 65535 * error(wide / 65535, alpha8, expected) < 15
    as_float = (alpha8 / 255).astype(np.float32)
    assert np.array_equal(alphacut.estimate_foreground(image8, as_float), alphacut.estimate_foreground(image8, alpha8))


def test_known_foreground_keeps_its_colour_exactly(rng):
    image, alpha = scene(rng, 50, 60)
    result = alphacut.estimate_foreground(image, alpha)
    assert np.array_equal(result[alpha == 1], image[alpha == 1])
    full = np.full((50, 60), 255, np.uint8)
    assert np.array_equal(alphacut.estimate_foreground(image, full), image)
    assert np.array_equal(alphacut.estimate_foreground(image, full > 0), image)


def test_recovers_two_plain_colours():
    alpha = np.tile(np.clip(np.linspace(-0.3, 1.3, 64), 0, 1), (32, 1))[..., None]
    foreground, background = np.array([0.9, 0.2, 0.1]), np.array([0.1, 0.6, 0.3])
    image = (alpha * foreground + (1 - alpha) * background).astype(np.float32)
    result = alphacut.estimate_foreground(image, alpha[..., 0].astype(np.float32))
    assert abs(result - foreground)[alpha[..., 0] > 0.05].max() < 0.02


def test_degenerate(rng):
    for shape in [(1, 1), (9, 7)]:
        image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        assert np.array_equal(alphacut.estimate_foreground(image, np.zeros(shape, np.uint8)), image)
    one = rng.integers(0, 256, (1, 1, 3), dtype=np.uint8)
    assert np.array_equal(alphacut.estimate_foreground(one, np.full((1, 1), 77, np.uint8)), one)
    plain = np.full((13, 11), 0.25, np.float32)
    assert np.allclose(alphacut.estimate_foreground(plain, rng.random((13, 11), np.float32)), 0.25, atol=1e-6)


def test_same_bytes_for_threads(rng):
    image, alpha = scene(rng, 300, 500)
    before, results = _core.num_threads(), []
    for count in (1, 2, 5):
        _core.set_num_threads(count)
        results.append(alphacut.estimate_foreground(image, alpha).tobytes())
    _core.set_num_threads(before)
    assert len(set(results)) == 1


def test_same_bytes_for_instruction_sets(rng):
    image, alpha = scene(rng, 61, 83)
    before, results = _core.isa(), []
    for name in _core.available_isas():
        _core.set_isa(name)
        results.append(alphacut.estimate_foreground(image, alpha).tobytes())
    _core.set_isa(before)
    assert len(set(results)) == 1


def test_layouts_and_out(rng):
    image, alpha = scene(rng, 20, 30)
    expected = alphacut.estimate_foreground(image, alpha)
    wide = rng.random((20, 60, 3), dtype=np.float32)
    wide[:, ::2] = image
    assert np.array_equal(alphacut.estimate_foreground(wide[:, ::2], alpha), expected)
    assert np.array_equal(alphacut.estimate_foreground(image[::-1].copy()[::-1], alpha), expected)
    image.flags.writeable = alpha.flags.writeable = False
    out = np.full((25, 30, 3), np.nan, np.float32)
    result = alphacut.estimate_foreground(image, alpha, out=out[5:])
    assert np.shares_memory(result, out)
    assert np.array_equal(out[5:], expected)
    out16 = np.empty((20, 30, 3), np.uint16)
    assert alphacut.estimate_foreground((image * 65535).astype(np.uint16), alpha, out=out16) is out16


def test_errors(rng):
    image, alpha = scene(rng, 8, 9)
    with pytest.raises(TypeError, match=r"image .*float64"):
        alphacut.estimate_foreground(image.astype(np.float64), alpha)
    with pytest.raises(TypeError, match=r"alpha .*int64"):
        alphacut.estimate_foreground(image, alpha.astype(np.int64))
    with pytest.raises(ValueError, match=r"alpha must have the size"):
        alphacut.estimate_foreground(image, alpha[1:])
    with pytest.raises(ValueError, match=r"image must have shape"):
        alphacut.estimate_foreground(image[..., :2], alpha)
    with pytest.raises(ValueError, match=r"alpha must have shape"):
        alphacut.estimate_foreground(image, alpha[:0])
    with pytest.raises(ValueError, match=r"method must be one of"):
        alphacut.estimate_foreground(image, alpha, method="exact")
    with pytest.raises(ValueError, match=r"out overlaps"):
        alphacut.estimate_foreground(image, alpha, out=image)
    for value in (np.nan, -0.1, 1.5):
        bad = alpha.copy()
        bad[3, 3] = value
        with pytest.raises(ValueError, match=r"alpha must have finite values"):
            alphacut.estimate_foreground(image, bad)
        bad_image = image.copy()
        bad_image[3, 3, 1] = value
        with pytest.raises(ValueError, match=r"image must have finite values"):
            alphacut.estimate_foreground(bad_image, alpha)
