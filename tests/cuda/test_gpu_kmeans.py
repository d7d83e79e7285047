"""The GPU's k-means on a real GPU."""

import numpy as np
import pytest

import alphacut
from alphacut import _core

pytestmark = pytest.mark.usefixtures("gpu")


@pytest.fixture
def twin(gpu):
    from alphacut.cuda.kmeans import kmeans

    return kmeans


def assert_same_bytes(a, b):
    for x, y in zip(a, b, strict=True):
        assert np.array_equal(x, y)
        assert getattr(x, "dtype", type(x)) == getattr(y, "dtype", type(y))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5, 3), (127, 129), (300, 301, 3), (1000, 1500, 3)])
@pytest.mark.parametrize("n_clusters", [1, 3, 8, 256])
def test_equals_cpu(twin, dtype, shape, n_clusters, rng):
    image = rng.integers(0, 256, shape).astype(np.uint8) if dtype == np.uint8 else rng.random(shape, np.float32)
    arguments = (image, n_clusters, 5, 5, 16, [])
    assert_same_bytes(twin(*arguments), _core.kmeans(*arguments))


@pytest.mark.parametrize("n_clusters", [2, 5, 40])
def test_equals_cpu_with_empty_clusters(twin, n_clusters, rng):
    image = rng.integers(0, 256, (20, 3), np.uint8)[rng.integers(0, 20, (400, 500))]
    for max_iter in (1, 2, 100):
        arguments = (image, n_clusters, 0, max_iter, 0, [900] * 3 * n_clusters)
        assert_same_bytes(twin(*arguments), _core.kmeans(*arguments))


def test_extreme_values_equal_cpu(twin):
    image = np.zeros((512, 512, 3), np.uint8)
    image[::2, 1::2] = 255
    arguments = (image, 2, 0, 10, 0, [16320] * 6)
    assert_same_bytes(twin(*arguments), _core.kmeans(*arguments))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_labels_of_a_picture_on_the_gpu_stay_there(twin, dtype, rng):
    from numba import cuda

    image = (rng.random((200, 300, 3)) * (255 if dtype == np.uint8 else 1)).astype(dtype)
    expected = alphacut.kmeans(image, 6, device="cpu")
    there = cuda.to_device(image)
    for device in ("auto", "cuda", "cuda:0"):
        got = alphacut.kmeans(there, 6, device=device)
        assert not isinstance(got.labels, np.ndarray)
        assert_same_bytes(got._replace(labels=got.labels.copy_to_host()), expected)
    out = cuda.device_array((200, 300), np.uint8)
    assert alphacut.kmeans(image, 6, device="cuda", out=out).labels is out
    assert np.array_equal(out.copy_to_host(), expected.labels)
    host = np.zeros((200, 300), np.uint8)
    assert alphacut.kmeans(there, 6, out=host).labels is host
    assert np.array_equal(host, expected.labels)
    assert np.array_equal(there.copy_to_host(), image)
    with pytest.raises(ValueError, match="contiguous"):
        alphacut.kmeans(there[:, ::2], 6)
    with pytest.raises(TypeError, match="lives on a GPU"):
        alphacut.kmeans(there, 6, device="cpu")
    with pytest.raises(TypeError, match="out lives on a GPU"):
        alphacut.kmeans(image, 6, out=out, device="cpu")


@pytest.mark.parametrize("shape", [(1, 1), (1, 1023), (3, 1025), (64, 65), (1, 4097, 3)])
def test_pictures_that_no_block_divides(twin, shape, rng):
    image = rng.integers(0, 256, shape).astype(np.uint8)
    arguments = (image, 7, 1, 4, 0, [])
    assert_same_bytes(twin(*arguments), _core.kmeans(*arguments))


def test_float_range_is_checked_on_the_gpu(twin):
    image = np.zeros((700, 800), np.float32)
    for bad in (np.nan, np.inf, -0.01, 1.01):
        image[699, 799] = bad
        with pytest.raises(ValueError, match="finite"):
            alphacut.kmeans(image, 2, device="cuda")
