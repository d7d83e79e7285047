"""The part of a picture that is kept around a subject."""

from __future__ import annotations

from typing import Any

from . import _text
from ._arrays import real, shown
from ._prompt import Box

MOST = 5
"""The widest and the narrowest aspect: a crop has at most so many times the picture's pixels."""


def aspect_of(value: Any, name: str = "aspect") -> float | None:
    """Width over height: of "4:5", of a pair, of a number; None of None."""
    if value is None:
        return None
    sides = (value, 1.0)
    if isinstance(value, str):
        try:
            sides = _text.aspect(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    elif isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{name} must be one number, width over height, or two of them, got {shown(value)}")
        sides = (value[0], value[1])
    width, height = (real(side, name) for side in sides)
    if not (width > 0 and height > 0 and 1 / MOST <= width / height <= MOST):
        raise ValueError(f"{name} must be from 1:{MOST} to {MOST}:1, got {shown(value)}")
    return width / height


def frame(box: Box, margins: tuple[int, int, int, int], aspect: float | None, size: tuple[int, int]) -> Box:
    """The box and its margins (top, right, bottom, left), within a picture of this height and width.

    With an aspect the shorter sides grow to it, evenly; what then reaches beyond the picture is moved into it, and
    where the picture is smaller, goes beyond it on both sides.
    """
    (x, y, width, height), (top, right, bottom, left) = box, margins
    x, width = _common(x - left, x + width + right, size[1])
    y, height = _common(y - top, y + height + bottom, size[0])
    if aspect is None:
        return x, y, width, height
    wide, high = max(width, round(height * aspect)), max(height, round(width / aspect))
    return _placed(x, width, wide, size[1]), _placed(y, height, high, size[0]), wide, high


def _common(begin: int, end: int, whole: int) -> tuple[int, int]:
    """Where what lies within begins, and its length."""
    begin, end = max(begin, 0), min(end, whole)
    return begin, end - begin


def _placed(at: int, length: int, grown: int, whole: int) -> int:
    """Where a stretch begins that grew: around its old middle, if the picture does not end before."""
    at -= (grown - length) // 2
    least, most = min(0, whole - grown), max(0, whole - grown)
    return min(max(at, least), most)
