import itertools

import numpy as np
import pytest

import alphacut
from reference import threshold as reference

cv2 = pytest.importorskip("cv2")
skimage = pytest.importorskip("skimage")
pytest.importorskip("skimage.filters")

isas = pytest.mark.usefixtures("isa")
every_depth_of_local = pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16, np.int16, np.int64, np.float32, np.float64]
)
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
    for deep in (np.int16, np.int32, np.float64):
        image = rng.integers(0, 30000, (31, 45, 3)).astype(deep)
        luma = image @ np.array([0.299, 0.587, 0.114])
        sure = np.abs(luma - 14000) > 1.5
        assert np.array_equal((alphacut.threshold(image, 14000) == 255)[sure], (luma > 14000)[sure])


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
            assert alphacut.find_threshold(hist=np.bincount(gray.ravel(), minlength=256), method=method) == limit
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
            if method == "triangle" and len(np.unique(gray)) < 9:
                continue  # a uint8 histogram keeps its gaps, one of 16 bits does not
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


def test_multi_otsu_refuses_more_classes_than_values():
    for gray, classes in ((np.uint8([[7, 90]]), 3), (np.uint8([[7]]), 2), (np.uint8([[7, 8, 9]]), 256)):
        for other in (gray, gray.astype(np.uint16), gray.astype(np.int32) - 50, np.float32(gray) / 255):
            with pytest.raises(ValueError, match=r"classes must be at most the number of different values in gray, \d"):
                alphacut.find_threshold(other, "multiotsu", classes=classes)
    assert alphacut.find_threshold(np.uint8([[7, 90, 200]]), classes=3) == (7, 90)


def test_multi_otsu_of_many_values_equals_brute_force(rng):
    gray = rng.choice(65536, 40).astype(np.uint16)[None]
    for classes in (2, 3):
        found = alphacut.find_threshold(gray, "multiotsu", classes=classes)
        levels = np.unique(gray).astype(np.int64)

        def spread(limits, levels=levels):
            parts = np.split(levels, np.searchsorted(levels, limits, side="right"))
            return sum(float(part.sum()) ** 2 / len(part) for part in parts)

        best = max(map(spread, itertools.combinations(levels[:-1], classes - 1)))
        assert spread(found) == pytest.approx(best, rel=1e-12)


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
    assert nothing == 0
    with pytest.raises(ValueError, match="classes"):
        alphacut.find_threshold(bimodal(rng), classes=3, mask=np.zeros_like(chosen))


# Depths


def copies(gray):
    """The same picture in every depth that is taken, with the value of one step and of zero."""
    for dtype in (np.uint8, np.uint16, np.int16, np.int32, np.uint32, np.int64, np.uint64):
        yield gray.astype(dtype), 1, 0
    for factor in (257, 64, 3):
        yield gray.astype(np.uint16) * np.uint16(factor), factor, 0
    yield gray.astype(np.int16) * 100 - 12000, 100, -12000
    yield gray.astype(np.int32) * 4000 - 10**9, 4000, -(10**9)
    yield gray.astype(np.int64) - 300, 1, -300


def test_limits_of_any_depth(rng):
    """An 8-bit picture in any depth: the same side for every pixel, and a limit of the same place."""
    for gray in pictures(rng, (40, 53)):
        for method in ("otsu", "li", "isodata", "yen", "entropy", "mean"):
            expected = alphacut.threshold(gray, method)
            for other, step, zero in copies(gray):
                limit = alphacut.find_threshold(other, method)
                assert np.array_equal(other > limit, expected == 255), (method, other.dtype)
                assert np.array_equal(alphacut.threshold(other, method), expected)
                if method in ("li", "mean"):
                    assert limit == pytest.approx(zero + step * alphacut.find_threshold(gray, method), rel=1e-9)
                else:
                    assert isinstance(limit, int)


@isas
@pytest.mark.usefixtures("cv2_without_ipp")
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_otsu_of_16_bits_equals_cv2_and_skimage(bits, rng):
    for _ in range(5):
        low, high = np.sort(rng.random(2))
        two = np.where(rng.random((60, 80)) < 0.4, rng.normal(low, 0.05, (60, 80)), rng.normal(high, 0.1, (60, 80)))
        gray = (np.clip(two, 0, 1) * (2**bits - 1)).astype(np.uint16)
        found = alphacut.find_threshold(gray)
        assert found == cv2.threshold(gray, 0, 65535, cv2.THRESH_OTSU)[0]
        assert found == skimage.filters.threshold_otsu(gray)


PEERS = {
    "isodata": skimage.filters.threshold_isodata,
    "yen": skimage.filters.threshold_yen,
    "minimum": skimage.filters.threshold_minimum,
    "mean": skimage.filters.threshold_mean,
}


@pytest.mark.parametrize("method", PEERS)
def test_other_limits_equal_skimage(method, rng):
    two = np.where(rng.random((90, 80)) < 0.4, rng.normal(70, 9, (90, 80)), rng.normal(170, 20, (90, 80)))
    for gray in (two.clip(0, 255).astype(np.uint8), two.astype(np.int16) - 100, two.astype(np.int32) + 70000):
        assert alphacut.find_threshold(gray, method) == pytest.approx(PEERS[method](gray), rel=1e-9)
    for gray in (two, two.astype(np.float32) * 1e-3 - 5):  # the middles of bins; ours are their ends
        width = float(gray.max() - gray.min()) / 256
        expected = PEERS[method](gray) + (0 if method == "mean" else width / 2)
        tolerance = 1e-4 if gray.dtype == np.float32 else 1e-9
        assert alphacut.find_threshold(gray, method, nbins=256) == pytest.approx(expected, rel=tolerance)


def test_methods_by_definition(rng):
    for gray in pictures(rng, (40, 41)):
        counts = np.bincount(gray.ravel(), minlength=256)
        for method in ("isodata", "yen", "entropy", "minimum"):
            expected = getattr(reference, method)(counts)
            if expected is None:
                with pytest.raises(ValueError, match="no two peaks"):
                    alphacut.find_threshold(gray, method)
            else:
                assert alphacut.find_threshold(gray, method) == expected
    for method in ("isodata", "yen", "entropy"):
        assert alphacut.find_threshold(np.full((3, 4), 77, np.int32), method) == 77


def test_hist_in_place_of_a_picture(rng):
    gray = bimodal(rng)
    counts = np.bincount(gray.ravel(), minlength=256)
    for method in ("otsu", "isodata", "yen", "entropy", "li", "mean"):
        expected = alphacut.find_threshold(gray, method)
        assert alphacut.find_threshold(hist=counts, method=method) == expected
        found = alphacut.find_threshold(hist=(counts.astype(np.float32), np.arange(256) / 2 - 7), method=method)
        assert found == pytest.approx(expected / 2 - 7)
    assert alphacut.find_threshold(hist=counts, classes=3) == alphacut.find_threshold(gray, classes=3)
    for bad in (counts[None], -counts, counts + 0.5, counts * np.nan, counts[:0], (counts, np.arange(255))):
        with pytest.raises(ValueError, match="hist"):
            alphacut.find_threshold(hist=bad)
    with pytest.raises(ValueError, match="evenly"):
        alphacut.find_threshold(hist=(counts, np.arange(256) ** 2))
    for bad in (list(counts), "abc", counts.astype(object)):
        with pytest.raises(TypeError, match="hist"):
            alphacut.find_threshold(hist=bad)
    with pytest.raises(ValueError, match="gray"):
        alphacut.find_threshold(gray, hist=counts)


def test_too_many_values_need_nbins():
    gray = np.int32([[-(2**31), 0, 2**31 - 1, 5]])
    with pytest.raises(ValueError, match="nbins"):
        alphacut.find_threshold(gray)
    assert -(2**31) <= alphacut.find_threshold(gray, nbins=4) < 2**31 - 1
    huge = np.array([[-1.7e308, 0, 1.7e308]])
    assert np.isfinite(alphacut.find_threshold(huge))
    with pytest.raises(ValueError, match="gray of int64"):
        alphacut.threshold(np.array([[2**31]]), 3)


@isas
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32, np.float32, np.float64])
def test_modes_equal_cv2(dtype, rng):
    modes = {
        "binary": cv2.THRESH_BINARY,
        "binary_inv": cv2.THRESH_BINARY_INV,
        "trunc": cv2.THRESH_TRUNC,
        "tozero": cv2.THRESH_TOZERO,
        "tozero_inv": cv2.THRESH_TOZERO_INV,
    }
    for width in range(1, 70):
        gray = (rng.random((3, width)) * 300 - 30).clip(0 if np.dtype(dtype).kind == "u" else -30, 255).astype(dtype)
        as_float = gray.astype(np.float64)  # exact, and every cv2 takes it
        for value in (-31.5, 0, 99, 99.5, 254):
            for mode, flag in modes.items():
                limit = np.float32(value) if dtype == np.float32 else value
                whole = np.floor(limit) if np.dtype(dtype).kind in "iu" else limit
                if np.dtype(dtype).kind == "u" and whole < 0:
                    continue  # nothing is as dark
                expected = cv2.threshold(as_float, float(whole), 200, flag)[1]
                got = alphacut.threshold(gray, value, mode=mode, maxval=200)
                assert got.dtype == (np.uint8 if mode.startswith("binary") else dtype)
                assert np.array_equal(got, expected)
    for mode, expected in (("trunc", 0), ("tozero", gray), ("tozero_inv", 0)):
        if np.dtype(dtype).kind == "u":
            assert np.array_equal(alphacut.threshold(gray, -5, mode=mode), expected + np.zeros_like(gray))
    for maxval in (0, 256):
        with pytest.raises(ValueError, match="maxval"):
            alphacut.threshold(gray, 3, maxval=maxval)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (0, 5, 3)])
def test_empty_pictures(shape):
    for dtype in (np.uint8, np.uint16, np.int64, np.float64, bool):
        gray = np.zeros(shape, dtype)
        for name, call in CALLS.items():
            if name != "sauvola" or dtype != np.int64:
                assert call(gray).shape == shape[:2]
        assert alphacut.threshold(gray, 3, mode="trunc").shape == shape[:2]
        assert alphacut.hysteresis_threshold(gray, 1, 2).shape == shape[:2]
        assert alphacut.adaptive_limit(gray, 3, r=1).shape == shape[:2]
        with pytest.raises(ValueError, match="gray must have pixels"):
            alphacut.find_threshold(gray)


def test_bool_and_fortran_order(rng):
    gray = rng.random((7, 9)) < 0.5
    assert np.array_equal(alphacut.threshold(gray, 0) == 255, gray)
    assert alphacut.find_threshold(gray) == 0
    deep = np.asfortranarray(rng.integers(-999, 999, (20, 31)).astype(np.int16))
    assert np.array_equal(alphacut.threshold(deep, 5) == 255, deep > 5)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_hysteresis_equals_skimage(connectivity, rng):
    structure = np.ones((3, 3)) if connectivity == 8 else None
    ndimage = pytest.importorskip("scipy.ndimage")
    for height, width in ((1, 1), (5, 7), (9, 64), (33, 129), (40, 200)):
        gray = ndimage.gaussian_filter(rng.random((height, width)), 0.7)
        low, high = np.quantile(gray, [0.5, 0.8])
        labels, _ = ndimage.label(gray > low, structure)
        keep = np.unique(labels[gray > high])
        expected = np.isin(labels, keep[keep > 0])
        for dtype in (np.float64, np.float32):
            got = alphacut.hysteresis_threshold(gray.astype(dtype), low, high, connectivity=connectivity)
            assert np.array_equal(got == 255, expected)
        if connectivity == 4:
            assert np.array_equal(expected, skimage.filters.apply_hysteresis_threshold(gray, low, high))
    with pytest.raises(ValueError, match="low"):
        alphacut.hysteresis_threshold(gray, np.nan, 1)


# The limits themselves

SCIPY_MODES = ("nearest", "reflect", "mirror", "wrap", "constant")


@pytest.mark.parametrize("mode", SCIPY_MODES)
def test_local_limits_equal_scipy(mode, rng):
    ndimage = pytest.importorskip("scipy.ndimage")
    for shape in ((1, 1), (1, 9), (8, 1), (5, 7), (17, 40)):
        gray = rng.random(shape) * 200 - 60
        for window in ((3, 3), (5, 1), (1, 7), (9, 5), (31, 31)):
            around = {"size": window, "mode": mode, "cval": 20}
            mean = ndimage.uniform_filter(gray, **around)
            options = {"mode": mode, "cval": 20}
            np.testing.assert_allclose(alphacut.adaptive_limit(gray, window, **options), mean, atol=1e-10)
            square = ndimage.uniform_filter(gray**2, size=window, mode=mode, cval=400)
            deviation = np.sqrt(np.maximum(square - mean**2, 0))
            got = alphacut.adaptive_limit(gray, window, method="niblack", k=0.3, offset=2, **options)
            np.testing.assert_allclose(got, mean - 0.3 * deviation - 2, atol=1e-5)
            got = alphacut.adaptive_limit(gray, window, method="sauvola", k=0.3, r=50, **options)
            np.testing.assert_allclose(got, mean * (1 + 0.3 * (deviation / 50 - 1)), atol=1e-5)
            got = alphacut.adaptive_limit(gray, window, method="median", **options)
            np.testing.assert_array_equal(got, ndimage.median_filter(gray, **around))
            radius = tuple(side // 2 for side in window)
            smooth = ndimage.gaussian_filter(gray, 1.3, mode=mode, cval=20, radius=radius)
            got = alphacut.adaptive_limit(gray, window, method="gaussian", sigma=1.3, **options)
            np.testing.assert_allclose(got, smooth, atol=1e-10)


def test_local_limits_equal_skimage(rng):
    gray = bimodal(rng)
    for window in (3, 15, (5, 9)):
        for k in (0.2, -0.3):
            got = alphacut.adaptive_limit(gray, window, method="niblack", k=k, mode="mirror")
            np.testing.assert_allclose(got, skimage.filters.threshold_niblack(gray, window, k), atol=1e-6)
            got = alphacut.adaptive_limit(gray, window, method="sauvola", k=k, r=128, mode="mirror")
            np.testing.assert_allclose(got, skimage.filters.threshold_sauvola(gray, window, k, 128), atol=1e-6)


@every_depth_of_local
def test_local_mask_is_above_the_limit(dtype, rng):
    gray = (rng.random((30, 45)) * 120 - (0 if np.dtype(dtype).kind == "u" else 50)).astype(dtype)
    for method in ("mean", "gaussian", "sauvola", "niblack", "median"):
        options = {"method": method, "r": 40, "offset": 3, "mode": "reflect"}
        limit = alphacut.adaptive_limit(gray, 7, **options)
        assert np.array_equal(alphacut.adaptive_threshold(gray, 7, **options) == 255, gray > limit)


def test_local_mask_of_bools(rng):
    gray = rng.random((30, 40)) < 0.5
    for method in ("mean", "gaussian", "sauvola"):
        limit = alphacut.adaptive_limit(gray, 5, method=method)
        assert np.array_equal(alphacut.adaptive_threshold(gray, 5, method=method) == 255, gray > limit)
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.adaptive_threshold(gray, 5, out=gray.view(np.uint8))


def test_values_of_bins():
    counts = np.array([5, 0, 0, 0, 0, 0, 0, 7])
    limit = alphacut.find_threshold(method="otsu", hist=(counts, np.arange(-128, 118, 35, dtype=np.int8)))
    assert -128 <= limit < 117
    for values in (np.arange(8)[::-1], np.full(8, 3.0), np.array([0, 1, 2, 3, 4, 5, 6, 9])):
        with pytest.raises(ValueError, match="rise and be evenly spaced"):
            alphacut.find_threshold(method="otsu", hist=(counts, values))


@every_depth_of_local
def test_whole_number_sums_agree_with_the_limit(dtype, rng):
    """The fast ways, where a mean is not rounded: away from the limit by a step."""
    gray = rng.integers(0, 201, (40, 61)).astype(dtype)
    for method, slack in (("mean", 0.51), ("gaussian", 0.51), ("sauvola", 1e-3)):
        limit = alphacut.adaptive_limit(gray, 9, method=method, r=128)
        sure = np.abs(gray - limit) > slack
        got = alphacut.adaptive_threshold(gray, 9, method=method, r=128) == 255
        assert np.array_equal(got[sure], (gray > limit)[sure])


def test_local_options_are_checked():
    gray = np.zeros((4, 5), np.uint8)
    for call in (alphacut.adaptive_threshold, alphacut.adaptive_limit):
        for name, value in (("r", 0), ("r", -1), ("r", np.inf), ("sigma", 0), ("sigma", -2), ("cval", np.nan)):
            with pytest.raises(ValueError, match=name):
                call(
                    gray, 3, **{"mode": "constant", "method": "gaussian" if name == "sigma" else "sauvola", name: value}
                )
        for window in (4, (3, 2), (3,), (3, 3, 3), (-3, 3), 32769, (32769, 3)):
            with pytest.raises(ValueError, match="window"):
                call(gray, window, mode="reflect")
        with pytest.raises(ValueError, match="mode"):
            call(gray, 3, mode="edge")
        with pytest.raises(ValueError, match="r must be given"):
            call(gray.astype(np.int16), 3, method="sauvola")


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
    "fixed": lambda gray, **kw: alphacut.threshold(gray, 0.5 * FULL.get(gray.dtype.type, 1), **kw),
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
        call(np.zeros((2, 3, 4), np.uint8))
    with pytest.raises(ValueError, match="out"):
        call(gray, out=np.zeros((4, 6), np.uint8))
    with pytest.raises(TypeError, match="out"):
        call(gray, out=np.zeros((4, 5), np.float32))
    with pytest.raises(ValueError, match="overlaps"):
        call(gray, out=gray)
    for dtype in (np.float32, np.float64):
        values = np.full((40, 50), 0.5, dtype)
        values[-1, -1] = np.nan
        with pytest.raises(ValueError, match="gray"):
            call(values)
        values[-1, -1] = np.inf
        if call is CALLS["fixed"]:
            assert call(values)[-1, -1] == 255
        else:
            with pytest.raises(ValueError, match="gray"):
                call(values)


@pytest.mark.parametrize(
    "call",
    [alphacut.threshold, alphacut.find_threshold, lambda gray: alphacut.adaptive_threshold(gray, 3)],
    ids=["threshold", "find", "adaptive"],
)
def test_refuses_wrong_types(call):
    for wrong in (np.zeros((4, 5), np.float16), np.zeros((4, 5), complex), np.zeros((4, 5), object), [[1, 2]], None):
        with pytest.raises(TypeError, match="gray"):
            call(wrong)


def test_refuses_wrong_options():
    gray = np.zeros((4, 5), np.uint8)
    for value in (np.nan, np.inf):
        with pytest.raises(ValueError, match="value"):
            alphacut.threshold(gray, value)
    with pytest.raises(ValueError, match="value"):
        alphacut.threshold(gray, "multiotsu")
    for value in (None, True, [1]):
        with pytest.raises(TypeError, match="value"):
            alphacut.threshold(gray, value)
    with pytest.raises(ValueError, match="method"):
        alphacut.find_threshold(gray, "huang")
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
    for k in (np.nan, np.inf):
        with pytest.raises(ValueError, match="k must"):
            alphacut.adaptive_threshold(gray, 3, method="sauvola", k=k)
    with pytest.raises(ValueError, match="method"):
        alphacut.adaptive_threshold(gray, 3, method="bernsen")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_one_pixel(call):
    for dtype, full in FULL.items():
        for value in (0, full):
            assert call(np.array([[value]], dtype)).shape == (1, 1)
