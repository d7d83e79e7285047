"""Picture files under Atheris: read, or refused with a DecodeError; what was read is a picture that can be written.

python fuzz/fuzz_decode.py [libFuzzer's options] [FOLDER or FILE...]
"""

import io
import sys

import atheris

with atheris.instrument_imports(include=["alphacut", "PIL"]):
    import numpy as np
    from PIL import (  # noqa: F401  # noqa: F401
        BmpImagePlugin,
        GifImagePlugin,
        Image,
        Jpeg2KImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        PpmImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    from alphacut.files import DecodeError, read_image, read_labels, read_mask, write_image

MOST = 1 << 18


def same(first, second):
    return first.dtype == second.dtype and np.array_equal(first, second)


def one(data):
    """One file."""
    try:
        picture = read_image(data, max_pixels=MOST)
    except DecodeError:
        picture = None
    for read in (read_mask, read_labels):
        try:
            plane = read(data, max_pixels=MOST)
        except ValueError:  # which a DecodeError is: not a file, or no mask
            continue
        assert plane.ndim == 2
        assert plane.dtype == np.uint8
    if picture is None:
        return
    assert 0 < picture.pixels.shape[0] * picture.pixels.shape[1] <= MOST
    assert picture.pixels.dtype in (np.uint8, np.uint16)
    assert picture.alpha is None or picture.alpha.shape == picture.pixels.shape[:2]
    file = io.BytesIO()
    write_image(file, picture.pixels, format="png", dpi=picture.dpi, icc_profile=picture.icc_profile, exif=picture.exif)
    if picture.pixels.dtype == np.uint8 or picture.pixels.ndim == 2:
        assert same(read_image(file.getvalue()).pixels, picture.pixels)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
