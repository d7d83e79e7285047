import numpy as np
import pytest

import alphacut
from alphacut import _core
from reference import kmeans as reference

pytestmark = pytest.mark.usefixtures("isa")


def blobs(rng, count, dimensions, n_blobs=5, spread=1.0):
    middles = rng.normal(0, 10, (n_blobs, dimensions))
    return (middles[rng.integers(n_blobs, size=count)] + rng.normal(0, spread, (count, dimensions))).astype(np.float32)


def assert_equals(found, expected):
    labels, centers, inertia, n_iter = expected
    assert found.labels.dtype == np.int32
    assert found.centers.dtype == np.float64
    assert np.array_equal(found.labels, labels)
    assert np.array_equal(found.centers, centers)  # the same sums in the same order
    assert found.inertia == pytest.approx(inertia, rel=1e-12, abs=1e-300)  # of blocks here
    assert found.n_iter == n_iter


@pytest.mark.parametrize("dimensions", [1, 2, 3, 7, 16])
@pytest.mark.parametrize("count", [1, 2, 17, 129, 1000])
def test_equals_the_reference(dimensions, count, rng):
    points = blobs(rng, count, dimensions)
    weights = rng.integers(0, 4, count) + (np.arange(count) == 0)
    for k in (1, 3, 20):
        for given in (None, weights):
            for seed in (0, 2**64 - 1):
                found = alphacut.kmeans_points(points, k, weights=given, seed=seed)
                assert_equals(found, reference.kmeans_points(points, k, given, seed))
    start = rng.normal(0, 10, (4, dimensions))
    found = alphacut.kmeans_points(points, 4, init=start, max_iter=3, tol=0.5)
    assert_equals(found, reference.kmeans_points(points, 4, init=start, max_iter=3, tol=0.5))


def test_whole_numbers_are_the_same_in_bytes_and_floats(rng):
    points = rng.integers(0, 256, (500, 4), np.uint8)
    assert_equals(alphacut.kmeans_points(points, 6), tuple(alphacut.kmeans_points(points.astype(np.float32), 6)))
    strided = np.repeat(points, 2, axis=0)[::2][:, ::-1]
    strided.flags.writeable = False
    assert_equals(alphacut.kmeans_points(strided, 6), reference.kmeans_points(strided, 6))


def test_a_weight_counts_as_so_many_points(rng):
    points = blobs(rng, 300, 3)
    weights = rng.integers(0, 5, 300)
    start = points[:4]
    weighted = alphacut.kmeans_points(points, 4, weights=weights, init=start, max_iter=30)
    repeated = alphacut.kmeans_points(np.repeat(points, weights, axis=0), 4, init=start, max_iter=30)
    assert np.allclose(weighted.centers, repeated.centers, rtol=1e-9)
    assert np.array_equal(np.repeat(weighted.labels, weights), repeated.labels)
    assert weighted.inertia == pytest.approx(repeated.inertia, rel=1e-9)


def test_more_clusters_than_a_byte_counts(rng):
    points = rng.normal(size=(3000, 5)).astype(np.float32)
    found = alphacut.kmeans_points(points, 700, max_iter=3)
    assert_equals(found, reference.kmeans_points(points, 700, max_iter=3))
    assert found.labels.max() > 255
    all_own = alphacut.kmeans_points(points[:50], 50)
    assert all_own.inertia == 0
    assert len(set(all_own.labels.tolist())) == 50
    assert alphacut.kmeans_points(points[:3], 65536, max_iter=1).inertia == 0


def test_the_inertia_never_rises_and_attempts_help(rng):
    points = blobs(rng, 2000, 8, 12, 3.0)
    inertia = [alphacut.kmeans_points(points, 12, max_iter=n).inertia for n in (1, 2, 4, 8, 30)]
    assert inertia == sorted(inertia, reverse=True)
    several = alphacut.kmeans_points(points, 12, attempts=5)
    assert several.inertia <= inertia[3]


def test_labels_are_a_start(rng):
    points = blobs(rng, 400, 3)
    labels = rng.integers(0, 5, 400)
    means = np.array([points[labels == j].astype(np.float64).mean(0) for j in range(5)])
    found = alphacut.kmeans_points(points, 5, labels=labels)
    again = alphacut.kmeans_points(points, 5, init=means)
    assert np.array_equal(found.labels, again.labels)
    assert np.allclose(found.centers, again.centers)
    with pytest.raises(ValueError, match="exclude"):
        alphacut.kmeans_points(points, 5, labels=labels, init=means)


def test_as_good_as_opencv(rng):
    cv2 = pytest.importorskip("cv2")
    points = blobs(rng, 3000, 6, 10, 4.0)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 50, 0)
    start = alphacut.kmeans_points(points, 10, max_iter=1)
    theirs, _, _ = cv2.kmeans(points, 10, start.labels.copy(), stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    ours = alphacut.kmeans_points(points, 10, labels=start.labels, max_iter=50)
    assert ours.inertia <= theirs * (1 + 1e-5)
    own = min(cv2.kmeans(points, 10, None, stop, 1, cv2.KMEANS_PP_CENTERS)[0] for _ in range(3))
    assert alphacut.kmeans_points(points, 10, attempts=3, max_iter=50).inertia <= own * 1.02


def test_the_same_bytes_for_all_threads_and_instruction_sets(isa, rng):
    points = blobs(rng, 20_000, 5, spread=4.0)  # several blocks
    weights = rng.random(20_000)
    before = _core.num_threads()
    _core.set_isa(_core.available_isas()[0])
    _core.set_num_threads(1)
    expected = alphacut.kmeans_points(points, 30, weights=weights)
    _core.set_isa(isa)
    for threads in (1, 2, 5):
        _core.set_num_threads(threads)
        found = alphacut.kmeans_points(points, 30, weights=weights)
        assert np.array_equal(found.labels, expected.labels)
        assert np.array_equal(found.centers, expected.centers)
        assert found[2:] == expected[2:]
    _core.set_num_threads(before)


def test_out_and_extremes(rng):
    points = blobs(rng, 100, 2)
    expected = alphacut.kmeans_points(points, 3)
    out = np.full(100, 9, np.int32)
    assert alphacut.kmeans_points(points, 3, out=out).labels is out
    assert np.array_equal(out, expected.labels)
    for wrong, error in ((out[1:], ValueError), (out.astype(np.int64), TypeError), (out.tolist(), TypeError)):
        with pytest.raises(error, match="out "):
            alphacut.kmeans_points(points, 3, out=wrong)
    with pytest.raises(ValueError, match="out overlaps"):
        alphacut.kmeans_points(points, 3, out=points.reshape(-1).view(np.int32)[:100])
    huge = np.array([[3e38], [-3e38], [2.9e38]], np.float32)
    found = alphacut.kmeans_points(huge, 2)
    assert found.labels[0] == found.labels[2] != found.labels[1]
    tiny = np.array([[1e-45], [3e-45]], np.float32)
    assert alphacut.kmeans_points(tiny, 2, init=[[0], [3e-45]]).labels.tolist() == [0, 1]
