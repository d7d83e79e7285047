"""What the caller says about the subject, checked, and brought to the size at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ._arrays import box_in_pixels, clipped, integer, plain, real, require_host, shown
from .chromakey import key_color
from .files.labels import prompt_array

if TYPE_CHECKING:
    from .model import Model

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Prompt:
    """What the caller says about the subject."""

    NAMES: ClassVar = frozenset(("box", "points", "labels", "mask", "trimap", "key", "instance"))

    box: Sequence[int | str] | None = None
    points: Sequence[Sequence[float]] | None = None
    labels: Any = None
    mask: Any = None
    trimap: Any = None
    key: Any = None
    instance: int | None = None
    model: Model | None = None  # an option, not a prompt of one picture

    def __post_init__(self) -> None:
        """What can be checked without the picture; labels, mask and trimap become arrays."""
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
            box_in_pixels(self.box, (100, 100))
        if self.points is not None:
            checked_points(self.points)
        if self.key is not None:
            key_color(self.key)
        for name in ("labels", "mask", "trimap"):
            hint = getattr(self, name)
            if hint is None:
                continue
            require_host(hint, name)
            if not isinstance(hint, np.ndarray):
                object.__setattr__(self, name, prompt_array(hint, name, in_box=self.box is not None))
                continue
            hint = np.asarray(hint)  # of a subclass no method is called
            object.__setattr__(self, name, hint)
            if hint.dtype != np.uint8 and (name != "mask" or hint.dtype != np.bool_):
                raise TypeError(f"{name} must be a uint8 {'or bool ' * (name == 'mask')}ndarray, got {hint.dtype}")

    def checked(self, size: tuple[int, int]) -> Prompt:
        """The same for a picture of this size, or an error if they do not go together."""
        for name in ("labels", "mask", "trimap"):
            hint = getattr(self, name)
            if hint is not None and hint.shape != size:
                raise ValueError(f"{name} must have the picture's shape {size}, got {hint.shape}")
        for x, y, _ in () if self.points is None else checked_points(self.points):
            if not (0 <= x < size[1] and 0 <= y < size[0]):
                raise ValueError(f"points: ({x:g}, {y:g}) lies outside the picture of {size[1]} x {size[0]}")
        return replace(self, box=None if self.box is None else clipped(self.box, size))

    def of_core(self) -> dict[str, Any]:
        """As the core takes it."""
        key = None if self.key is None else key_color(self.key)
        return {
            "box": self.box,
            "points": () if self.points is None else checked_points(self.points),
            "labels": self.labels,
            "mask": self.mask,
            "trimap": self.trimap,
            "key": None if key is None else tuple(tuple(value / 255 for value in triple) for triple in key[:3]),
        }


def checked_points(points: Any) -> list[tuple[float, float, int]]:
    """Each as (x, y, keep)."""
    if not isinstance(points, (Sequence, np.ndarray)) or isinstance(points, (str, bytes)):
        raise TypeError(f"points must be a sequence of (x, y) or (x, y, keep), got {type(points).__name__}")
    checked = []
    for point in map(plain, plain(points)):
        if not isinstance(point, (Sequence, np.ndarray)) or isinstance(point, (str, bytes)):
            raise TypeError(f"each of points must be (x, y) or (x, y, keep), got {shown(point)}")
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
