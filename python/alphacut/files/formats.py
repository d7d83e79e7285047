"""The formats that are read and written: their endings, how their bytes begin, and who opens them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, BinaryIO

from .picture import DecodeError

READ_SUFFIXES = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jfif", ".jpe", ".mpo", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
        *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".avif", ".heic", ".heif", ".hif"),
    }
)
"""Endings of the files that are taken for pictures in a folder."""

WRITTEN = {
    **{".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"},
    **dict.fromkeys((".jpg", ".jpeg", ".jfif", ".jpe"), "JPEG"),
}
WRITE_SUFFIXES = frozenset(WRITTEN)
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
_PREFIX = 16
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}


def format_of(stream: BinaryIO, name: str) -> tuple[str, Callable[..., Any]]:
    """The format of a file, told by how it begins, and what opens it.

    Not ``Image.open``: that checks the size against a global setting of Pillow, by warning, and tries every format.
    """
    from PIL import Image

    prefix = stream.read(_PREFIX)
    if not prefix:
        raise DecodeError(f"{name}: empty, not a picture")
    if prefix[4:8] == b"ftyp" and (brands := _brands(stream, prefix)) & (_HEIF_BRANDS | _AVIF_BRANDS):
        return _of_container(brands, name)
    for format, plugin in _PLUGINS.items():
        try:
            importlib.import_module(f"PIL.{plugin}")
            factory, accept = Image.OPEN[format]
        except (ImportError, KeyError):  # a Pillow that was built without this format
            continue
        if accept is None or accept(prefix.ljust(_PREFIX, b"\0")) is not True:
            continue  # text says why not: built without its library
        return format, factory
    raise DecodeError(f"{name}: not a picture in one of the formats {', '.join(_PLUGINS)}, HEIF")


def _brands(stream: BinaryIO, prefix: bytes) -> set[bytes]:
    """What a container of ISO's base media format says that it holds; the first kilobyte of it will do."""
    length = min(max(int.from_bytes(prefix[:4], "big"), _PREFIX), 1024)
    box = prefix + stream.read(length - _PREFIX)
    return {box[8:12], *(box[at : at + 4] for at in range(16, len(box), 4))}


def _of_container(brands: set[bytes], name: str) -> tuple[str, Callable[..., Any]]:
    """Who opens an AVIF, or a HEIF, such as a HEIC."""
    if brands & _AVIF_BRANDS:
        try:
            plugin = importlib.import_module("PIL.AvifImagePlugin")
        except ImportError:
            plugin = None
        if plugin is None or not plugin.SUPPORTED:
            raise DecodeError(f"{name}: an AVIF, which needs a Pillow of 11.3 or later that was built with AVIF")
        return "AVIF", plugin.AvifImageFile
    try:
        heif = importlib.import_module("pillow_heif")
    except ImportError as error:
        raise DecodeError(f"{name}: a HEIF (HEIC), which needs pillow-heif: pip install 'alphacut[heif]'") from error
    return "HEIF", lambda stream, _: heif.open_heif(stream)
