"""Keying and despill against the same arithmetic in NumPy."""

import numpy as np

import alphacut

from .pictures import photo
from .race import race

KEY = (0, 177, 64)


def numpy_key(image, key, similarity, blend):
    r, g, b = (image[..., c].astype(np.float32) - np.float32(key[c]) for c in range(3))
    luma = np.float32(0.299) * r + np.float32(0.587) * g + np.float32(0.114) * b
    cb, cr = np.float32(0.564) * (b - luma), np.float32(0.713) * (r - luma)
    distance = np.sqrt(np.float32(0.25) * luma * luma + cb * cb + cr * cr)
    alpha = np.clip((distance / np.float32(255) - np.float32(similarity)) / np.float32(blend), 0, 1)
    return np.rint(alpha * 255).astype(np.uint8)


@race("chromakey", {"key": ()}, {"": photo}, ["alphacut", "numpy", "copy"])
def bench_chroma_key(image):
    out = np.empty(image.shape[:2], np.uint8)

    def agree(ours, theirs):
        assert np.abs(ours - theirs.astype(np.int16)).max() <= 1

    return agree, {
        "alphacut": lambda: alphacut.chroma_key(image, KEY, similarity=0.1, blend=0.3, out=out),
        "numpy": lambda: numpy_key(image, KEY, 0.1, 0.3),
        "copy": lambda: np.copyto(out, image[..., 0]),
    }


def numpy_despill(image):
    r, g, b = image[..., 0], image[..., 1], image[..., 2]
    return np.dstack((r, np.minimum(g, np.maximum(r, b)), b))


@race("chromakey", {"despill": ()}, {"": photo}, ["alphacut", "numpy", "copy"])
def bench_despill(image):
    out = np.empty_like(image)
    return np.testing.assert_array_equal, {
        "alphacut": lambda: alphacut.despill(image, KEY, out=out),
        "numpy": lambda: numpy_despill(image),
        "copy": lambda: np.copyto(out, image),
    }
