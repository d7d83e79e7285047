"""Picture files, bytes and Pillow pictures as arrays, and arrays as picture files.

Pillow is imported when the first picture is read or written. Its global settings are neither used nor changed.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import secrets
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ._arrays import Array, as_uint8, integer, require_host
from ._png import without_large_metadata

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 256_000_000
"""The largest picture that :func:`read_image` decodes unless told otherwise."""

READ_SUFFIXES = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jfif", ".jpe", ".mpo", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".avif"),
    }
)
"""Endings of the files that are taken for pictures in a folder."""

_WRITTEN = {
    **{".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"},
    **dict.fromkeys((".jpg", ".jpeg", ".jfif", ".jpe"), "JPEG"),
}
WRITE_SUFFIXES = frozenset(_WRITTEN)
"""Endings of the files that :func:`write_image` can write."""

# A closed list: no format of Pillow that starts a program (EPS) or that nothing but its name tells (TGA).
_PLUGINS = {
    "PNG": "PngImagePlugin",
    "JPEG": "JpegImagePlugin",
    "WEBP": "WebPImagePlugin",
    "TIFF": "TiffImagePlugin",
    "BMP": "BmpImagePlugin",
    "GIF": "GifImagePlugin",
    "PPM": "PpmImagePlugin",
    "JPEG2000": "Jpeg2KImagePlugin",
    "AVIF": "AvifImagePlugin",
}

_LONGEST_SIDE = {"WEBP": 16383, "JPEG": 65500}
_ORIENTATION_TAG = 0x0112
_PHOTOMETRIC, _PLANAR, _BITS = 262, 284, 258  # tags of TIFF
# EXIF orientation -> (swap rows and columns, then step over rows, step over columns)
_ORIENTATIONS = {
    2: (False, 1, -1),
    3: (False, -1, -1),
    4: (False, -1, 1),
    5: (True, 1, 1),
    6: (True, 1, -1),
    7: (True, -1, -1),
    8: (True, -1, 1),
}


class DecodeError(ValueError):
    """The bytes are not a picture that can be read, or it has more pixels than allowed."""


class TooManyPixelsError(DecodeError):
    """The picture has more pixels than allowed."""


@dataclass(frozen=True, eq=False)
class Picture:
    """What a picture file holds, or a caller's array as the same.

    Attributes
    ----------
    pixels : ndarray, (H, W) or (H, W, 3), uint8 or uint16
        The colours, upright. May be read-only. float32 only where the source was a float32 array.
    alpha : ndarray, (H, W), same dtype, or None
        The opacity, None where the source has none.
    icc_profile : bytes or None
        The colour profile that `pixels` are in; None means sRGB.
    dpi : (float, float) or None
        Pixels an inch, horizontally and vertically.
    """

    pixels: Array
    alpha: Array | None = None
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None


def read_image(source: Any, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture.

    Parameters
    ----------
    source : str, PathLike, bytes-like, binary file, PIL.Image.Image, ndarray or Picture
        A PNG, JPEG, WebP, TIFF, BMP, GIF, PNM, JPEG 2000 or AVIF picture (where Pillow was built with it); a file is
        read from where it stands to its end. An array is (H, W), (H, W, 3) or (H, W, 4), of uint8, uint16 or float32,
        and is not copied: the results are views of it. A `Picture` is given back.
    max_pixels : int, default 256,000,000
        The largest width times height that is decoded, checked before any pixel is. Arrays are not checked. (Of WebP,
        Pillow itself opens no more than twice its own limit.)

    Returns
    -------
    Picture

    Raises
    ------
    DecodeError
        If the bytes are not a picture, are cut short, or (:class:`TooManyPixelsError`) hold more than `max_pixels`
        pixels.
    TypeError, ValueError
        If `source` is of another type, or an array of another dtype or shape.
    OSError
        If the file cannot be opened.

    Notes
    -----
    The orientation of EXIF is applied once. Of an animation the first frame is read, of a Pillow picture the current
    one.

    Gray stays gray (16 bits stay 16 bits; 1 bit becomes 0 and 255); everything else becomes RGB, and transparency of
    any form becomes `alpha`. Colour with 16 bits a channel is read with 8, as Pillow does. 32-bit integers must lie in
    0..65535 and floats in 0..1: both give uint16. CMYK becomes RGB and loses its profile, which no longer fits.

    Takes up to three times the bytes of the pixels while decoding.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut.io import read_image
    >>> picture = read_image(np.zeros((2, 3, 4), np.uint8))
    >>> picture.pixels.shape, picture.alpha.shape
    ((2, 3, 3), (2, 3))
    """
    return as_picture(source, "source", max_pixels)


def as_picture(source: Any, name: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """:func:`read_image` for an argument that the caller knows by another name."""
    if integer(max_pixels, "max_pixels") < 1:
        raise ValueError(f"max_pixels must be at least 1, got {max_pixels}")
    if isinstance(source, np.ndarray):
        return _split(source, name)
    if isinstance(source, Picture):
        return _checked(source, name)
    require_host(source, name)
    if _is_pillow(source):
        return _picture(source, "the Pillow picture", max_pixels)
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as stream:
            seekable = stream if stream.seekable() else io.BytesIO(stream.read())  # a pipe with a name
            return _decode(seekable, os.fsdecode(source), max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(io.BytesIO(source), "the bytes given", max_pixels)
    if hasattr(source, "read"):
        data = source.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"{name} must be a file opened in binary mode, but reading gave {type(data).__name__}")
        file = getattr(source, "name", None)
        if not data:
            raise DecodeError(f"{name}: nothing to read: the file is empty, or at its end (seek(0) goes back)")
        return _decode(io.BytesIO(data), file if isinstance(file, str) else "the file given", max_pixels)
    raise TypeError(
        f"{name} must be a path, bytes, a binary file, a Pillow picture or an array, got {type(source).__name__}"
    )


def read_mask(source: Any, *, max_pixels: int = MAX_PIXELS) -> Array:
    """Read a picture as one plane of 8 bits: a mask, a trimap or labels, with the values as they are stored.

    Parameters
    ----------
    source, max_pixels
        As for :func:`read_image`.

    Returns
    -------
    ndarray, (H, W), uint8
        The alpha channel if the picture is transparent anywhere, else its gray values, else the luma of its colours
        (ITU-R BT.601). 16 bits are rounded to 8.

    Raises
    ------
    DecodeError, TypeError, ValueError, OSError
        As :func:`read_image`.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut.io import read_mask
    >>> read_mask(np.array([[0, 65535]], np.uint16))
    array([[  0, 255]], dtype=uint8)
    """
    picture = read_image(source, max_pixels=max_pixels)
    if picture.alpha is not None:
        alpha = _eight_bits(picture.alpha, "source")
        if alpha.min() < 255:
            return alpha
    pixels = _eight_bits(picture.pixels, "source")
    if pixels.ndim == 2:
        return pixels
    red, green, blue = (pixels[..., channel].astype(np.uint32) for channel in range(3))
    # Weights of 16 bits that add up to one.
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).astype(np.uint8)


def read_labels(source: Any, *, undecided: int = 2, max_pixels: int = MAX_PIXELS) -> Array:
    """Read strokes that were painted into a picture as labels.

    Parameters
    ----------
    source, max_pixels
        As for :func:`read_image`. In colour: strokes of green (#00ff00, give or take 31 in each channel) are to keep,
        of red (#ff0000) to remove, on any ground that is neither: transparency, one colour, or the photo itself if it
        has no such colours. In gray: labels as they are, 0 to 3.
    undecided : {2, 3}
        The label where there is no stroke in colour: 2, probably background, or 3, probably foreground, which is usual
        inside a box.

    Returns
    -------
    ndarray, (H, W), uint8
        OpenCV's four: 0 background, 1 foreground, 2 probably background, 3 probably foreground.

    Raises
    ------
    ValueError
        If there is neither a green nor a red stroke, or a gray value that is not 0, 1, 2 or 3.
    DecodeError, TypeError, OSError
        As :func:`read_image`.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut.io import read_labels
    >>> read_labels(np.array([[(0, 255, 0), (90, 80, 70), (255, 0, 0)]], np.uint8))
    array([[1, 2, 0]], dtype=uint8)
    """
    if integer(undecided, "undecided") not in (2, 3):
        raise ValueError(f"undecided must be 2 or 3, got {undecided}")
    picture = read_image(source, max_pixels=max_pixels)
    pixels = picture.pixels
    gray = pixels if pixels.ndim == 2 else pixels[..., 0]
    coloured = pixels.ndim == 3 and not all(np.array_equal(gray, pixels[..., channel]) for channel in (1, 2))
    if not coloured and picture.alpha is None:
        floats = gray.dtype == np.float32  # where 1 is white, not a label
        if floats or gray.max() > 3:
            found = "float32" if floats else gray.max()
            raise ValueError(f"labels in gray must be 0, 1, 2 or 3, source has {found}; strokes are green and red")
        return gray.astype(np.uint8)
    pixels = _eight_bits(pixels if coloured else np.dstack([gray] * 3), "source")
    high, low = pixels >= 224, pixels < 32  # JPEG leaves the inside of a stroke there, and few things are so coloured
    keep = low[..., 0] & high[..., 1] & low[..., 2]
    remove = high[..., 0] & low[..., 1] & low[..., 2]
    if picture.alpha is not None:
        seen = _eight_bits(picture.alpha, "source") > 127
        keep &= seen
        remove &= seen
    if not (keep.any() or remove.any()):
        raise ValueError("source has no strokes: those to keep are green (#00ff00), those to remove red (#ff0000)")
    labels = np.full(keep.shape, undecided, np.uint8)
    labels[keep] = 1
    labels[remove] = 0
    return labels


def write_image(
    destination: Any,
    pixels: Array,
    *,
    format: str | None = None,
    icc_profile: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    quality: int | None = None,
    png_level: int | None = None,
) -> None:
    """Write a picture file, whole or not at all.

    Parameters
    ----------
    destination : str, PathLike or binary file
        A file of that name is replaced only once the new one is complete; a symbolic link is replaced, not followed.
        What is not a plain file, such as a pipe, is written to directly.
    pixels : ndarray, (H, W), (H, W, 3) or (H, W, 4), uint8, uint16 or float32 in 0..1
        Gray, RGB or RGBA with straight alpha. (H, W) of uint16 keeps its 16 bits in PNG and TIFF; everything else is
        rounded to 8.
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
        How hard to compress a PNG, from 0, large and fast, to 9 (default 4).

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
    >>> from alphacut.io import read_image, write_image
    >>> file = io.BytesIO()
    >>> write_image(file, np.full((2, 3), 7, np.uint8), format="png")
    >>> read_image(file.getvalue()).pixels.tolist()
    [[7, 7, 7], [7, 7, 7]]
    """
    path = destination if isinstance(destination, (str, os.PathLike)) else None
    if path is None and not hasattr(destination, "write"):
        raise TypeError(f"destination must be a path or a binary file, got {type(destination).__name__}")
    data = _encode(pixels, _format(path, format), icc_profile, dpi, quality, png_level)
    if path is None:
        destination.write(data)
    else:
        _replace(os.fsdecode(path), data)


def _split(array: Array, name: str) -> Picture:
    """An array of the caller's as a picture."""
    _require_picture(array, name)
    if array.ndim == 3 and array.shape[2] == 4:
        return Picture(array[..., :3], array[..., 3])
    return Picture(array)


def _checked(picture: Picture, name: str) -> Picture:
    """A picture that may be of the caller's making."""
    pixels, alpha = picture.pixels, picture.alpha
    for plane in (pixels, alpha):
        if plane is not None and not isinstance(plane, np.ndarray):
            raise TypeError(f"{name} must be made of numpy arrays, got {type(plane).__name__}")
    _require_picture(pixels, name)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        raise ValueError(f"{name} must have its alpha beside its pixels, which are of shape {pixels.shape}")
    if alpha is not None and (alpha.shape != pixels.shape[:2] or alpha.dtype != pixels.dtype):
        raise ValueError(
            f"{name} must have an alpha of {pixels.shape[:2]} {pixels.dtype}, got {alpha.shape} {alpha.dtype}"
        )
    return picture


def _require_picture(array: Array, name: str) -> None:
    if array.dtype not in (np.uint8, np.uint16, np.float32):
        raise TypeError(f"{name} must be of dtype uint8, uint16 or float32, got {array.dtype}")
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ValueError(f"{name} must be of shape (H, W), (H, W, 3) or (H, W, 4), got {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must have at least one pixel, got shape {array.shape}")


def _is_pillow(source: object) -> bool:
    """Whether `source` is a Pillow picture; without importing Pillow, for then it is none."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(source, module.Image)


# --- decoding --------------------------------------------------------------------------------------------------------


def _decode(stream: BinaryIO, name: str, max_pixels: int) -> Picture:
    return _picture(_open(stream, name), name, max_pixels)


def _open(stream: BinaryIO, name: str) -> Image.Image:
    """The header of a picture.

    Not ``Image.open``: that checks the size against a global setting of Pillow, by warning, and tries every format.
    """
    from PIL import Image

    prefix = stream.read(16)
    if not prefix:
        raise DecodeError(f"{name}: empty, not a picture")
    for format, plugin in _PLUGINS.items():
        try:
            importlib.import_module(f"PIL.{plugin}")
            factory, accept = Image.OPEN[format]
        except (ImportError, KeyError):  # a Pillow that was built without this format
            continue
        if accept is None or not accept(prefix.ljust(16, b"\0")):
            continue
        stream.seek(0)
        with _decoding(name, format):
            return factory(without_large_metadata(stream) if format == "PNG" else stream, "")
    raise DecodeError(f"{name}: not a picture in one of the formats {', '.join(_PLUGINS)}")


@contextlib.contextmanager
def _decoding(name: str, format: str | None) -> Any:
    """Whatever a decoder raises about bytes it cannot read, as DecodeError."""
    try:
        yield
    except (DecodeError, MemoryError):
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, IndexError and more
        reason = str(error) or type(error).__name__
        raise DecodeError(f"{name}: cannot be decoded as {format or 'a picture'}: {reason}") from error


def _picture(image: Image.Image, name: str, max_pixels: int) -> Picture:
    """A Pillow picture, perhaps not decoded yet."""
    width, height = image.size
    if width * height > max_pixels:
        raise TooManyPixelsError(f"{name}: {width} x {height} pixels are more than the limit of {max_pixels}")
    if width == 0 or height == 0:
        raise DecodeError(f"{name}: {width} x {height} pixels, but a picture has at least one")
    with _decoding(name, image.format):
        _scale_transparency(image)
        _load(image)
        pixels, alpha = _planes(image, name)
    orientation = _orientation(image)
    dpi = _dpi(image.info.get("dpi"))
    if dpi is not None and _ORIENTATIONS.get(orientation, (False,))[0]:
        dpi = dpi[1], dpi[0]
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile or image.mode in ("CMYK", "YCbCr", "HSV"):
        profile = None
    return Picture(_upright(pixels, orientation), None if alpha is None else _upright(alpha, orientation), profile, dpi)


def _scale_transparency(image: Image.Image) -> None:
    """The transparent colour of a PNG in the depth that Pillow brings its pixels to, which Pillow leaves as it was."""
    key, tile = image.info.get("transparency"), getattr(image, "tile", None)
    if image.format != "PNG" or not tile:
        return
    raw = str(tile[0][3])
    if isinstance(key, int) and raw in ("L;2", "L;4"):
        image.info["transparency"] = key * (85 if raw == "L;2" else 17)
    elif isinstance(key, tuple) and raw == "RGB;16B":  # of whose pixels the upper eight bits are left
        image.info["transparency"] = tuple(part >> 8 for part in key)


def _load(image: Image.Image) -> None:
    """Decode."""
    if image.format == "TIFF" and getattr(image, "tile", None):
        # Pillow's TIFF reader checks its global size limit, by warning, unless its buffer is there already.
        from PIL import Image

        image.im = Image.new(image.mode, getattr(image, "_tile_size", image.size), None).im
    image.load()


def _tag(image: Image.Image, number: int) -> Any:
    """A tag of a TIFF; None of anything else, or where it is missing."""
    return getattr(image, "tag_v2", {}).get(number) if image.format == "TIFF" else None


def _planes(image: Image.Image, name: str) -> tuple[Array, Array | None]:
    """Colours and opacity of a decoded picture, not yet upright."""
    if _tag(image, _PLANAR) == 2 and 16 in np.atleast_1d(_tag(image, _BITS) or 1):
        raise DecodeError(f"{name}: planes of 16 bits one after the other are not supported: save it chunky")
    mode = image.mode
    transparent = "transparency" in image.info
    if mode.startswith("I;16") or mode in ("I", "F"):
        pixels = _sixteen_bits(np.asarray(image), name)
        if _tag(image, _PHOTOMETRIC) == 0:  # white is zero, which Pillow minds in pictures of 8 bits alone
            pixels = np.uint16(65535) - pixels
        key = image.info.get("transparency")
        return pixels, np.where(pixels == key, 0, 65535).astype(np.uint16) if isinstance(key, int) else None
    if mode == "P":
        palette = image.palette
        transparent = transparent or (palette is not None and palette.mode == "RGBA")
    if mode in ("1", "L", "LA", "La"):
        target = "LA" if transparent or mode in ("LA", "La") else "L"
    elif mode in ("RGB", "RGBA", "RGBa", "P", "PA", "RGBX", "CMYK", "YCbCr", "HSV"):
        target = "RGBA" if transparent or mode in ("RGBA", "RGBa", "PA") else "RGB"
    else:
        raise DecodeError(f"{name}: pictures of Pillow's mode {mode} are not supported")
    array = np.asarray(image if mode == target else image.convert(target))
    if target == "LA":
        return array[..., 0], array[..., 1]
    if target == "RGBA":  # contiguous: otherwise every stage that takes the colours would copy them
        return np.ascontiguousarray(array[..., :3]), array[..., 3]
    return array, None


def _sixteen_bits(values: Array, name: str) -> Array:
    """Integers of 16 or 32 bits, or floats, as uint16."""
    if values.dtype.kind == "f":
        if not (values.min() >= 0 and values.max() <= 1):  # also false for NaN
            raise DecodeError(f"{name}: floating-point values must lie in 0..1, got {values.min()}..{values.max()}")
        values = np.rint(values * np.float32(65535))
    elif values.dtype.itemsize > 2 and (values.min() < 0 or values.max() > 65535):
        raise DecodeError(f"{name}: 32-bit values must lie in 0..65535, got {values.min()}..{values.max()}")
    return values.astype(np.uint16)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, read after decoding: a PNG may tell it after its pixels, and a TIFF has applied it."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # as for decoders; EXIF data that cannot be read says nothing, the pixels are sound
        return 1
    return value if isinstance(value, int) else 1


def _upright(array: Array, orientation: int) -> Array:
    if orientation not in _ORIENTATIONS:
        return array
    swap, rows, columns = _ORIENTATIONS[orientation]
    if swap:
        array = array.swapaxes(0, 1)
    return np.ascontiguousarray(array[::rows, ::columns])


def _dpi(value: Any) -> tuple[float, float] | None:
    """Two numbers that every format can hold; None for anything else a file may claim (a TIFF without any says 1)."""
    try:
        x, y = (float(part) for part in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 < x <= 65535 and 1 < y <= 65535 else None  # false for NaN, too


# --- encoding --------------------------------------------------------------------------------------------------------


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
    if suffix.lower() not in _WRITTEN:
        raise ValueError(f"{subject} must say one of png, webp, tiff, jpeg, got {got!r}")
    return _WRITTEN[suffix.lower()]


def _encode(
    pixels: Array,
    format: str,
    icc_profile: bytes | None,
    dpi: tuple[float, float] | None,
    quality: int | None,
    png_level: int | None,
) -> memoryview:
    """The bytes of a picture file."""
    from PIL import Image

    require_host(pixels, "pixels")
    if not isinstance(pixels, np.ndarray):
        raise TypeError(f"pixels must be a numpy array, got {type(pixels).__name__}")
    _require_picture(pixels, "pixels")
    if format == "JPEG" and pixels.ndim == 3 and pixels.shape[2] == 4:
        raise ValueError("a JPEG has no transparency: write PNG, WebP or TIFF, or put the subject on a background")
    if max(pixels.shape[:2]) > _LONGEST_SIDE.get(format, 2**31 - 1):
        raise ValueError(f"the sides of a {format} are at most {_LONGEST_SIDE[format]} pixels, got {pixels.shape[:2]}")
    options = _options(format, quality, png_level)
    if icc_profile is not None and _fits(icc_profile, gray=pixels.ndim == 2):
        options["icc_profile"] = icc_profile
    if dpi is not None:
        if _dpi(dpi) is None:
            raise ValueError(f"dpi must be two numbers above 1 and up to 65535, got {dpi!r}")
        options["dpi"] = tuple(dpi)
    if pixels.dtype != np.uint16 or pixels.ndim == 3 or format not in ("PNG", "TIFF"):
        pixels = _eight_bits(pixels, "pixels")
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, format, **options)
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
    if format == "PNG":  # 4: as small as Pillow's 6 on photos, in half the time
        return {"compress_level": 4 if png_level is None else png_level}
    if format == "TIFF":
        return {"compression": "tiff_adobe_deflate"}
    if format == "JPEG":
        return {"quality": 95 if quality is None else quality}
    if quality is not None:
        return {"quality": quality}
    return {"lossless": True, "exact": True}  # exact: colours stay under full transparency


def _fits(icc_profile: bytes, *, gray: bool) -> bool:
    """Whether the profile can be for such pixels: its header names the kind of colour."""
    if not isinstance(icc_profile, bytes):
        raise TypeError(f"icc_profile must be bytes, got {type(icc_profile).__name__}")
    return icc_profile[16:20] not in {b"GRAY", b"RGB ", b"CMYK", b"Lab "} - {b"GRAY" if gray else b"RGB "}


_SAMPLES = np.stack(np.meshgrid(*[np.arange(0, 256, 51, dtype=np.uint8)] * 3), axis=-1).reshape(6, 36, 3)


def in_profile(pixels: Array, old: bytes | None, new: bytes | None) -> Array:
    """RGB pixels of 8 bits brought from one colour profile into another; None is sRGB.

    Unchanged where that is not to be done: other pixels, the same profile, or one that nobody can read.
    """
    if old == new or pixels.dtype != np.uint8 or pixels.ndim != 3:
        return pixels
    from PIL import Image, ImageCms

    try:
        srgb = ImageCms.createProfile("sRGB")
        source, target = (srgb if icc is None else ImageCms.ImageCmsProfile(io.BytesIO(icc)) for icc in (old, new))
        transform = ImageCms.buildTransform(source, target, "RGB", "RGB")

        def convert(colours: Array) -> Array:
            return np.asarray(ImageCms.applyTransform(Image.fromarray(np.ascontiguousarray(colours)), transform))

        if np.abs(convert(_SAMPLES).astype(np.int16) - _SAMPLES).max() <= 1:  # one profile under two names
            return pixels
        return convert(pixels)
    except (ImageCms.PyCMSError, OSError):
        return pixels


def require_unit(values: Array, name: str) -> None:
    """Floats in 0..1; integers have no other values."""
    if values.dtype == np.float32 and not (values.min() >= 0 and values.max() <= 1):  # also false for NaN
        raise ValueError(f"{name} of float32 must lie in 0..1, got {values.min()}..{values.max()}")


def _eight_bits(values: Array, name: str) -> Array:
    """uint8, rounded."""
    require_unit(values, name)
    return as_uint8(values)


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
    temporary = os.path.join(os.path.dirname(path), f".alphacut-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as stream:  # with the permissions that open(path) would give a new file
            stream.write(data)
        if mode is not None:
            os.chmod(temporary, stat.S_IMODE(mode))
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, path) from error  # speak of the caller's file
        raise
