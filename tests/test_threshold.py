import numpy as np
import pytest

import alphacut
from reference import threshold as reference

cv2 = pytest.importorskip("cv2")
skimage = pytest.importorskip("skimage")
pytest.importorskip("skimage.filters")

isas = pytest.mark.usefixtures("isa")
LIMIT_METHODS = {"otsu": cv2.THRESH_OTSU, "triangle": cv2.THRESH_TRIANGLE}
FULL = {np.uint8: 255, np.uint16: 65535, np.float32: 1}


def pictures(rng, shape):
    """Noise, few colours with gaps, a hump, two humps."""
    noise = rng.integers(0, 256, shape, dtype=np.uint8)
    two = np.where(noise % 3 == 0, rng.normal(60, 9, shape), rng.normal(170, 20, shape))
    return (
        noise,
        noise // 64 * 50,
        np.clip(rng.normal(100, 20, shape), 0, 255).astype(np.uint8),
        np.clip(two, 0, 255).astype(np.uint8),
    )


def bimodal(rng, height=60, width=90):
    return pictures(rng, (height, width))[3]


# Fixed limits


@isas
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_equals_numpy_at_all_small_shapes(dtype, rng):
    scale = 255 if dtype == np.uint8 else 1
    for height in range(1, 18):
        for width in range(1, 18):
            gray = (rng.random((height, width)) * scale).astype(dtype)
            assert np.array_equal(alphacut.threshold(gray, scale // 2), np.where(gray > scale // 2, 255, 0))


@isas
def test_fixed_equals_cv2_at_odd_widths(rng):
    for width in range(1, 131):
        gray = rng.integers(0, 256, (3, width), dtype=np.uint8)
        for value in (-1, 0, 0.5, 127, 127.9, 254, 255):
            expected = cv2.threshold(gray, value, 255, cv2.THRESH_BINARY)[1]
            assert np.array_equal(alphacut.threshold(gray, value), expected)


def test_uint16_is_compared_exactly():
    gray = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for value in (-1, 0, 1, 255.5, 256, 32767, 32768, 65534, 65535):
        assert np.array_equal(alphacut.threshold(gray, value) == 255, gray > value)


def test_float_is_compared_as_float32():
    gray = np.float32([[0.3, np.nextafter(np.float32(0.3), np.float32(1)), 0, 1]])
    assert alphacut.threshold(gray, 0.3).tolist() == [[0, 255, 0, 255]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colour_takes_the_luma(dtype, rng):
    image8 = rng.integers(0, 256, (31, 45, 3), dtype=np.uint8)
    image = {np.uint8: image8, np.uint16: image8.astype(np.uint16) * 257, np.float32: np.float32(image8) / 255}[dtype]
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) / FULL[dtype]
    for result, limit in (
        (alphacut.threshold(image, 0.4 * FULL[dtype]), 0.4),
        (alphacut.threshold(image, "otsu"), alphacut.find_threshold(image) / FULL[dtype]),
    ):
        sure = np.abs(luma - limit) > 1e-5
        assert sure.mean() > 0.9
        assert np.array_equal((result == 255)[sure], (luma > limit)[sure])
    white = np.full((3, 3, 3), FULL[dtype], dtype)
    assert not alphacut.adaptive_threshold(white, 3).any()
    assert alphacut.find_threshold(white, "li") >= FULL[dtype] * 0.99


# Limits from the histogram


@pytest.fixture
def cv2_without_ipp():
    """OpenCV's own arithmetic: Intel's library, in its x86 builds, breaks exact ties in another way."""
    before = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    yield
    cv2.ipp.setUseIPP(before)


@isas
@pytest.mark.usefixtures("cv2_without_ipp")
@pytest.mark.parametrize("method", LIMIT_METHODS)
def test_limits_equal_cv2(method, rng):
    for width in range(1, 131):
        for gray in pictures(rng, (int(rng.integers(1, 30)), width)):
            limit, mask = cv2.threshold(gray, 0, 255, LIMIT_METHODS[method])
            found = alphacut.find_threshold(gray, method)
            assert isinstance(found, int)
            assert found == limit
            assert np.array_equal(alphacut.threshold(gray, method), mask)


@isas
@pytest.mark.usefixtures("cv2_without_ipp", "threads")
def test_limits_of_large_pictures_equal_cv2(rng):
    for gray in pictures(rng, (300, 517)):  # large enough for pairs to be counted
        gray[50:120, 100:] = gray[0, 0]
        gray[200] = 255
        for method in LIMIT_METHODS:
            limit, mask = cv2.threshold(gray, 0, 255, LIMIT_METHODS[method])
            assert alphacut.find_threshold(gray, method) == limit
            assert np.array_equal(alphacut.threshold(gray, method), mask)
        image = np.dstack([gray, gray[::-1], gray[:, ::-1]])
        luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        assert np.array_equal(alphacut.threshold(image, "otsu"), alphacut.threshold(luma, "otsu"))


@isas
def test_windows_where_the_sums_widen(rng):
    gray = pictures(rng, (270, 281))[3]
    gray[:140, :140] = 255
    for window in (51, 255, 257, 259):
        expected = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, window, 3)
        assert np.array_equal(alphacut.adaptive_threshold(gray, window, offset=3), expected)
        around = np.pad(gray, window // 2, mode="edge").astype(np.float64)
        mean, squares = (cv2.blur(x, (window, window), borderType=cv2.BORDER_REPLICATE) for x in (around, around**2))
        inner = np.s_[window // 2 : -(window // 2), window // 2 : -(window // 2)]
        limit = mean[inner] * (1 + 0.2 * (np.sqrt(np.maximum(squares - mean**2, 0))[inner] / 128 - 1))
        sure = np.abs(gray - limit) > 1e-3
        result = alphacut.adaptive_threshold(gray, window, method="sauvola") == 255
        assert np.array_equal(result[sure], (gray > limit)[sure])


@pytest.mark.usefixtures("cv2_without_ipp")
def test_otsu_ties_equal_cv2(rng):
    gray = np.uint8([[10] * 5 + [90] * 4])  # every limit from 10 to 89 is as good
    assert alphacut.find_threshold(gray) == 10
    for _ in range(300):  # symmetric histograms
        values = rng.integers(0, 100) + rng.integers(1, 30) * np.arange(rng.integers(2, 6))
        counts = rng.integers(1, 4, len(values))
        gray = np.repeat(values, counts + counts[::-1]).astype(np.uint8)[None]
        assert alphacut.find_threshold(gray) == cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[0]


def histograms(rng):
    """Of all kinds: few pixels or many, gaps, plateaus, mirror images, far single pixels."""
    for _ in range(40):
        counts = rng.integers(0, int(rng.choice([2, 3, 10, 300])), 256)
        counts[rng.integers(256)] += 1
        yield counts
        yield counts * (rng.random(256) < rng.choice([0.02, 0.1, 0.5])) + np.eye(256, dtype=int)[rng.integers(256)]
        yield counts + counts[::-1]
        yield np.repeat(counts[:32], 8)[rng.permutation(256)] + np.eye(256, dtype=int)[0]
        yield np.round(1000 * np.exp(-(((np.arange(256) - rng.integers(256)) / rng.integers(1, 60)) ** 2))).astype(int)
        yield counts // 2 * 90 + np.eye(256, dtype=int)[rng.integers(256)]
    yield np.r_[1, np.zeros(254, int), 5]
    yield np.full(256, 7)
    for dark in (1, 2, 3):  # classes of few pixels in 2^23 are left out
        yield np.r_[dark, np.zeros(99, int), (1 << 22) - dark, np.zeros(99, int), 1 << 22, np.zeros(54, int), dark]
        yield np.r_[dark, np.zeros(99, int), (1 << 22) - 2 * dark, np.zeros(154, int), dark]


@isas
def test_otsu_takes_opencvs_steps(rng):
    for counts in histograms(rng):
        gray = np.repeat(np.arange(256, dtype=np.uint8), counts)[None]
        assert alphacut.find_threshold(gray) == reference.otsu_by_steps(counts)


@pytest.mark.parametrize("colour", [0, 1, 128, 254, 255])
def test_one_colour_has_cv2s_answer(colour):
    gray = np.full((4, 5), colour, np.uint8)
    for method, flag in LIMIT_METHODS.items():
        assert alphacut.find_threshold(gray, method) == cv2.threshold(gray, 0, 255, flag)[0]
    assert alphacut.find_threshold(gray, "li") == colour
    assert not alphacut.threshold(gray, "li").any()


def test_triangle_may_leave_the_range():
    rising = np.uint8([[0] + [1] * 5 + [2] * 8])
    falling = 255 - rising
    assert alphacut.find_threshold(rising, "triangle") == -1
    assert alphacut.threshold(rising, "triangle").all()
    for gray in (rising, falling):
        limit, mask = cv2.threshold(gray, 0, 255, cv2.THRESH_TRIANGLE)
        assert alphacut.find_threshold(gray, "triangle") == limit
        assert np.array_equal(alphacut.threshold(gray, "triangle"), mask)
        for other in (gray.astype(np.uint16) * 257, gray.astype(np.float32) / 255):
            assert np.array_equal(alphacut.threshold(other, "triangle"), mask)


def test_li_equals_skimage(rng):
    for gray in (*pictures(rng, (50, 70)), *pictures(rng, (3, 17)), np.uint8([[3, 3, 200]]), np.uint8([[0, 1]])):
        expected = skimage.filters.threshold_li(gray, tolerance=1e-9)
        assert abs(alphacut.find_threshold(gray, "li") - expected) <= 1
        assert np.array_equal(alphacut.threshold(gray, "li") == 255, gray > expected)


def test_depths_agree(rng):
    """uint8, uint16 and float32 copies of a picture get the same mask."""
    for gray in pictures(rng, (40, 41)):
        for method in ("otsu", "triangle", "li"):
            expected = alphacut.threshold(gray, method)
            for other in (gray.astype(np.uint16) * 257, gray.astype(np.float32) / 255):
                assert np.array_equal(alphacut.threshold(other, method), expected)
                limit = alphacut.find_threshold(other, method)
                assert np.array_equal(other > limit, expected == 255)
    assert alphacut.find_threshold(np.float32([[0, 0.2, 0.8, 1]]), "otsu") == 52 / 256


@isas
def test_float_bins(rng):
    """Values on, just below and just above every bin's edge."""
    edges = (np.arange(257) / 256).astype(np.float32)
    for bin_, edge in enumerate(edges[1:]):
        low, high = np.nextafter(edge, np.float32(0)), np.nextafter(edge, np.float32(1))
        gray = np.float32([[0, low, edge, min(high, 1)] + [1] * 19])
        counts = np.bincount(np.clip(np.ceil(gray.astype(float) * 256).astype(int) - 1, 0, 255).ravel(), minlength=256)
        shown = np.repeat(np.arange(256), counts).astype(np.uint8)[None]
        assert alphacut.find_threshold(gray) == (alphacut.find_threshold(shown) + 1) / 256, bin_


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_multi_otsu_equals_brute_force(classes, rng):
    for _ in range(4):
        # 24 neighbouring bins keep the brute force small; the empty bins beyond cannot help.
        gray = (rng.integers(0, 24, (5, 9)) ** rng.integers(1, 3) % 24).astype(np.uint8)
        counts = np.bincount(gray.ravel(), minlength=24)
        limits = alphacut.find_threshold(gray, "multiotsu", classes=classes)
        assert reference.between_variance(counts, limits) == reference.multi_otsu_variance(counts, classes)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_multi_otsu_equals_skimage(classes, rng):
    for gray in pictures(rng, (40, 60))[2:]:
        limits = alphacut.find_threshold(gray, classes=classes) if classes > 2 else None
        limits = limits or alphacut.find_threshold(gray, "multiotsu")
        assert isinstance(limits, tuple)
        assert limits == tuple(skimage.filters.threshold_multiotsu(gray, classes))


def test_multi_otsu_with_fewer_colours_than_classes():
    limits = alphacut.find_threshold(np.uint8([[7, 90]]), classes=5)
    assert len(limits) == 4
    assert list(limits) == sorted(set(limits))
    assert np.searchsorted(limits, 7) < np.searchsorted(limits, 90)
    assert len(alphacut.find_threshold(np.uint8([[7]]), classes=256)) == 255


@isas
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("method", ["otsu", "triangle", "li"])
def test_mask_restricts_the_histogram(dtype, method, rng):
    gray = bimodal(rng)
    chosen = rng.random(gray.shape) < 0.3
    if dtype == np.float32:
        gray = gray.astype(np.float32) / 255
    expected = alphacut.find_threshold(gray[chosen][None], method)
    assert alphacut.find_threshold(gray, method, mask=chosen) == expected
    assert alphacut.find_threshold(gray, method, mask=chosen.astype(np.uint8) * 3) == expected
    nothing = alphacut.find_threshold(gray, method, mask=np.zeros_like(chosen))
    assert nothing == (0 if dtype == np.uint8 else 1 / 256)
    assert alphacut.find_threshold(bimodal(rng), classes=3, mask=np.zeros_like(chosen)) == (0, 0)


# Adaptive limits

ADAPTIVE = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}


@isas
@pytest.mark.parametrize("method", ADAPTIVE)
def test_adaptive_equals_cv2_at_odd_widths(method, rng):
    for width in range(1, 131):
        gray = rng.integers(0, 256, (int(rng.integers(1, 20)), width), dtype=np.uint8)
        for window, offset in ((3, 0), (5, 2), (7, -1.5), (9, 2.5), (15, -300 / 2), (51, 0.1)):
            expected = cv2.adaptiveThreshold(gray, 255, ADAPTIVE[method], cv2.THRESH_BINARY, window, offset)
            assert np.array_equal(alphacut.adaptive_threshold(gray, window, method=method, offset=offset), expected)


def test_gaussian_is_within_its_stated_distance_of_cv2(rng):
    gray = rng.integers(0, 256, (300, 301), dtype=np.uint8)
    for window in (11, 25, 101, 601):
        expected = cv2.adaptiveThreshold(gray, 255, ADAPTIVE["gaussian"], cv2.THRESH_BINARY, window, 0)
        mean = cv2.GaussianBlur(gray.astype(np.float64), (window, window), 0, borderType=cv2.BORDER_REPLICATE)
        sure = np.abs(mean - np.floor(mean) - 0.5) > 1e-3
        assert np.array_equal(alphacut.adaptive_threshold(gray, window, method="gaussian")[sure], expected[sure])


@isas
@pytest.mark.parametrize("window", [3, 17, 35, 1023, 1025, 32767])
def test_windows_larger_than_the_picture(window, rng):
    for shape in ((1, 1), (1, 9), (9, 1), (5, 7), (17, 16)):
        gray = rng.integers(0, 256, shape, dtype=np.uint8)
        reach = window // 2
        share = [
            np.array(
                [np.bincount(np.clip(np.arange(i - reach, i + reach + 1), 0, n - 1), minlength=n) for i in range(n)]
            )
            for n in shape
        ]  # how often each row, or column, counts for pixel i
        sums = share[0] @ gray.astype(np.int64) @ share[1].T
        area = window * window
        expected = np.where(gray > (2 * sums + area) // (2 * area), 255, 0)
        assert np.array_equal(alphacut.adaptive_threshold(gray, window), expected)


@isas
@pytest.mark.parametrize("window", [3, 9, 33, 201])
@pytest.mark.parametrize("k", [0, 0.2, 0.5, 1])
def test_sauvola_equals_float64(window, k, rng):
    for width in (1, 2, 7, 8, 9, 31, 33, 64, 65, 130):
        height = int(rng.integers(1, 20))
        gray = rng.integers(0, 256, (height, width), dtype=np.uint8)
        fine = rng.integers(0, 65536, (height, width), dtype=np.uint16)
        for values, full in ((gray, 255), (fine, 65535)):
            limit = reference.sauvola_limit(values, window, k, full)
            for offset in (0, 7 * full / 255):
                got = alphacut.adaptive_threshold(values, window, method="sauvola", k=k, offset=offset)
                sure = np.abs(values - (limit - offset)) > 1e-6
                assert np.array_equal(got[sure] == 255, (values > limit - offset)[sure])
    flat = np.full((9, 9), 200, np.uint8)
    assert (alphacut.adaptive_threshold(flat, window, method="sauvola", k=k) == (255 if k else 0)).all()


def test_sauvola_agrees_with_skimage(rng):
    gray = bimodal(rng)
    limit = skimage.filters.threshold_sauvola(gray, 15, 0.3, 128)
    inside = np.zeros(gray.shape, bool)
    inside[7:-7, 7:-7] = True  # skimage mirrors the border
    sure = inside & (np.abs(gray - limit) > 1e-6)
    assert np.array_equal(
        (alphacut.adaptive_threshold(gray, 15, method="sauvola", k=0.3) == 255)[sure], (gray > limit)[sure]
    )


@isas
def test_adaptive_mean_of_16_bits_is_exact(rng):
    gray = rng.integers(0, 65536, (20, 67), dtype=np.uint16)
    for window in (3, 21, 101):
        for offset in (0, 100.25, -5000):
            expected = gray.astype(np.int64) * window**2 > reference.window_sums(gray, window) - offset * window**2
            assert np.array_equal(alphacut.adaptive_threshold(gray, window, offset=offset) == 255, expected)
            as_float = gray.astype(np.float32) / np.float32(65535)
            result = alphacut.adaptive_threshold(as_float, window, offset=offset / 65535)
            assert np.array_equal(result == 255, expected)


@isas
def test_adaptive_gaussian_of_float(rng):
    gray = rng.random((30, 67), dtype=np.float32)
    for window in (3, 11, 75):
        mean = cv2.GaussianBlur(gray.astype(np.float64), (window, window), 0, borderType=cv2.BORDER_REPLICATE)
        for offset in (0, 0.05):
            sure = np.abs(gray - mean + offset) > 1e-5
            got = alphacut.adaptive_threshold(gray, window, method="gaussian", offset=offset)
            assert np.array_equal((got == 255)[sure], (gray > mean - offset)[sure])


# All of them

CALLS = {
    "fixed": lambda gray, **kw: alphacut.threshold(gray, 0.5 * FULL[gray.dtype.type], **kw),
    "otsu": alphacut.threshold,
    "mean": lambda gray, **kw: alphacut.adaptive_threshold(gray, 9, **kw),
    "gaussian": lambda gray, **kw: alphacut.adaptive_threshold(gray, 9, method="gaussian", **kw),
    "sauvola": lambda gray, **kw: alphacut.adaptive_threshold(gray, 9, method="sauvola", **kw),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
every_dtype = pytest.mark.parametrize("dtype", FULL)


def picture(dtype, shape, rng):
    values = rng.integers(0, 65536, shape, dtype=np.uint16)
    return {np.uint8: (values >> 8).astype(np.uint8), np.uint16: values, np.float32: np.float32(values) / 65535}[dtype]


@isas
@every_call
@every_dtype
def test_strides_read_only_inputs_and_out(call, dtype, rng):
    whole = picture(dtype, (46, 140), rng)
    whole.flags.writeable = False
    for gray in (whole[:, ::2], whole[::-1], whole[3:-2, 5:-7], whole.T, whole[:, 7:8], whole[:1, :]):
        expected = call(np.ascontiguousarray(gray))
        assert expected.dtype == np.uint8
        assert set(np.unique(expected)) <= {0, 255}
        assert np.array_equal(call(gray), expected)
        frame = np.full((gray.shape[0], gray.shape[1] + 9), 77, np.uint8)
        out = frame[:, 4:-5]
        assert call(gray, out=out) is out
        assert np.array_equal(out, expected)
        assert (frame[:, :4] == 77).all()
        assert (frame[:, -5:] == 77).all()


@every_call
@every_dtype
def test_threads_give_the_same_bytes(call, dtype, rng):
    gray = picture(dtype, (700, 513), rng)
    before = alphacut.get_num_threads()
    results = []
    try:
        for count in (1, 2, 5):
            alphacut.set_num_threads(count)
            results.append(call(gray).tobytes())
    finally:
        alphacut.set_num_threads(before)
    assert len(set(results)) == 1


@every_call
def test_refuses_wrong_pictures(call):
    gray = np.zeros((4, 5), np.uint8)
    with pytest.raises(ValueError, match="gray"):
        call(np.zeros((0, 3), np.uint8))
    with pytest.raises(ValueError, match="gray"):
        call(np.zeros((2, 3, 4), np.uint8))
    with pytest.raises(ValueError, match="out"):
        call(gray, out=np.zeros((4, 6), np.uint8))
    with pytest.raises(TypeError, match="out"):
        call(gray, out=np.zeros((4, 5), np.float32))
    with pytest.raises(ValueError, match="overlaps"):
        call(gray, out=gray)
    for bad in (np.nan, np.inf, -0.01, 1.01):
        values = np.full((40, 50), 0.5, np.float32)
        values[-1, -1] = bad
        with pytest.raises(ValueError, match="gray"):
            call(values)


@pytest.mark.parametrize(
    "call",
    [alphacut.threshold, alphacut.find_threshold, lambda gray: alphacut.adaptive_threshold(gray, 3)],
    ids=["threshold", "find", "adaptive"],
)
def test_refuses_wrong_types(call):
    for wrong in (np.zeros((4, 5)), np.zeros((4, 5), np.int32), np.zeros((4, 5), bool), [[1, 2]], None):
        with pytest.raises(TypeError, match="gray"):
            call(wrong)


def test_refuses_wrong_options():
    gray = np.zeros((4, 5), np.uint8)
    for value in (np.nan, np.inf, 256, -256):
        with pytest.raises(ValueError, match="value"):
            alphacut.threshold(gray, value)
    with pytest.raises(ValueError, match="value"):
        alphacut.threshold(gray.astype(np.float32), 2)
    with pytest.raises(ValueError, match="value"):
        alphacut.threshold(gray, "mean")
    for value in (None, True, [1]):
        with pytest.raises(TypeError, match="value"):
            alphacut.threshold(gray, value)
    with pytest.raises(ValueError, match="method"):
        alphacut.find_threshold(gray, "yen")
    with pytest.raises(TypeError, match="method"):
        alphacut.find_threshold(gray, 3)
    for classes in (-1, 0, 1, 257):
        with pytest.raises(ValueError, match="classes"):
            alphacut.find_threshold(gray, classes=classes)
    with pytest.raises(ValueError, match="classes"):
        alphacut.find_threshold(gray, "li", classes=3)
    with pytest.raises(ValueError, match="mask"):
        alphacut.find_threshold(gray, mask=np.ones((5, 4), bool))
    with pytest.raises(TypeError, match="mask"):
        alphacut.find_threshold(gray, mask=np.ones((4, 5)))
    for window in (-1, 0, 1, 2, 4, 32769):
        with pytest.raises(ValueError, match="window"):
            alphacut.adaptive_threshold(gray, window)
    with pytest.raises(TypeError):
        alphacut.adaptive_threshold(gray, 3.5)
    for offset in (np.nan, 256, -300):
        with pytest.raises(ValueError, match="offset"):
            alphacut.adaptive_threshold(gray, 3, offset=offset)
    for k in (np.nan, -0.1, 1.1):
        with pytest.raises(ValueError, match="k must"):
            alphacut.adaptive_threshold(gray, 3, method="sauvola", k=k)
    with pytest.raises(ValueError, match="method"):
        alphacut.adaptive_threshold(gray, 3, method="median")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_one_pixel(call):
    for dtype, full in FULL.items():
        for value in (0, full):
            assert call(np.array([[value]], dtype)).shape == (1, 1)
