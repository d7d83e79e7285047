"""The directories of TIFF, which EXIF data are made of, too. No value is read that nobody asks for."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of a value of each type."""

_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # of whole numbers
_MOST_ENTRIES = 65535


class Entry(NamedTuple):
    """A tag's values: their type and number, and where they lie in the file."""

    kind: int
    values: int
    at: int

    @property
    def size(self) -> int:
        return SIZES.get(self.kind, 0) * self.values


@dataclass
class Tiff:
    """A TIFF that begins at `start` of a file; `first` is where its first directory lies, from there."""

    stream: BinaryIO
    start: int = 0
    order: str = field(init=False)
    big: bool = field(init=False)
    first: int = field(init=False)

    def __post_init__(self) -> None:
        """Read the header; ValueError if it is none."""
        self.stream.seek(self.start)
        head = self.stream.read(16)
        orders = {b"II": "<", b"MM": ">"}
        if head[:2] not in orders or len(head) < 8:
            raise ValueError("no TIFF header")
        self.order = orders[head[:2]]
        self.big = struct.unpack(f"{self.order}H", head[2:4])[0] == 43
        if self.big and len(head) < 16:
            raise ValueError("no TIFF header")
        self.first = struct.unpack(f"{self.order}{'8xQ' if self.big else '4xI'}", head[: 16 if self.big else 8])[0]

    def entries(self, at: int) -> dict[int, list[Entry]]:
        """The directory at `at`; of a tag that it holds twice, both."""
        number, entry, inline = ("Q", "HHQ8s", 8) if self.big else ("H", "HHI4s", 4)
        self.stream.seek(self.start + at)
        size = struct.calcsize(f"{self.order}{number}")
        head = self.stream.read(size)
        if len(head) < size:
            return {}
        count = min(struct.unpack(f"{self.order}{number}", head)[0], _MOST_ENTRIES)
        step = struct.calcsize(f"{self.order}{entry}")
        block = self.stream.read(count * step)
        found: dict[int, list[Entry]] = {}
        whole = struct.iter_unpack(f"{self.order}{entry}", block[: len(block) // step * step])
        for index, (tag, kind, values, raw) in enumerate(whole):
            there = at + size + index * step + step - inline
            if SIZES.get(kind, 0) * values > inline:
                there = struct.unpack(f"{self.order}{'Q' if self.big else 'I'}", raw)[0]
            found.setdefault(tag, []).append(Entry(kind, values, there))
        return found

    def raw(self, entry: Entry) -> bytes:
        """The bytes of the values."""
        self.stream.seek(self.start + entry.at)
        return self.stream.read(entry.size)

    def number(self, entries: dict[int, list[Entry]], tag: int, default: int) -> int:
        """The first value of a tag of whole numbers; the default where there is none."""
        for entry in entries.get(tag, ()):
            letter = _LETTERS.get(entry.kind)
            data = self.raw(entry._replace(values=1)) if letter and entry.values else b""
            if letter and len(data) == SIZES[entry.kind]:
                return int(struct.unpack(f"{self.order}{letter}", data)[0])
        return default


def samples(stream: BinaryIO) -> str:
    """What a pixel of the first picture is made of, in words."""
    tiff = Tiff(stream)
    entries = tiff.entries(tiff.first)
    count, bits = tiff.number(entries, 277, 1), tiff.number(entries, 258, 1)
    kind = {2: " signed", 3: " floating-point", 5: " complex", 6: " complex"}.get(tiff.number(entries, 339, 1), "")
    planes = " in planes" if count > 1 and tiff.number(entries, 284, 1) == 2 else ""
    return f"{count}{kind} sample{'s' if count > 1 else ''} of {bits} bits a pixel{planes}"


def claimed(entries: dict[int, list[Entry]], length: int) -> int:
    """The bytes that a reader of all tags takes in a file of `length`: more than that, where tags share their data."""
    return sum(
        min(entry.size, max(length - entry.at, 0)) for same in entries.values() for entry in same if entry.size > 8
    )
