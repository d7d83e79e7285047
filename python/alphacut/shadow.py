"""The shadow of a cutout: its own shape behind it, or what darkens the ground where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np

from . import _core, _text
from ._arrays import Array, box_of, choice, full_scale, percent, plain, real, run, shown
from ._color import Color, parse_color

__all__ = ["Shadow", "cast_shadow"]

Kind = Literal["drop", "contact"]
Length = float | str

# What a kind is by default: where it lies, and how soft and dark it is.
_OFFSET: dict[str, tuple[Length, Length]] = {"drop": ("2%", "3%"), "contact": (0, 0)}
_SOFTNESS: dict[str, Length] = {"drop": "3%", "contact": "4%"}
_OPACITY = {"drop": 0.4, "contact": 0.6}
_LARGEST = 1e6


@dataclass(frozen=True)
class Shadow:
    """How a shadow lies and looks.

    Attributes
    ----------
    kind : {"drop", "contact"}
        The subject's shape, moved and blurred, as on a wall behind it; or what darkens the ground where it stands,
        along its lower outline.
    offset : (right, down), optional
        Where it lies: pixels, or a percentage ("2%") of the longer side of the subject's box. By default ("2%", "3%"),
        and (0, 0) of a contact.
    softness : float or str, optional
        Standard deviation of its blur, in the same units, 0 or more; by default "3%", and "4%" of a contact.
    opacity : float, optional
        Where it is darkest, 0..1; by default 0.4, and 0.6 of a contact.
    color : str or (r, g, b)
        "#rrggbb", a CSS name or three integers from 0 to 255.

    Raises
    ------
    TypeError, ValueError
        If a value is of another type, or out of its range.

    Examples
    --------
    >>> from alphacut import Shadow
    >>> Shadow("drop", opacity=0.3).offset
    ('2%', '3%')
    """

    kind: str = "drop"
    offset: Sequence[Length] | None = None
    softness: Length | None = None
    opacity: float | None = None
    color: Color = "black"

    def __post_init__(self) -> None:
        kind = choice(self.kind, "kind", get_args(Kind))
        offset = _OFFSET[kind] if self.offset is None else self.offset
        if not isinstance(offset, (tuple, list)):
            raise TypeError(f"offset must be (right, down), got {type(offset).__name__}")
        if len(offset) != 2:
            raise ValueError(f"offset must be (right, down), got {shown(offset)}")
        opacity = real(_OPACITY[kind] if self.opacity is None else self.opacity, "opacity")
        if not 0 <= opacity <= 1:
            raise ValueError(f"opacity must be from 0 to 1, got {opacity}")
        values = {
            "offset": tuple(_length(each, "offset", -_LARGEST) for each in offset),
            "softness": _length(_SOFTNESS[kind] if self.softness is None else self.softness, "softness", 0),
            "opacity": opacity,
            "color": parse_color(self.color, "color"),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def scaled(self, factor: float) -> Shadow:
        """The same for a picture in another size: lengths in pixels times `factor`."""
        assert self.offset is not None
        right, down, softness = (
            each if isinstance(each, str) else factor * each for each in (*self.offset, self.softness or 0)
        )
        return replace(self, offset=(right, down), softness=softness)

    @classmethod
    def of(cls, value: Any, name: str = "shadow") -> Shadow | None:
        """From what an argument may be: a shadow, a text such as "drop" or "contact:opacity=0.3", or None."""
        if value is None or isinstance(value, Shadow):
            return value
        if not isinstance(value, str):
            raise TypeError(f"{name} must be a Shadow or a str, got {type(value).__name__}")
        try:
            return from_text(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from error


def from_text(text: str) -> Shadow:
    """A shadow from its kind and, after colons, what of it is another than by default."""
    kind, *rest = text.strip().split(":", len(fields(Shadow)))
    given: dict[str, Any] = {"kind": _text.one_of(*get_args(Kind))(kind)}
    for part in rest:
        name, equals, value = (each.strip() for each in part.partition("="))
        if name not in _PARTS or not equals:
            raise ValueError(f"must be {' or '.join(get_args(Kind))} and then {_SYNTAX}, got {part[:80]!r}")
        if name in given:
            raise ValueError(f"has {name} twice")
        given[name] = _PARTS[name](value)
    return Shadow(**given)


def _as_length(text: str) -> Length:
    return text if percent(text) is not None else _text.real(text)


def _as_color(text: str) -> Color:
    color = _text.colour(text)
    if color is None:
        raise ValueError("color must be opaque")
    return color


_PARTS = {
    "offset": lambda text: tuple(map(_as_length, text.split(",", 2))),
    "softness": _as_length,
    "opacity": _text.real,
    "color": _as_color,
}
_SYNTAX = ":offset=X,Y:softness=S:opacity=0..1:color=COLOR"


def _length(value: Any, name: str, low: float) -> Length:
    """Pixels, or a percentage as a text."""
    if isinstance(value, str):
        share = percent(value)
        if share is None:
            raise ValueError(f"{name} must be pixels or a percentage such as '2%', got {shown(value)}")
        number = share
    else:
        number = real(value, name)
    if not low <= number <= _LARGEST:
        raise ValueError(f"{name} must be from {low:g} to {_LARGEST:g}, got {shown(value)}")
    return value if isinstance(value, str) else number


def cast_shadow(alpha: Array, shadow: Shadow | str = "drop", *, out: Array | None = None) -> Array:
    """How much of each pixel a subject's shadow covers.

    Parameters
    ----------
    alpha : (H, W) array of uint8, uint16, float32 or bool
        What is subject, as for :func:`composite`.
    shadow : Shadow or str
        How it lies and looks; its colour does not matter here. A text is its kind, "drop" or "contact", and after
        colons what is not as by default: "drop:offset=10,5%:softness=8:opacity=0.3".
    out : array, optional
        Where to write: of the shape and dtype of `alpha` (uint8 of bool), sharing no memory with it.

    Returns
    -------
    (H, W) array of the dtype of `alpha`, or uint8
        From 0 to `opacity` of the whole range, under the subject, too: :func:`composite` puts it between subject and
        background.

    Raises
    ------
    TypeError
        If an argument has another type or dtype.
    ValueError
        If the shape is another, a float32 value is not finite or leaves 0..1, or a text cannot be understood.

    Notes
    -----
    A drop shadow is `alpha`, moved by whole pixels and blurred by three boxes in each direction, about a Gaussian
    (Kovesi, Fast Almost-Gaussian Filtering, 2010). Where the picture cuts the subject off, it goes on as it is at the
    border. A contact shadow is drawn along the lowest pixels of the subject (`alpha` above one half) in each column. At
    a height of h above the lowest of all it counts by 1 / (1 + (h / r)²)², r 8 % of the subject's height, so that hind
    legs cast one, and a belly next to none. It is blurred a third as much up and down as sideways, as the ground is
    seen at an angle, and a line on the ground keeps its `opacity`. Percentages are of the longer side of the box that
    holds the subject, so that a shadow keeps its lengths when the cutout is cropped or scaled. Where a crop touches the
    subject, or cuts through it, a shadow cast afterwards is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from alphacut import cast_shadow
    >>> alpha = np.zeros((4, 5), np.uint8)
    >>> alpha[1, 1] = 255
    >>> cast_shadow(alpha, "drop:offset=2,1:softness=0:opacity=0.2")[2].tolist()
    [0, 0, 0, 51, 0]
    """
    cast = Shadow.of(shadow)
    if cast is None:
        raise TypeError("shadow must be a Shadow or a str, got NoneType")
    alpha = plain(alpha)
    if isinstance(alpha, np.ndarray) and alpha.dtype == np.bool_:
        alpha = alpha.astype(np.uint8) * np.uint8(255)
    return run(lambda plane, to: _cast(plane, cast, to), alpha, out)


def between(alpha: Array, shadow: Shadow) -> dict[str, Any]:
    """The shadow as the core takes it with what it composes; `alpha` in a depth of the core."""
    return {"shadow": _cast(alpha, shadow, None), "shade": shadow.color}


def _cast(alpha: Array, shadow: Shadow, out: Array | None) -> Array:
    given: Any = (*(shadow.offset or ()), shadow.softness)
    longest = _longest_side(alpha) if any(isinstance(each, str) for each in given) else 0
    dx, dy, softness = (each if share is None else share * longest / 100 for each in given for share in [percent(each)])
    return _core.cast_shadow(alpha, shadow.kind == "contact", dx, dy, softness, shadow.opacity or 0.0, out)


def _longest_side(alpha: Array) -> int:
    """Of the box that holds what is above one half."""
    if not isinstance(alpha, np.ndarray) or alpha.ndim != 2:
        return 0  # which the binding refuses
    box = box_of(alpha > full_scale(alpha) / 2)
    return 0 if box is None else max(box[2:])
