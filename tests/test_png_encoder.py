"""The compressor of PNG files against zlib."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from alphacut import _core, write_image

# Around a word, a run's longest (258) and shortest (3), and a block (32768).
SIZES = [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 18, 24, 257, 258, 259, 260, 261, 262, 516, 32767, 32768, 32769, 100_000]


def contents(size, rng):
    """Bytes of several kinds: flat, noise of all and of few values, runs, skewed so that codes reach their limit."""
    yield np.zeros(size, np.uint8)
    yield rng.integers(0, 256, size, np.uint8)
    yield rng.normal(0, 4, size).astype(np.int8).view(np.uint8)
    yield np.repeat(rng.integers(0, 256, size, np.uint8), rng.integers(1, 600, size))[:size]
    yield np.repeat(rng.integers(0, 3, size, np.uint8), rng.integers(1, 6, size))[:size]
    yield np.minimum(rng.geometric(0.5, size) - 1, 255).astype(np.uint8)
    fibonacci = np.array([1, 1, *(0 for _ in range(18))])
    for i in range(2, 20):
        fibonacci[i] = fibonacci[i - 1] + fibonacci[i - 2]
    yield rng.permutation(np.resize(np.repeat(np.arange(20, dtype=np.uint8) * 7, fibonacci), size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("last", [True, False])
def test_deflate_runs_is_read_by_zlib(size, last):
    for data in contents(size, np.random.default_rng(size)):
        packed = _core.deflate_runs(data, last)
        reader = zlib.decompressobj(-zlib.MAX_WBITS)
        assert reader.decompress(packed) == data.tobytes()
        assert (reader.eof, reader.unused_data) == (last, b"")
        assert len(packed) <= size + size // 1000 + 32  # noise is stored as it is


@pytest.mark.parametrize("kind", range(7))
def test_deflate_runs_is_about_as_small_as_zlib_with_runs(kind):
    data = list(contents(300_000, np.random.default_rng(7)))[kind]
    packer = zlib.compressobj(4, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_RLE)
    theirs = len(packer.compress(data) + packer.flush())
    assert len(_core.deflate_runs(data, True)) <= 1.03 * theirs + 1600


@pytest.mark.parametrize("shape", [(1, 1), (1, 70_000), (70_000, 1), (601, 803), (601, 803, 3), (601, 803, 4)])
def test_bands_of_all_kinds_are_one_picture(shape):
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, shape, np.uint8)
    pixels[: shape[0] // 3] = 0  # flat, then a drawing that repeats, then noise
    pixels[shape[0] // 3 : 2 * shape[0] // 3] = np.arange(shape[1]).reshape(1, -1, *[1] * (len(shape) - 2)) % 37
    file = io.BytesIO()
    write_image(file, pixels, format="png")
    assert np.array_equal(np.asarray(Image.open(file)), pixels)
