"""What a file may cost to decode, known from its headers before anything of it is decoded.

The number of pixels is one thing that it may lie about or leave open; the others are here.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable
from typing import BinaryIO

from ._tiff import Tiff, claimed
from .picture import DecodeError, TooManyPixelsError

MAX_SCANS = 64
"""Scans of a JPEG, each of which is a pass over all pixels; encoders write about ten."""

MAX_TILE = 1 << 24
"""Pixels of a TIFF's tile, where the picture is not larger."""

MAX_TILES = 1 << 14
"""Tiles of a JPEG 2000, each of which costs kilobytes before it is decoded."""

MAX_STRIPS = 1 << 20
"""Strips or tiles of a TIFF."""

MAX_METADATA = 64 << 20
"""Bytes that a reader of all EXIF tags takes; those that share their data ask for more than the file has."""

MAX_EXIF = 64
"""Places in an AVIF that look like EXIF data."""

MAX_SEGMENTS = 20_000
"""Segments of a JPEG, boxes of a JPEG 2000."""

_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_FRAMES = _PROGRESSIVE | {0xC0, 0xC1, 0xC3, 0xC5, 0xC7, 0xC9, 0xCB, 0xCD, 0xCF}
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # none of those that stand within a scan
_PREVIEW, _WIDTH, _HEIGHT, _STRIPS, _TILE_WIDTH, _TILE_HEIGHT, _TILES = 254, 256, 257, 273, 322, 323, 324


def check(stream: BinaryIO, format: str, name: str, max_pixels: int) -> None:
    """Refuse a file whose headers ask for more than the limits; leaves the stream anywhere.

    Headers that cannot be read are for the decoder to judge.
    """
    look = _CHECKS.get(format)
    if look is not None:
        stream.seek(0)
        try:
            look(stream, name, max_pixels)
        except (struct.error, OverflowError, IndexError):
            return


def require_pixels(width: int, height: int, name: str, max_pixels: int) -> None:
    """No more than allowed."""
    if width * height > max_pixels:
        raise TooManyPixelsError(f"{name}: {width} x {height} pixels are more than the limit of {max_pixels}")


def _length(stream: BinaryIO) -> int:
    return stream.seek(0, io.SEEK_END)


def _tiff(stream: BinaryIO, name: str, max_pixels: int) -> None:
    try:
        tiff = Tiff(stream)
    except ValueError:
        return
    length = _length(stream)
    entries = tiff.entries(tiff.first)
    width, height = (tiff.number(entries, tag, 0) for tag in (_WIDTH, _HEIGHT))
    require_pixels(width, height, name, max_pixels)
    tile = [tiff.number(entries, tag, 0) for tag in (_TILE_WIDTH, _TILE_HEIGHT)]
    padded = -(-width // 16) * 16 * (-(-height // 16) * 16)
    if tile[0] * tile[1] > max(padded, min(MAX_TILE, max_pixels)):
        raise DecodeError(f"{name}: {width} x {height} pixels, but a tile of {tile[0]} x {tile[1]}")
    parts = [entry.values for tag in (_STRIPS, _TILES) for entry in entries.get(tag, ())]
    if max(parts, default=0) > MAX_STRIPS:
        raise DecodeError(f"{name}: {max(parts)} strips or tiles are more than the limit of {MAX_STRIPS}")
    _require_metadata(claimed(entries, length) - length, name)
    stream.seek(8)
    if stream.read(2) == b"CR" or tiff.number(entries, _PREVIEW, 0) & 1:
        raise DecodeError(f"{name}: begins with the preview of another picture, as a camera's raw file: develop it")


def _require_metadata(size: int, name: str) -> None:
    if size > MAX_METADATA:
        raise DecodeError(f"{name}: metadata that take {size} bytes are more than the limit of {MAX_METADATA}")


def _require_tags(stream: BinaryIO, name: str, start: int = 0) -> None:
    """The EXIF data that begin at `start` are no more than allowed when they are read."""
    try:
        tiff = Tiff(stream, start)
    except ValueError:
        return
    _require_metadata(claimed(tiff.entries(tiff.first), _length(stream) - start), name)


def _jpeg(stream: BinaryIO, name: str, max_pixels: int) -> None:
    """Counts the scans where there may be more than one."""
    data = stream.read(2)
    tags: dict[bytes, bytearray] = {}
    progressive, components = False, 0
    for _ in range(MAX_SEGMENTS):
        byte = stream.read(1)
        while byte not in (b"\xff", b""):  # what lies between segments is passed over
            byte = stream.read(1)
        while byte == b"\xff":
            byte = stream.read(1)
        if not byte or byte == b"\xd9":
            return
        marker = byte[0]
        if marker in (0, 1) or 0xD0 <= marker <= 0xD8:
            continue
        length = struct.unpack(">H", stream.read(2))[0] - 2
        data = stream.read(max(length, 0))
        for start in (b"Exif\0\0", b"MPF\0") if marker in (0xE1, 0xE2) else ():
            if data.startswith(start):  # which Pillow reads as it opens the file
                tags.setdefault(start, bytearray()).extend(data[len(start) :])
        if marker in _FRAMES:
            progressive, components = marker in _PROGRESSIVE, data[5]
            height, width = struct.unpack(">HH", data[1:5])
            require_pixels(width, height, name, max_pixels)
        if marker == 0xDA:
            break
    else:
        raise DecodeError(f"{name}: more than the limit of {MAX_SEGMENTS} segments")
    for found in tags.values():
        _require_tags(io.BytesIO(found), name)
    if progressive or data[0] < components:
        _require_scans(stream.read(), name)


def _require_scans(data: bytes, name: str) -> None:
    """In what follows the first scan's header."""
    if data.count(b"\xff\xda") < MAX_SCANS:  # those of previews and further pictures, too: quick, and never too few
        return
    scans, at = 1, 0
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None or found[0] == b"\xff\xd9":
            return
        at = found.end()
        scans += found[0] == b"\xff\xda"
        if scans > MAX_SCANS:
            raise DecodeError(f"{name}: more than the limit of {MAX_SCANS} scans")
        if found[0][1] != 1 and found[0][1] != 0xD8:
            at += struct.unpack(">H", data[at : at + 2])[0]
    raise DecodeError(f"{name}: more than the limit of {MAX_SEGMENTS} segments")


def _webp(stream: BinaryIO, name: str, max_pixels: int) -> None:
    """The canvas, for which the decoder takes memory when the file is opened."""
    head = stream.read(30)
    if head[12:16] == b"VP8X":
        sides = [int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27)]
    elif head[12:16] == b"VP8L":
        bits = struct.unpack("<I", head[21:25])[0]
        sides = [(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1]
    else:
        sides = [side & 0x3FFF for side in struct.unpack("<HH", head[26:30])]
    require_pixels(sides[0], sides[1], name, max_pixels)


def _jpeg2000(stream: BinaryIO, name: str, max_pixels: int) -> None:
    """What the codestream says, for the box before it may say something else."""
    at = 0
    if stream.read(4) != b"\xff\x4f\xff\x51":
        for _ in range(MAX_SEGMENTS):
            stream.seek(at)
            size, kind, large = struct.unpack(">I4sQ", stream.read(16).ljust(16, b"\0"))
            if kind == b"jp2c" or size == 0:
                break
            at += large if size == 1 else max(size, 8)
        else:
            raise DecodeError(f"{name}: more than the limit of {MAX_SEGMENTS} boxes")
        if kind != b"jp2c":
            return
        at += 16 if size == 1 else 8
    stream.seek(at)
    _, *numbers, components = struct.unpack(">8s8IH", stream.read(42))
    right, bottom, left, top, width, height, tile_left, tile_top = numbers
    require_pixels(right - left, bottom - top, name, max_pixels)
    if components > 4:
        raise DecodeError(f"{name}: {components} channels are more than the limit of 4")
    tiles = -(-(right - tile_left) // max(width, 1)) * -(-(bottom - tile_top) // max(height, 1))
    if tiles > MAX_TILES:
        raise DecodeError(f"{name}: {tiles} tiles are more than the limit of {MAX_TILES}")


def _avif(stream: BinaryIO, name: str, max_pixels: int) -> None:
    """EXIF data, which Pillow reads as it opens the file; wherever they are, they begin as a TIFF does."""
    data = stream.read()
    for magic in (b"II*\0", b"MM\0*"):
        at = data.find(magic)
        for _ in range(MAX_EXIF):
            if at < 0:
                break
            _require_tags(stream, name, at)
            at = data.find(magic, at + 1)
        else:
            raise DecodeError(f"{name}: more than the limit of {MAX_EXIF} places with EXIF data")


_CHECKS: dict[str, Callable[[BinaryIO, str, int], None]] = {
    "TIFF": _tiff,
    "JPEG": _jpeg,
    "WEBP": _webp,
    "JPEG2000": _jpeg2000,
    "AVIF": _avif,
}
