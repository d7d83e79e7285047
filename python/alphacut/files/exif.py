"""EXIF data: the orientation, and what is left of them when it has been applied.

Not by Pillow, which reads every tag, and as often as tags share the same data.
"""

from __future__ import annotations

import io
import re
import struct

from ._tiff import SIZES, Entry, Tiff

ORIENTATION = 0x0112
WIDTH, HEIGHT = 0xA002, 0xA003
EXIF, _GPS = 0x8769, 0x8825
# Of the picture's directory: what is said about the photo, not how the file holds it.
_KEPT = {0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x4749, 0x8298}
_KEPT |= {*range(0x9C9B, 0x9CA0)}  # title, comment, author, keywords and subject of Windows
# Of EXIF's own: the maker's notes (places in the old file), sizes of the old picture, and another directory.
_DROPPED = {0x927C, WIDTH, HEIGHT, 0xA005}
_LARGEST, _MOST = 8192, 60_000  # bytes of one tag, and of all: a JPEG holds 65,533


def orientation(exif: bytes | None, xmp: bytes | str | None = None) -> int:
    """1 to 8; 1 where nothing is said, or nothing that can be read."""
    if exif:
        try:
            tiff = Tiff(io.BytesIO(_bare(exif)))
            value = tiff.number(tiff.entries(tiff.first), ORIENTATION, 0)
        except (ValueError, struct.error, OverflowError):
            value = 0
        if 1 <= value <= 8:
            return value
    text = xmp.encode("utf-8", "replace") if isinstance(xmp, str) else xmp
    said = re.search(rb'tiff:Orientation(?:="|>)([1-8])', text) if text else None
    return int(said[1]) if said else 1


def kept(exif: bytes | Tiff | None) -> bytes | None:
    """The part of them that stays true; None where there is none, or none that can be read."""
    if not exif:
        return None
    try:
        tiff = exif if isinstance(exif, Tiff) else Tiff(io.BytesIO(_bare(exif)))
        if tiff.big:
            return None
        picture = tiff.entries(tiff.first)
        parts = {0: _values(tiff, {tag: found for tag, found in picture.items() if tag in _KEPT})}
        for tag in (EXIF, _GPS):
            place = tiff.number(picture, tag, 0)
            found = tiff.entries(place) if place else {}
            parts[tag] = _values(tiff, {tag: values for tag, values in found.items() if tag not in _DROPPED})
    except (ValueError, struct.error, OverflowError):
        return None
    return _written(tiff.order, parts) if any(parts.values()) else None


def _bare(exif: bytes) -> bytes:
    """Without the words that go before them in a JPEG."""
    return exif[6:] if exif[:6] == b"Exif\0\0" else exif


def _values(tiff: Tiff, entries: dict[int, list[Entry]]) -> dict[int, tuple[int, int, bytes]]:
    """Type, number and bytes of each tag that is whole and of usual size."""
    found = {}
    for tag, same in entries.items():
        entry = same[0]
        data = tiff.raw(entry) if entry.kind in SIZES and 0 < entry.size <= _LARGEST else b""
        if data and len(data) == entry.size:
            found[tag] = entry.kind, entry.values, data
    return found


def _written(order: str, parts: dict[int, dict[int, tuple[int, int, bytes]]]) -> bytes:
    """The directories: the picture's (0) first, which points to the others; as much as there is room for."""
    room = _MOST
    for values in parts.values():
        for tag in sorted(values):
            room -= 12 + len(values[tag][2])
            if room < 0:
                del values[tag]
    main = parts[0] | {tag: (4, 1, bytes(4)) for tag in (EXIF, _GPS) if parts[tag]}
    at, others = 8 + len(_directory(order, main, 8)), b""
    for tag in (EXIF, _GPS):
        if parts[tag]:
            place = at + len(others)
            main[tag] = 4, 1, struct.pack(f"{order}I", place)
            others += _directory(order, parts[tag], place)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return b"Exif\0\0" + head + _directory(order, main, 8) + others


def _directory(order: str, values: dict[int, tuple[int, int, bytes]], at: int) -> bytes:
    """One directory that lies at `at`, and behind it the values that have no room in it."""
    behind = at + 2 + 12 * len(values) + 4
    entries, data = b"", b""
    for tag in sorted(values):
        kind, count, value = values[tag]
        if len(value) <= 4:
            entries += struct.pack(f"{order}HHI", tag, kind, count) + value.ljust(4, b"\0")
        else:
            entries += struct.pack(f"{order}HHII", tag, kind, count, behind + len(data))
            data += value + bytes(len(value) % 2)
    return struct.pack(f"{order}H", len(values)) + entries + bytes(4) + data
