"""What the caller says about the subject, checked, and brought to the size at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from . import _core
from ._arrays import Array, clipped, four_integers, integer, real, require_host
from .chromakey import key_color
from .threshold import threshold

if TYPE_CHECKING:
    from .model import Model

Box = tuple[int, int, int, int]

# A point is a disc of a radius of one in so many pixels of the longer side.
_POINT_SHARE = 200


@dataclass(frozen=True)
class Prompt:
    """What the caller says about the subject."""

    NAMES: ClassVar = frozenset(("box", "points", "labels", "mask", "trimap", "key", "instance"))

    box: Sequence[int] | None = None
    points: Sequence[Sequence[float]] | None = None
    labels: Array | None = None
    mask: Array | None = None
    trimap: Array | None = None
    key: Any = None
    instance: int | None = None
    model: Model | None = None  # an option, not a prompt of one picture
    size: tuple[int, int] = (0, 0)  # of the picture; set by checked()

    def __post_init__(self) -> None:
        """What can be checked without the picture."""
        names = ("box", "points", "labels", "mask", "trimap", "key", "model")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) > 1 and not {"box", "points", "labels", "model"}.issuperset(given):
            raise ValueError(
                f"the prompts {' and '.join(given)} contradict: only box, points, labels and model go together"
            )
        if self.instance is not None:
            integer(self.instance, "instance", 0)
            if self.model is None:
                raise ValueError("instance is one of those that a model finds, but there is no model")
        if self.box is not None:
            four_integers(self.box)
        if self.points is not None:
            _checked_points(self.points)
        if self.key is not None:
            key_color(self.key)
        for name in ("labels", "mask", "trimap"):
            hint = getattr(self, name)
            if hint is None:
                continue
            require_host(hint, name)
            dtypes = (np.uint8, np.bool_) if name == "mask" else (np.uint8,)
            if not isinstance(hint, np.ndarray) or hint.dtype not in dtypes:
                kind = hint.dtype if isinstance(hint, np.ndarray) else type(hint).__name__
                raise TypeError(f"{name} must be a uint8 {'or bool ' * (name == 'mask')}ndarray, got {kind}")

    def checked(self, size: tuple[int, int]) -> Prompt:
        """The same for a picture of this size, or an error if they do not go together."""
        for name in ("labels", "mask", "trimap"):
            hint = getattr(self, name)
            if hint is not None and hint.shape != size:
                raise ValueError(f"{name} must have the picture's shape {size}, got {hint.shape}")
        if self.labels is not None and self.labels.max() > 3:
            raise ValueError(f"labels must be 0, 1, 2 or 3, got {self.labels.max()}")
        if self.trimap is not None:
            _require_solvable(self.trimap)
        mask = None if self.mask is None else threshold(self.mask.view(np.uint8), 0)
        box = None if self.box is None else clipped(self.box, size)
        labels = self.labels if self.points is None else self._with_points(self.points, size)
        return replace(self, mask=mask, box=box, labels=labels, size=size)

    def _with_points(self, points: Sequence[Sequence[float]], size: tuple[int, int]) -> Array:
        """The labels with each point as a small disc on top; undecided elsewhere if there are none."""
        if self.labels is not None:
            labels = self.labels.copy()
        else:
            labels = np.full(size, 2 if self.box is None else 3, np.uint8)
        radius = max(1, min(max(size) // _POINT_SHARE, min(size) // 8))
        for x, y, keep in _checked_points(points):
            if not (0 <= x < size[1] and 0 <= y < size[0]):
                raise ValueError(f"points: ({x:g}, {y:g}) lies outside the picture of {size[1]} x {size[0]}")
            left, top = max(0, int(x) - radius), max(0, int(y) - radius)
            part = labels[top : int(y) + radius + 1, left : int(x) + radius + 1]
            rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
            part[(rows - int(y)) ** 2 + (columns - int(x)) ** 2 <= radius**2] = keep
        return labels

    def outside(self, size: tuple[int, int]) -> Array:
        """Where a picture of this size lies outside the box; nowhere without one."""
        outside = np.zeros(size, bool)
        if self.box is not None:
            x, y, width, height = self.box
            top, bottom = _scaled(y, y + height, self.size[0], size[0])
            left, right = _scaled(x, x + width, self.size[1], size[1])
            outside[:] = True
            outside[top:bottom, left:right] = False
        return outside

    def surely_outside(self, size: tuple[int, int]) -> Array:
        """Where the background can be sampled: outside the box, or else a frame of 1/20 of the shorter side."""
        outside = self.outside(size)
        if not outside.any():
            frame = max(1, min(size) // 20)
            outside[:] = True
            outside[frame:-frame, frame:-frame] = False
        return outside


def _checked_points(points: Any) -> list[tuple[float, float, int]]:
    """Each as (x, y, keep)."""
    if not isinstance(points, (Sequence, np.ndarray)) or isinstance(points, (str, bytes)):
        raise TypeError(f"points must be a sequence of (x, y) or (x, y, keep), got {type(points).__name__}")
    checked = []
    for point in points:
        if not isinstance(point, (Sequence, np.ndarray)) or isinstance(point, (str, bytes)):
            raise TypeError(f"each of points must be (x, y) or (x, y, keep), got {point!r}")
        if len(point) not in (2, 3):
            raise ValueError(f"each of points must be (x, y) or (x, y, keep), got {len(point)} values")
        x, y = (real(value, "x and y of points") for value in point[:2])
        keep = real(point[2], "keep in points") if len(point) == 3 else 1
        if keep not in (0, 1):
            raise ValueError(f"keep in points must be 1 (subject) or 0 (not the subject), got {keep!r}")
        checked.append((x, y, int(keep)))
    if not checked:
        raise ValueError("points must have at least one point")
    return checked


def nearest(image: Array, size: tuple[int, int]) -> Array:
    """The picture at another size, each pixel from the one at its centre."""
    rows, columns = ((2 * np.arange(n) + 1) * old // (2 * n) for n, old in zip(size, image.shape, strict=False))
    if size[0] > image.shape[0]:  # whole rows last
        return image.take(columns, axis=1).take(rows, axis=0)
    return image.take(rows, axis=0).take(columns, axis=1)


def _require_solvable(trimap: Array) -> None:
    """Unknown pixels need known ones of both kinds."""
    background, unknown, foreground = _core.trimap_kinds(trimap)
    for known, kind in ((background, "background (0)"), (foreground, "foreground (255)")):
        if unknown and not known:
            raise ValueError(f"trimap has unknown pixels (between 0 and 255) but no known {kind}")


def _scaled(begin: int, end: int, old: int, new: int) -> tuple[int, int]:
    """[begin, end) of `old` pixels as a range, never empty, of `new` pixels."""
    low = min(new - 1, (2 * begin * new + old) // (2 * old))
    return low, max(low + 1, (2 * end * new + old) // (2 * old))
