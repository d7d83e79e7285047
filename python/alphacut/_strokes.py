"""Strokes of a brush as labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ._arrays import Array


class Stroke(NamedTuple):
    """A line drawn with a round brush: over what to keep, or over what to remove."""

    keep: bool
    points: Sequence[tuple[float, float]]
    width: float


def draw_labels(strokes: Iterable[Stroke], size: tuple[int, int], *, undecided: int) -> Array:
    """Labels of (height, width): 1 under strokes to keep, 0 under those to remove, `undecided` elsewhere.

    A later stroke covers an earlier one. Points are (x, y), and may lie outside.
    """
    from PIL import Image, ImageDraw

    plane = Image.new("L", (size[1], size[0]), undecided)
    draw = ImageDraw.Draw(plane)
    for stroke in strokes:
        label, radius = int(stroke.keep), max(stroke.width / 2, 0.5)
        if len(stroke.points) > 1:
            draw.line(list(stroke.points), fill=label, width=max(1, round(2 * radius)), joint="curve")
        for x, y in (stroke.points[0], stroke.points[-1]):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=label)
    return np.array(plane)
