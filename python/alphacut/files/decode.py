"""The bytes of a picture file, or a Pillow picture, as arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from .._arrays import Array
from . import exif, limits
from ._png import without_large_metadata
from ._tiff import Tiff
from .formats import format_of
from .picture import DecodeError, Picture
from .profile import cmyk_to_srgb

if TYPE_CHECKING:
    from PIL import Image

_PHOTOMETRIC, _PLANAR, _BITS, _SAMPLE_FORMAT = 262, 284, 258, 339  # tags of TIFF
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


class _Source:
    """A file that knows whether more was asked of it than it has."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.short = stream, False

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self.short |= size != 0 and not data
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def decode(stream: BinaryIO, name: str, max_pixels: int) -> Picture:
    """A picture file, from its beginning."""
    format, factory = format_of(stream, name)
    with _decoding(name, format):
        limits.check(stream, format, name, max_pixels)
        stream.seek(0)
        source: Any = _Source(without_large_metadata(stream) if format == "PNG" else stream)
        image = factory(source, "")
        picture = _picture(image, name, max_pixels, source)
        if format == "TIFF":
            return _with_exif(picture, Tiff(stream))
        return _with_exif(picture, _exif(image))


def of_pillow(image: Image.Image, name: str, max_pixels: int) -> Picture:
    """A Pillow picture, perhaps not decoded yet; nothing is written to it, but that it is decoded then."""
    if _raw(image) == "LA;16B":  # of which Pillow gives the upper half
        stream = image.fp  # type: ignore[attr-defined]
        place = stream.tell()
        stream.seek(0)
        try:
            return decode(stream, name, max_pixels)
        finally:
            stream.seek(place)
    with _decoding(name, image.format):
        return _with_exif(_picture(image, name, max_pixels), _exif(image))


@contextlib.contextmanager
def _decoding(name: str, format: str | None) -> Iterator[None]:
    """Whatever a decoder raises about bytes it cannot read, as DecodeError."""
    try:
        yield
    except (DecodeError, MemoryError):
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, IndexError and more
        reason = str(error) or type(error).__name__
        raise DecodeError(f"{name}: cannot be decoded as {format or 'a picture'}: {reason}") from error


def _picture(image: Image.Image, name: str, max_pixels: int, source: Any = None) -> Picture:
    """The picture upright, of a file of ours (`source`) or of the caller."""
    width, height = image.size
    limits.require_pixels(width, height, name, max_pixels)
    if width == 0 or height == 0:
        raise DecodeError(f"{name}: {width} x {height} pixels, but a picture has at least one")
    raw = _raw(image)
    key = _transparent(image, raw)
    if raw == "LA;16B":  # its four bytes a pixel as they are
        _as_rgba(image)
    _load(image, source, name)
    if raw == "LA;16B":
        values = np.asarray(image).view(">u2").astype(np.uint16)
    pixels, alpha = (values[..., 0], values[..., 1]) if raw == "LA;16B" else _planes(image, key, name)
    turn = _orientation(image, own=source is not None)
    dpi = two_numbers(image.info.get("dpi"))
    if dpi is not None and _ORIENTATIONS.get(turn, (False,))[0]:
        dpi = dpi[1], dpi[0]
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile or image.mode in ("CMYK", "YCbCr", "HSV"):
        profile = None
    return Picture(_upright(pixels, turn), None if alpha is None else _upright(alpha, turn), profile, dpi)


def _with_exif(picture: Picture, data: Any) -> Picture:
    return Picture(picture.pixels, picture.alpha, picture.icc_profile, picture.dpi, exif.kept(data))


def _load(image: Image.Image, source: Any, name: str) -> None:
    """Decode."""
    from PIL import Image, ImageFile

    if image.format == "TIFF" and getattr(image, "tile", None):
        # Pillow's TIFF reader checks its global size limit, by warning, unless its buffer is there already.
        image.im = Image.new(image.mode, getattr(image, "_tile_size", image.size), None).im
    if source is not None:
        source.short = False
    image.load()
    if source is not None and source.short and ImageFile.LOAD_TRUNCATED_IMAGES:  # a setting of the caller's program
        raise DecodeError(f"{name}: cut short")


def _raw(image: Image.Image) -> str:
    """How the pixels of a PNG are stored, of one that is not decoded yet."""
    tile = getattr(image, "tile", None)
    return str(tile[0][3]) if image.format == "PNG" and tile else ""


def _as_rgba(image: Any) -> None:
    """Have a PNG of four bytes a pixel decoded as these bytes."""
    tile = image.tile[0]
    image._mode = "RGBA"
    image.tile = [tile._replace(args="RGBA") if hasattr(tile, "_replace") else (*tile[:3], "RGBA")]


def _transparent(image: Image.Image, raw: str) -> Any:
    """The transparent colour, in the depth that Pillow brings the pixels to, which it leaves as it was."""
    key = image.info.get("transparency")
    if isinstance(key, int) and raw in ("L;2", "L;4"):
        return key * (85 if raw == "L;2" else 17)
    if isinstance(key, tuple) and raw == "RGB;16B":  # of whose pixels the upper eight bits are left
        return tuple(part >> 8 for part in key)
    return key


def _tag(image: Image.Image, number: int) -> Any:
    """A tag of a TIFF; None of anything else, or where it is missing."""
    return getattr(image, "tag_v2", {}).get(number) if image.format == "TIFF" else None


def _planes(image: Image.Image, key: Any, name: str) -> tuple[Array, Array | None]:
    """Colours and opacity of a decoded picture, not yet upright; `key` is the colour that is transparent."""
    bits = np.atleast_1d(_tag(image, _BITS) or 1)
    if _tag(image, _PLANAR) == 2 and 16 in bits:
        raise DecodeError(f"{name}: planes of 16 bits one after the other are not supported: save it chunky")
    if 2 in np.atleast_1d(_tag(image, _SAMPLE_FORMAT) or 1) and 8 in bits:
        raise DecodeError(f"{name}: samples of 8 bits with a sign are not supported")
    mode = image.mode
    if mode.startswith("I;16") or mode in ("I", "F"):
        pixels = _sixteen_bits(np.asarray(image), name)
        if 12 in bits:
            pixels = ((pixels.astype(np.uint32) * 65535 + 2047) // 4095).astype(np.uint16)
        if _tag(image, _PHOTOMETRIC) == 0:  # white is zero, which Pillow minds in pictures of 8 bits alone
            pixels = np.uint16(65535) - pixels
        return pixels, np.where(pixels == key, 0, 65535).astype(np.uint16) if isinstance(key, int) else None
    if mode in ("1", "L", "RGB"):
        return _keyed(np.asarray(image.convert("L") if mode == "1" else image), key, mode)
    if mode == "CMYK":
        return np.asarray(cmyk_to_srgb(image)), None
    if mode in ("LA", "La"):
        array = np.asarray(image.convert("LA"))
        return array[..., 0], array[..., 1]
    palette = image.palette if mode == "P" else None
    if mode in ("RGBA", "RGBa", "PA") or key is not None or (palette is not None and palette.mode == "RGBA"):
        array = np.asarray(image.convert("RGBA"))  # contiguous: else every stage that takes the colours would copy them
        return np.ascontiguousarray(array[..., :3]), array[..., 3]
    if mode in ("P", "RGBX", "YCbCr", "HSV"):
        return np.asarray(image.convert("RGB")), None
    raise DecodeError(f"{name}: pictures of Pillow's mode {mode} are not supported")


def _keyed(pixels: Array, key: Any, mode: str) -> tuple[Array, Array | None]:
    """Colours of 8 bits and the opacity that one transparent colour leaves."""
    if isinstance(key, int) and mode != "RGB":
        hit = (pixels != 0) == (key != 0) if mode == "1" else pixels == key
    elif isinstance(key, tuple) and mode == "RGB" and len(key) == 3:
        hit = (pixels == np.array(key)).all(axis=-1)
    else:
        return pixels, None
    return pixels, np.where(hit, 0, 255).astype(np.uint8)


def _sixteen_bits(values: Array, name: str) -> Array:
    """Integers of 16 or 32 bits, or floats, as uint16."""
    if values.dtype.kind == "f":
        if not (values.min() >= 0 and values.max() <= 1):  # also false for NaN
            raise DecodeError(f"{name}: floating-point values must lie in 0..1, got {values.min()}..{values.max()}")
        values = np.rint(values * np.float32(65535))
    elif values.dtype.itemsize > 2 and (values.min() < 0 or values.max() > 65535):
        raise DecodeError(f"{name}: 32-bit values must lie in 0..65535, got {values.min()}..{values.max()}")
    return values.astype(np.uint16)


def _exif(image: Image.Image) -> bytes | None:
    """EXIF data as stored; a PNG may tell them after its pixels."""
    data = image.info.get("exif")
    if data is None and isinstance(text := image.info.get("Raw profile type exif"), str):
        with contextlib.suppress(ValueError):
            data = bytes.fromhex("".join(text.split("\n")[3:]))
    return data if isinstance(data, bytes) else None


def _orientation(image: Image.Image, *, own: bool) -> int:
    """How the pixels are to be turned."""
    if own and image.format != "TIFF":
        return exif.orientation(_exif(image), image.info.get("XML:com.adobe.xmp") or image.info.get("xmp"))
    try:  # what the caller says by Pillow's means; and of a TIFF Pillow takes it away when it has turned the pixels
        value = image.getexif().get(exif.ORIENTATION, 1)
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


def two_numbers(value: Any) -> tuple[float, float] | None:
    """A resolution that every format can hold; None for all else a file may claim (a TIFF without any says 1)."""
    try:
        x, y = (float(part) for part in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 < x <= 65535 and 1 < y <= 65535 else None  # false for NaN, too
