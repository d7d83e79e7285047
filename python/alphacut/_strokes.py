"""Strokes of a brush as labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import dist
from typing import NamedTuple

import numpy as np

from ._arrays import Array

MAX_PAINTED = 2e9
"""Pixels, counted again for every piece of a stroke, that are painted at most: some seconds."""

Point = tuple[float, float]


class Stroke(NamedTuple):
    """A line drawn with a round brush: over what to keep, or over what to remove."""

    keep: bool
    points: Sequence[Point]
    width: float


def draw_labels(strokes: Iterable[Stroke], size: tuple[int, int], *, undecided: int) -> Array:
    """Labels of (height, width): 1 under strokes to keep, 0 under those to remove, `undecided` elsewhere.

    A later stroke covers an earlier one. Points are (x, y), and may lie outside. ValueError if drawing would take many
    seconds.
    """
    from PIL import Image, ImageDraw

    plane = Image.new("L", (size[1], size[0]), undecided)
    draw = ImageDraw.Draw(plane)
    budget = MAX_PAINTED
    for stroke in strokes:
        label, radius = int(stroke.keep), max(stroke.width / 2, 0.5)
        # Piece by piece: Pillow keeps all other threads waiting while it draws one.
        for (x, y), length, onward in _pieces(stroke.points, apart=radius / 4):
            # A row of a shape takes as long as some tens of its pixels.
            seen = _reach(2 * radius + length, size)
            budget -= 40 * (radius + seen) + _reach(2 * radius, size) * seen
            if budget < 0:
                raise ValueError("strokes are too many, too wide and too long to be drawn")
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=label)
            if onward is not None:
                # Of at least 2 pixels: thinner lines Pillow follows outside the picture, too.
                draw.line(((x, y), onward), fill=label, width=max(2, round(2 * radius)))
    return np.array(plane)


def _pieces(points: Sequence[Point], apart: float) -> Iterator[tuple[Point, float, Point | None]]:
    """Each point, the way to the next and that; without points so near that nobody sees them, but with the last."""
    kept = [points[0]]
    for point in points[1:-1]:
        if dist(point, kept[-1]) >= apart:
            kept.append(point)
    kept += points[1:][-1:]
    for point, onward in zip(kept, [*kept[1:], None], strict=True):
        yield point, 0.0 if onward is None else dist(point, onward), onward


def _reach(length: float, size: tuple[int, int]) -> float:
    """How much of a length can be seen in a picture of this size."""
    return min(length, size[0] + size[1])
