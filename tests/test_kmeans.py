import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alphacut
from alphacut import _core
from reference import kmeans as reference

cv2 = pytest.importorskip("cv2")

pytestmark = pytest.mark.usefixtures("isa")

DTYPES = [np.uint8, np.float32]


def picture(rng, shape, dtype):
    values = rng.integers(0, 256, shape)
    return values.astype(np.uint8) if dtype == np.uint8 else rng.random(shape, np.float32)


def assert_equals_reference(image, n_clusters, *, init=None, expected=None, **options):
    settings = {"seed": 0, "max_iter": 10, "tol": 16, "attempts": 1} | options
    start = [] if init is None else np.asarray(init).ravel().tolist()
    result = _core.kmeans(image, n_clusters, init=start, **settings)
    if expected is None:
        expected = reference.kmeans(image, n_clusters, init=init, **settings)
    assert np.array_equal(result[0], expected[0])
    assert np.array_equal(result[1], expected[1])
    assert result[2:] == expected[2:]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_equals_reference_at_all_small_shapes(dtype, channels, rng):
    for height in range(1, 18):
        for width in range(1, 18):
            image = picture(rng, (height, width, *channels), dtype)
            assert_equals_reference(image, 1 + (height + width) % 5, seed=height * 31 + width, max_iter=2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [63, 64, 65, 255, 256, 257, 513])
def test_equals_reference_around_vector_and_chunk_lengths(dtype, width, rng):
    assert_equals_reference(picture(rng, (3, width, 3), dtype), 6, seed=width)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_clusters", [1, 2, 40, 256])
def test_equals_reference_until_nothing_moves(dtype, n_clusters, rng):
    assert_equals_reference(picture(rng, (20, 31, 3), dtype), n_clusters, max_iter=1000, tol=0, seed=2**64 - 1)


def test_equals_reference_where_the_seeding_samples(rng):
    image = (rng.normal(128, 40, (300, 301, 3)) // 8 * 8).clip(0, 255).astype(np.uint8)
    assert_equals_reference(image, 5, seed=7, max_iter=3)


def counted(rng, height=260, width=259):
    """A picture large enough, and of colours few enough, for its colours to be counted if there are 8 iterations."""
    smooth = np.linspace([0, 40, 255], [255, 90, 0], width) + np.linspace([0, 0, 0], [0, 60, 0], height)[:, None]
    return (smooth + rng.normal(0, 3, smooth.shape)).clip(0, 255).astype(np.uint8)


@functools.cache  # for all instruction sets
def counted_cases(n_clusters):
    color = counted(np.random.default_rng(5))
    images = color, color[..., 1], color[::-1, :, ::-1]
    starts = None, None, np.zeros((n_clusters, 3), int)
    return [
        (image, start, reference.kmeans(image, n_clusters, init=start, max_iter=8, tol=0))
        for image, start in zip(images, starts, strict=True)
    ]


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 9])
def test_equals_reference_where_colors_are_counted(n_clusters):
    for image, start, expected in counted_cases(n_clusters):
        assert_equals_reference(image, n_clusters, init=start, max_iter=8, tol=0, expected=expected)


def test_equals_reference_where_counts_are_high(rng):
    """Of few colours, neighbours and extremes among them; of one; and of a count that is a multiple of 256."""
    colors = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [255, 255, 255], [255, 248, 7], [255, 247, 8]], np.uint8)
    image = colors[rng.integers(0, 6, (256, 300))]
    for start in ([[0] * 3, [64, 0, 0], [0, 64, 0]], [[0] * 3, [16320] * 3, [16320] * 3], [[31, 1, 1], [33, 1, 1]] * 2):
        assert_equals_reference(image, len(start), init=start)
    assert_equals_reference(np.full((256, 256), 200, np.uint8), 3)
    assert_equals_reference(np.repeat(colors[3:5], 2**15, axis=0).reshape(256, 256, 3), 2)


def test_counted_colors_give_the_labels_of_single_pixels(rng):
    """Floats are never counted."""
    image = counted(rng, 700, 601)
    image[:300] = rng.integers(160, 256, (300, 601, 3))
    for n_clusters in (8, 100):
        a = _core.kmeans(image, n_clusters, 1, 4, 0, [])
        b = _core.kmeans(image.astype(np.float32) / np.float32(255), n_clusters, 1, 4, 0, [])
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("n_clusters", [3, 4, 9, 256])
def test_empty_clusters_take_the_farthest_pixels(n_clusters, rng):
    """All start in one place: the first takes every pixel."""
    for colors in (1, 2, 5, 60):
        image = rng.integers(0, 256, (colors, 3), np.uint8)[rng.integers(0, colors, (16, 17))]
        assert_equals_reference(image, n_clusters, init=np.full((n_clusters, 3), 4000), max_iter=5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_values_do_not_overflow(dtype):
    top = 255 if dtype == np.uint8 else 1
    image = np.zeros((8, 40, 3), dtype)
    image[::2, 1::2] = top
    for start in ([[0] * 3, [16320] * 3], [[16320] * 3, [0] * 3], [[16320] * 3] * 2):
        assert_equals_reference(image, 2, init=start)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_longer_than_the_kernels_segment(dtype):
    image = np.full((1, 2**18 + 300, 3), 255 if dtype == np.uint8 else 1, dtype)
    image[0, -1] = 0
    assert_equals_reference(image, 2, init=[[16320] * 3, [0] * 3])


@pytest.mark.parametrize("dtype", DTYPES)
def test_labels_are_the_nearest_center_and_inertia_their_distance(dtype, rng):
    image = picture(rng, (40, 50, 3), dtype)
    labels, centers, inertia, _ = alphacut.kmeans(image, 9, seed=3)
    squared = ((image[:, :, None, :].astype(float) - centers.astype(float)) ** 2).sum(axis=-1)
    if dtype == np.uint8:
        assert np.array_equal(labels, squared.argmin(axis=2))
        assert inertia == squared.min(axis=2).sum()
    else:  # rounded to 1/16320
        chosen = np.take_along_axis(squared, labels[..., None].astype(int), 2)[..., 0]
        assert np.all(chosen <= squared.min(axis=2) + 4 / 16320)
        assert inertia == pytest.approx(squared.min(axis=2).sum(), rel=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(1, 20), st.integers(1, 12), st.integers(1, 12))
def test_inertia_never_rises(seed, n_clusters, height, width):
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8) // 16 * 16
    inertia = [_core.kmeans(image, n_clusters, seed, n, 0, [])[2] for n in range(1, 8)]
    assert inertia == sorted(inertia, reverse=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_as_many_clusters_as_colors_gives_no_inertia(dtype, rng):
    top = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    colors = (np.array([[0, 0, 0], [51, 0, 204], [255, 255, 255], [255, 0, 0]]) / 255 * top).astype(dtype)
    image = colors[rng.integers(0, 4, (30, 40))]
    result = alphacut.kmeans(image, 4)
    assert result.inertia == pytest.approx(0, abs=1e-4 * top**2)
    assert np.allclose(result.centers[result.labels], image, atol=top / 16320)
    more = alphacut.kmeans(image, 7)
    assert more.inertia == result.inertia
    assert len(np.unique(more.labels)) == 4


def test_rare_color_in_a_large_picture_is_found():
    """Too rare for the samples: it is found when its cluster is empty."""
    image = np.zeros((600, 700, 3), np.uint8)
    image[300:] = (0, 200, 0)
    image[77, 99] = (200, 0, 0)
    result = alphacut.kmeans(image, 3)
    assert result.inertia == 0
    assert (result.labels == result.labels[77, 99]).sum() == 1


def test_depths_of_one_picture_agree(rng):
    image = rng.integers(0, 256, (31, 33, 3), np.uint8)
    a = alphacut.kmeans(image, 6, seed=5)
    for same, top in ((image.astype(np.uint16) * 257, 65535), (image.astype(np.float32) / np.float32(255), 1)):
        b = alphacut.kmeans(same, 6, seed=5)
        assert np.array_equal(a.labels, b.labels)
        assert b.n_iter == a.n_iter
        assert b.inertia == pytest.approx(a.inertia * (top / 255) ** 2)
        assert np.allclose(b.centers, a.centers * top / 255, rtol=1e-6)


def test_gray_equals_color_with_empty_channels(rng):
    gray = rng.integers(0, 256, (20, 21), np.uint8)
    color = np.zeros((20, 21, 3), np.uint8)
    color[..., 0] = gray
    a, b = alphacut.kmeans(gray, 5), alphacut.kmeans(color, 5)
    assert np.array_equal(a.labels, b.labels)
    assert a.centers.shape == (5, 1)
    assert np.array_equal(a.centers[:, 0], b.centers[:, 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_labels_as_a_start(dtype, rng):
    top = {np.uint8: 255, np.uint16: 65535, np.float32: 1}[dtype]
    for shape in [(1, 1), (7, 9), (20, 31, 3)]:
        image = (rng.random(shape) * top).astype(dtype)
        names = rng.integers(0, 4, shape[:2])
        names[names == 2] = 1  # one stays without pixels
        result = alphacut.kmeans(image, 4, labels=names, max_iter=5)
        points = reference.fixed(image if dtype != np.uint16 else image / np.float32(65535))
        count = np.bincount(names.ravel(), minlength=4)
        start = np.array([points[names.ravel() == j].sum(axis=0) for j in range(4)])
        start = (2 * start + count[:, None]) // np.maximum(2 * count, 1)[:, None]
        start[count == 0] = start[count.argmax()]
        expected = alphacut.kmeans(image, 4, init=(start * (top / 16320)), max_iter=5)
        assert np.array_equal(result.labels, expected.labels)
        assert np.array_equal(result.centers, expected.centers)
    row = (np.array([[0, 0, 0, 0, 0.4, 0.43, 0.98]]) * top).astype(dtype)
    found = alphacut.kmeans(row, 2, labels=np.zeros((1, 7), np.uint8), max_iter=20)
    assert found.labels[0, 6] != found.labels[0, 0]
    assert (found.labels[0, :4] == found.labels[0, 0]).all()
    image = rng.integers(0, 256, (40, 41, 3), np.uint8)
    names = rng.integers(0, 5, (40, 41), np.int32)
    stop = (cv2.TERM_CRITERIA_MAX_ITER, 5, 0)
    peer = cv2.kmeans(
        image.reshape(-1, 3).astype(np.float32), 5, names.reshape(-1, 1).copy(), stop, 1, cv2.KMEANS_USE_INITIAL_LABELS
    )[0]
    assert alphacut.kmeans(image, 5, labels=names, max_iter=5, tol=0).inertia <= peer * (1 + 1e-3)


@pytest.mark.parametrize("n_iter", [2, 5])
def test_as_good_as_opencv_from_the_same_start(n_iter, rng):
    means = rng.uniform(0, 255, (6, 3))
    image = (means[rng.integers(0, 6, (60, 61))] + rng.normal(0, 25, (60, 61, 3))).clip(0, 255).astype(np.uint8)
    start = image.reshape(-1, 3)[rng.choice(3660, 6, replace=False)].astype(np.float32)
    points = image.reshape(-1, 3).astype(np.float32)
    nearest = ((points[:, None] - start) ** 2).sum(axis=2).argmin(axis=1).astype(np.int32)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, n_iter, 0)
    peer, _, _ = cv2.kmeans(points, 6, nearest, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)
    own = alphacut.kmeans(image, 6, init=start, max_iter=n_iter, tol=0).inertia
    assert own <= peer * (1 + 1e-5)


def test_attempts_keep_the_best(rng):
    """Of its own attempts, and with the labels of it, whichever came last."""
    image = counted(rng)
    better = False
    for picture_ in (image, image.astype(np.float32) / np.float32(255), image[:40, :50, 1]):
        runs = [alphacut.kmeans(picture_, 9, seed=4, max_iter=1, attempts=n) for n in (1, 2, 3, 4, 5)]
        inertia = [run.inertia for run in runs]
        assert inertia == sorted(inertia, reverse=True)
        better |= inertia[-1] < inertia[0]
        squared = ((picture_.reshape(-1, 1, runs[-1].centers.shape[1]) - runs[-1].centers) ** 2).sum(axis=2)
        assert np.allclose(squared.min(axis=1).sum(), inertia[-1], rtol=1e-3)
        again = alphacut.kmeans(picture_, 9, init=runs[-1].centers, max_iter=1, attempts=9)
        assert again.inertia <= inertia[-1] * (1 + 1e-6)
    assert better
    small = rng.integers(0, 256, (9, 11, 3), np.uint8)
    for n in (1, 2, 5):
        assert_equals_reference(small, 3, max_iter=1, seed=n, attempts=n)


def test_seed_decides_alone(rng):
    image = rng.integers(0, 256, (40, 40, 3), np.uint8)
    first, again, other = (alphacut.kmeans(image, 8, seed=s, max_iter=1) for s in (1, 1, 2))
    assert np.array_equal(first.centers, again.centers)
    assert not np.array_equal(first.centers, other.centers)


def test_tol_ends_early(rng):
    image = rng.integers(0, 256, (40, 40, 3), np.uint8)
    assert alphacut.kmeans(image, 8, max_iter=100, tol=1.0).n_iter == 1
    loose, exact = (alphacut.kmeans(image, 8, max_iter=500, tol=t) for t in (0.01, 0))
    assert loose.n_iter < exact.n_iter < 500
    restarted = alphacut.kmeans(image, 8, init=exact.centers, max_iter=1, tol=0)
    assert np.array_equal(restarted.centers, exact.centers)
    assert np.array_equal(restarted.labels, exact.labels)


def test_one_pixel_and_one_color():
    for n_clusters in (1, 2, 256):
        result = alphacut.kmeans(np.full((1, 1), 7, np.uint8), n_clusters)
        assert result.labels.tolist() == [[0]]
        assert (result.centers == 7).all()
        assert (result.inertia, result.n_iter) == (0, 1)
        assert not alphacut.kmeans(np.full((9, 9, 3), 0.25, np.float32), n_clusters).labels.any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_layouts(dtype, rng):
    image = picture(rng, (24, 42, 3), dtype)
    image.flags.writeable = False
    views = [image[:, ::2], image[::-1], image[3:20, 5:30], image[:, ::-1], image[..., ::-1], image[..., 1]]
    if dtype == np.uint8:
        large = counted(rng, 300, 520)
        views += [large[:, ::2], large[::-1], large[5:290, 7:500], large[..., 1], large[:, 3:500, 2]]
    for view in views:
        a, b = alphacut.kmeans(view, 4), alphacut.kmeans(np.ascontiguousarray(view), 4)
        assert np.array_equal(a.labels, b.labels)
        assert np.array_equal(a.centers, b.centers)


def test_out(rng):
    image = rng.integers(0, 256, (20, 30, 3), np.uint8)
    poisoned = np.full((40, 30), 99, np.uint8)
    result = alphacut.kmeans(image, 4, out=poisoned[::2])
    assert np.shares_memory(result.labels, poisoned)
    assert np.array_equal(poisoned[::2], alphacut.kmeans(image, 4).labels)
    assert (poisoned[1::2] == 99).all()
    large, poisoned = counted(rng), np.full((520, 261), 99, np.uint8)
    alphacut.kmeans(large, 4, out=poisoned[::2, 1:260])
    assert np.array_equal(poisoned[::2, 1:260], alphacut.kmeans(large, 4).labels)
    assert (poisoned[1::2] == 99).all()
    assert (poisoned[:, [0, 260]] == 99).all()
    gray = rng.integers(0, 256, (20, 30), np.uint8)
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.kmeans(gray, 4, out=gray)
    with pytest.raises(ValueError, match="shape"):
        alphacut.kmeans(gray, 4, out=np.empty((20, 31), np.uint8))
    with pytest.raises(TypeError, match="dtype"):
        alphacut.kmeans(gray, 4, out=np.empty((20, 30), np.int32))


@pytest.mark.parametrize("kind", [np.uint8, np.float32, "counted"])
def test_same_bytes_for_any_thread_count(kind, rng):
    image = counted(rng, 500, 700) if kind == "counted" else picture(rng, (500, 700, 3), kind)
    before = _core.num_threads()
    results = []
    for count in (1, 2, 3, 7):
        _core.set_num_threads(count)
        seeded = _core.kmeans(image, 5, 0, 2, 0, [])
        refilled = _core.kmeans(image, 3, 0, 2, 0, [9] * 9)
        results.append([part.tobytes() if isinstance(part, np.ndarray) else part for part in seeded + refilled])
    _core.set_num_threads(before)
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "n_clusters"),
        ({"n_clusters": 257}, ValueError, "n_clusters"),
        ({"n_clusters": 10**12}, ValueError, "n_clusters"),
        ({"n_clusters": 2.5}, TypeError, "n_clusters"),
        ({"max_iter": 0}, ValueError, "max_iter"),
        ({"attempts": 0}, ValueError, "attempts"),
        ({"labels": np.zeros((4, 5), int)}, ValueError, "labels must have shape"),
        ({"labels": np.zeros((4, 4))}, TypeError, "labels must be whole numbers"),
        ({"labels": np.full((4, 4), 2)}, ValueError, "labels must be from 0"),
        ({"labels": np.full((4, 4), -1)}, ValueError, "labels must be from 0"),
        ({"labels": np.zeros((4, 4), int), "n_clusters": 0}, ValueError, "n_clusters"),
        ({"labels": np.zeros((4, 4), int), "init": [[0] * 3] * 2}, ValueError, "exclude"),
        ({"attempts": 1001}, ValueError, "attempts"),
        ({"attempts": 1.5}, TypeError, "attempts"),
        ({"seed": -1}, ValueError, "seed"),
        ({"seed": 2**64}, ValueError, "seed"),
        ({"seed": 1.5}, TypeError, "float"),
        ({"tol": -0.1}, ValueError, "tol"),
        ({"tol": 1.1}, ValueError, "tol"),
        ({"tol": float("nan")}, ValueError, "tol"),
        ({"init": "random"}, ValueError, "init"),
        ({"init": [[0, 0, 0]]}, ValueError, "init"),
        ({"init": [[0, 0], [0, 0]]}, ValueError, "init"),
        ({"init": [[0, 0, 0], [0, 0, 256]]}, ValueError, "init"),
        ({"init": [[0, 0, 0], [0, 0, float("nan")]]}, ValueError, "init"),
        ({"device": "gpu"}, ValueError, "device"),
        ({"image": np.zeros((4, 4, 4), np.uint8)}, ValueError, "shape"),
        ({"image": np.zeros((0, 4, 3), np.uint8)}, ValueError, "shape"),
        ({"image": np.zeros(4, np.uint8)}, ValueError, "shape"),
        ({"image": np.zeros((4, 4), np.float64)}, TypeError, "dtype"),
        ({"image": [[1, 2]]}, TypeError, "image"),
        ({"image": np.full((4, 4), np.nan, np.float32)}, ValueError, "finite"),
        ({"image": np.full((4, 4), 1.01, np.float32)}, ValueError, "finite"),
    ],
)
def test_errors(change, error, message):
    arguments = {"image": np.zeros((4, 4, 3), np.uint8), "n_clusters": 2} | change
    with pytest.raises(error, match=message):
        alphacut.kmeans(arguments.pop("image"), arguments.pop("n_clusters"), **arguments)
