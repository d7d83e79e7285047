"""Arrays as picture files."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from typing import Any

import numpy as np

from .. import _durable
from .._arrays import Array, integer, require_host, shown
from . import _png_encoder
from .formats import WRITTEN
from .picture import eight_bits, require_picture, single, two_numbers
from .profile import fits

_LONGEST_SIDE = {"WEBP": 16383, "JPEG": 65500}


def write_image(
    destination: Any,
    pixels: Array,
    *,
    format: str | None = None,
    icc_profile: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    quality: int | None = None,
    png_level: int | None = None,
    exif: bytes | None = None,
) -> None:
    """Write a picture file, whole or not at all.

    Parameters
    ----------
    destination : str, PathLike or binary file
        A file of that name is replaced only once the new one is complete; a symbolic link is replaced, not followed.
        What is not a plain file, such as a pipe, is written to directly.
    pixels : ndarray, (H, W), (H, W, 3) or (H, W, 4), uint8, uint16, or floats in 0..1
        Gray, RGB or RGBA with straight alpha; not BGR, as OpenCV has it, which cannot be told. (H, W) of uint16 keeps
        its 16 bits in PNG and TIFF; everything else is rounded to 8.
    format : {"png", "webp", "tiff", "jpeg"}, optional
        By default what the ending of `destination` says. JPEG takes no alpha.
    icc_profile : bytes, optional
        The colour profile of `pixels`. Left out if it is for another kind of colour (such as a profile for gray with
        RGB pixels), which readers reject.
    dpi : (float, float), optional
        Pixels an inch, horizontally and vertically. WebP cannot hold it.
    quality : int, optional
        1 to 100, of a JPEG (default 95) or of a WebP (default lossless).
    png_level : int, optional
        How hard to compress a PNG, from 0, large and fast, to 9. By default about as small as with 4, in a sixth of the
        processor's time for photos, and on all processors.
    exif : bytes, optional
        EXIF data, such as :attr:`Picture.exif`; they are written as they are. A TIFF with them is not compressed.

    Raises
    ------
    TypeError, ValueError
        If an argument is of a wrong type, shape or range, or does not go with the format.
    OSError
        If the file cannot be written; then nothing has changed.

    Examples
    --------
    >>> import io
    >>> import numpy as np
    >>> from alphacut.files import read_image, write_image
    >>> file = io.BytesIO()
    >>> write_image(file, np.full((2, 3), 7, np.uint8), format="png")
    >>> read_image(file.getvalue()).pixels.tolist()
    [[7, 7, 7], [7, 7, 7]]
    """
    path = destination if isinstance(destination, (str, os.PathLike)) else None
    if path is None and not hasattr(destination, "write"):
        raise TypeError(f"destination must be a path or a binary file, got {type(destination).__name__}")
    data = _encode(pixels, _format(path, format), icc_profile, dpi, quality, png_level, exif)
    if path is None:
        destination.write(data)
    else:
        _replace(os.fsdecode(path), data)


def _format(path: str | os.PathLike[str] | None, format: str | None) -> str:
    """Pillow's name of the format to write."""
    if format is None:
        if path is None:
            raise ValueError("format must be given for a file object")
        suffix = os.path.splitext(os.fsdecode(path))[1]
        subject, got = "the ending of destination", suffix
    elif isinstance(format, str):
        suffix, subject, got = f".{format}", "format", format
    else:
        raise TypeError(f"format must be a str, got {type(format).__name__}")
    if suffix.lower() not in WRITTEN:
        raise ValueError(f"{subject} must say one of png, webp, tiff, jpeg, got {got!r}")
    return WRITTEN[suffix.lower()]


def _encode(
    pixels: Array,
    format: str,
    icc_profile: bytes | None,
    dpi: tuple[float, float] | None,
    quality: int | None,
    png_level: int | None,
    exif: bytes | None,
) -> memoryview:
    """The bytes of a picture file."""
    require_host(pixels, "pixels")
    if not isinstance(pixels, np.ndarray):
        raise TypeError(f"pixels must be a numpy array, got {type(pixels).__name__}")
    pixels = single(pixels)
    require_picture(pixels, "pixels")
    if format == "JPEG" and pixels.ndim == 3 and pixels.shape[2] == 4:
        raise ValueError("a JPEG has no transparency: write PNG, WebP or TIFF, or put the subject on a background")
    if max(pixels.shape[:2]) > _LONGEST_SIDE.get(format, 2**31 - 1):
        raise ValueError(f"the sides of a {format} are at most {_LONGEST_SIDE[format]} pixels, got {pixels.shape[:2]}")
    options = _options(format, quality, png_level)
    if icc_profile is not None and fits(icc_profile, gray=pixels.ndim == 2):
        options["icc_profile"] = icc_profile
    if dpi is not None:
        if two_numbers(dpi) is None:
            raise ValueError(f"dpi must be two numbers above 1 and up to 65535, got {shown(dpi)}")
        options["dpi"] = tuple(dpi)
    if exif is not None:
        if not isinstance(exif, bytes):
            raise TypeError(f"exif must be bytes, got {type(exif).__name__}")
        if exif:
            options["exif"] = exif
        if exif and format == "TIFF":  # whose directories Pillow writes itself only
            options["compression"] = "raw"
    if pixels.dtype != np.uint16 or pixels.ndim == 3 or format not in ("PNG", "TIFF"):
        pixels = eight_bits(pixels, "pixels")
    if format == "PNG" and png_level is None:
        return _png_encoder.encode(pixels, **options)
    from PIL import Image

    file = io.BytesIO()
    try:
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, format, **options)
    except SyntaxError as error:  # of a TIFF, for which Pillow reads them
        raise ValueError(f"exif must be EXIF data: {error}") from error
    return file.getbuffer()


def _options(format: str, quality: int | None, png_level: int | None) -> dict[str, Any]:
    """How to write a format."""
    if quality is not None:
        if not 1 <= integer(quality, "quality") <= 100:
            raise ValueError(f"quality must be 1 to 100, got {quality}")
        if format not in ("JPEG", "WEBP"):
            raise ValueError(f"quality goes with jpeg and webp only, not with {format.lower()}")
    if png_level is not None:
        integer(png_level, "png_level", 0, 9)
        if format != "PNG":
            raise ValueError(f"png_level goes with png only, not with {format.lower()}")
    if format == "PNG":
        return {} if png_level is None else {"compress_level": png_level}
    if format == "TIFF":
        return {"compression": "tiff_adobe_deflate"}
    if format == "JPEG":
        return {"quality": 95 if quality is None else quality}
    if quality is not None:
        return {"quality": quality}
    # Exact: colours stay under full transparency. Of a lossless WebP quality is how hard to search: 80, Pillow's, takes
    # three times as long for the same size.
    return {"lossless": True, "exact": True, "quality": 50}


def _replace(path: str, data: memoryview) -> None:
    """Put `data` in the place of the file `path` in one step."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        with open(path, "wb") as stream:  # a pipe or a device: nothing to replace; a folder: an error
            stream.write(data)
        return
    temporary = os.path.join(os.path.dirname(path), f".alphacut-{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb") as stream:  # with the permissions that open(path) would give a new file
            stream.write(data)
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        _durable.put(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, path) from error  # speak of the caller's file
        raise
