"""Values from text, as command lines and the forms of requests say them. Each raises ValueError for any other text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

from ._arrays import percent
from ._color import parse_color

T = TypeVar("T")

MAX_SEVERAL = 50_000
"""The longest list that is taken."""

MAX_JSON_VALUES = 10 * MAX_SEVERAL
"""Values of a JSON text, a list being one: enough for three of the longest lists of points, and quick to parse."""


def flag(text: str) -> bool:
    """True or false, 1 or 0, yes or no, on or off."""
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if text.strip().lower() not in words:
        raise ValueError(f"must be true or false, got {text[:80]!r}")
    return words[text.strip().lower()]


def one_of(*words: str) -> Callable[[str], str]:
    """The reader of one of these words, in lower or upper case."""

    def read(text: str) -> str:
        if text.strip().lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}, got {text[:80]!r}")
        return text.strip().lower()

    return read


def integer(text: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", text):
        raise ValueError(f"must be a whole number, got {text[:80]!r}")
    return int(text)


def real(text: str) -> float:
    """A finite number."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"must be a number, got {text[:80]!r}")
    return number


def box(text: str) -> tuple[int | str, ...]:
    """x,y,width,height, each a whole number, or a percentage of the picture's width or height."""
    values = [length(part) for part in text.split(",", 4)]
    if len(values) != 4 or None in values:
        raise ValueError(f"must be four whole numbers x,y,width,height, or percentages, got {text[:80]!r}")
    if any(value < 1 if isinstance(value, int) else not (percent(value) or 0) > 0 for value in values[2:]):
        raise ValueError(f"width and height must be at least 1, got {text[:80]!r}")
    return tuple(value for value in values if value is not None)


def length(text: str) -> int | str | None:
    """A whole number, or a percentage as a text; None of any other text."""
    if re.fullmatch(r"\s*-?[0-9]{1,9}\s*", text):
        return int(text)
    return None if percent(text) is None else text.strip()


def aspect(text: str) -> tuple[float, float]:
    """Width:height."""
    side = r"\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*"
    found = re.fullmatch(f"{side}[:/x×]{side}", text)
    if not found:
        raise ValueError(f"must be like 4:5, got {text[:80]!r}")
    return float(found[1]), float(found[2])


def margin(text: str) -> int | str:
    """Pixels, or a percentage."""
    found = length(text)
    if found is None:
        raise ValueError(f"must be a whole number or a percentage, got {text[:80]!r}")
    return found


def point(text: str) -> tuple[float, ...]:
    """x,y or x,y,keep."""
    try:
        values = tuple(map(real, text.split(",", 3)))
    except ValueError:
        values = ()
    if len(values) not in (2, 3) or values[2:] not in ((), (0,), (1,)):
        raise ValueError(f"must be x,y or x,y,1 (to keep) or x,y,0 (to remove), got {text[:80]!r}")
    return values


def edge(text: str) -> tuple[float, float]:
    """shift,feather, or the shift alone."""
    try:
        values = [*map(real, text.split(",", 2)), 0.0]
    except ValueError:
        values = []
    if len(values) not in (2, 3):
        raise ValueError(f"must be one or two numbers shift,feather, got {text[:80]!r}")
    return values[0], values[1]


def colour(text: str) -> tuple[int, int, int] | None:
    """#rrggbb, rrggbb, a CSS name or r,g,b; any with an alpha of all (255, ff); None for an alpha of 0."""
    text = text.strip()
    if found := re.fullmatch(r"#?([0-9a-fA-F]{6})([0-9a-fA-F]{2})|#?([0-9a-fA-F]{3})([0-9a-fA-F])", text):
        text = found[1] or found[3]
        alpha = int((found[2] or found[4] * 2), 16)
    else:
        parts = text.split(",", 4)
        alpha = int(parts.pop()) if len(parts) == 4 and re.fullmatch(r"\s*\d{1,3}\s*", parts[3]) else 255
        text = ",".join(parts)
    if alpha == 0:
        return None
    if alpha != 255:
        raise ValueError(f"the colour must be opaque or wholly transparent, got an alpha of {alpha}")
    if re.fullmatch(r"\s*\d{1,3}\s*(,\s*\d{1,3}\s*){2}", text):
        return parse_color(tuple(map(int, text.split(","))), "the colour")
    bare = re.fullmatch(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", text)
    return parse_color(f"#{text}" if bare else text[:80], "the colour")


def several(read: Callable[[str], T]) -> Callable[[str], list[T]]:
    """The reader of a list: its items between spaces or semicolons, or as JSON, whose lists are items with commas."""

    def read_all(text: str) -> list[T]:
        if text.lstrip().startswith("["):
            found = from_json(text)
            items = [",".join(map(str, each)) if isinstance(each, list) else str(each) for each in found]
        else:
            joined = re.sub(r"\s{0,3},\s{0,3}", ",", text.strip(" \t\r\n;"))
            items = re.split(r"[\s;]+", joined, maxsplit=MAX_SEVERAL)
        if not 0 < len(items) <= MAX_SEVERAL:
            raise ValueError(f"must have 1 to {MAX_SEVERAL} items")
        return [read(item) for item in items]

    return read_all


def from_json(text: str | bytes) -> Any:
    """What a JSON parser gives; of a text with more values than would be quick, nothing is parsed."""
    import json  # which a program without texts does without

    marks: Any = (",", "[", "{") if isinstance(text, str) else (b",", b"[", b"{")  # one before each value, or two
    if sum(text.count(mark) for mark in marks) > MAX_JSON_VALUES:
        raise ValueError(f"has more than {MAX_JSON_VALUES} values")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from error
