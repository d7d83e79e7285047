"""Colours as people write them."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

from ._arrays import shown

Color = str | Sequence[int]


def parse_color(color: Color, name: str = "color") -> tuple[int, int, int]:
    """`color`, written "#rrggbb", as a CSS name or as (r, g, b) from 0 to 255, as three integers."""
    if isinstance(color, str):
        from PIL import ImageColor

        try:
            values: Sequence[int] = ImageColor.getrgb(color)
        except ValueError:
            raise ValueError(f"{name} must be '#rrggbb', a CSS name or (r, g, b), got {shown(color)}") from None
    elif isinstance(color, (tuple, list)):
        values = color
    else:
        raise TypeError(f"{name} must be '#rrggbb', a CSS name or (r, g, b), got {type(color).__name__}")
    if not all(isinstance(value, (int, Integral)) and not isinstance(value, bool) for value in values):
        raise TypeError(f"{name} must have integers from 0 to 255, got {shown(color)}")
    if len(values) != 3 or not all(0 <= value <= 255 for value in values):
        raise ValueError(f"{name} must have three values from 0 to 255, got {shown(color)}")
    return int(values[0]), int(values[1]), int(values[2])
