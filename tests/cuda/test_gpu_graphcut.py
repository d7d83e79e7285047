"""The GPU's graph cut on a real GPU."""

import threading

import numpy as np
import pytest

import alphacut

pytestmark = pytest.mark.usefixtures("gpu")

LARGEST = 2**30 - 1


def random_grid(rng, height, width, largest):
    def capacities(*shape):
        return (rng.integers(0, largest, shape, endpoint=True) * (rng.random(shape) < rng.random())).astype(np.int32)

    return capacities(height, width), capacities(height, width), capacities(4, height, width)


def scene(height, width, seed=0):
    """Energies as GrabCut's: a noisy data term, large stretches of one sign, borders weak where it changes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    inside = ((y / height - 0.5) ** 2 + (x / width - 0.5) ** 2 < 0.1) ^ (np.sin(x / 37) * np.sin(y / 23) > 0.8)
    data = np.rint(np.where(inside, 900, -1100) + rng.normal(0, 3000, inside.shape)).astype(np.int32)
    neighbours = np.full((4, height, width), 15 * 1024, np.int32)
    neighbours[2:] = np.int32(15 * 1024 / 2**0.5)
    neighbours[:, :, :-1][:, inside[:, 1:] != inside[:, :-1]] //= 50
    neighbours[:, :-1][:, inside[1:] != inside[:-1]] //= 50
    return np.maximum(data, 0), np.maximum(-data, 0), neighbours


def assert_equals_cpu(source, sink, neighbours):
    got = alphacut.graph_cut(source, sink, neighbours, device="cuda", certify=True)
    expected = alphacut.graph_cut(source, sink, neighbours, device="cpu")
    assert got.flow == expected.flow
    assert np.array_equal(got.mask, expected.mask)


@pytest.mark.parametrize("largest", [1, 5, 1000, LARGEST])
def test_equals_cpu_on_random_grids(largest, rng):
    for _ in range(50):
        assert_equals_cpu(*random_grid(rng, *rng.integers(1, 130, 2), largest))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (16, 32), (17, 33), (700, 1001), (2500, 4000)])
def test_equals_cpu_on_scenes(shape):
    assert_equals_cpu(*scene(*shape))


def test_equals_cpu_at_100_megapixels():
    """24 bytes a pixel of inputs here, and 40 for the CPU's cut."""
    assert_equals_cpu(*scene(10_000, 10_000))


def test_equals_cpu_on_photographs(data_dir):
    from PIL import Image

    for path in sorted((data_dir / "grabcut" / "images").iterdir())[:20]:
        with Image.open(path) as picture:
            gray = np.asarray(picture.convert("L")).astype(np.int32)
        data = np.rint(1024 * 8 * np.sin(gray / 20)).astype(np.int32)
        neighbours = np.zeros((4, *gray.shape), np.int32)
        for plane, (dy, dx) in zip(neighbours, ((0, 1), (1, 0), (1, 1), (1, -1)), strict=True):
            there = np.roll(gray, (-dy, -dx), (0, 1))
            plane[:] = np.rint(50 * 1024 * np.exp(-((gray - there) ** 2) / 200) / np.hypot(dy, dx))
        assert_equals_cpu(np.maximum(data, 0), np.maximum(-data, 0), neighbours)


@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:0"])
def test_arrays_on_the_gpu_stay_there(device, rng):
    from numba import cuda

    host = random_grid(rng, 4, 5, 9)
    expected = alphacut.graph_cut(*host, device="cpu")
    source, sink, neighbours = map(cuda.to_device, host)
    got = alphacut.graph_cut(source, sink, neighbours, device=device)
    assert not isinstance(got.mask, np.ndarray)
    assert np.array_equal(got.mask.copy_to_host(), expected.mask)
    assert got.flow == expected.flow
    out = cuda.device_array((4, 5), np.uint8)
    assert alphacut.graph_cut(source, host[1], neighbours, device=device, out=out).mask is out
    assert np.array_equal(out.copy_to_host(), expected.mask)
    with pytest.raises(ValueError, match="overlaps"):
        alphacut.graph_cut(source, sink, neighbours, out=neighbours.view(np.uint8).reshape(-1)[:20].reshape(4, 5))


def test_two_threads_at_once():
    problems = [scene(600, 800, seed) for seed in range(2)]
    expected = [alphacut.graph_cut(*problem, device="cpu") for problem in problems]
    found = [None, None]

    def cut(i):
        for _ in range(5):
            found[i] = alphacut.graph_cut(*problems[i], device="cuda")

    threads = [threading.Thread(target=cut, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got, wanted in zip(found, expected, strict=True):
        assert got.flow == wanted.flow
        assert np.array_equal(got.mask, wanted.mask)


def test_memory_comes_back():
    from numba import cuda

    problem = scene(300, 400)
    free = []
    for _ in range(200):
        alphacut.graph_cut(*problem, device="cuda")
        cuda.synchronize()
        cuda.current_context().memory_manager.deallocations.clear()
        free.append(cuda.current_context().get_memory_info().free)
    assert free[-1] == free[20]
