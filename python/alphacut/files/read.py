"""Pictures from whatever holds one."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import numpy as np

from .._arrays import integer, require_host
from .decode import decode, of_pillow
from .picture import DecodeError, Picture, checked, from_array
from .profile import gray_to_srgb

MAX_PIXELS = 256_000_000
"""The largest picture that :func:`read_image` decodes unless told otherwise."""


def read_image(source: Any, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture.

    Parameters
    ----------
    source : str, PathLike, bytes-like, binary file, PIL.Image.Image, ndarray or Picture
        A PNG, JPEG, WebP, TIFF, BMP, GIF, PNM, JPEG 2000, AVIF (where Pillow was built with it) or, with the extra
        ``heif``, HEIF (HEIC) picture; a file is read from where it stands to its end. An array is (H, W), (H, W, 3) or
        (H, W, 4), of uint8, uint16, float32 or float64, in the order red, green, blue: OpenCV's are BGR, which cannot
        be told, so give it ``image[..., ::-1]``. float64 is converted to float32; else the results are views. A
        `Picture` is given back.
    max_pixels : int, default 256,000,000
        The largest width times height that is decoded, checked before any pixel is. Arrays are not checked. (Of WebP,
        Pillow itself opens no more than twice its own limit.)

    Returns
    -------
    Picture

    Raises
    ------
    DecodeError
        If the bytes are not a picture, are cut short, need a library that is not there, or would cost more than the
        limits to decode: (:class:`TooManyPixelsError`) more than `max_pixels` pixels, and those in the notes.
    TypeError, ValueError
        If `source` is of another type, or an array of another dtype or shape.
    OSError
        If the file cannot be opened.

    Notes
    -----
    The orientation of EXIF is applied once. Of an animation the first frame is read, of a Pillow picture the current
    one. A Pillow picture that was turned by hand and still tells the old orientation is not turned again where its EXIF
    sizes show that it was; give it without that tag, as ``ImageOps.exif_transpose`` does.

    Gray stays gray (16 bits stay 16 bits; 1 bit becomes 0 and 255); everything else becomes RGB, and transparency of
    any form becomes `alpha`. Colour with 16 bits a channel is read with 8, as Pillow does. 32-bit integers must lie in
    0..65535 and floats in 0..1: both give uint16. Gray in a profile of its own is brought to the tones of sRGB. CMYK
    becomes sRGB, by its profile if it has one. Of EXIF data see :class:`Picture`.

    What a file may cost is known from its headers before it is decoded. Refused are a JPEG of more than 64 scans or
    20,000 segments, a TIFF with a tile that is larger than the picture and than 16 megapixels, or with more than 2**20
    strips or tiles, a JPEG 2000 of more than 4 channels, 2**14 tiles or 20,000 boxes, an AVIF with EXIF data in more
    than 64 places, and EXIF data or tags that would take more than 64 MiB beside the file's own size. Texts and
    profiles of a PNG of more than 1 MiB are passed over. Of what a HEIF or AVIF holds inside, libheif's and libavif's
    own limits count. A camera's raw file, which begins with a preview, is refused.

    Takes up to three times the bytes of the pixels while decoding. Of a broken TIFF, libtiff itself may say on the
    process's standard error what is wrong with it.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut.files import read_image
    >>> picture = read_image(np.zeros((2, 3, 4), np.uint8))
    >>> picture.pixels.shape, picture.alpha.shape
    ((2, 3, 3), (2, 3))
    """
    return as_picture(source, "source", max_pixels)


def as_picture(source: Any, name: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """:func:`read_image` for an argument that the caller knows by another name."""
    return gray_to_srgb(as_stored(source, name, max_pixels))


def as_stored(source: Any, name: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """The same with gray values as they are stored, whatever their profile."""
    if integer(max_pixels, "max_pixels") < 1:
        raise ValueError(f"max_pixels must be at least 1, got {max_pixels}")
    if isinstance(source, np.ndarray):
        return from_array(source, name)
    if isinstance(source, Picture):
        return checked(source, name)
    require_host(source, name)
    if is_pillow(source):
        return of_pillow(source, "the Pillow picture", max_pixels)
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as stream:
            seekable = stream if stream.seekable() else io.BytesIO(stream.read())  # a pipe with a name
            return decode(seekable, os.fsdecode(source), max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return decode(io.BytesIO(bytes(source)), "the bytes given", max_pixels)
    if hasattr(source, "read"):
        data = source.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"{name} must be a file opened in binary mode, but reading gave {type(data).__name__}")
        file = getattr(source, "name", None)
        if not data:
            raise DecodeError(f"{name}: nothing to read: the file is empty, or at its end (seek(0) goes back)")
        return decode(io.BytesIO(data), file if isinstance(file, str) else "the file given", max_pixels)
    raise TypeError(
        f"{name} must be a path, bytes, a binary file, a Pillow picture or an array, got {type(source).__name__}"
    )


def is_pillow(source: object) -> bool:
    """Whether `source` is a Pillow picture; without importing Pillow, for then it is none."""
    module = sys.modules.get("PIL.Image")  # without its classes while another thread imports it
    return isinstance(source, getattr(module, "Image", ()))
