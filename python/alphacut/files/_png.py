"""PNG files whose metadata are larger than Pillow takes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO

# What Pillow unpacks of one chunk of text or profile, and of all texts; beyond, it refuses the picture.
_MOST, _MOST_TEXT = 1 << 20, 64 << 20
_SIGNATURE = 8


def without_large_metadata(stream: BinaryIO) -> BinaryIO:
    """The same file, from its beginning; without texts and profiles, which are not the pixels, that are too large.

    Nothing is unpacked beyond the limit.
    """
    kept: list[tuple[int, int]] = [(0, _SIGNATURE)]
    dropped, text = False, 0
    stream.seek(_SIGNATURE)
    while len(header := stream.read(8)) == 8:
        start = stream.tell() - 8
        length, kind = struct.unpack(">I4s", header)
        size = 0
        if kind in (b"tEXt", b"zTXt", b"iTXt", b"iCCP"):
            size = _unpacked(kind, stream.read(length))
            text += size * (kind != b"iCCP")
        if size > _MOST or (size and text > _MOST_TEXT):
            dropped = True
        else:
            kept.append((start, length + 12))
        stream.seek(start + length + 12)
        if kind == b"IEND":
            break
    stream.seek(0)
    if not dropped:
        return stream
    file = io.BytesIO()
    for start, length in kept:
        stream.seek(start)
        file.write(stream.read(length))
    file.seek(0)
    return file


def _unpacked(kind: bytes, data: bytes) -> int:
    """Bytes of a chunk's text or profile, counted up to a little above the limit."""
    _, _, rest = data.partition(b"\0")
    if kind == b"tEXt":
        return len(rest)
    if kind == b"iTXt":
        packed = rest[:1] == b"\1"
        _, _, rest = rest[2:].partition(b"\0")  # language
        _, _, rest = rest.partition(b"\0")  # the name in it
        if not packed:
            return len(rest)
    else:
        rest = rest[1:]
    try:
        return len(zlib.decompressobj().decompress(rest, _MOST + 1))
    except zlib.error:
        return 0  # for the decoder to judge
