import numpy as np
import pytest

import alphacut
from alphacut import KeyColor, _core
from reference import chromakey as reference

pytestmark = pytest.mark.usefixtures("isa")

DTYPES = [np.uint8, np.float32]
ZERO = (0.0, 0.0, 0.0)


def picture(rng, shape, dtype=np.uint8):
    return rng.integers(0, 256, shape, dtype=np.uint8) if dtype == np.uint8 else rng.random(shape, dtype=np.float32)


def shot(ground, color=(200, 40, 60), noise=0.0, seed=1):
    """A soft-edged disc over a ground: the picture and its alpha."""
    height, width = ground.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    alpha = np.clip(height / 4 - distance + 0.5, 0, 1)
    image = ground * (1 - alpha[..., None]) + np.array(color) * alpha[..., None]
    image = image + np.random.default_rng(seed).normal(0, noise, image.shape)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), alpha


def plain(color, height=80, width=100):
    return np.full((height, width, 3), color, float)


def graded(color, height=80, width=100):
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return np.array(color, float) * (0.9 + 0.12 * y - 0.05 * x)[..., None]


@pytest.mark.parametrize("dtype", DTYPES)
def test_alpha_equals_reference_at_all_small_shapes(dtype, rng):
    for height in range(1, 18):
        for width in range(1, 18):
            for channels in ([], [3]):
                image = picture(rng, (height, width, *channels), dtype)
                color, across, down = (tuple(v) for v in (rng.random(3), *rng.normal(0, 0.1, (2, 3))))
                similarity, blend = rng.uniform(0, 0.4, 2)
                key = KeyColor(*(tuple(255 * np.array(v)) for v in (color, across, down)))
                scaled = [tuple(v * (1 / 255) for v in part) for part in key[:3]]
                expected = reference.chroma_key(image, *scaled, similarity, blend)
                result = alphacut.chroma_key(image, key, similarity=similarity, blend=blend)
                assert result.dtype == image.dtype
                assert np.array_equal(result, expected), (height, width)


@pytest.mark.parametrize("dtype", DTYPES)
def test_contiguous_equals_reference(dtype, rng):
    full = 255 if dtype == np.uint8 else 1
    for height, width in [(1, 1), (1, 9), (7, 1), (2, 2), (5, 6), (17, 13), (30, 41)]:
        for share in (0.3, 0.55, 0.7):
            ground = rng.random((height, width)) < share
            image = np.where(ground[..., None], np.array((0, 0.8, 0)), np.array((0.9, 0.1, 0.2)))
            image = np.rint(image * full).astype(dtype) if dtype == np.uint8 else image.astype(dtype)
            key = (0, 204, 0)
            expected = reference.keep_connected(alphacut.chroma_key(image, key), full)
            assert np.array_equal(alphacut.chroma_key(image, key, contiguous=True), expected)


def test_contiguous_follows_a_spiral():
    ground = np.zeros((41, 41), bool)
    y, x, dy, dx = 0, 0, 0, 1
    ground[0, 0] = True
    for _ in range(2000):
        ahead, beyond = (y + dy, x + dx), (y + 2 * dy, x + 2 * dx)
        inside = 0 <= ahead[0] < 41 and 0 <= ahead[1] < 41
        if not inside or (0 <= beyond[0] < 41 and 0 <= beyond[1] < 41 and ground[beyond]):
            dy, dx = dx, -dy
            continue
        y, x = ahead
        ground[y, x] = True
    image = np.where(ground[..., None], (0, 0, 255), (255, 255, 0)).astype(np.uint8)
    alpha = alphacut.chroma_key(image, "blue", contiguous=True)
    assert np.array_equal(alpha == 0, ground)


@pytest.mark.parametrize("color", [(255, 255, 255), (128, 128, 128), (0, 177, 64), (30, 60, 200), (0, 0, 0)])
@pytest.mark.parametrize("noise", [0, 3])
def test_key_of_a_plain_background_is_found(color, noise):
    image, alpha = shot(plain(color), noise=noise, color=(200, 120, 160))
    for work in (image, image.astype(np.float32) / 255, image.astype(np.uint16) * 257):
        key = alphacut.find_key(work)
        assert np.abs(np.array(key.color) - color).max() < 1 + noise
        assert key.uniformity > 0.95
        found = alphacut.chroma_key(work)
        full = np.iinfo(found.dtype).max if found.dtype.kind == "u" else 1
        assert np.abs(found / full - alpha).mean() < 0.02


@pytest.mark.parametrize("color", [(235, 235, 230), (20, 180, 60)])
def test_key_of_a_graded_ground_is_found(color):
    ground = graded(color)
    image, alpha = shot(ground, noise=1)
    key = alphacut.find_key(image)
    assert key.uniformity > 0.95
    assert np.abs(np.array(key.color) - ground.mean(axis=(0, 1))).max() < 2
    assert np.abs(np.array(key.down) - 0.12 * np.array(color)).max() < 2.5
    assert np.abs(np.array(key.across) + 0.05 * np.array(color)).max() < 2.5
    assert np.abs(alphacut.chroma_key(image) / 255 - alpha).mean() < 0.02
    assert np.array_equal(alphacut.chroma_key(image), alphacut.chroma_key(image, key))


def test_a_subject_may_touch_the_border():
    image = plain((240, 240, 240)).astype(np.uint8)
    image[30:, 30:70] = (40, 90, 200)
    key = alphacut.find_key(image)
    assert np.abs(np.array(key.color) - 240).max() < 1
    assert 0.8 < key.uniformity < 0.95
    alpha = alphacut.chroma_key(image)
    assert np.array_equal(alpha == 255, image[..., 0] == 40)


def test_of_a_strip_that_is_all_frame_enough_is_looked_at():
    for shape in ((2, 300_000), (300_000, 2)):
        image = np.full((*shape, 3), (10, 200, 30), np.uint8)
        long = image if shape[0] == 2 else image.swapaxes(0, 1)
        long[:, 210_000:] = (200, 30, 10)
        key = alphacut.find_key(image)
        assert [round(value) for value in key.color] == [10, 200, 30]
        assert key.uniformity == pytest.approx(0.7, abs=1e-3)


def test_a_busy_border_is_not_uniform(rng):
    assert alphacut.find_key(picture(rng, (80, 90, 3))).uniformity < 0.2
    halves = np.zeros((60, 60, 3), np.uint8)
    halves[:, 30:] = (250, 20, 30)
    assert alphacut.find_key(halves).uniformity < 0.6


def test_degenerate_pictures():
    one = np.full((1, 1, 3), (9, 200, 30), np.uint8)
    assert alphacut.find_key(one).uniformity == 1
    assert alphacut.chroma_key(one).tolist() == [[0]]
    flat = np.full((30, 40), 0.25, np.float32)
    assert not alphacut.chroma_key(flat).any()
    assert not alphacut.chroma_key(flat, contiguous=True).any()
    assert (alphacut.chroma_key(flat, "white") == 1).all()
    assert (alphacut.chroma_key(flat, "white", contiguous=True) == 1).all()
    gray = np.array([[0, 0, 0], [0, 200, 0], [0, 0, 0]], np.uint8)
    assert alphacut.chroma_key(gray).tolist() == [[0, 0, 0], [0, 255, 0], [0, 0, 0]]
    hard = np.array([[100, 101, 120]], np.uint8)
    assert alphacut.chroma_key(hard, (100, 100, 100), similarity=0.01, blend=0).tolist() == [[0, 0, 255]]


def test_ways_to_write_a_key(rng):
    image = picture(rng, (9, 8, 3))
    expected = alphacut.chroma_key(image, (255, 165, 0))
    for key in ("#ffa500", "orange", [255, 165, 0], KeyColor((255.0, 165.0, 0.0))):
        assert np.array_equal(alphacut.chroma_key(image, key), expected)
    for bad in ("nocolor", (1, 2), (1, 2, 300), KeyColor((np.nan, 0.0, 0.0)), KeyColor(ZERO, across=(1e9, 0.0, 0.0))):
        with pytest.raises(ValueError, match="key"):
            alphacut.chroma_key(image, bad)
    for bad in ("nocolor", (1, 2), KeyColor((np.inf, 0.0, 0.0))):
        with pytest.raises(ValueError, match="key"):
            alphacut.despill(image, bad)
    with pytest.raises(TypeError, match="key"):
        alphacut.chroma_key(image, 7)


@pytest.mark.parametrize("key", [(0, 177, 64), (20, 40, 220), (0, 220, 230), (255, 0, 255), (130, 120, 125)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_despill_equals_reference(dtype, key, rng):
    color = np.array(key) / 255
    for shape in [(1, 1, 3), (3, 17, 3), (11, 33, 3), (6, 7)]:
        image = picture(rng, shape, dtype)
        alpha = picture(rng, shape[:2], dtype)
        for matte in (None, alpha):
            for strength in (0, 0.4, 1):
                expected = reference.despill(image, color, matte, strength)
                result = alphacut.despill(image, key, alpha=matte, strength=strength)
                assert result.dtype == dtype
                tolerance = 0.5 + 1e-3 if dtype == np.uint8 else 1e-5
                assert np.abs(result - expected).max() <= tolerance


def test_despill_keeps_what_has_no_spill():
    image = np.array([[(90, 90, 90), (200, 200, 30), (200, 40, 60), (255, 255, 255), (0, 0, 0)]], np.uint8)
    assert np.array_equal(alphacut.despill(image, "#00b140"), image)
    green = np.array([[(40, 200, 60)]], np.uint8)
    opaque = np.array([[255]], np.uint8)
    assert np.array_equal(alphacut.despill(green, "#00b140", alpha=opaque), green)
    assert alphacut.despill(green, "#00b140").tolist() == [[[40, 60, 60]]]
    assert np.array_equal(alphacut.despill(green, "gray"), green)


CALLS = {
    "found": alphacut.chroma_key,
    "given": lambda image, **k: alphacut.chroma_key(image, "teal", similarity=0.2, blend=0.3, contiguous=True, **k),
    "despill": lambda image, **k: alphacut.despill(image, "#00b140", strength=0.7, **k),
}


@pytest.mark.parametrize("name", CALLS)
def test_layouts_depths_and_out(name, rng):
    call = CALLS[name]
    for dtype in DTYPES:
        image = picture(rng, (24, 20, 3), dtype)
        for view in (image[::-1], image[::2], image[:, ::2], image[3:9, 5:17], image[..., ::-1], image[..., 0]):
            expected = call(np.ascontiguousarray(view))
            view.flags.writeable = False
            assert np.array_equal(call(view), expected)
            out = np.full_like(expected, 0.7 if dtype == np.float32 else 77)
            assert call(view, out=out) is out
            assert np.array_equal(out, expected)
        with pytest.raises(ValueError, match="overlaps"):
            call(image, out=image if name == "despill" else image.reshape(24, 60)[:, :20])
        with pytest.raises(ValueError, match="shape"):
            call(image, out=np.empty((2, 2), dtype))
        with pytest.raises(TypeError, match="dtype"):
            call(image, out=np.empty(image.shape, np.float64))
    deep = rng.integers(0, 65536, (9, 8, 3), dtype=np.uint16)
    result = call(deep)
    assert result.dtype == np.uint16
    assert np.abs(result / 65535 - call((deep / 65535).astype(np.float32))).max() < 2e-5
    out = np.empty_like(result)
    assert call(deep, out=out) is out
    assert np.array_equal(out, result)


def test_same_bytes_for_any_thread_count_and_instruction_set(isa):
    before = _core.num_threads()
    rng = np.random.default_rng(3)
    for dtype in DTYPES:
        image = picture(rng, (300, 411, 3), dtype)
        alpha = picture(rng, (300, 411), dtype)
        results = []
        for count, table in ((1, isa), (2, isa), (5, isa), (2, _core.available_isas()[0])):
            _core.set_num_threads(count)
            _core.set_isa(table)
            one = [call(image).tobytes() for call in CALLS.values()]
            results.append((*one, alphacut.despill(image, "cyan", alpha=alpha).tobytes()))
        _core.set_num_threads(before)
        _core.set_isa(isa)
        assert len(set(results)) == 1


def test_errors(rng):
    image = picture(rng, (4, 5, 3))
    for call in (*CALLS.values(), alphacut.find_key):
        for bad in ([[1]], np.zeros((3, 3)), None):
            with pytest.raises(TypeError, match="image"):
                call(bad)
        for bad in (np.zeros((0, 3), np.uint8), np.zeros((2, 2, 4), np.uint8), np.full((3, 3), np.nan, np.float32)):
            with pytest.raises(ValueError, match="image"):
                call(bad)
    for value in (-0.1, 2.1, np.nan):
        with pytest.raises(ValueError, match="similarity"):
            alphacut.chroma_key(image, similarity=value)
        with pytest.raises(ValueError, match="blend"):
            alphacut.chroma_key(image, blend=value)
        with pytest.raises(ValueError, match="strength"):
            alphacut.despill(image, "green", strength=value)
    with pytest.raises(ValueError, match="alpha"):
        alphacut.despill(image, "green", alpha=np.zeros((5, 4), np.uint8))
    with pytest.raises(TypeError, match="alpha"):
        alphacut.despill(image, "green", alpha=np.zeros((4, 5), np.float32))


def test_quality_on_cutouts(data_dir, isa):
    """Real subjects over plain white, green and a graded ground: the alpha stays as near as it was measured."""
    if isa != _core.available_isas()[-1]:
        pytest.skip("one instruction set is enough: the bytes are the same")
    from PIL import Image

    errors = {"white": [], "green": [], "graded": []}
    for path in sorted((data_dir / "cutouts").glob("*.png"))[:6]:
        with Image.open(path) as file:
            rgba = file.convert("RGBA")
            rgba.thumbnail((240, 240))
            rgba = np.pad(np.asarray(rgba, float), ((8, 8), (8, 8), (0, 0)))
        alpha = rgba[..., 3] / 255
        size = alpha.shape
        for name, ground in (
            ("white", plain(255, *size)),
            ("green", plain((0, 177, 64), *size)),
            ("graded", graded((240, 240, 236), *size)),
        ):
            image = np.rint(rgba[..., :3] * alpha[..., None] + ground * (1 - alpha[..., None])).astype(np.uint8)
            errors[name].append(np.abs(alphacut.chroma_key(image) / 255 - alpha).mean())
    assert np.mean(errors["green"]) < 0.015
    assert np.mean(errors["white"]) < 0.05
    assert np.mean(errors["graded"]) < 0.06


def screened(subject, key, rng, height=120, width=160):
    """A soft-edged subject before a screen whose light it reflects, a quarter of it at the rim and less inside: its
    true colours and alpha, and the picture."""
    y, x = np.mgrid[:height, :width]
    depth = height / 3 - np.hypot(y - height / 2, x - width / 2)
    alpha = np.clip(depth / 8 + 0.5, 0, 1)[..., None]
    front = np.clip(subject + 0.04 * rng.standard_normal((height, width, 1)), 0, 1)
    light = 0.25 * np.clip(1 - depth / 20, 0, 1)[..., None]
    picture = alpha * ((1 - light) * front + light * key) + (1 - alpha) * key
    return front, alpha[..., 0], np.rint(255 * picture).astype(np.uint8)


@pytest.mark.parametrize("subject", [(0.8, 0.45, 0.35), (0.5, 0.5, 0.5), (0.3, 0.28, 0.25), (0.9, 0.87, 0.85)])
@pytest.mark.parametrize("key", [(0, 177, 64), (20, 40, 220)])
def test_despill_after_estimated_colours_leaves_no_tint(key, subject, rng):
    """Known spill at a known edge: what a keyed cutout shows of the screen, before and after."""
    front, alpha, image = screened(subject, np.array(key) / 255, rng)
    matte, strong = np.rint(255 * alpha).astype(np.uint8), int(np.argmax(key))
    rim = (alpha > 0.05) & (alpha < 1)

    def tint(colours):
        values = colours[rim] / 255
        return np.mean(np.maximum(values[:, strong] - np.delete(values, strong, 1).max(1), 0))

    def error(colours):
        square = (colours[rim] / 255 - front[rim]) ** 2
        return np.sqrt(np.average(square.mean(1), weights=alpha[rim]))

    colours = alphacut.despill(alphacut.estimate_foreground(image, matte), key)
    assert tint(image) > 0.2
    assert tint(colours) < 0.005
    assert error(colours) < min(0.18, 0.55 * error(image))
    # With alpha alone, unestimated: no more is taken than the background can have added, and opaque pixels stay.
    careful = alphacut.despill(image, key, alpha=matte)
    assert tint(careful) < 0.4 * tint(image)
    assert np.array_equal(careful[matte == 255], image[matte == 255])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_despill_takes_a_bool_alpha_as_all_or_nothing(dtype):
    full = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    image = (np.full((2, 2, 3), (0.4, 0.6, 0.4)) * full).astype(dtype)
    alpha = np.array([[True, False], [False, True]])
    result = alphacut.despill(image, "green", alpha=alpha)
    assert np.array_equal(result, alphacut.despill(image, "green", alpha=(alpha * full).astype(dtype)))
    assert np.array_equal(result[alpha], image[alpha])
    assert (result[~alpha][:, 1] < image[~alpha][:, 1]).all()
