"""What a page says of its picture: the JSON of its requests, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from reprlib import repr
from typing import Any, NamedTuple

from .._color import parse_color
from .._frame import aspect_of
from .._strokes import Stroke
from .._text import from_json
from ..shadow import Shadow
from .errors import ApiError
from .fields import checked_box, checked_points, checked_strokes

Check = Callable[[Any], Any]


class Touch(NamedTuple):
    """A stroke that paints alpha: in, or out; over `softness`, a share of its radius, it fades towards its rim."""

    stroke: Stroke
    softness: float


_EDGE, _MARGIN, _SIDE = 100, 100_000, 2**30


@dataclass(frozen=True)
class Edit:
    """Where the subject is, and how it is cut; in pixels of the full picture.

    Attributes
    ----------
    box, points, strokes, key, similarity, blend, despill, clean, foreground
        As for :func:`alphacut.remove_background`; key is "auto" for the colour that the border has.
    mask : bool
        The mask that was sent is the subject. Box, points and strokes then change it directly.
    refine : bool
        Whether the edge becomes a matte.
    edge : (shift, feather)
    paint : tuple of Touch
        What was painted into the alpha in the end; what is painted in has the picture's colours.
    """

    box: tuple[int, ...] | None = None
    points: tuple[tuple[float, ...], ...] = ()
    strokes: tuple[Stroke, ...] = ()
    mask: bool = False
    key: tuple[int, int, int] | str | None = None
    similarity: float | None = None
    blend: float | None = None
    despill: bool = False
    clean: bool = True
    refine: bool = True
    edge: tuple[float, float] = (0.0, 0.0)
    foreground: bool = True
    paint: tuple[Touch, ...] = ()

    @property
    def matte(self) -> Edit:
        """The same as far as it matters before the edge is moved."""
        return replace(self, edge=(0.0, 0.0), foreground=True, paint=())


@dataclass(frozen=True)
class Wish:
    """What becomes of the cutout.

    Attributes
    ----------
    what : {"rgba", "mask", "alpha"}
    background : colour, "blur" or "picture", optional
        "picture" is the one that was sent.
    shadow : Shadow, optional
    crop : bool
        To the subject, with `margin` pixels around it, and wider or higher to this `aspect`.
    region : (x, y, width, height), optional
        Only this part of the picture.
    format : {"png", "webp", "jpeg", "tiff"}
    quality : int, optional
        Of JPEG and WebP.
    """

    what: str = "rgba"
    background: tuple[int, int, int] | str | None = None
    shadow: Shadow | None = None
    crop: bool = False
    margin: int = 0
    aspect: float | None = None
    region: tuple[int, ...] | None = None
    format: str = "png"
    quality: int | None = None


def cut_request(body: bytes) -> tuple[Edit, bool]:
    """What is said of the picture, and whether a draft will do."""
    given = _object(body)
    draft = _checked(given, {"draft": _flag}).get("draft", False)
    return _made(Edit, given, _EDIT, also=("draft",)), draft


def file_request(body: bytes) -> tuple[Edit, Wish]:
    """What is said of the picture, and what becomes of its cutout."""
    given = _object(body)
    return _made(Edit, given, _EDIT, also=_WISH), _made(Wish, given, _WISH, also=_EDIT)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = from_json(body)
    except ValueError as error:
        raise ApiError(400, "invalid_request", f"The body: {error}") from error
    if not isinstance(found, dict):
        raise ApiError(400, "invalid_request", "The request's JSON: must be an object")
    return found


def _made(kind: type, given: Mapping[str, Any], checks: Mapping[str, Check], also: Any) -> Any:
    if unknown := sorted(given.keys() - checks.keys() - set(also)):
        known = ", ".join(each.name for each in fields(kind))
        raise ApiError(400, "invalid_request", f"{repr(unknown[0])} is unknown: a page may say {known}")
    return kind(**_checked(given, checks))


def _checked(given: Mapping[str, Any], checks: Mapping[str, Check]) -> dict[str, Any]:
    values = {}
    for name, check in checks.items():
        if name in given:
            try:
                values[name] = check(given[name])
            except (ValueError, TypeError, RecursionError) as error:
                raise ApiError(400, "invalid_request", f"{name}: {error}") from error
    return values


# --- values ----------------------------------------------------------------------------------------------------------


def _flag(found: Any) -> bool:
    if not isinstance(found, bool):
        raise ValueError(f"must be true or false, got {repr(found)}")
    return found


def _number(low: float, high: float, kind: type = float) -> Check:
    def check(found: Any) -> Any:
        whole = kind is not int or (isinstance(found, (int, float)) and found == found // 1)
        if not isinstance(found, (int, float)) or isinstance(found, bool) or not low <= found <= high or not whole:
            what = "a whole number" if kind is int else "a number"
            raise ValueError(f"must be {what} from {low} to {high}, got {repr(found)}")
        return kind(found)

    return check


def _or_null(check: Check) -> Check:
    return lambda found: None if found is None else check(found)


def _word(*words: str) -> Check:
    def check(found: Any) -> Any:
        if found not in words:
            raise ValueError(f"must be one of {', '.join(words)}, got {repr(found)}")
        return found

    return check


def _colour_or(*words: str) -> Check:
    def check(found: Any) -> Any:
        if not isinstance(found, str):
            raise ValueError(f"must be a colour or one of {', '.join(words)}, got {repr(found)}")
        return found if found in words else parse_color(found[:80], "it")

    return check


def _edge(found: Any) -> tuple[float, float]:
    if not isinstance(found, list) or len(found) != 2:
        raise ValueError(f"must be [shift, feather], got {repr(found)}")
    return _number(-_EDGE, _EDGE)(found[0]), _number(0, _EDGE)(found[1])


def _paint(found: Any) -> tuple[Touch, ...]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError("must be a list of strokes, each with a softness")
    softness = [_number(0, 1)(each.get("softness")) for each in found]
    strokes = checked_strokes([{name: each[name] for name in each if name != "softness"} for each in found])
    return tuple(map(Touch, strokes, softness))


def _shadow(found: Any) -> Shadow:
    if not isinstance(found, dict) or not set(found) <= {"kind", "offset", "softness", "opacity", "color"}:
        raise ValueError(f"must have kind, offset, softness, opacity and color, got {repr(found)}")
    if not isinstance(found.get("color", ""), str):
        raise ValueError(f"color must be a str, got {repr(found['color'])}")
    return Shadow(**found)


def _region(found: Any) -> tuple[int, ...]:
    if not isinstance(found, list) or len(found) != 4:
        raise ValueError(f"must be [x, y, width, height], got {repr(found)}")
    return tuple(_number(low, _SIDE, int)(value) for low, value in zip((0, 0, 1, 1), found, strict=True))


_EDIT: dict[str, Check] = {
    "box": checked_box,
    "points": lambda found: () if found == [] else tuple(checked_points(found)),
    "strokes": lambda found: tuple(checked_strokes(found)),
    "mask": _flag,
    "key": _or_null(_colour_or("auto")),
    "similarity": _or_null(_number(0, 1)),
    "blend": _or_null(_number(0, 2)),
    "despill": _flag,
    "clean": _flag,
    "refine": _flag,
    "edge": _edge,
    "foreground": _flag,
    "paint": _paint,
}
_WISH: dict[str, Check] = {
    "what": _word("rgba", "mask", "alpha"),
    "background": _or_null(_colour_or("blur", "picture")),
    "shadow": _or_null(_shadow),
    "crop": _flag,
    "margin": _number(0, _MARGIN, int),
    "aspect": aspect_of,
    "region": _or_null(_region),
    "format": _word("png", "webp", "jpeg", "tiff"),
    "quality": _or_null(_number(1, 100, int)),
}
