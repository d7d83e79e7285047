"""chroma_key against the same arithmetic in NumPy, with a copy of the picture as the lower bound."""

import numpy as np
import pytest

import alphacut

from .pictures import photo


def numpy_key(image, key, similarity, blend):
    r, g, b = (image[..., c].astype(np.float32) - np.float32(key[c]) for c in range(3))
    luma = np.float32(0.299) * r + np.float32(0.587) * g + np.float32(0.114) * b
    cb, cr = np.float32(0.564) * (b - luma), np.float32(0.713) * (r - luma)
    distance = np.sqrt(np.float32(0.25) * luma * luma + cb * cb + cr * cr)
    alpha = np.clip((distance / np.float32(255) - np.float32(similarity)) / np.float32(blend), 0, 1)
    return np.rint(alpha * 255).astype(np.uint8)


@pytest.mark.parametrize("megapixels", [1, 12])
@pytest.mark.parametrize("implementation", ["alphacut", "numpy", "copy"])
def bench_chroma_key(benchmark, implementation, megapixels):
    image = photo(megapixels)
    key, out = (0, 177, 64), np.empty(image.shape[:2], np.uint8)
    benchmark.group = f"chromakey-key-{megapixels}MP"
    calls = {
        "alphacut": lambda: alphacut.chroma_key(image, key, similarity=0.1, blend=0.3, out=out),
        "numpy": lambda: numpy_key(image, key, 0.1, 0.3),
        "copy": lambda: image.copy(),
    }
    assert np.abs(calls["alphacut"]().astype(np.int16) - calls["numpy"]()).max() <= 1
    benchmark.pedantic(calls[implementation], rounds=5, warmup_rounds=1)


def numpy_despill(image):
    r, g, b = image[..., 0], image[..., 1], image[..., 2]
    return np.dstack((r, np.minimum(g, np.maximum(r, b)), b))


@pytest.mark.parametrize("megapixels", [1, 12])
@pytest.mark.parametrize("implementation", ["alphacut", "numpy", "copy"])
def bench_despill(benchmark, implementation, megapixels):
    image = photo(megapixels)
    out = np.empty_like(image)
    benchmark.group = f"chromakey-despill-{megapixels}MP"
    calls = {
        "alphacut": lambda: alphacut.despill(image, (0, 177, 64), out=out),
        "numpy": lambda: numpy_despill(image),
        "copy": lambda: image.copy(),
    }
    assert np.array_equal(calls["alphacut"](), calls["numpy"]())
    benchmark.pedantic(calls[implementation], rounds=5, warmup_rounds=1)


@pytest.mark.parametrize("implementation", ["find_key", "contiguous"])
def bench_parts(benchmark, implementation):
    image = photo(1)
    benchmark.group = "chromakey-parts-1MP"
    calls = {
        "find_key": lambda: alphacut.find_key(image),
        "contiguous": lambda: alphacut.chroma_key(image, similarity=0.1, blend=0.3, contiguous=True),
    }
    benchmark.pedantic(calls[implementation], rounds=5, warmup_rounds=1)
