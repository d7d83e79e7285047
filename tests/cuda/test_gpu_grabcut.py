"""The GPU's GrabCut on a real GPU."""

import numpy as np
import pytest

import alphacut

from .test_gpu_arrays import DlpackOnly, on_gpu

pytestmark = pytest.mark.usefixtures("gpu")


def scene(rng, height, width):
    """Two textures, one inside an uneven outline."""
    y, x = np.mgrid[:height, :width]
    inside = (y / height - 0.5) ** 2 + (x / width - 0.5) ** 2 < 0.08 + 0.02 * np.sin(x / 37) * np.sin(y / 23)
    image = np.where(inside[..., np.newaxis], np.array([150, 110, 80]), np.array([90, 100, 120]))
    return (image + rng.integers(-30, 31, (height, width, 3))).clip(0, 255).astype(np.uint8), inside


def hints_of(inside):
    hints = np.full(inside.shape, 3, np.uint8)
    hints[::7][~inside[::7]] = 2
    hints[: len(hints) // 20] = 0
    hints[len(hints) // 2, inside.shape[1] // 2 - 20 : inside.shape[1] // 2 + 20] = 1
    return hints


def assert_equals_cpu(image, labels=None, **options):
    got = alphacut.grabcut(image, labels, device="cuda", **options)
    expected = alphacut.grabcut(image, labels, device="cpu", **options)
    assert got[2:6] == expected[2:6]
    assert all(map(np.array_equal, got.models, expected.models))
    assert np.array_equal(got.labels, expected.labels)
    assert np.array_equal(got.mask, expected.mask)


@pytest.mark.parametrize("shape", [(300, 400), (1, 2000), (2000, 3), (517, 999), (1500, 2100), (5200, 3001)])
def test_equals_cpu(shape, rng):
    image, inside = scene(rng, *shape)
    height, width = shape
    box = (width // 10, height // 10, max(1, width * 4 // 5), max(1, height * 4 // 5))
    assert_equals_cpu(image, box=box, certify=True)
    assert_equals_cpu(image, hints_of(inside), box=box, clean=True, gamma=40.0)
    assert_equals_cpu(image[..., 0].copy(), hints_of(inside), n_components=3, seed=4)


def test_equals_cpu_where_the_cut_is_exact(rng):
    image, inside = scene(rng, 700, 900)
    assert_equals_cpu(image, hints_of(inside), exact=True, certify=True)
    assert_equals_cpu(image, unary=np.where(inside, 1, -1).astype(np.float32), exact=True)


def test_equals_cpu_on_photographs(data_dir):
    from PIL import Image

    for path in sorted((data_dir / "grabcut" / "images").iterdir())[:20]:
        with Image.open(path) as picture:
            image = np.asarray(picture.convert("RGB"))
        height, width = image.shape[:2]
        assert_equals_cpu(image, box=(width // 8, height // 8, width * 3 // 4, height * 3 // 4), certify=True)


def test_arrays_on_the_gpu_stay_there(rng):
    from numba import cuda

    image, inside = scene(rng, 600, 800)
    hints = hints_of(inside)
    expected = alphacut.grabcut(image, hints, device="cpu")
    there = cuda.to_device(image), cuda.to_device(hints)
    got = alphacut.grabcut(*there)
    assert not isinstance(got.mask, np.ndarray)
    assert np.array_equal(got.mask.copy_to_host(), expected.mask)
    assert np.array_equal(got.labels.copy_to_host(), expected.labels)
    assert np.array_equal(there[1].copy_to_host(), hints)
    out = cuda.device_array((600, 800), np.uint8)
    assert alphacut.grabcut(image, there[1], out=out).mask is out
    assert np.array_equal(out.copy_to_host(), expected.mask)
    out = cuda.device_array((600, 800), np.uint8)
    got = alphacut.grabcut(*(DlpackOnly(on_gpu(array)) for array in (image, hints)), out=out)
    assert np.array_equal(out.copy_to_host(), expected.mask)
    assert np.array_equal(got.labels.copy_to_host(), expected.labels)


def test_the_whole_flow(rng):
    image, _ = scene(rng, 500, 700)
    box = (60, 50, 560, 400)
    got = alphacut.remove_background(image, box=box, device="cuda")
    expected = alphacut.remove_background(image, box=box, device="cpu")
    assert got.device.startswith("cuda")
    assert np.array_equal(got.alpha, expected.alpha)


def test_memory_comes_back(rng):
    from numba import cuda

    image, inside = scene(rng, 400, 500)
    hints, free = hints_of(inside), []
    for _ in range(60):
        alphacut.grabcut(image, hints, device="cuda")
        cuda.synchronize()
        cuda.current_context().memory_manager.deallocations.clear()
        free.append(cuda.current_context().get_memory_info().free)
    assert free[-1] == free[20]
