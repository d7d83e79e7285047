import functools
import itertools

import numpy as np
import pytest

import alphacut
from alphacut import _core
from alphacut.matting import METHODS
from reference import matting as reference

cv2 = pytest.importorskip("cv2")

pytestmark = pytest.mark.usefixtures("isa")


def smooth_picture(rng, height, width, channels=3):
    """Structure as in a photo: a few soft blobs, an edge and a little noise; float32 from 0 to 1."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    planes = []
    for _ in range(channels):
        waves = sum(np.sin(rng.uniform(2, 9) * x + rng.uniform(2, 9) * y + rng.uniform(0, 6)) for _ in range(3))
        planes.append(0.5 + 0.13 * waves)
    image = np.stack(planes, -1) + 0.2 * (x > 0.5)[..., None] + rng.normal(0, 0.01, (height, width, channels))
    return np.clip(image, 0, 1).astype(np.float32)


def scene(rng, height=96, width=128):
    """A soft disc over a background: picture, true alpha and trimap."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    alpha = np.clip((height / 3.5 - distance) / 8 + 0.5, 0, 1)
    front, back = smooth_picture(rng, height, width) * [0.3, 0.3, 1], smooth_picture(rng, height, width) * [1, 0.6, 0.2]
    image = np.rint(255 * (alpha[..., None] * front + (1 - alpha[..., None]) * back)).astype(np.uint8)
    trimap = np.where(abs(distance - height / 3.5) < 9, 128, np.where(alpha > 0.5, 255, 0)).astype(np.uint8)
    return image, alpha, trimap


def settings_agree(function):
    """The bytes of function() under every instruction set and several thread counts are the same."""
    before, results = (_core.isa(), _core.num_threads()), set()
    for isa in _core.available_isas():
        for threads in (1, 2, 5):
            _core.set_isa(isa)
            _core.set_num_threads(threads)
            results.add(function().tobytes())
    _core.set_isa(before[0])
    _core.set_num_threads(before[1])
    return len(results) == 1


# guided_filter


@functools.cache
def guided_cases():
    rng, cases = np.random.default_rng(2), []
    for height in range(1, 18):
        for width in range(1, 18):
            channels = (height + width) % 2 * 2 + 1
            guide = smooth_picture(rng, height, width, channels)
            src = rng.random((height, width), dtype=np.float32)
            radius = 1 + (height * 3 + width) % 9
            guide = guide if channels == 3 else guide[..., 0].copy()
            cases.append((guide, src, radius, reference.guided_filter(guide, src, radius, 1e-3)))
    return cases


def test_guided_filter_equals_oracle_at_all_small_shapes():
    for guide, src, radius, expected in guided_cases():
        assert abs(alphacut.guided_filter(guide, src, radius, 1e-3) - expected).max() < 1e-4, (guide.shape, radius)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("radius", "eps", "subsample"), [(8, 1e-6, 1), (60, 1e-4, 1), (12, 1e-2, 4), (7, 1e-3, 3)])
def test_guided_filter_equals_oracle(channels, radius, eps, subsample, rng):
    guide = np.squeeze(smooth_picture(rng, 75, 131, channels))
    src = (rng.random((75, 131)) < 0.5).astype(np.float32)
    expected = reference.guided_filter(guide, src, radius, eps, subsample)
    assert abs(alphacut.guided_filter(guide, src, radius, eps, subsample=subsample) - expected).max() < 1e-4


def test_guided_filter_is_exact_on_large_bright_pictures():
    """Where float32 sums of squares would lose the variance."""
    rng = np.random.default_rng(3)
    guide = (0.9 + 0.002 * rng.random((600, 200))).astype(np.float32)
    src = rng.random((600, 200), dtype=np.float32)
    expected = reference.guided_filter(guide, src, 50, 1e-6)
    assert abs(alphacut.guided_filter(guide, src, 50, 1e-6) - expected).max() < 1e-4


def test_guided_filter_integers_count_as_0_to_1(rng):
    guide = rng.integers(0, 256, (20, 31, 3), dtype=np.uint8)
    src = rng.integers(0, 2, (20, 31), dtype=np.uint8) * np.uint8(255)
    expected = reference.guided_filter(guide / 255, src / 255, 4, 1e-3)
    assert abs(alphacut.guided_filter(guide, src, 4, 1e-3) - expected).max() < 1e-4
    assert np.array_equal(alphacut.guided_filter(guide, src > 0, 4, 1e-3), alphacut.guided_filter(guide, src, 4, 1e-3))
    assert abs(alphacut.guided_filter(guide.astype(np.uint16) * 257, src, 4, 1e-3) - expected).max() < 1e-4


@pytest.mark.parametrize("channels", [1, 3])
def test_guided_filter_equals_opencv_away_from_the_border(channels, rng):
    guide = np.squeeze(smooth_picture(rng, 80, 90, channels))
    src = (smooth_picture(rng, 80, 90, 1)[..., 0] > 0.5).astype(np.float32)
    inner = np.s_[10:-10, 10:-10]
    expected = cv2.ximgproc.guidedFilter(guide, src, 5, 1e-2)
    assert abs(alphacut.guided_filter(guide, src, 5, 1e-2) - expected)[inner].max() < 1e-3


def test_guided_filter_keeps_a_constant(rng):
    guide = rng.random((40, 50, 3), dtype=np.float32)
    for value in (0.0, 0.3, 1.0, -1000.0):
        result = alphacut.guided_filter(guide, np.full((40, 50), value, np.float32), 6, 1e-4)
        assert np.allclose(result, value, rtol=1e-6, atol=1e-7)


def test_guided_filter_with_one_huge_cell():
    """Whose sum of bytes exceeds 32 bits."""
    white = np.full((3000, 3000), 255, np.uint8)
    assert abs(alphacut.guided_filter(white, white, 900_000, 1e-4, subsample=3000) - 1).max() < 1e-5


@pytest.mark.parametrize("subsample", [1, 3])
def test_guided_filter_same_bytes_for_all_settings(subsample, rng):
    guide = rng.integers(0, 256, (540, 530, 3), dtype=np.uint8)
    src = rng.random((540, 530), dtype=np.float32)
    assert settings_agree(lambda: alphacut.guided_filter(guide, src, 5, 1e-4, subsample=subsample))


def test_guided_filter_same_bytes_for_all_windows(rng):
    guide, src = rng.random((40, 151), dtype=np.float32), rng.random((40, 151), dtype=np.float32)
    for radius in range(1, 18):
        assert settings_agree(lambda r=radius: alphacut.guided_filter(guide, src, r, 1e-4)), radius


@pytest.mark.parametrize("eps", [1e-300, 1e-8, 1e-6, 1e300])
def test_guided_filter_with_equal_channels(eps, rng):
    """The covariance is singular but for eps."""
    gray = np.rint(255 * smooth_picture(rng, 60, 70, 1)[..., 0]).astype(np.uint8)
    gray[:30, :30] = 99
    src = (rng.random(gray.shape) < 0.5).astype(np.float32)
    result = alphacut.guided_filter(np.repeat(gray[..., None], 3, 2), src, 4, eps)
    if eps > 1e-10:
        expected = reference.guided_filter(gray / 255, src, 4, eps / 3)
        assert abs(result - expected).max() < 1e-4
    assert np.isfinite(result).all()


def test_guided_filter_layouts_and_out(rng):
    guide, src = rng.random((20, 30, 3), dtype=np.float32), rng.random((20, 30), dtype=np.float32)
    expected = alphacut.guided_filter(guide, src, 3, 1e-3)
    wide = rng.random((20, 60), dtype=np.float32)
    wide[:, ::2] = src
    assert np.array_equal(alphacut.guided_filter(guide[::-1].copy()[::-1], wide[:, ::2], 3, 1e-3), expected)
    guide.flags.writeable = src.flags.writeable = False
    out = np.full((25, 30), np.nan, np.float32)
    assert np.shares_memory(alphacut.guided_filter(guide, src, 3, 1e-3, out=out[5:]), out)
    assert np.array_equal(out[5:], expected)


def test_guided_filter_with_a_radius_beyond_the_picture(rng):
    guide, src = rng.random((8, 9, 3), dtype=np.float32), rng.random((8, 9), dtype=np.float32)
    for subsample, like in ((1, 1), (9, 9), (2**60, 9)):
        expected = alphacut.guided_filter(guide, src, 9, 1e-3, subsample=like)
        result = alphacut.guided_filter(guide, src, 2**62, 1e-3, subsample=subsample)
        assert np.array_equal(result, expected), subsample


def test_guided_filter_errors(rng):
    guide, src = rng.random((8, 9, 3), dtype=np.float32), rng.random((8, 9), dtype=np.float32)
    for radius, eps, subsample, message in [
        (0, 1e-3, 1, "radius must be at least 1, got 0"),
        (2, 0.0, 1, "eps must be"),
        (2, np.nan, 1, "eps must be"),
        (2, np.inf, 1, "eps must be"),
        (2, 1e-3, 0, "subsample must be from 1 to radius, got 0"),
        (2, 1e-3, 3, "subsample must be from 1 to radius, got 3"),
    ]:
        with pytest.raises(ValueError, match=message):
            alphacut.guided_filter(guide, src, radius, eps, subsample=subsample)
    with pytest.raises(ValueError, match="src must have the size of guide, 8 by 9, got 8 by 8"):
        alphacut.guided_filter(guide, src[:, 1:], 2, 1e-3)
    with pytest.raises(TypeError, match=r"src .*float64"):
        alphacut.guided_filter(guide, src.astype(np.float64), 2, 1e-3)
    with pytest.raises(TypeError, match=r"guide .*int64"):
        alphacut.guided_filter(guide.astype(np.int64), src, 2, 1e-3)
    with pytest.raises(ValueError, match="out overlaps"):
        alphacut.guided_filter(guide, src, 2, 1e-3, out=src)
    for value in (np.nan, np.inf):
        bad = src.copy()
        bad[3, 3] = value
        with pytest.raises(ValueError, match="src must have finite values"):
            alphacut.guided_filter(guide, bad, 2, 1e-3)
        with pytest.raises(ValueError, match="guide must have finite values"):
            alphacut.guided_filter(bad, src, 2, 1e-3)


@pytest.mark.parametrize(("radius", "subsample"), [(4, 1), (8, 4), (300, 1)])
def test_guided_filter_finds_bad_values_everywhere(radius, subsample):
    for at in [(0, 0), (0, 1100), (129, 600), (299, 0), (299, 1100)]:
        for which in (0, 1):
            arrays = [np.zeros((300, 1101, 3), np.float32), np.zeros((300, 1101), np.float32)]
            arrays[which][at] = np.nan
            with pytest.raises(ValueError, match=("guide", "src")[which] + " must have finite values"):
                alphacut.guided_filter(*arrays, radius, 1e-3, subsample=subsample)


@functools.cache
def tiled_case(radius, subsample, channels):
    """More than one tile each way; the oracle takes a while."""
    rng = np.random.default_rng(radius)
    shape = (270, 1061) if subsample == 1 else (260 * subsample - 1, 263 * subsample - 1)
    guide = np.rint(255 * np.squeeze(smooth_picture(rng, *shape, channels))).astype(np.uint8)
    src = (rng.random(guide.shape[:2]) < 0.5).astype(np.float32)
    return guide, src, reference.guided_filter(guide / 255, src, radius, 1e-4, subsample)


@pytest.mark.parametrize(
    ("radius", "subsample", "channels"),
    [(2, 1, 1), (3, 1, 3), (12, 1, 1), (53, 1, 3), (6, 2, 1), (9, 4, 3), (11, 3, 1)],
)
def test_guided_filter_equals_oracle_across_tiles(radius, subsample, channels):
    guide, src, expected = tiled_case(radius, subsample, channels)
    assert abs(alphacut.guided_filter(guide, src, radius, 1e-4, subsample=subsample) - expected).max() < 1e-5


@pytest.mark.parametrize("radius", [150, 256, 257])
def test_guided_filter_equals_oracle_with_large_windows(radius, rng):
    """Sums of bytes that float does not hold, and windows too large for tiles."""
    guide = np.rint(255 * smooth_picture(rng, 90, 610, 1)[..., 0]).astype(np.uint8)
    src = rng.random(guide.shape, dtype=np.float32)
    expected = reference.guided_filter(guide / 255, src, radius, 1e-4)
    assert abs(alphacut.guided_filter(guide, src, radius, 1e-4) - expected).max() < 1e-5


def test_guided_filter_takes_any_radius(rng):
    src = rng.random((5, 6), dtype=np.float32)
    expected = reference.guided_filter(src, src, 6, 1e-3)
    assert abs(alphacut.guided_filter(src, src, 2**40, 1e-3) - expected).max() < 1e-4


# make_trimap


@functools.cache
def trimap_cases():
    rng, cases = np.random.default_rng(4), []
    for height in range(1, 18):
        for width in range(1, 18):
            mask = (smooth_picture(rng, height, width, 1)[..., 0] > rng.uniform(0.3, 0.7)).astype(np.uint8)
            band = (height + 2 * width) % 9 / 2
            cases.append((mask, band, reference.make_trimap(mask, band)))
    return cases


def test_make_trimap_equals_brute_force_at_all_small_shapes():
    for mask, band, expected in trimap_cases():
        assert np.array_equal(alphacut.make_trimap(mask, band=band), expected), (mask.shape, band)


@pytest.mark.parametrize("band", [3, 9.5, 40])
def test_make_trimap_band_equals_opencvs_exact_distance(band, rng):
    mask = (smooth_picture(rng, 300, 421, 1)[..., 0] > 0.5).astype(np.uint8)
    inside, outside = (cv2.distanceTransform(m, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for m in (mask, 1 - mask))
    near = np.maximum(inside, outside) <= band
    trimap = alphacut.make_trimap(mask, band=band)
    assert np.array_equal(trimap[~near], 255 * mask[~near])
    kept = near & (trimap != 128)
    assert np.array_equal(trimap[kept], 255 * mask[kept])
    assert kept.mean() < 0.02


def test_make_trimap_loses_no_thin_thing_and_leaves_crumbs_to_the_matte():
    mask = np.zeros((300, 400), np.uint8)
    mask[40:100, 40:100] = 255
    mask[50:60, 50:60] = 0  # a hole and a crumb near the blob: unknown
    mask[70, 105] = 255
    mask[250, 200:390] = 255  # a wire, with a bead, and a dot far from it
    mask[248:253, 300:305] = 255
    mask[30, 350] = 255
    mask[80:86, 100:250] = 255  # a strap that hangs on the blob
    trimap = alphacut.make_trimap(mask, band=10)
    assert (trimap[50:60, 50:60] == 128).all()
    assert trimap[70, 105] == 128
    assert (trimap[250, 200:298] == 255).all()
    assert (trimap[250, 307:390] == 255).all()
    assert trimap[250, 302] == 255
    assert trimap[30, 350] == 255
    assert (trimap[81:85, 110:249] == 255).all()
    assert (trimap[[80, 85], 110:249] == 128).all()
    assert np.array_equal(alphacut.make_trimap(mask.T.copy(), band=10), trimap.T)
    thin = np.tile(np.array([0, 255], np.uint8), (20, 10))
    assert np.array_equal(alphacut.make_trimap(thin, band=5), thin)


def test_make_trimap_degenerate_masks():
    for shape in [(1, 1), (1, 9), (9, 1), (20, 30)]:
        for value in (0, 255):
            mask = np.full(shape, value, np.uint8)
            assert np.array_equal(alphacut.make_trimap(mask), mask)
    mask = np.array([[0, 3]], np.uint8)
    assert alphacut.make_trimap(mask, band=0).tolist() == [[0, 255]]
    assert alphacut.make_trimap(mask, band=4096).tolist() == [[0, 255]]


@pytest.mark.parametrize(("shape", "band"), [((8, 9), 2), ((671, 671), 10), ((1342, 1342), 20)])
def test_make_trimap_default_band_follows_the_size(shape, band):
    mask = np.zeros(shape, np.uint8)
    mask[:, shape[1] // 2 :] = 1
    assert np.array_equal(alphacut.make_trimap(mask), alphacut.make_trimap(mask, band=band))
    assert (alphacut.make_trimap(mask)[0] == 128).sum() == 2 * band


def test_make_trimap_layouts_out_and_settings(rng):
    mask = (smooth_picture(rng, 300, 331, 1)[..., 0] > 0.5).astype(np.uint8)
    expected = alphacut.make_trimap(mask)
    assert np.array_equal(alphacut.make_trimap(mask.astype(bool)), expected)
    assert np.array_equal(alphacut.make_trimap(np.repeat(mask, 2, 1)[:, ::2]), expected)
    assert np.array_equal(alphacut.make_trimap(mask[::-1].copy()[::-1]), expected)
    out = np.full((300, 400), 7, np.uint8)
    alphacut.make_trimap(mask, out=out[:, :331])
    assert np.array_equal(out[:, :331], expected)
    assert (out[:, 331:] == 7).all()
    assert settings_agree(lambda: alphacut.make_trimap(mask))


def test_make_trimap_errors():
    mask = np.zeros((4, 5), np.uint8)
    for band in (-1, 5000, np.nan):
        with pytest.raises(ValueError, match="band must be"):
            alphacut.make_trimap(mask, band=band)
    with pytest.raises(TypeError, match="mask must have dtype uint8 or bool, got float32"):
        alphacut.make_trimap(mask.astype(np.float32))
    with pytest.raises(ValueError, match="mask must have shape"):
        alphacut.make_trimap(mask[:0])
    with pytest.raises(ValueError, match="out overlaps"):
        alphacut.make_trimap(mask, out=mask)


# refine_alpha


@pytest.mark.parametrize(("method", "limit"), [("guided", 1e-2), ("sampled", 3e-3), ("closed_form", 2e-3)])
def test_refine_alpha_finds_a_known_matte(method, limit, rng):
    image, alpha, trimap = scene(rng)
    result = alphacut.refine_alpha(image, trimap, method=method)
    unknown = trimap == 128
    assert result.dtype == np.uint8
    assert np.array_equal(result[~unknown], trimap[~unknown])
    assert ((result / 255 - alpha)[unknown] ** 2).mean() < limit


@functools.cache
def sampling_cases():
    rng, cases = np.random.default_rng(6), []
    for height, width in [(14, 17), (13, 30), (24, 22), (9, 8), (10, 150)]:  # in the last, rays give up
        image = smooth_picture(rng, height, width)
        trimap = np.full((height, width), 128, np.uint8)
        trimap[:, : min(width // 4, 12)] = 0
        trimap[: height // 2, -width // 4 :] = 255
        cases.append((image, trimap, reference.sample_colours(image, trimap)))
    return cases


def test_sampled_colours_equal_oracle():
    for image, trimap, (labels, alpha, confidence) in sampling_cases():
        result = _core.sample_colours(image, trimap)
        assert np.array_equal(result[0], labels)
        # Of pairs that explain a pixel almost perfectly, rounding picks: a few pixels may get another one.
        differs = (abs(result[1] - alpha) > 1e-3) | (abs(result[2] - confidence) > 1e-3)
        assert differs.mean() < 0.03


@pytest.mark.parametrize("shape", [(3, 3), (5, 4), (9, 8), (12, 17), (4, 25)])
@pytest.mark.parametrize("channels", [1, 3])
def test_laplacian_solution_equals_dense_oracle(shape, channels, rng):
    image = np.squeeze(smooth_picture(rng, *shape, channels), -1 if channels == 1 else ())
    labels = rng.choice(np.array([0, 90, 255], np.uint8), shape, p=[0.15, 0.7, 0.15])
    alpha = np.where(labels == 90, rng.random(shape), labels / 255).astype(np.float32)
    confidence = np.where(labels == 90, 0.2 + 0.8 * rng.random(shape), 1).astype(np.float32)
    expected = reference.solve_laplacian(image, labels, confidence, alpha, 0.5)
    result = _core.solve_laplacian(image, labels, confidence, alpha, 0.5, 300)
    assert np.array_equal(result[labels != 90], alpha[labels != 90])
    assert abs(result - expected).max() < 1e-3


def test_laplacian_equals_dense_oracle(rng):
    """The matrix, column by column: symmetric, positive semidefinite, and constants go to 0."""
    image = smooth_picture(rng, 12, 12, 3)
    matrix = np.empty((144, 144))
    for i, unit in enumerate(np.eye(144, dtype=np.float32).reshape(144, 12, 12)):
        matrix[:, i] = _core.multiply_laplacian(image, unit).ravel()
    assert abs(matrix - reference.laplacian(image)).max() < 1e-5
    assert abs(matrix - matrix.T).max() < 1e-6
    assert np.linalg.eigvalsh((matrix + matrix.T) / 2).min() > -1e-5
    assert abs(matrix.sum(axis=1)).max() < 1e-5
    assert abs(_core.multiply_laplacian(image, np.full((12, 12), 0.3, np.float32))).max() < 1e-5


def test_laplacian_solver_converges(rng):
    """The error in the norm of the matrix falls with every iteration, to next to nothing."""
    image, shape = smooth_picture(rng, 12, 14, 3), (12, 14)
    labels = rng.choice(np.array([0, 90, 255], np.uint8), shape, p=[0.1, 0.8, 0.1])
    start = np.where(labels == 90, rng.random(shape), labels / 255).astype(np.float32)
    confidence = np.full(shape, 0.5, np.float32)
    exact = reference.solve_laplacian(image, labels, confidence, start, 0.03)
    matrix = reference.laplacian(image) + 0.03 * 0.5 * np.diag((labels == 90).ravel())
    left = []
    for iterations in range(40):
        d = (_core.solve_laplacian(image, labels, confidence, start, 0.03, iterations) - exact).ravel()
        left.append(d @ matrix @ d)
    assert all(after < before + 1e-6 for before, after in itertools.pairwise(left))
    assert left[-1] < 1e-3 * left[0]


def test_laplacian_solver_keeps_a_constant(rng):
    image, shape = rng.random((20, 30, 3), dtype=np.float32), (20, 30)
    labels = rng.choice(np.array([0, 90, 255], np.uint8), shape, p=[0.1, 0.8, 0.1])
    alpha, confidence = np.full(shape, 0.625, np.float32), rng.random(shape, dtype=np.float32)
    assert abs(_core.solve_laplacian(image, labels, confidence, alpha, 0.03, 15) - 0.625).max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_refine_alpha_depths(method, rng):
    image, _, trimap = scene(rng, 50, 60)
    alpha = alphacut.refine_alpha(image, trimap, method=method)
    wide = alphacut.refine_alpha(image.astype(np.uint16) * 257, trimap, method=method)
    unit = alphacut.refine_alpha((image / 255).astype(np.float32), trimap, method=method)
    assert (wide.dtype, unit.dtype) == (np.uint16, np.float32)
    assert abs(wide / 65535 - unit).max() < 1e-3
    assert abs(alpha / 255 - unit).max() < 3e-3
    assert set(unit[trimap == 255]) == {1.0}
    assert set(wide[trimap == 255]) == {65535}


@pytest.mark.parametrize("method", METHODS)
def test_refine_alpha_of_a_mask(method, rng):
    image, alpha, _ = scene(rng)
    mask = (alpha > 0.5).astype(np.uint8) * np.uint8(255)
    expected = alphacut.refine_alpha(image, alphacut.make_trimap(mask), method=method)
    assert np.array_equal(alphacut.refine_alpha(image, mask, method=method), expected)
    assert np.array_equal(alphacut.refine_alpha(image, mask > 0, method=method), expected)


@pytest.mark.parametrize("method", METHODS)
def test_refine_alpha_degenerate(method, rng):
    for shape in [(1, 1), (1, 7), (9, 12)]:
        image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        for value in (0, 255):
            mask = np.full(shape, value, np.uint8)
            assert np.array_equal(alphacut.refine_alpha(image, mask, method=method), mask)
    for shape in [(1, 3), (3, 1), (1, 40), (2, 9), (2, 2), (3, 3), (17, 2)]:
        image = rng.random(shape, dtype=np.float32)
        trimap = np.full(shape, 77, np.uint8)
        trimap[0, 0], trimap[-1, -1] = 0, 255
        alpha = alphacut.refine_alpha(image, trimap, method=method)
        assert alpha[0, 0] == 0
        assert alpha[-1, -1] == 1
        assert ((alpha >= 0) & (alpha <= 1)).all()
    plain = np.full((40, 50, 3), 99, np.uint8)
    trimap = np.full((40, 50), 128, np.uint8)
    trimap[0], trimap[-1] = 0, 255
    alpha = alphacut.refine_alpha(plain, trimap, method=method)
    assert np.array_equal(alpha[[0, -1]], trimap[[0, -1]])


@pytest.mark.parametrize("method", METHODS)
def test_every_value_between_is_as_unknown(method, rng):
    image, _, trimap = scene(rng)
    wanted = alphacut.refine_alpha(image, trimap, method=method)
    values = rng.integers(1, 255, trimap.shape).astype(np.uint8)
    for value in (1, 160, 192, 254, values):
        given = np.where(trimap == 128, value, trimap).astype(np.uint8)
        assert np.array_equal(alphacut.refine_alpha(image, given, method=method), wanted)


def test_guided_refinement_reaches_far_unknown_pixels(rng):
    image = np.zeros((30, 700), np.uint8)
    trimap = np.full((30, 700), 128, np.uint8)
    image[:, 350:] = 200
    trimap[:, :20], trimap[:, -20:] = 0, 255
    alpha = alphacut.refine_alpha(image, trimap, method="guided")
    assert (alpha[:, :300] < 20).all()
    assert (alpha[:, 400:] > 235).all()


@pytest.mark.parametrize("method", METHODS)
def test_refine_alpha_looks_only_near_unknown_pixels(method, rng):
    image, _, trimap = scene(rng)
    large = rng.integers(0, 256, (500, 600, 3), dtype=np.uint8)
    hints = np.zeros((500, 600), np.uint8)
    large[200:296, 250:378], hints[200:296, 250:378] = image, trimap
    other = large.copy()
    other[:80], other[420:], other[:, :120], other[:, 510:] = 9, 8, 7, 6
    assert np.array_equal(
        alphacut.refine_alpha(large, hints, method=method), alphacut.refine_alpha(other, hints, method=method)
    )


@pytest.mark.parametrize("method", METHODS)
def test_refine_alpha_same_bytes_for_all_settings(method, rng):
    image, _, trimap = scene(rng, 300, 300)
    image = (image / 255).astype(np.float32)
    assert settings_agree(lambda: alphacut.refine_alpha(image, trimap, method=method))


def strap(rng, kind, width, angle):
    """A disc with a strap: picture, mask, and where the strap is."""
    y, x = np.mgrid[:240, :240] - 119.5
    turn = np.deg2rad(angle)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    far = (abs(across - 0.01) < width / 2) & (along > 34) & (along < 105)
    mask = (abs(across - 0.01) < width / 2) & (along > 0) & (along < 105) | (np.hypot(x, y) < 30)
    ground = np.full((240, 240, 3), 240.0) if kind == "dark" else np.full((240, 240, 3), 30.0)
    colour = np.array([40, 60, 160.0]) if kind == "dark" else np.array([220, 230, 200.0])
    if kind == "textured":
        ground = 90 + 80 * smooth_picture(rng, 240, 240).astype(float) / 255
        colour = np.array([200, 60, 50.0])
    image = np.where(mask[..., None], colour, ground)
    if kind == "textured":
        image[np.hypot(x, y) < 30] = 20
    return image.astype(np.uint8), mask, far


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["dark", "light", "textured", "gray"])
@pytest.mark.parametrize("width", [1, 2, 3, 6, 8])
def test_refine_alpha_keeps_thin_parts_of_a_mask(method, kind, width, rng):
    for number, angle in enumerate((0, 90, 33)):
        image, mask, far = strap(rng, kind, width, angle)
        if kind == "gray":
            image = np.ascontiguousarray(image[..., 0])
        image = (image, image.astype(np.uint16) * 257, (image / 255).astype(np.float32))[number]
        full = (255, 65535, 1)[number]
        alpha = alphacut.refine_alpha(image, mask, method=method) / full
        assert (alpha[far] > 0.5).mean() >= 0.95
        assert alpha[far].mean() > (0.8 if method != "guided" or kind != "textured" else 0.6)
        assert alpha[~mask].mean() < 0.02
        turned = alphacut.refine_alpha(np.ascontiguousarray(image.swapaxes(0, 1)), mask.T.copy(), method=method) / full
        assert abs(turned.T - alpha).max() < 0.04


@pytest.mark.parametrize("method", METHODS)
def test_refine_alpha_of_a_mask_with_nothing_but_thin_parts(method, rng):
    image = np.full((60, 200, 3), 230, np.uint8)
    mask = np.zeros((60, 200), bool)
    mask[20:22, 10:190] = mask[10:50, 100:103] = True
    image[mask] = 30
    alpha = alphacut.refine_alpha(image, mask, method=method)
    assert (alpha[mask] > 127).mean() >= 0.95
    assert alpha[~mask].mean() < 5
    noise = rng.integers(0, 2, (9, 11), np.uint8) * np.uint8(255)
    assert (alphacut.refine_alpha(rng.random((9, 11), np.float32), noise, method=method)[noise > 0] > 0).any()


def test_the_flow_keeps_thin_parts_of_a_mask(rng):
    for kind in ("dark", "light", "textured"):
        image, mask, far = strap(rng, kind, 2, 33)
        for method in METHODS:
            found = alphacut.remove_background(image, mask=mask, refine=method)
            assert found.mask[far].mean() >= 0.95 * 255


@pytest.mark.parametrize("method", METHODS)
def test_refine_alpha_of_large_pictures(method, rng):
    """Estimated on a smaller copy: as good as on the picture it was enlarged from, and the same for all settings."""
    image, alpha, trimap = scene(rng, 400, 500)
    large, mask = np.repeat(np.repeat(image, 4, 0), 4, 1), np.repeat(np.repeat(trimap, 4, 0), 4, 1)
    result = alphacut.refine_alpha(large, mask, method=method)
    small = alphacut.refine_alpha(image, trimap, method=method)
    unknown = mask == 128
    assert np.array_equal(result[~unknown], mask[~unknown])
    truth = np.repeat(np.repeat(alpha, 4, 0), 4, 1)
    error = ((result / 255 - truth)[unknown] ** 2).mean()
    # The guided filter's windows cover less of an enlarged picture.
    limit = 1.1 * ((small / 255 - alpha)[trimap == 128] ** 2).mean() + 1e-4
    assert error < (0.01 if method == "guided" else limit)
    assert settings_agree(lambda: alphacut.refine_alpha(large, mask, method=method))
    turned = alphacut.refine_alpha(np.ascontiguousarray(large.swapaxes(0, 1)), mask.T.copy(), method=method).T
    assert abs(turned.astype(int) - result).max() <= 10


def test_refine_alpha_keeps_thin_parts_of_large_masks(rng):
    image = np.full((1500, 1600), 240, np.uint8)
    mask = np.zeros(image.shape, bool)
    mask[500:1000, 200:700] = True
    for row, width in ((520, 1), (620, 2), (720, 3), (820, 6), (920, 12)):
        mask[row : row + width, 700:1500] = True
    image[mask] = 50
    for method in METHODS:
        alpha = alphacut.refine_alpha(image, mask, method=method)
        assert (alpha[mask] > 127).mean() >= 0.99
        assert (alpha[500:1000, 800:1500][mask[500:1000, 800:1500]] > 127).mean() >= 0.95
        assert alpha[~mask].mean() < 3


def test_refine_alpha_layouts_and_out(rng):
    image, _, trimap = scene(rng, 40, 50)
    expected = alphacut.refine_alpha(image, trimap)
    assert np.array_equal(alphacut.refine_alpha(np.repeat(image, 2, 1)[:, ::2], trimap[::-1].copy()[::-1]), expected)
    image.flags.writeable = trimap.flags.writeable = False
    out = np.full((45, 60), 7, np.uint8)
    assert np.shares_memory(alphacut.refine_alpha(image, trimap, out=out[5:, 10:]), out)
    assert np.array_equal(out[5:, 10:], expected)
    assert (out[:5] == 7).all()
    out16 = np.empty((40, 50), np.uint16)
    assert alphacut.refine_alpha(image.astype(np.uint16), trimap, out=out16) is out16


def test_refine_alpha_errors(rng):
    image, _, trimap = scene(rng)
    with pytest.raises(ValueError, match=r"no known foreground \(255\)"):
        alphacut.refine_alpha(image, np.minimum(trimap, 254))
    with pytest.raises(ValueError, match=r"no known background \(0\)"):
        alphacut.refine_alpha(image, np.maximum(trimap, 1))
    with pytest.raises(ValueError, match="trimap must have the size of image, 96 by 128, got 95 by 128"):
        alphacut.refine_alpha(image, trimap[1:])
    with pytest.raises(ValueError, match="method must be one of"):
        alphacut.refine_alpha(image, trimap, method="knn")
    with pytest.raises(TypeError, match="method must be a str"):
        alphacut.refine_alpha(image, trimap, method=None)
    with pytest.raises(TypeError, match=r"image .*float64"):
        alphacut.refine_alpha(image / 255, trimap)
    with pytest.raises(TypeError, match=r"trimap .*float32"):
        alphacut.refine_alpha(image, trimap.astype(np.float32))
    with pytest.raises(ValueError, match="out must have shape"):
        alphacut.refine_alpha(image, trimap, out=np.empty((3, 3), np.uint8))
    bad = (image / 255).astype(np.float32)
    bad[2, 2, 0] = np.nan
    with pytest.raises(ValueError, match="image must have finite values"):
        alphacut.refine_alpha(bad, trimap)


def test_quality_on_measured_pictures(data_dir):
    """On one picture of the alphamatting set: not worse than when it was written."""
    read = cv2.imread
    image = read(str(data_dir / "matting/images/GT05.png"))[..., ::-1]
    truth, trimap = (read(str(data_dir / f"matting/{kind}/GT05.png"), 0) for kind in ("alphas", "trimaps"))
    unknown = (trimap > 0) & (trimap < 255)
    error = (alphacut.refine_alpha(image, trimap).astype(float) - truth)[unknown] / 255
    assert (error**2).mean() < 0.0055


METRICS = {
    "euclidean": lambda down, across: np.sqrt(down**2 + across**2),
    "taxicab": lambda down, across: abs(down) + abs(across),
    "chessboard": lambda down, across: np.maximum(abs(down), abs(across)),
}


def all_distances(mask, metric, sampling=(1, 1)):
    """To each zero pixel, these ordered by column and then by row; and they themselves."""
    x, y = np.nonzero(~mask.T)
    rows, columns = np.indices(mask.shape)
    return METRICS[metric]((rows[..., None] - y) * sampling[0], (columns[..., None] - x) * sampling[1]), (y, x)


@pytest.mark.parametrize("metric", METRICS)
def test_distance_transform_is_exact_at_all_small_shapes(metric, rng):
    for height in range(1, 18):
        for width in range(1, 18):
            mask = rng.random((height, width)) < rng.choice([0.1, 0.5, 0.9, 0.98, 1.0])
            distances, indices = alphacut.distance_transform(mask, metric=metric, return_indices=True)
            assert (distances.dtype, indices.dtype) == (np.float32, np.int32)
            assert np.array_equal(alphacut.distance_transform(mask, metric=metric), distances)
            if mask.all():
                assert np.isinf(distances).all()
                assert (indices == -1).all()
                continue
            to_each, (y, x) = all_distances(mask, metric)
            assert np.array_equal(distances, to_each.min(axis=2).astype(np.float32))
            rows = np.indices(mask.shape)[0][..., None]
            order = 10_000 * x + 100 * abs(rows - y) + y  # the leftmost column, there the nearest, of two the upper
            first = np.where(to_each == to_each.min(axis=2, keepdims=True), order, 10**9).argmin(axis=2)
            assert np.array_equal(indices, [y[first], x[first]])


@pytest.mark.parametrize("sampling", [(1, 2), (0.3, 1.7), (1e-6, 1e6), (2.5, 2.5)])
def test_distance_transform_of_pixels_that_are_not_square(sampling, rng):
    for shape in [(1, 1), (1, 9), (8, 1), (7, 13), (16, 17)]:
        mask = rng.random(shape) < 0.9
        mask[0, 0] = False
        distances, (down, across) = alphacut.distance_transform(mask, sampling=list(sampling), return_indices=True)
        expected = all_distances(mask, "euclidean", sampling)[0].min(axis=2)
        assert np.allclose(distances, expected, rtol=1e-6)
        assert not mask[down, across].any()
        rows, columns = np.indices(shape)
        own = METRICS["euclidean"]((rows - down) * sampling[0], (columns - across) * sampling[1])
        assert np.allclose(own, expected, rtol=1e-12)


def test_distance_transform_is_scipys(rng, threads):
    ndimage = pytest.importorskip("scipy.ndimage")
    mask = rng.random((300, 401)) < 0.995
    mask[100:180, 50:300] = True
    for options in ({}, {"sampling": (0.7, 1.3)}):
        peer = ndimage.distance_transform_edt(mask, **options)
        assert np.allclose(alphacut.distance_transform(mask, **options), peer, rtol=1e-6)
    for metric in ("taxicab", "chessboard"):
        peer = ndimage.distance_transform_cdt(mask, metric=metric)
        assert np.array_equal(alphacut.distance_transform(mask, metric=metric), peer)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metric": "manhattan"}, ValueError, "metric must be one of"),
        ({"metric": 1}, TypeError, "metric must be a str"),
        ({"sampling": 2}, TypeError, "sampling must be a pair"),
        ({"sampling": (1, 2, 3)}, TypeError, "sampling must be a pair"),
        ({"sampling": (1, "2")}, TypeError, "each side of sampling"),
        ({"sampling": (0, 1)}, ValueError, "sampling must be two numbers from 1e-6 to 1e6"),
        ({"sampling": (1, float("nan"))}, ValueError, "sampling must be two numbers"),
        ({"sampling": (1, 2), "metric": "taxicab"}, ValueError, "sampling goes with the euclidean metric"),
        ({"return_indices": 1}, TypeError, "return_indices"),
    ],
)
def test_distance_transform_errors(options, error, message):
    with pytest.raises(error, match=message):
        alphacut.distance_transform(np.ones((3, 3), bool), **options)


def test_distance_transform_is_the_peers_on_a_large_mask(rng, threads):
    mask = (rng.random((400, 700)) < 0.999).astype(np.uint8)
    peer = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    out = np.full(mask.shape, np.nan, np.float32)
    assert alphacut.distance_transform(mask, out=out) is out
    assert np.allclose(out, peer, atol=1e-3)
    one_row = np.ones((1, 70_000), bool)
    one_row[0, 0] = False
    assert alphacut.distance_transform(one_row)[0, 65_000] == 65_000


def test_trimap_kinds(rng):
    for height, width in ((1, 1), (3, 5), (17, 33), (2, 70)):
        for values in ([0], [255], [1], [254], [0, 255], [0, 128], [7, 255], [0, 9, 255]):
            trimap = rng.choice(np.array(values, np.uint8), (height, 2 * width))[:, ::2]
            expected = (trimap == 0).any(), ((trimap > 0) & (trimap < 255)).any(), (trimap == 255).any()
            assert _core.trimap_kinds(trimap) == expected


def test_refine_alpha_with_little_known(rng):
    """A soft disc of which only blots are known: samples count as much less, and there are as many more steps."""
    y, x = np.mgrid[:64, :64]
    truth = np.clip((20 - np.hypot(y - 32, x - 32)) / 8 + 0.5, 0, 1)
    grain = rng.normal(0, 0.02, (64, 64, 3))
    image = truth[..., None] * [0.9, 0.5, 0.2] + (1 - truth[..., None]) * [0.1, 0.3, 0.6] + grain
    image = np.clip(image * (0.7 + 0.3 * x[..., None] / 64), 0, 1).astype(np.float32)
    trimap = np.full((64, 64), 128, np.uint8)
    trimap[30:35, 30:35] = 255
    trimap[2:6, 2:6] = trimap[58:62, 58:62] = trimap[2:6, 58:62] = trimap[58:62, 2:6] = 0
    labels, _, confidence = _core.sample_colours(image, trimap)
    start = alphacut.refine_alpha(image, trimap, method="sampled")
    trust = np.float32((trimap != 128).sum() / (0.3 * trimap.size)).clip(0.1, 1)
    assert trust < 0.2
    solved = _core.solve_laplacian(image, labels, confidence, start, 0.03 * trust, int(15 / trust))
    expected = np.where((labels == 0) | (labels == 255), labels / 255, np.clip((solved - 0.05) / 0.9, 0, 1))
    alpha = alphacut.refine_alpha(image, trimap)
    assert np.abs(alpha - expected).max() < 1e-3
    assert ((alpha - truth)[trimap == 128] ** 2).mean() < 0.001
