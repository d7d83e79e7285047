"""The GPU's k-means, simulated on small pictures."""

import numpy as np
import pytest

import alphacut
from alphacut import _core

pytestmark = pytest.mark.usefixtures("simulator")


@pytest.fixture
def twin(small_grid):
    from alphacut.cuda import kmeans

    small_grid(8, 2, 3)
    return kmeans.kmeans


def assert_same_bytes(a, b):
    for x, y in zip(a, b, strict=True):
        assert np.array_equal(x, y)
        assert getattr(x, "dtype", type(x)) == getattr(y, "dtype", type(y))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (3, 5, 3), (2, 17), (17, 16, 3), (23, 31, 3)])
@pytest.mark.parametrize("n_clusters", [1, 4])
def test_equals_cpu(twin, dtype, shape, n_clusters, rng):
    image = rng.integers(0, 256, shape).astype(np.uint8) if dtype == np.uint8 else rng.random(shape, np.float32)
    arguments = (image, n_clusters, 5, 3, 16, [])
    assert_same_bytes(twin(*arguments), _core.kmeans(*arguments))


@pytest.mark.parametrize("n_clusters", [2, 5])
@pytest.mark.parametrize("max_iter", [1, 2, 6])
def test_equals_cpu_with_empty_clusters(twin, n_clusters, max_iter, rng):
    image = np.array([10, 20, 200, 90], np.uint8)[rng.integers(0, 4, (9, 10))]
    arguments = (image, n_clusters, 0, max_iter, 0, [50] * n_clusters)
    assert_same_bytes(twin(*arguments), _core.kmeans(*arguments))


@pytest.mark.parametrize(("name", "value"), [("_MOST_POINTS", 16), ("_MOST_SUMS", 80), ("COPIES", 1)])
def test_equals_cpu_with_other_blocks_and_copies(twin, monkeypatch, name, value, rng):
    """As of pictures too large for the usual number of blocks, and of many clusters."""
    monkeypatch.setattr(f"alphacut.cuda.kmeans.{name}", value)
    arguments = (rng.integers(0, 256, (13, 15, 3), np.uint8), 5, 1, 2, 0, [])
    assert_same_bytes(twin(*arguments), _core.kmeans(*arguments))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_equals_cpu_with_attempts(twin, seed, rng):
    arguments = (rng.integers(0, 256, (11, 13, 3), np.uint8), 3, seed, 2, 0, [], 3)
    assert_same_bytes(twin(*arguments), _core.kmeans(*arguments))


def test_equals_cpu_until_nothing_moves(twin, rng):
    image = rng.integers(0, 256, (11, 13, 3), np.uint8)
    arguments = (image, 3, 1, 100, 0, [])
    assert_same_bytes(twin(*arguments), _core.kmeans(*arguments))


def test_public_function_equals_cpu(twin, rng):
    image = rng.integers(0, 65536, (8, 9, 3)).astype(np.uint16)[:, ::2]
    out = np.full((8, 10), 99, np.uint8)[:, ::2]
    result = alphacut.kmeans(image, 3, device="cuda:0", max_iter=2, out=out)
    assert result.labels is out
    assert_same_bytes(result, alphacut.kmeans(image, 3, device="cpu", max_iter=2))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_clusters": 0}, ValueError, "n_clusters"),
        ({"n_clusters": 257}, ValueError, "n_clusters"),
        ({"attempts": 0}, ValueError, "attempts"),
        ({"max_iter": 0}, ValueError, "max_iter"),
        ({"image": np.zeros((4, 4, 2), np.uint8)}, ValueError, "shape"),
        ({"image": np.zeros((4, 0), np.uint8)}, ValueError, "shape"),
        ({"image": np.zeros((4, 4), np.int32)}, TypeError, "dtype"),
        ({"image": [[1]]}, TypeError, "image"),
        ({"image": np.full((4, 4), np.nan, np.float32)}, ValueError, "finite"),
        ({"image": np.full((4, 4), -0.1, np.float32)}, ValueError, "finite"),
        ({"out": np.zeros((4, 5), np.uint8)}, ValueError, "out"),
        ({"out": np.zeros((4, 4), np.int32)}, TypeError, "out"),
    ],
)
def test_errors(twin, change, error, message):
    arguments = {"image": np.zeros((4, 4, 3), np.uint8), "n_clusters": 2} | change
    with pytest.raises(error, match=message):
        alphacut.kmeans(arguments.pop("image"), arguments.pop("n_clusters"), device="cuda", **arguments)
