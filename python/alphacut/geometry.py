"""A picture flipped, turned, cropped and padded, and with it all that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ._arrays import _N, Array, choice, four_integers, integer, numbers, of_dtype, plain, shown
from ._prompt import Box


@dataclass(frozen=True)
class Geometry:
    """How one picture comes from another: flips, quarter turns, a crop and a border, each a method with a new one.

    What it says holds for pictures, masks, alpha and labels alike, and for boxes and points.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the picture that it begins with, in pixels.

    Attributes
    ----------
    size : (int, int)
        Height and width of the picture that it ends with.

    Raises
    ------
    TypeError
        If `shape`, or an argument of a method, is not of whole numbers.
    ValueError
        If one is out of range; if an array has another height and width than `shape`.

    Examples
    --------
    >>> import numpy as np, alphacut
    >>> mask = np.array([[0, 1, 2], [3, 4, 5]], np.uint8)
    >>> upright = alphacut.Geometry(mask.shape).rotate(1).pad(1)
    >>> upright.image(mask, fill=9)
    array([[9, 9, 9, 9],
           [9, 2, 5, 9],
           [9, 1, 4, 9],
           [9, 0, 3, 9],
           [9, 9, 9, 9]], dtype=uint8)
    >>> upright.box((1, 0, 2, 1)), upright.points([(2, 1)])
    ((1, 1, 1, 2), [(2, 1)])
    >>> back = upright.inverse()
    >>> np.array_equal(back.image(upright.image(mask)), mask)
    True
    """

    shape: tuple[int, int]
    # The picture's rows and columns exchanged or not and then each reversed or not; what of it is left, and the window
    # that is seen, which may go beyond: rectangles of it as (top, left, height, width).
    _transposed: bool = False
    _reversed: tuple[bool, bool] = (False, False)
    _left: Box = (0, 0, -1, -1)
    _window: Box = (0, 0, -1, -1)

    def __post_init__(self) -> None:
        shape = plain(self.shape)
        if not isinstance(shape, (tuple, list)) or len(shape) < 2:
            raise ValueError(f"shape must be (height, width), got {shown(self.shape)}")
        height, width = (integer(side, "each of shape", 0) for side in shape[:2])
        object.__setattr__(self, "shape", (height, width))
        if self._window[2] < 0:
            object.__setattr__(self, "_left", (0, 0, height, width))
            object.__setattr__(self, "_window", (0, 0, height, width))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture that it ends with."""
        return self._window[2:]

    def flip(self, direction: Literal["horizontal", "vertical"] = "horizontal") -> Geometry:
        """Then left and right exchanged, or top and bottom."""
        across = choice(direction, "direction", ("horizontal", "vertical")) == "horizontal"
        rows, columns = self.shape[::-1] if self._transposed else self.shape

        def flipped(part: Box) -> Box:
            top, left, height, width = part
            return (
                (top, columns - left - width, height, width) if across else (rows - top - height, left, height, width)
            )

        down = self._reversed[0] ^ (not across), self._reversed[1] ^ across
        return Geometry(self.shape, self._transposed, down, flipped(self._left), flipped(self._window))

    def rotate(self, turns: int) -> Geometry:
        """Then turned by so many quarters, counterclockwise as ``numpy.rot90``; negative turns go the other way."""
        result = self
        for _ in range(integer(turns, "turns") % 4):
            result = result._transpose().flip("vertical")
        return result

    def crop(self, box: Sequence[int]) -> Geometry:
        """Then what lies in a box (x, y, width, height), clipped to the picture."""
        x, y, width, height = found = four_integers(box)
        if min(found) < 0:
            raise ValueError(f"box must have no value below 0, got {shown(box)}")
        top, left = self._window[:2]
        window = _common((top + y, left + x, height, width), self._window)
        return Geometry(self.shape, self._transposed, self._reversed, _common(self._left, window), window)

    def pad(self, border: int | Sequence[int]) -> Geometry:
        """Then so many pixels more on each side, or on (top, right, bottom, left)."""
        sides = (border,) * 4 if isinstance(border, (int, np.integer)) else border
        top, right, bottom, left = found = four_integers(sides, "border", "top, right, bottom, left")
        if min(found) < 0:
            raise ValueError(f"border must have no value below 0, got {shown(border)}")
        y, x, height, width = self._window
        window = y - top, x - left, height + top + bottom, width + left + right
        return Geometry(self.shape, self._transposed, self._reversed, self._left, window)

    def inverse(self) -> Geometry:
        """The way back: what was cropped away is a border then, and what was padded is cropped."""
        top, left, height, width = self._window
        rows, columns = self.shape[::-1] if self._transposed else self.shape
        kept = self._left[0] - top, self._left[1] - left, *self._left[2:]
        back = Geometry((height, width), False, (False, False), kept, (-top, -left, rows, columns))
        down, across = self._reversed
        back = back.flip("vertical") if down else back
        back = back.flip("horizontal") if across else back
        return back._transpose() if self._transposed else back

    def image(self, image: Array, *, fill: float = 0) -> Array:
        """The array of the picture that it ends with.

        Parameters
        ----------
        image : (H, W) or (H, W, C) array
            Of the picture that it begins with: colours, a mask, an alpha, labels, of any dtype.
        fill : scalar
            The value of a border.

        Returns
        -------
        array
            (height, width) or (height, width, C), a copy, of the dtype of `image`.
        """
        if not isinstance(image, np.ndarray):
            raise TypeError(f"image must be a numpy.ndarray, got {type(image).__name__}")
        image = np.asarray(image)
        if image.ndim not in (2, 3) or image.shape[:2] != self.shape:
            raise ValueError(f"image must have shape {self.shape} or (*{self.shape}, channels), got {image.shape}")
        turned = image.swapaxes(0, 1) if self._transposed else image
        turned = turned[:: -1 if self._reversed[0] else 1, :: -1 if self._reversed[1] else 1]
        top, left, height, width = self._window
        if image.dtype.kind not in "biuf":
            raise TypeError(f"image must be of bool, integers or floating point, got {image.dtype}")
        result = np.full((height, width, *image.shape[2:]), of_dtype(fill, "fill", image.dtype), image.dtype)
        y, x, rows, columns = _common(self._left, self._window)
        result[y - top :, x - left :][:rows, :columns] = turned[y:, x:][:rows, :columns]
        return result

    def box(self, box: Sequence[int]) -> Box:
        """Where a box (x, y, width, height) comes to lie; it is not clipped."""
        x, y, width, height = four_integers(box)
        first = self._point(x, y)
        last = self._point(x + width - 1, y + height - 1)
        if self._transposed:
            width, height = height, width
        return min(first[0], last[0]), min(first[1], last[1]), width, height

    def points(self, points: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
        """Where points (x, y) come to lie, pixels counted from 0; what else one has, as `keep`, goes with it."""
        placed = []
        for point in points:
            values = numbers(point, "each of points", None)
            if values.ndim != 1 or len(values) < 2:
                raise ValueError(f"each of points must be (x, y), with or without more, got {shown(point)}")
            x, y, *more = values.tolist()
            placed.append((*self._point(x, y), *more))
        return placed

    def _transpose(self) -> Geometry:
        """Then rows and columns exchanged."""
        (down, across), parts = self._reversed, [(p[1], p[0], p[3], p[2]) for p in (self._left, self._window)]
        return Geometry(self.shape, not self._transposed, (across, down), *parts)

    def _point(self, x: _N, y: _N) -> tuple[_N, _N]:
        rows, columns = self.shape
        if self._transposed:
            x, y, rows, columns = y, x, columns, rows
        x = columns - 1 - x if self._reversed[1] else x
        y = rows - 1 - y if self._reversed[0] else y
        return x - self._window[1], y - self._window[0]


def _common(part: Box, other: Box) -> Box:
    """What two rectangles have in common, within the second."""
    top, left = (min(max(part[k], other[k]), other[k] + other[k + 2]) for k in (0, 1))
    bottom, right = (min(part[k] + part[k + 2], other[k] + other[k + 2]) for k in (0, 1))
    return top, left, max(bottom - top, 0), max(right - left, 0)
