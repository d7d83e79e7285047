import json

import numpy as np
import pytest

import alphacut
from reference import components as reference

cv2 = pytest.importorskip("cv2")

isas = pytest.mark.usefixtures("isa")
both = pytest.mark.parametrize("connectivity", [4, 8])


def noise(rng, shape, density=0.5):
    return (rng.random(shape) < density).astype(np.uint8)


def cv2_label(mask, connectivity):
    count, labels = cv2.connectedComponentsWithAlgorithm(mask, connectivity, cv2.CV_32S, cv2.CCL_WU)
    return labels, count - 1


def assert_labels(mask, connectivity, expected):
    labels, count = alphacut.label_components(mask, connectivity)
    assert labels.dtype == np.int32
    assert count == expected[1]
    assert np.array_equal(labels, expected[0])


def patterns():
    """All 4×4 patterns below each other, 4 columns wide, an empty row after each."""
    bits = np.arange(1 << 16)[:, None] >> np.arange(16) & 1
    mask = np.zeros((1 << 16, 5, 4), np.uint8)
    mask[:, :4] = bits.reshape(-1, 4, 4)
    return mask.reshape(-1, 4)


def spiral(n):
    """One arm, winding inwards; its background is one arm too."""
    mask = np.zeros((n, n), np.uint8)
    y, x, dy, dx = 0, 0, 0, 1
    mask[0, 0] = 1
    for length in (n - 1, *(k for k in range(n - 1, 0, -2) for _ in range(2))):
        for _ in range(length):
            y, x = y + dy, x + dx
            mask[y, x] = 1
        dy, dx = dx, -dy
    return mask


def comb(height, width):
    """Teeth that meet in the last row only, and half as many from above."""
    mask = np.zeros((height, width), np.uint8)
    mask[:, ::2] = 1
    mask[-1] = 1
    mask[-2, ::4] = 0
    return mask


def checkerboard(height, width):
    return (np.indices((height, width)).sum(0) % 2).astype(np.uint8)


def awkward():
    return {
        "empty": np.zeros((70, 65), np.uint8),
        "full": np.full((70, 65), 255, np.uint8),
        "spiral": spiral(131),
        "mirrored": np.ascontiguousarray(spiral(130)[::-1, ::-1]),
        "comb": comb(64, 129),
        "comb_down": comb(64, 129)[::-1].copy(),
        "checkerboard": checkerboard(67, 129),
        "stripes": np.tile(np.uint8([[1], [0]]), (40, 190)),
        "columns": np.tile(np.uint8([[1, 0]]), (80, 95)),
        "frames": np.maximum(*np.abs(np.indices((99, 99)) - 49)).astype(np.uint8) % 2,
    }


every_mask = pytest.mark.parametrize("mask", awkward().values(), ids=awkward().keys())


@pytest.fixture(scope="module")
def strips():
    """A mask of several strips (blocks of 2^18 pixels), with parts that cross all of them."""
    rng = np.random.default_rng(7)
    mask = np.zeros((1300, 900), np.uint8)
    mask[:, :300] = noise(rng, (1300, 300))
    mask[:, 300:600] = cv2.GaussianBlur(noise(rng, (1300, 300)).astype(np.float32), (0, 0), 9) > 0.5
    mask[:, 600:] = comb(1300, 300)
    return mask


# Labels


@isas
@both
def test_all_4x4_patterns(connectivity):
    mask = patterns()
    assert_labels(mask, connectivity, cv2_label(mask, connectivity))


@isas
@both
def test_all_small_shapes(connectivity, rng):
    for height in range(1, 18):
        for width in range(1, 18):
            mask = noise(rng, (height, width), rng.random())
            assert_labels(mask, connectivity, cv2_label(mask, connectivity))


@both
def test_equals_flood_fill(connectivity, rng):
    for density in (0.2, 0.4, 0.5, 0.6, 0.8):
        mask = noise(rng, (31, 67), density)
        assert_labels(mask, connectivity, reference.label(mask, connectivity))


@isas
@both
def test_odd_widths(connectivity, rng):
    for width in range(1, 200):
        mask = noise(rng, (5, width)) * rng.integers(1, 256, (5, width), dtype=np.uint8)
        assert_labels(mask, connectivity, cv2_label(mask, connectivity))


@isas
@both
@every_mask
def test_awkward_masks(mask, connectivity):
    assert_labels(mask, connectivity, cv2_label(mask, connectivity))


@both
def test_wide_masks(connectivity, rng):
    """Columns and run counts beyond 16 bits, strips of a few rows."""
    for mask in (
        noise(rng, (1, 65537)),
        noise(rng, (9, 65537)),
        checkerboard(6, 131075),
        np.ones((3, 300001), np.uint8),
    ):
        assert_labels(mask, connectivity, cv2_label(mask, connectivity))
        stats = alphacut.component_stats(mask, connectivity)
        assert stats.area.sum() == mask.sum()


@both
def test_strips_and_threads(strips, connectivity, threads):
    assert_labels(strips, connectivity, cv2_label(strips, connectivity))


# Statistics


@isas
@both
def test_stats_equal_cv2(connectivity, rng, strips):
    for mask in (*awkward().values(), noise(rng, (3, 65537)), strips, noise(rng, (1, 1), 1)):
        stats = alphacut.component_stats(mask, connectivity)
        count, _, table, centres = cv2.connectedComponentsWithStatsWithAlgorithm(
            mask, connectivity, cv2.CV_32S, cv2.CCL_WU
        )
        assert (stats.area.dtype, stats.box.dtype, stats.centroid.dtype) == (np.int64, np.int64, np.float64)
        assert stats.area.shape == (count - 1,)
        assert np.array_equal(stats.area, table[1:, 4])
        assert np.array_equal(stats.box, table[1:, :4])
        np.testing.assert_allclose(stats.centroid, centres[1:], rtol=1e-12, atol=0)


def test_stats_of_a_large_full_mask_are_exact():
    row = np.ones((1, 1 << 20), np.uint8)
    mask = np.lib.stride_tricks.as_strided(row, (2047, 1 << 20), (0, 1), writeable=False)
    stats = alphacut.component_stats(mask)
    assert stats.area.tolist() == [2047 << 20]
    assert stats.box.tolist() == [[0, 0, 1 << 20, 2047]]
    assert stats.centroid.tolist() == [[((1 << 20) - 1) / 2, 1023.0]]


# Filters


def by_area(mask, connectivity, keep):
    """The components whose number, from 1, is in keep(areas)."""
    labels, count = cv2_label(mask, connectivity)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return np.where(np.isin(labels, keep(areas)), 255, 0)


@isas
@both
def test_keep_largest(connectivity, rng, strips):
    for mask in (noise(rng, (40, 77), 0.35), checkerboard(9, 31), strips, np.zeros((5, 6), np.uint8)):
        for k in (1, 7, 10**9):
            expected = by_area(mask, connectivity, lambda areas, k=k: np.argsort(-areas, kind="stable")[:k] + 1)
            assert np.array_equal(alphacut.keep_largest(mask, k, connectivity=connectivity), expected)


def test_keep_largest_takes_the_earlier_of_equals():
    assert alphacut.keep_largest(np.uint8([[1, 0, 7, 0, 3]])).tolist() == [[255, 0, 0, 0, 0]]
    assert alphacut.keep_largest(np.uint8([[1, 0, 7, 7, 0, 3]]), 2).tolist() == [[255, 0, 255, 255, 0, 0]]


@isas
@both
def test_remove_small(connectivity, rng, strips):
    for mask in (noise(rng, (40, 77), 0.35), strips, np.zeros((5, 6), np.uint8)):
        for area in (0, 1, 5, 10**12):
            expected = by_area(mask, connectivity, lambda areas, area=area: np.nonzero(areas >= area)[0] + 1)
            assert np.array_equal(alphacut.remove_small(mask, area, connectivity=connectivity), expected)


@isas
@both
def test_fill_holes_in_all_4x4_patterns(connectivity):
    mask = patterns()
    labels, count = cv2_label(1 - mask, 12 - connectivity)
    border = np.zeros(count + 1, bool)
    border[labels[:, [0, -1]].ravel()] = True
    expected = np.where((mask == 1) | ~border[labels], 255, 0)
    assert np.array_equal(alphacut.fill_holes(mask, connectivity=connectivity), expected)


@isas
@both
def test_fill_holes(connectivity, rng):
    for mask in (noise(rng, (20, 33), 0.7), noise(rng, (17, 65), 0.6), spiral(21), awkward()["frames"][:20, :20]):
        for area in (None, 0, 1, 3, 50):
            limit = mask.size if area is None else area
            expected = reference.fill_holes(mask, limit, connectivity)
            assert np.array_equal(alphacut.fill_holes(mask, area, connectivity=connectivity), expected)


def test_fill_holes_of_empty_and_full():
    for value in (0, 1):
        for shape in ((1, 1), (3, 3), (64, 64)):
            assert (alphacut.fill_holes(np.full(shape, value, np.uint8)) == 255 * value).all()


@both
def test_filters_with_threads(strips, connectivity):
    before = alphacut.get_num_threads()
    results = set()
    try:
        for count in (1, 2, 5):
            alphacut.set_num_threads(count)
            masks = (
                alphacut.keep_largest(strips, 3, connectivity=connectivity),
                alphacut.remove_small(strips, 9, connectivity=connectivity),
                alphacut.fill_holes(strips, 99, connectivity=connectivity),
            )
            results.add(b"".join(mask.tobytes() for mask in masks))
    finally:
        alphacut.set_num_threads(before)
    assert len(results) == 1


@isas
@both
def test_remove_small_by_range_and_inverted(connectivity, rng, strips):
    for mask in (noise(rng, (40, 77), 0.35), strips):
        for low, high in ((0, 0), (2, 5), (5, 2), (3, None)):
            most = np.inf if high is None else high
            kept = by_area(
                mask, connectivity, lambda a, low=low, most=most: np.nonzero((a >= low) & (a <= most))[0] + 1
            )
            assert np.array_equal(alphacut.remove_small(mask, low, high, connectivity=connectivity), kept)
            inverse = alphacut.remove_small(mask, low, high, connectivity=connectivity, invert=True)
            assert np.array_equal(inverse, np.where(mask != 0, 255 - kept, 0))


@isas
@both
def test_keep_touching(connectivity, rng, strips):
    masks = [noise(rng, (h, w), rng.random()) for h in range(1, 12) for w in (1, 5, 9, 17, 64, 65, 130, 200)]
    for mask in (*masks, *awkward().values(), strips):
        for density in (0, 0.01, 0.3):
            seeds = noise(rng, mask.shape, density)
            labels, _ = cv2_label(mask, connectivity)
            expected = np.isin(labels, labels[seeds != 0]) & (mask != 0)
            got = alphacut.keep_touching(mask, seeds, connectivity=connectivity)
            assert np.array_equal(got, np.where(expected, 255, 0))


@both
def test_background_row_equals_cv2(connectivity, rng):
    for mask in (noise(rng, (31, 77)), noise(rng, (1, 1), 0), noise(rng, (9, 3), 0.1)):
        got = alphacut.component_stats(mask, connectivity, background=True)
        _, _, table, centres = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
        assert got.area[0] == table[0, 4]
        assert np.array_equal(got.box[0], table[0, :4])
        np.testing.assert_allclose(got.centroid[0], centres[0], rtol=1e-12)
        rest = alphacut.component_stats(mask, connectivity)
        assert all(np.array_equal(a[1:], b) for a, b in zip(got, rest, strict=True))
    full = alphacut.component_stats(np.ones((3, 4), bool), background=True)
    assert full.area.tolist() == [0, 12]
    assert full.box[0].tolist() == [0, 0, 0, 0]
    assert np.isnan(full.centroid[0]).all()


# Pieces of label maps


def assert_pieces(values, connectivity, delta, background):
    labels, count = alphacut.label_components(values, connectivity, delta=delta, background=background)
    expected = reference.label_pieces(values, connectivity, delta, background)
    assert labels.dtype == np.int32
    assert count == expected[1]
    assert np.array_equal(labels, expected[0])


@both
@pytest.mark.parametrize("background", [0, None, 2])
def test_pieces_of_all_small_shapes(connectivity, background, rng):
    for height in range(1, 9):
        for width in range(1, 9):
            for delta in (0, 1, 1.5):
                assert_pieces(rng.integers(0, 4, (height, width), np.uint8), connectivity, delta, background)


@both
def test_pieces_of_any_depth_strips_and_threads(connectivity, threads, rng):
    coarse = np.repeat(np.repeat(rng.integers(0, 5, (130, 90)), 10, 0), 10, 1)
    fine = rng.integers(0, 3, coarse.shape)
    for values in (coarse, np.where(fine == 2, coarse, 7), spiral(700)):
        expected = None
        for dtype in (np.int64, np.uint8, np.int16, np.float64):
            labels, count = alphacut.label_components(values.astype(dtype), connectivity, delta=0, background=None)
            pieces = [alphacut.label_components(values == v, connectivity)[1] for v in np.unique(values)]
            assert count == sum(pieces)
            firsts = np.unique(labels, return_index=True)
            assert firsts[0].tolist() == list(range(1, count + 1))
            assert (np.diff(firsts[1]) > 0).all()  # in raster order
            expected = labels if expected is None else expected
            assert np.array_equal(labels, expected)


@both
def test_pieces_equal_peers(connectivity, rng):
    measure = pytest.importorskip("skimage.measure")
    values = rng.integers(0, 4, (50, 70))
    for background, peer in ((0, 0), (None, -1)):
        labels, count = alphacut.label_components(values, connectivity, delta=0, background=background)
        expected = measure.label(values, background=peer, connectivity=connectivity // 4)
        assert count == expected.max()
        assert np.array_equal(labels, expected)
    cc3d = pytest.importorskip("cc3d")
    gray = rng.integers(0, 99, (50, 70)).astype(np.uint8)
    theirs = cc3d.connected_components(gray, connectivity=connectivity, delta=20)
    ours, count = alphacut.label_components(gray, connectivity, delta=20)
    pairs = np.unique(np.stack([ours.ravel(), theirs.ravel()]), axis=1)
    assert pairs.shape[1] == count + 1 == theirs.max() + 1


# Shapes


@isas
@both
def test_shapes_equal_skimage(connectivity, rng):
    measure = pytest.importorskip("skimage.measure")
    masks = [noise(rng, (int(rng.integers(1, 20)), w), rng.random()) for w in range(1, 40)]
    for mask in (*masks, spiral(33), comb(20, 31), checkerboard(9, 12), awkward()["frames"]):
        weights = rng.integers(1, 99, mask.shape)
        got = alphacut.component_shapes(mask, connectivity, weights=weights)
        labels, count = alphacut.label_components(mask, connectivity)
        assert len(got.perimeter) == count
        regions = measure.regionprops(labels, intensity_image=weights.astype(float))
        for i, region in enumerate(regions):
            assert got.perimeter[i] == pytest.approx(region.perimeter, rel=1e-12)
            assert got.axes[i, 0] == pytest.approx(region.axis_major_length, rel=1e-9, abs=1e-6)
            assert got.axes[i, 1] == pytest.approx(region.axis_minor_length, rel=1e-9, abs=1e-6)
            assert got.eccentricity[i] == pytest.approx(region.eccentricity, abs=1e-6)
            if got.axes[i, 0] - got.axes[i, 1] > 1e-6:
                turn = abs(got.orientation[i] - region.orientation)
                assert min(turn, abs(turn - np.pi)) < 1e-6
            assert got.euler_number[i] == measure.euler_number(region.image, connectivity // 4)
            y, x = region.centroid_weighted
            np.testing.assert_allclose(got.weighted_centroid[i], (x, y), rtol=1e-9, atol=1e-9)
            expected = reference.convex_area(region.image) if region.area < 10 else region.area_convex
            assert got.convex_area[i] == expected
    plain = alphacut.component_shapes(mask, connectivity)
    assert np.array_equal(plain.weighted_centroid, alphacut.component_stats(mask, connectivity).centroid)
    assert np.isnan(alphacut.component_shapes(mask, weights=np.zeros(mask.shape)).weighted_centroid).all()


def test_convex_area_of_a_solid_shape_is_its_area():
    y, x = np.mgrid[:61, :83]
    for mask in (x > 30, x >= 0, (x > 3) & (x < 50) & (y > 7)):
        shape = alphacut.component_shapes(mask)
        assert shape.convex_area[0] == mask.sum()
        assert shape.euler_number[0] == 1


def test_shapes_of_a_long_row_are_exact():
    shape = alphacut.component_shapes(np.ones((1, 3_000_001), np.uint8))
    assert shape.axes[0, 0] == pytest.approx(4 * np.sqrt((3_000_001**2 - 1) / 12), rel=1e-14)
    assert shape.axes[0, 1] == 0
    assert shape.orientation[0] == pytest.approx(np.pi / 2)


# Outlines


def test_whole_labels_count_wherever_they_lie(rng):
    labels = np.array([[1, 0, 1, 2], [3, 3, 0, 1], [3, 3, 5000, 2]])
    for dtype in (np.uint8, np.int32, np.uint64):
        values = np.where(labels == 5000, 77, labels).astype(dtype)
        kept = alphacut.remove_small(values, 3, whole_labels=True)
        assert np.array_equal(kept, np.isin(labels, (1, 3)) * np.uint8(255))
        inverse = alphacut.remove_small(values, 3, invert=True, whole_labels=True)
        assert np.array_equal(inverse, np.isin(labels, (2, 5000)) * np.uint8(255))
        assert np.array_equal(alphacut.remove_small(values, 2, 3, whole_labels=True) > 0, np.isin(labels, (1, 2)))
    assert np.array_equal(alphacut.remove_small(labels, 2, whole_labels=True) > 0, np.isin(labels, (1, 2, 3)))
    assert np.array_equal(alphacut.remove_small(labels > 1, 7, whole_labels=True) > 0, labels > 1)
    assert not alphacut.remove_small(labels > 1, 8, whole_labels=True).any()
    assert alphacut.remove_small(np.zeros((0, 3), np.uint8), 1, whole_labels=True).shape == (0, 3)
    with pytest.raises(ValueError, match="must be at least 0"):
        alphacut.remove_small(np.zeros((0, 3), np.uint8), -1, whole_labels=True)
    assert alphacut.remove_small(labels, 2**62, whole_labels=True).max() == 0
    large = rng.integers(0, 9, (60, 70))
    areas = np.bincount(large.ravel())
    expected = (areas >= np.median(areas[1:]))[large] & (large > 0)
    assert np.array_equal(alphacut.remove_small(large, int(np.median(areas[1:])), whole_labels=True) > 0, expected)
    assert alphacut.remove_small(np.zeros((0, 3), int), 1, whole_labels=True).shape == (0, 3)


def assert_polygons(mask):
    """Filling gives the mask; one polygon a 4-connected component; its area, first corner and orientation are right."""
    polygons = alphacut.mask_to_polygons(mask)
    rings = reference.rings_of(polygons)
    assert np.array_equal(reference.fill(rings, mask.shape), np.where(mask != 0, 255, 0))
    labels, count = cv2_label(mask, 4)
    assert len(polygons) == count
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    starts = np.unique(labels, return_index=True)[1][-count:] if count else []
    for polygon, size, start in zip(polygons, areas, starts, strict=True):
        assert reference.area(polygon.exterior) + sum(map(reference.area, polygon.holes)) == size
        assert reference.area(polygon.exterior) > 0
        assert all(reference.area(hole) < 0 for hole in polygon.holes)
        assert tuple(polygon.exterior[0]) == (start % mask.shape[1], start // mask.shape[1])
    for ring in rings:
        assert ring.dtype == np.int32
        assert len(set(map(tuple, ring.tolist()))) == len(ring)  # no vertex twice
        step = np.roll(ring, -1, axis=0) - ring
        assert ((step == 0).sum(1) == 1).all()  # along one axis,
        assert ((step[:, 0] == 0) != (np.roll(step, 1, axis=0)[:, 0] == 0)).all()  # and a turn at each corner


@every_mask
def test_polygons_of_awkward_masks(mask):
    assert_polygons(mask)


def test_polygons_of_small_patterns():
    """All 4×4 patterns whose number is a multiple of 97, and with a frame that closes around them."""
    mask = patterns().reshape(-1, 5, 4)[::97].reshape(-1, 4)
    assert_polygons(mask)
    framed = np.pad(mask, 1, constant_values=1)
    assert_polygons(framed)
    assert_polygons(1 - framed)


def test_polygons_of_noise(rng):
    for density in (0.3, 0.5, 0.7, 0.9):
        assert_polygons(noise(rng, (40, 61), density))


def test_polygon_with_a_hole_that_touches_a_corner():
    mask = np.uint8([[0, 1, 1], [1, 0, 1], [1, 1, 1]])
    (polygon,) = alphacut.mask_to_polygons(mask)
    assert polygon.exterior.tolist() == [[1, 0], [3, 0], [3, 3], [0, 3], [0, 1], [1, 1]]
    assert [sorted(hole.tolist()) for hole in polygon.holes] == [[[1, 1], [1, 2], [2, 1], [2, 2]]]


def assert_outlines_of_8(mask):
    """As assert_polygons, but pixels that meet at a corner are of one ring, which comes by there twice."""
    polygons = alphacut.mask_to_polygons(mask, connectivity=8)
    assert np.array_equal(reference.fill(reference.rings_of(polygons), mask.shape), np.where(mask != 0, 255, 0))
    stats = alphacut.component_stats(mask)
    assert len(polygons) == len(stats.area)
    for polygon, size in zip(polygons, stats.area, strict=True):
        assert reference.area(polygon.exterior) + sum(map(reference.area, polygon.holes)) == size
        assert reference.area(polygon.exterior) > 0
        assert all(reference.area(hole) < 0 for hole in polygon.holes)


@every_mask
def test_outlines_of_8_of_awkward_masks(mask):
    assert_outlines_of_8(mask)


def test_outlines_of_8(rng):
    mask = patterns().reshape(-1, 5, 4)[::97].reshape(-1, 4)
    for one in (mask, np.pad(mask, 1, constant_values=1), 1 - np.pad(mask, 1, constant_values=1)):
        assert_outlines_of_8(one)
    for density in (0.3, 0.5, 0.7, 0.9):
        assert_outlines_of_8(noise(rng, (40, 61), density))
    (cross,) = alphacut.mask_to_polygons(np.eye(2, dtype=np.uint8), connectivity=8)
    assert cross.exterior.tolist() == [[0, 0], [1, 0], [1, 1], [2, 1], [2, 2], [1, 2], [1, 1], [0, 1]]


def test_simplified_outlines_stay_near(rng):
    """What is left out lies within the tolerance of the outline that stays, and what stays are corners of the whole."""
    y, x = np.mgrid[:90, :120]
    blob = (x - 60) ** 2 / 2 + (y - 45) ** 2 < 38**2
    for mask in (blob, blob & ((x - 60) ** 2 + (y - 45) ** 2 > 100), noise(rng, (30, 40), 0.6)):
        whole = reference.rings_of(alphacut.mask_to_polygons(mask))
        for tolerance in (0.5, 0.8, 3):
            simple = reference.rings_of(alphacut.mask_to_polygons(mask, simplify=tolerance))
            assert len(simple) == len(whole)
            for ring, exact in zip(simple, whole, strict=True):
                assert len(ring) >= 3
                corners = exact.tolist()
                places = [corners.index(corner) for corner in ring.tolist()]
                assert places == sorted(places)
                if len(ring) < len(exact):
                    assert reference.farthest(ring, exact) <= tolerance + 1e-9
    rings = [sum(map(len, reference.rings_of(alphacut.mask_to_polygons(blob, simplify=t)))) for t in (0, 0.8, 3)]
    assert rings[0] > 2 * rings[1] > 4 * rings[2]


def test_a_simplified_rectangle_is_itself():
    mask = np.zeros((9, 9), np.uint8)
    mask[2:7, 3:5] = 1
    for tolerance in (0.1, 1, 100):
        assert alphacut.mask_to_polygons(mask, simplify=tolerance)[0].exterior.tolist() == [
            [3, 2],
            [5, 2],
            [5, 7],
            [3, 7],
        ]


@every_mask
def test_run_lengths_of_awkward_masks(mask):
    rle = alphacut.mask_to_rle(mask)
    assert rle == reference.run_lengths(mask)
    assert np.array_equal(alphacut.rle_to_mask(rle), np.where(mask != 0, 255, 0))


def test_run_lengths(rng):
    for shape in ((0, 4), (4, 0), (1, 1), (3, 1), (7, 9)):
        for density in (0, 0.3, 0.5, 1):
            mask = (rng.random(shape) < density).astype(np.uint8)
            rle = alphacut.mask_to_rle(mask)
            assert rle == reference.run_lengths(mask), shape
            assert json.loads(json.dumps(rle)) == rle
            for back in (rle, {**rle, "counts": np.array(rle["counts"], np.uint32)}):
                assert np.array_equal(alphacut.rle_to_mask(back), mask * np.uint8(255))
    with pytest.raises(TypeError, match="compressed"):
        alphacut.rle_to_mask({"size": [2, 2], "counts": "04"})


# All of them

CALLS = {
    "label": lambda mask, **kw: alphacut.label_components(mask, **kw)[0],
    "keep": alphacut.keep_largest,
    "remove": lambda mask, **kw: alphacut.remove_small(mask, 3, **kw),
    "fill": alphacut.fill_holes,
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


@isas
@every_call
def test_strides_read_only_bool_and_out(call, rng):
    whole = noise(rng, (46, 140), 0.6)
    whole.flags.writeable = False
    for mask in (whole[:, ::2], whole[::-1], whole[3:-2, 5:-7], whole.T, whole[:, 7:8], whole[:1, :]):
        expected = call(np.ascontiguousarray(mask))
        assert np.array_equal(call(mask), expected)
        assert np.array_equal(call(mask.astype(bool)), expected)
        assert np.array_equal(call(mask * np.uint8(200)), expected)
        assert np.array_equal(call(mask * np.int16(-7)), expected)
        assert np.array_equal(call(mask * (np.int64(1) << 40)), expected)
        frame = np.full((mask.shape[0], mask.shape[1] + 9), 77, expected.dtype)
        out = frame[:, 4:-5]
        call(mask, out=out)
        assert np.array_equal(out, expected)
        assert (frame[:, :4] == 77).all()
        assert (frame[:, -5:] == 77).all()
    out = np.empty(whole.shape, np.int32)
    assert alphacut.label_components(whole, out=out)[0] is out


@every_call
def test_refuses_wrong_arguments(call):
    mask = np.zeros((4, 5), np.uint8)
    for wrong in (np.zeros((4, 5)), np.zeros((4, 5), np.float32), [[1, 2]], None):
        with pytest.raises(TypeError, match="mask"):
            call(wrong)
    for shape in ((3,), (2, 3, 3)):
        with pytest.raises(ValueError, match="mask"):
            call(np.zeros(shape, np.uint8))
    for connectivity in (-4, 0, 5, 6):
        with pytest.raises(ValueError, match="connectivity"):
            call(mask, connectivity=connectivity)
    with pytest.raises(TypeError):
        call(mask, connectivity="8")
    with pytest.raises(ValueError, match="out"):
        call(mask, out=np.zeros((4, 6), call(mask).dtype))
    with pytest.raises(TypeError, match="out"):
        call(mask, out=np.zeros((4, 5), np.float32))


def test_refuses_overlap_and_wrong_numbers():
    mask = np.ones((4, 5), np.uint8)
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.keep_largest(mask, out=mask)
    for k in (0, -1):
        with pytest.raises(ValueError, match="k must"):
            alphacut.keep_largest(mask, k)
    with pytest.raises(ValueError, match="min_area"):
        alphacut.remove_small(mask, -1)
    with pytest.raises(ValueError, match="max_area"):
        alphacut.fill_holes(mask, -1)
    with pytest.raises(TypeError):
        alphacut.remove_small(mask, 2.5)


def test_refuses_more_pixels_than_labels():
    row = np.ones((1, 1 << 16), np.uint8)
    mask = np.lib.stride_tricks.as_strided(row, (1 << 15, 1 << 16), (0, 1), writeable=False)
    for call in (alphacut.component_stats, alphacut.mask_to_polygons):
        with pytest.raises(ValueError, match="2147483647 pixels"):
            call(mask)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_no_pixels(shape):
    mask = np.zeros(shape, np.uint8)
    for call in CALLS.values():
        assert call(mask).shape == shape
    assert alphacut.label_components(mask)[1] == 0
    assert alphacut.label_components(mask, delta=0)[0].shape == shape
    assert alphacut.keep_touching(mask, mask).shape == shape
    assert len(alphacut.component_stats(mask).area) == 0
    assert alphacut.component_stats(mask, background=True).area.tolist() == [0]
    assert len(alphacut.component_shapes(mask).perimeter) == 0
    assert alphacut.mask_to_polygons(mask) == []


def test_one_pixel():
    for value in (0, 9):
        mask = np.full((1, 1), value, np.uint8)
        assert [a.tolist() for a in alphacut.component_stats(mask)] == (
            [[1], [[0, 0, 1, 1]], [[0, 0]]] if value else [[]] * 3
        )
        assert alphacut.label_components(mask)[1] == (value > 0)
        for call in CALLS.values():
            assert bool(call(mask)[0, 0]) == (value > 0 and call is not CALLS["remove"])
        assert len(alphacut.mask_to_polygons(mask)) == (value > 0)
