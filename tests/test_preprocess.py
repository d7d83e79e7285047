import numpy as np
import pytest
from scipy import ndimage

import alphacut
from reference import preprocess as reference

cv2 = pytest.importorskip("cv2")
filters = pytest.importorskip("skimage.filters")

pytestmark = pytest.mark.usefixtures("isa")

DTYPES = [np.uint8, np.float32]
CALLS = {
    "median3": alphacut.denoise,
    "median5": lambda image, **k: alphacut.denoise(image, size=5, **k),
    "median31": lambda image, **k: alphacut.denoise(image, size=31, **k),
    "bilateral": lambda image, **k: alphacut.denoise(image, "bilateral", size=5, **k),
    "gaussian": lambda image, **k: alphacut.gaussian_blur(image, 2, **k),
    "gaussian_wide": lambda image, **k: alphacut.gaussian_blur(image, 20, **k),
    "unsharp": alphacut.unsharp_mask,
    "gray_world": alphacut.white_balance,
    "percentile": lambda image, **k: alphacut.white_balance(image, "percentile", **k),
    "area": lambda image, **k: alphacut.resize(image, (3, 4), **k),
    "nearest": lambda image, **k: alphacut.resize(image, (3, 4), method="nearest", **k),
    "bilinear": lambda image, **k: alphacut.resize(image, (3, 4), method="bilinear", **k),
    "bicubic": lambda image, **k: alphacut.resize(image, (3, 4), method="bicubic", **k),
    "lanczos": lambda image, **k: alphacut.resize(image, (3, 4), method="lanczos", **k),
}


def picture(rng, shape, dtype):
    if dtype == np.float32:
        return rng.random(shape, dtype=np.float32)
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def shapes():
    return [(h, w, *c) for h in range(1, 18) for w in range(1, 18) for c in ([], [3])]


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_median_equals_cv2_at_all_small_shapes(dtype, size, rng):
    for shape in shapes():
        image = picture(rng, shape, dtype)
        expected = cv2.medianBlur(image, size).reshape(shape)
        assert np.array_equal(alphacut.denoise(image, size=size), expected), shape


@pytest.mark.parametrize("size", [3, 5])
def test_median_network_on_zeros_and_ones(size, rng):
    # A network of minima and maxima that is right for all zeros and ones is right for everything.
    for share in (0.3, 0.5, 0.7):
        image = (rng.random((300, 400)) < share).astype(np.uint8)
        assert np.array_equal(alphacut.denoise(image, size=size), cv2.medianBlur(image, size))


def test_median_reference(rng):
    image = picture(rng, (9, 11, 3), np.uint8)
    assert np.array_equal(alphacut.denoise(image, size=5), reference.median(image, 5))


@pytest.mark.parametrize("size", [7, 9, 31])
def test_wide_median_equals_cv2_at_all_small_shapes(size, rng):
    for shape in shapes():
        image = picture(rng, shape, np.uint8)
        assert np.array_equal(alphacut.denoise(image, size=size), cv2.medianBlur(image, size).reshape(shape)), shape


@pytest.mark.parametrize("size", [7, 13, 21, 31])
def test_wide_median_equals_cv2(size, rng):
    """In several blocks of rows, with runs of one value that leave some of the counts behind."""
    image = picture(rng, (260, 190, 3), np.uint8)
    image[60:120] = 255
    image[:, 90:140] //= 64
    for plane in (image, image[..., 1], cv2.GaussianBlur(image, (0, 0), 5)):
        assert np.array_equal(alphacut.denoise(plane, size=size), cv2.medianBlur(plane, size))


def test_wide_median_of_floats(rng):
    for shape in [(1, 1), (3, 20), (40, 5, 3), (33, 34)]:
        image = picture(rng, shape, np.float32)
        assert np.array_equal(alphacut.denoise(image, size=7), reference.median(image, 7))
    deep = rng.integers(0, 65536, (20, 21)).astype(np.uint16)
    assert np.array_equal(alphacut.denoise(deep, size=9), reference.median(deep, 9))


@pytest.mark.parametrize("sigmas", [(0.2, 0.7), (0.05, 40)])
@pytest.mark.parametrize("size", [3, 9])
def test_bilateral_of_free_sigmas(size, sigmas, rng):
    color, space = sigmas
    for shape in [(1, 1), (2, 3), (13, 17), (9, 33, 3)]:
        image = picture(rng, shape, np.float32)
        expected = reference.bilateral(image, size, color, space)
        result = alphacut.denoise(image, "bilateral", size=size, sigma=color, sigma_space=space)
        assert np.abs(result - expected).max() < 2e-3
    image = cv2.GaussianBlur(picture(rng, (40, 50, 3), np.uint8), (0, 0), 2)
    peer = cv2.bilateralFilter(image, size, 255 * color, space, borderType=cv2.BORDER_REPLICATE)
    result = alphacut.denoise(image, "bilateral", size=size, sigma=color, sigma_space=space)
    assert np.abs(result.astype(int) - peer).max() <= 1


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_bilateral_equals_reference(dtype, size, rng):
    for shape in [(1, 1), (1, 7), (6, 1, 3), (2, 3), (13, 17), (9, 33, 3)]:
        image = picture(rng, shape, dtype)
        expected = reference.bilateral(image, size, 0.2)
        tolerance = 0.8 if dtype == np.uint8 else 2e-3
        assert np.abs(alphacut.denoise(image, "bilateral", size=size, sigma=0.2) - expected).max() < tolerance


@pytest.mark.parametrize("dtype", DTYPES)
def test_bilateral_of_a_tiny_sigma_changes_nothing(dtype, rng):
    image = picture(rng, (9, 33, 3), dtype)
    result = alphacut.denoise(image, "bilateral", sigma=1e-300)
    assert np.allclose(result, image, rtol=1e-6, atol=0)


def test_bilateral_is_near_cv2(rng):
    image = cv2.GaussianBlur(picture(rng, (40, 50, 3), np.uint8), (0, 0), 2)
    expected = cv2.bilateralFilter(image, 5, 25.5, 2.5, borderType=cv2.BORDER_REPLICATE)
    ours = alphacut.denoise(image, "bilateral", size=5, sigma=0.1)
    assert np.abs(ours.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", ["area", "bilinear", "bicubic", "lanczos"])
def test_resize_equals_reference_at_all_small_shapes(method, dtype, rng):
    tolerance = 0.5 + 1e-3 if dtype == np.uint8 else 1e-6
    for shape in shapes():
        image = picture(rng, shape, dtype)
        size = tuple(int(v) for v in rng.integers(1, 24, 2))
        result = alphacut.resize(image, size, method=method)
        assert result.shape == size + shape[2:]
        assert np.abs(result - reference.resize(image, size, method)).max() <= tolerance, (shape, size)


@pytest.mark.parametrize("size", [(37, 50), (211, 301), (99, 260), (1, 1), (13, 400)])
@pytest.mark.parametrize("method", ["bicubic", "lanczos"])
def test_filters_are_near_pillow(method, size, rng):
    """In floats: of bytes, Pillow rounds and cuts off what overshoots once more, between its two passes."""
    Image = pytest.importorskip("PIL.Image")
    image = picture(rng, (100, 130), np.float32)
    peer = np.asarray(Image.fromarray(image).resize(size[::-1], getattr(Image.Resampling, method.upper())))
    assert np.abs(alphacut.resize(image, size, method=method) - peer.clip(0, 1)).max() < 1e-5


def test_nearest_equals_reference_at_all_small_shapes(rng):
    for shape in shapes():
        image = picture(rng, shape, np.uint8)
        size = tuple(int(v) for v in rng.integers(1, 24, 2))
        expected = reference.nearest(image, size)
        assert np.array_equal(alphacut.resize(image, size, method="nearest"), expected)


def test_nearest_keeps_labels_of_every_depth(rng):
    for dtype in (bool, np.uint8, np.uint16, np.int32, np.float32):
        labels = rng.integers(-9, 9, (12, 13)).astype(dtype)
        if labels.dtype == np.int32:
            labels[0, 0], labels[1, 1] = np.iinfo(np.int32).min, np.iinfo(np.int32).max
        for view in (labels, labels[:, ::-2], labels.T):
            expected = reference.nearest(view, (7, 30))
            result = alphacut.resize(view, (7, 30), method="nearest")
            assert result.dtype == dtype
            assert np.array_equal(result, expected)
            out = np.zeros((7, 30), dtype)
            assert alphacut.resize(view, (7, 30), method="nearest", out=out) is out
            assert np.array_equal(out, expected)
    with pytest.raises(TypeError, match="bool"):
        alphacut.resize(np.ones((3, 3), bool), (2, 2), method="nearest", out=np.empty((2, 2), np.uint8))
    with pytest.raises(TypeError, match="int64"):
        alphacut.resize(np.ones((3, 3), np.int64), (2, 2), method="nearest")


@pytest.mark.parametrize("factors", [(2, 2), (3, 3), (4, 2), (7, 5)])
def test_area_is_exact_for_whole_factors(factors, rng):
    y, x = factors
    image = picture(rng, (9 * y, 11 * x, 3), np.uint8)
    total = image.reshape(9, y, 11, x, 3).sum(axis=(1, 3), dtype=np.int64)
    assert np.array_equal(alphacut.resize(image, (9, 11)), (2 * total + x * y) // (2 * x * y))


@pytest.mark.parametrize("size", [(37, 50), (20, 33), (100, 1), (1, 130), (100, 130)])
def test_area_is_near_cv2(size, rng):
    for channels in ([], [3]):
        for dtype, tolerance in ((np.uint8, 1), (np.float32, 2e-3)):  # cv2 drops weights below 1e-3
            image = picture(rng, (100, 130, *channels), dtype)
            expected = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA).reshape(*size, *channels)
            result = alphacut.resize(image, size)
            assert np.abs(result.astype(np.float64) - expected).max() <= tolerance


@pytest.mark.parametrize("size", [(37, 50), (211, 301), (99, 260), (1, 1)])
def test_bilinear_is_near_cv2(size, rng):
    for channels in ([], [3]):
        for dtype, tolerance in ((np.uint8, 1), (np.float32, 1e-5)):
            image = picture(rng, (100, 130, *channels), dtype)
            expected = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR).reshape(*size, *channels)
            result = alphacut.resize(image, size, method="bilinear")
            assert np.abs(result.astype(np.float64) - expected).max() <= tolerance


def test_resizing_keeps_constants_and_the_identity(rng):
    for value in (0.0, 0.1, 0.3, 1.0):
        image = np.full((31, 17), value, np.float32)
        for size in ((7, 5), (64, 90), (31, 3)):
            for method in ("area", "nearest", "bilinear"):
                assert (alphacut.resize(image, size, method=method) == np.float32(value)).all()
    for dtype in DTYPES:
        image = picture(rng, (13, 9, 3), dtype)
        for method in ("area", "nearest", "bilinear", "bicubic", "lanczos"):
            assert np.array_equal(alphacut.resize(image, (13, 9), method=method), image)


def test_rgb_to_lab(rng):
    color = pytest.importorskip("skimage.color")
    for shape in [(1, 1, 3), (7, 9, 3), (33, 34, 3)]:
        for dtype in DTYPES:
            image = picture(rng, shape, dtype)
            assert np.abs(alphacut.rgb_to_lab(image) - color.rgb2lab(image)).max() < 0.01
    gray = picture(rng, (5, 6), np.uint8)
    assert np.array_equal(alphacut.rgb_to_lab(gray), alphacut.rgb_to_lab(np.dstack([gray] * 3)))
    deep = picture(rng, (5, 6, 3), np.uint8).astype(np.uint16) * 257
    assert np.abs(alphacut.rgb_to_lab(deep) - color.rgb2lab(deep)).max() < 0.01


def test_gray_world(rng):
    image = picture(rng, (30, 41, 3), np.uint8) // np.array([1, 2, 3], np.uint8)
    expected = np.minimum(np.floor(reference.gray_world(image) + 0.5), 255)
    assert np.abs(alphacut.white_balance(image) - expected).max() <= 1  # the reference's ties round in floating point
    scaled = image.astype(np.float32) / 600
    assert np.allclose(alphacut.white_balance(scaled), reference.gray_world(scaled), atol=1e-6)


@pytest.mark.parametrize("percent", [0, 1, 7.5, 49])
def test_percentile(percent, rng):
    image = (picture(rng, (30, 41, 3), np.uint8) // 3 + np.array([3, 40, 90], np.uint8)).astype(np.uint8)
    for picture_, full, tolerance in ((image, 255, 0.5 + 1e-9), (image.astype(np.float32) / 255, 1, 1e-6)):
        result = alphacut.white_balance(picture_, "percentile", percent=percent)
        for c in range(3):
            expected = reference.percentile(picture_[..., c].astype(np.float64), percent, full)
            assert np.abs(result[..., c] - expected).max() <= tolerance


def test_balance_of_degenerate_pictures():
    one = np.full((4, 5, 3), (90, 60, 30), np.uint8)
    assert (alphacut.white_balance(one) == 60).all()
    assert np.array_equal(alphacut.white_balance(one, "percentile"), one)
    black = np.full((1, 1, 3), (0, 100, 50), np.uint8)
    assert alphacut.white_balance(black).tolist() == [[[0, 50, 50]]]
    assert not alphacut.white_balance(np.zeros((3, 3, 3), np.float32)).any()
    gray = np.array([[3, 200]], np.uint8)
    assert np.array_equal(alphacut.white_balance(gray), gray)
    assert alphacut.white_balance(gray, "percentile", percent=0).tolist() == [[0, 255]]


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
            call(image[:3, :4], out=image[:3, :4])
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


@pytest.mark.parametrize("name", CALLS)
def test_errors(name):
    call = CALLS[name]
    takes_labels = name == "nearest"
    for bad in ([[1]], np.zeros((3, 3)), np.zeros((3, 3), np.int64 if takes_labels else np.int32)):
        with pytest.raises(TypeError, match="image"):
            call(bad)
    for shape in ((0, 3), (3, 0), (3,), (2, 2, 4), (2, 2, 3, 1)):
        with pytest.raises(ValueError, match="image"):
            call(np.zeros(shape, np.uint8))
    outside = () if name.startswith("gaussian") else (-0.01, 1.01)
    for value in () if takes_labels else (np.nan, np.inf, *outside):
        with pytest.raises(ValueError, match="image"):
            call(np.full((3, 3), value, np.float32))


def test_errors_of_options():
    image = np.zeros((3, 3), np.uint8)
    with pytest.raises(ValueError, match="method"):
        alphacut.denoise(image, "mean")
    with pytest.raises(TypeError, match="method"):
        alphacut.resize(image, (2, 2), method=3)
    for size in (1, 4, 33, -3):
        for method in ("median", "bilateral"):
            with pytest.raises(ValueError, match="size"):
                alphacut.denoise(image, method, size=size)
    for sigma in (0, -1, 5, np.nan):
        with pytest.raises(ValueError, match="sigma"):
            alphacut.denoise(image, "bilateral", sigma=sigma)
    for sigma in (0, -1, 1001, np.nan):
        with pytest.raises(ValueError, match="sigma_space"):
            alphacut.denoise(image, "bilateral", sigma_space=sigma)
    for percent in (-1, 50, np.nan):
        with pytest.raises(ValueError, match="percent"):
            alphacut.white_balance(image, "percentile", percent=percent)
    for size in ((0, 3), (3, -1), (2**40, 1)):
        with pytest.raises(ValueError, match="size"):
            alphacut.resize(image, size)
    for size in (3, (3,), (3, 4, 5), (2.5, 3), "ab"):
        with pytest.raises(TypeError):
            alphacut.resize(image, size)


@pytest.mark.parametrize("name", CALLS)
def test_same_bytes_for_any_thread_count(name, rng):
    from alphacut import _core

    before = _core.num_threads()
    for dtype in DTYPES:
        image = picture(rng, (400, 411, 3), dtype)
        results = []
        for count in (1, 2, 5):
            _core.set_num_threads(count)
            results.append(CALLS[name](image).tobytes())
        _core.set_num_threads(before)
        assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("name", CALLS)
def test_same_bytes_for_any_instruction_set(name, isa):
    from alphacut import _core

    rng = np.random.default_rng(5)
    for dtype in DTYPES:
        image = picture(rng, (67, 71, 3), dtype)
        result = CALLS[name](image)
        _core.set_isa(_core.available_isas()[0])
        expected = CALLS[name](image)
        _core.set_isa(isa)
        assert result.tobytes() == expected.tobytes()


def gaussian_of(image, sigma, truncate=4.0, mode="nearest"):
    deviations = sigma if isinstance(sigma, tuple) else (sigma, sigma)
    axes = (*deviations, 0) if image.ndim == 3 else deviations
    return ndimage.gaussian_filter(image.astype(np.float64), axes, mode=mode, truncate=truncate)


@pytest.mark.parametrize("mode", ["nearest", "reflect", "mirror", "wrap"])
def test_gaussian_blur_equals_scipy_at_all_small_shapes(mode, rng):
    for shape in shapes()[::7]:
        for dtype, within in ((np.uint8, 0.53), (np.uint16, 0.6), (np.float32, 1e-6)):
            image = picture(rng, shape, dtype)
            for sigma in (0, 0.3, 1.2, (3, 0.5)):
                ours = alphacut.gaussian_blur(image, sigma, mode=mode)
                assert ours.dtype == dtype
                assert ours.shape == image.shape
                assert np.abs(ours - gaussian_of(image, sigma, mode=mode)).max() <= within, (shape, dtype, sigma)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("sigma", [0.1, 1, 4, 15.4, 15.7, 40, (0, 20), (20, 0)])
def test_gaussian_blur_equals_scipy(sigma, rng):
    """Windows of whole numbers reach 62 pixels: to sigma 15.6."""
    image = rng.integers(0, 256, (150, 170, 3), np.uint8)
    image[:40] = 255
    image[40:60] = 0
    ours = alphacut.gaussian_blur(image, sigma)
    assert np.abs(ours - gaussian_of(image, sigma)).max() < 0.7
    unit = image.astype(np.float32) / np.float32(255)
    assert np.abs(alphacut.gaussian_blur(unit, sigma) - gaussian_of(unit, sigma)).max() < 2e-6


def test_gaussian_blur_leaves_even_pictures_even():
    for value in (0, 1, 127, 128, 254, 255):
        even = np.full((70, 60), value, np.uint8)
        for sigma in (0.2, 1, 3, 10, 15.5, 30):
            assert np.array_equal(alphacut.gaussian_blur(even, sigma), even), (value, sigma)
    ones = np.ones((40, 50), np.float32)
    for sigma in (0.2, 1, 3, 30, 300):
        assert np.array_equal(alphacut.gaussian_blur(ones, sigma), ones), sigma


def test_gaussian_blur_is_cv2s_with_its_border(rng):
    image = rng.random((50, 60)).astype(np.float32)
    theirs = cv2.GaussianBlur(image, (17, 17), 2, borderType=cv2.BORDER_REFLECT_101)
    assert np.abs(alphacut.gaussian_blur(image, 2, mode="mirror") - theirs).max() < 1e-6
    theirs = cv2.GaussianBlur(image, (13, 13), 2)
    assert np.abs(alphacut.gaussian_blur(image, 2, truncate=3, mode="mirror") - theirs).max() < 1e-6


def test_gaussian_blur_of_floats_of_any_range(rng):
    image = rng.normal(0, 1e6, (20, 30)).astype(np.float32)
    assert np.abs(alphacut.gaussian_blur(image, 1.5) - gaussian_of(image, 1.5)).max() < 1


@pytest.mark.parametrize("sigma", [0, 1.0, (2, 0.5), 30])
def test_unsharp_mask_equals_skimage(sigma, rng):
    for dtype, full in ((np.uint8, 255), (np.uint16, 65535), (np.float32, 1)):
        for shape in ((40, 50), (30, 20, 3)):
            image = picture(rng, shape, dtype)
            for amount in (0, 0.6, 3):
                expected = image + amount * (image - gaussian_of(image, sigma, mode="reflect"))
                ours = alphacut.unsharp_mask(image, sigma=sigma, amount=amount, mode="reflect")
                assert ours.dtype == dtype
                slack = 1e-5 if dtype == np.float32 else 0.51 + 0.1 * amount
                assert np.abs(ours - np.clip(expected, 0, full)).max() <= slack
            if sigma == 1.0 and dtype == np.float32:
                theirs = filters.unsharp_mask(image, 1, 2, channel_axis=2 if image.ndim == 3 else None)
                assert np.abs(alphacut.unsharp_mask(image, amount=2, mode="reflect") - theirs).max() < 1e-5


def test_blurs_check_their_arguments():
    image = np.zeros((4, 5), np.uint8)
    with pytest.raises(ValueError, match="sigma times truncate must be at most 16383 pixels"):
        alphacut.gaussian_blur(image, 1e5)
    with pytest.raises(ValueError, match="mode must be one of"):
        alphacut.gaussian_blur(image, 1, mode="constant")
    with pytest.raises(ValueError, match="amount must be from 0 to 1000"):
        alphacut.unsharp_mask(image, amount=-1)
    with pytest.raises(TypeError, match="dtype"):
        alphacut.gaussian_blur(image.astype(bool), 1)


@pytest.mark.parametrize("size", [(20, 31), (60, 25), (90, 110), (7, 5)])
def test_gaussian_resize_is_skimages_with_anti_aliasing(size, rng):
    transform = pytest.importorskip("skimage.transform")
    image = rng.random((60, 93)).astype(np.float32)
    found = alphacut.resize(image, size, "gaussian")
    expected = transform.resize(image, size, order=1, mode="edge" if size[0] > 60 else "reflect", anti_aliasing=True)
    inner = tuple(slice(2, -2) if new > 4 else slice(None) for new in size)
    assert np.abs(found - expected)[inner].max() < 2e-3
    colour = rng.integers(0, 256, (60, 93, 3), np.uint8)
    assert alphacut.resize(colour, size, "gaussian").shape == (*size, 3)
    out = np.empty(size, np.float32)
    assert alphacut.resize(image, size, "gaussian", out=out) is out
    assert np.array_equal(out, found)
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.resize(image, image.shape, "gaussian", out=image)
