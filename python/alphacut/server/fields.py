"""The fields of a request: their names, what they may say and what it means. The OpenAPI document is made from them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from reprlib import repr
from typing import Any

from .._color import parse_color
from .._strokes import Stroke
from .errors import ApiError

MAX_STROKES, MAX_POINTS, MAX_COORDINATE, MAX_WIDTH = 1000, 50_000, 1_000_000, 10_000
MAX_BOX = 2**30


@dataclass(frozen=True)
class Field:
    """One field of a multipart form.

    Attributes
    ----------
    name : str
        As the pipeline knows it.
    help : str
        For people.
    parse : callable, optional
        From its text to its value, or ValueError; None for a file.
    aliases : tuple of str
        What other services' clients call it.
    words : tuple of str
        The only values, if there are few.
    example : str
        A value.
    """

    name: str
    help: str
    parse: Callable[[str], Any] | None = None
    aliases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    example: str = ""


def parse(fields: Sequence[Field], given: Iterable[tuple[str, Any]], is_file: Callable[[Any], bool]) -> dict[str, Any]:
    """The values of the fields that were given, files as they came. An empty text is as none.

    Raises
    ------
    ApiError
        400, for a field that is unknown, there twice, a file instead of a text or the reverse, or cannot be understood.
    """
    known = {name: field for field in fields for name in (field.name, *field.aliases)}
    values: dict[str, Any] = {}
    for name, value in given:
        if name not in known:
            raise ApiError(400, "unknown_field", _unknown(name, known))
        field = known[name]
        if value == "" or (is_file(value) and not value.filename and not value.size):
            continue  # what a browser sends for an input left empty
        if is_file(value) != (field.parse is None):
            raise ApiError(400, "invalid_field", f"{name} must be {'a file' if field.parse is None else 'a text'}")
        if field.name in values:
            raise ApiError(400, "repeated_field", f"{name} was given before" + _also(field))
        try:
            values[field.name] = field.parse(value) if field.parse else value
        except ValueError as error:
            raise ApiError(400, "invalid_field", f"{name}: {error}") from error
    return {name: value for name, value in values.items() if value is not None}


def _unknown(name: str, known: Mapping[str, Field]) -> str:
    if name in ("url", "image_url", "bg_image_url"):
        return f"{name}: this server fetches nothing; send the picture itself"
    return f"{name[:80]!r} is no field of this request; these are: {', '.join(known)}"


def _also(field: Field) -> str:
    return f" ({', '.join((field.name, *field.aliases))} are one field)" if field.aliases else ""


# --- values ----------------------------------------------------------------------------------------------------------


def one_of(*words: str) -> dict[str, Any]:
    """The parser and the words of a field that knows only these."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}, got {text[:80]!r}")
        return text

    return {"parse": parse, "words": words, "example": words[0]}


def boolean(text: str) -> bool:
    """True or false, 1 or 0, yes or no, on or off."""
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError(f"must be true or false, got {text[:80]!r}")
    return words[text.lower()]


def box(text: str) -> tuple[int, ...]:
    """x,y,width,height."""
    if not re.fullmatch(r"\s*-?\d{1,9}\s*(,\s*-?\d{1,9}\s*){3}", text):
        raise ValueError(f"must be four whole numbers x,y,width,height, got {text[:80]!r}")
    return tuple(map(int, text.split(",")))


def edge(text: str) -> tuple[float, float]:
    """shift,feather, or the shift alone."""
    found = re.fullmatch(r"\s*([+-]?\d{1,3}(?:\.\d{1,6})?)\s*(?:,\s*(\d{1,3}(?:\.\d{1,6})?)\s*)?", text)
    shift, feather = (float(found[1]), float(found[2] or 0)) if found else (math.inf, 0)
    if abs(shift) > 100 or feather > 100:
        raise ValueError(f"must be shift,feather in pixels, -100 to 100 and 0 to 100, got {text[:80]!r}")
    return shift, feather


def region(text: str) -> tuple[tuple[float, bool], ...]:
    """x1 y1 x2 y2, each in pixels or percent: (value, whether percent)."""
    parts = re.split(r"[\s,]+", text.strip())
    found = [re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(px|%|)", part) for part in parts]
    if len(parts) != 4 or not all(found):
        raise ValueError(f"must be 'x1 y1 x2 y2' in pixels or percent, such as '10% 10% 90% 100%', got {text[:80]!r}")
    return tuple((float(match[1]), match[2] == "%") for match in found if match)


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number in a range."""

    def parse(text: str) -> int:
        found = re.fullmatch(r"(\d{1,9})(?:px)?", text)
        if not found or not low <= int(found[1]) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, got {text[:80]!r}")
        return int(found[1])

    return parse


def colour(text: str) -> tuple[int, int, int] | None:
    """#rrggbb, rrggbb, a CSS name, r,g,b or r,g,b,a; None if that is transparent."""
    parts = text.split(",")
    if len(parts) == 4:
        if parts[3].strip() not in ("0", "255"):
            raise ValueError(f"the colour must be opaque (255) or transparent (0), got {text[:80]!r}")
        if parts.pop().strip() == "0":
            return None
    if len(parts) == 3 and all(re.fullmatch(r"\s*\d{1,3}\s*", part) for part in parts):
        return parse_color(tuple(map(int, parts)), "the colour")
    bare = re.fullmatch(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", text)
    return parse_color(f"#{text}" if bare else text[:80], "the colour")


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from error


def strokes(text: str) -> list[Stroke]:
    """A JSON list of strokes."""
    return checked_strokes(_from_json(text))


def points(text: str) -> list[tuple[float, ...]]:
    """A JSON list of points: [x, y] of the subject, [x, y, 0] of what is not."""
    return checked_points(_from_json(text))


def checked_points(found: Any) -> list[tuple[float, ...]]:
    """Points from what a JSON parser gave."""
    if not isinstance(found, list) or not 1 <= len(found) <= MAX_POINTS:
        raise ValueError(f"must be a list of 1 to {MAX_POINTS} points")
    for point in found:
        if not isinstance(point, list) or len(point) not in (2, 3) or not all(map(_is_coordinate, point)):
            raise ValueError(f"a point must be [x, y] or [x, y, keep], got {repr(point)}")
        if len(point) == 3 and point[2] not in (0, 1):
            raise ValueError(f"keep must be 1 or 0, got {repr(point[2])}")
    return [tuple(point) for point in found]


def checked_strokes(found: Any) -> list[Stroke]:
    """Strokes from what a JSON parser gave: a list of {"keep": bool, "width": pixels, "points": [[x, y], ...]}."""
    if not isinstance(found, list) or len(found) > MAX_STROKES:
        raise ValueError(f"must be a list of at most {MAX_STROKES} strokes")
    made = []
    total = 0
    for each in found:
        if not isinstance(each, dict) or set(each) != {"keep", "width", "points"} or not isinstance(each["keep"], bool):
            raise ValueError('each must be {"keep": true or false, "width": pixels, "points": [[x, y], ...]}')
        width, points = each["width"], each["points"]
        if not _is_number(width) or not 0 < width <= MAX_WIDTH:
            raise ValueError(f"a width must be above 0 and at most {MAX_WIDTH}, got {repr(width)}")
        if not isinstance(points, list) or not points:
            raise ValueError("each needs at least one point [x, y]")
        total += len(points)
        if total > MAX_POINTS:
            raise ValueError(f"more than {MAX_POINTS} points")
        for point in points:
            if not isinstance(point, list) or len(point) != 2 or not all(map(_is_coordinate, point)):
                raise ValueError(f"a point must be [x, y], each within ±{MAX_COORDINATE}, got {repr(point)}")
        made.append(Stroke(each["keep"], [(x, y) for x, y in points], width))
    return made


def checked_box(found: Any) -> tuple[int, ...] | None:
    """A box from what a JSON parser gave: None or [x, y, width, height]."""
    if found is None:
        return None
    if (
        not isinstance(found, list)
        or len(found) != 4
        or not all(_is_number(each) and abs(each) <= MAX_BOX for each in found)
    ):
        raise ValueError(f"box must be null or [x, y, width, height], each within ±2^30, got {repr(found)}")
    return tuple(map(round, found))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_coordinate(value: Any) -> bool:
    return _is_number(value) and abs(value) <= MAX_COORDINATE  # false for NaN, too
