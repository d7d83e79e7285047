"""The bytes of a picture file, or a Pillow picture, as arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from .._arrays import Array
from . import exif, limits
from ._png import without_large_metadata
from ._tiff import Tiff, samples
from .formats import format_of
from .picture import DecodeError, Picture, two_numbers
from .planes import planes

if TYPE_CHECKING:
    from PIL import Image

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
    """A file that knows whether more was asked of it than it has, for when Pillow is set to let that pass."""

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
    from PIL import ImageFile

    format, factory = format_of(stream, name)
    with _decoding(name, format):
        limits.check(stream, format, name, max_pixels)
        stream.seek(0)
        source: Any = without_large_metadata(stream) if format == "PNG" else stream
        if ImageFile.LOAD_TRUNCATED_IMAGES:
            source = _Source(source)
        try:
            image = factory(source, "")
        except SyntaxError as error:
            if format != "TIFF":
                raise
            how = "save it with 8 bits a sample, or give its pixels as an array"
            raise DecodeError(f"{name}: a TIFF of {samples(stream)} is not supported: {how}") from error
        if format == "HEIF":  # not yet a Pillow picture: its reader for Pillow gives black where bytes are missing
            width, height = image.size
            limits.require_pixels(width, height, name, max_pixels)
            image = image.to_pillow()
        halves = _raw(image) == "RGB;16B" and isinstance(image.info.get("transparency"), tuple)
        picture = _picture(image, name, max_pixels, source)
        if halves and picture.alpha is not None:
            picture = replace(picture, alpha=picture.alpha | _low_differs(factory, source))
        return _with_exif(picture, Tiff(stream) if format == "TIFF" else _exif(image))


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


def _low_differs(factory: Any, source: Any) -> Array:
    """255 where the lower bytes of a PNG of 16 bits are not those of its transparent colour, 0 elsewhere; upright."""
    source.seek(0)
    image = factory(source, "")
    key = np.array(image.info["transparency"]) & 255
    _store_as(image, image.mode, "RGB;16L")  # the other byte first: so Pillow keeps the lower one
    image.load()
    return _upright(
        np.where((np.asarray(image) == key).all(-1), 0, 255).astype(np.uint8), _orientation(image, own=True)
    )


def _picture(image: Image.Image, name: str, max_pixels: int, source: Any = None) -> Picture:
    """The picture upright, of a file of ours (`source`) or of the caller."""
    width, height = image.size
    limits.require_pixels(width, height, name, max_pixels)
    if width == 0 or height == 0:
        raise DecodeError(f"{name}: {width} x {height} pixels, but a picture has at least one")
    raw = _raw(image)
    key = _transparent(image, raw)
    if raw == "LA;16B":  # its four bytes a pixel as they are
        _store_as(image, "RGBA", "RGBA")
    _load(image, source, name)
    if raw == "LA;16B":
        values = np.asarray(image).view(">u2").astype(np.uint16)
    pixels, alpha = (values[..., 0], values[..., 1]) if raw == "LA;16B" else planes(image, key, name)
    turn = _orientation(image, own=source is not None)
    dpi = two_numbers(image.info.get("dpi"))
    if dpi is not None and _ORIENTATIONS.get(turn, (False,))[0]:
        dpi = dpi[1], dpi[0]
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile or image.mode in ("CMYK", "YCbCr", "HSV"):
        profile = None
    return Picture(_upright(pixels, turn), None if alpha is None else _upright(alpha, turn), profile, dpi)


def _with_exif(picture: Picture, data: Any) -> Picture:
    return replace(picture, exif=exif.kept(data))


def _load(image: Image.Image, source: Any, name: str) -> None:
    """Decode."""
    from PIL import Image

    if image.format == "TIFF" and getattr(image, "tile", None):
        # Pillow's TIFF reader checks its global size limit, by warning, unless its buffer is there already.
        image.im = Image.new(image.mode, getattr(image, "_tile_size", image.size), None).im
    if isinstance(source, _Source):
        source.short = False
    image.load()
    if isinstance(source, _Source) and _is_cut_short(image, source):
        raise DecodeError(f"{name}: cut short")


def _is_cut_short(image: Image.Image, source: Any) -> bool:
    """Whether the decoder came to the end of the file before its own, which a setting of Pillow's lets pass."""
    if image.format != "JPEG2000":
        return bool(source.short)
    source.seek(0)
    data = source.read()
    return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\x93")  # the end, and the start of a tile's data


def _raw(image: Image.Image) -> str:
    """How the pixels of a PNG are stored, of one that is not decoded yet."""
    tile = getattr(image, "tile", None)
    return str(tile[0][3]) if image.format == "PNG" and tile else ""


def _store_as(image: Any, mode: str, raw: str) -> None:
    """Have the bytes of a PNG decoded as if they were stored in another way, of as many bytes a pixel."""
    tile = image.tile[0]
    image._mode = mode
    image.tile = [tile._replace(args=raw) if hasattr(tile, "_replace") else (*tile[:3], raw)]


def _transparent(image: Image.Image, raw: str) -> Any:
    """The transparent colour, in the depth that Pillow brings the pixels to, which it leaves as it was."""
    key = image.info.get("transparency")
    if isinstance(key, int) and raw in ("L;2", "L;4"):
        return key * (85 if raw == "L;2" else 17)
    if isinstance(key, tuple) and raw == "RGB;16B":  # of whose pixels the upper eight bits are left
        return tuple(part >> 8 for part in key)
    return key


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
        tags = image.getexif()
        value = tags.get(exif.ORIENTATION, 1)
        stored = tags.get_ifd(exif.EXIF)
        sides = stored.get(exif.WIDTH), stored.get(exif.HEIGHT)
        if image.format is None and _ORIENTATIONS.get(value, (False,))[0] and sides == image.size[::-1] != image.size:
            return 1  # turned by hand since it was read, which leaves the tag
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
