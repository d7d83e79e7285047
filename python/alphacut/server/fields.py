"""The fields of a request: their names, what they may say and what it means. The OpenAPI document is made from them."""

from __future__ import annotations

import base64
import enum
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from reprlib import repr
from typing import Any

from starlette.datastructures import UploadFile

from .. import _text
from .._strokes import Stroke
from ..options import Option
from .errors import ApiError

MAX_STROKES, MAX_POINTS, MAX_COORDINATE, MAX_WIDTH = 1000, _text.MAX_SEVERAL, 1_000_000, 10_000
MAX_BOX = 2**30
MAX_TEXT = 4 * 2**20
"""Characters of a field that is no file, and bytes of a page's request: more than the most points take."""


class Said(enum.Enum):
    """What a text may say beside a value."""

    NOTHING = "as if the field were not there"
    IGNORED = "something that is not done, and does no harm"


@dataclass(frozen=True)
class Field:
    """One field of a request.

    Attributes
    ----------
    name : str
        As the pipeline knows it.
    help : str
        For people.
    parse : callable, optional
        From its text to its value or a :class:`Said`, or ValueError; None for a file.
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


Reader = Callable[[], dict[str, Any]]
"""Gives the values of the fields of one request, by :func:`parse`."""


def from_row(row: Option) -> Field:
    """The field of a prompt or an option."""
    more = f" Of {', '.join(row.words)}." if row.several and row.words else ""
    more += " Several are separated by spaces, or in a list of JSON." if row.several else ""
    parse = None if row.read is None else row.from_text
    words = () if row.several else row.words
    return Field(row.name, row.help + more, parse, row.fields, words, row.example)


def parse(fields: Sequence[Field], given: Iterable[tuple[str, str | UploadFile]]) -> dict[str, Any]:
    """The values of the fields that were given, files as uploads, also those in base64. An empty text is as none.

    Raises
    ------
    ApiError
        400, for a field that is unknown, there twice, a file instead of a text, or cannot be understood.
    """
    known = {name: field for field in fields for name in (field.name, *field.aliases)}
    values: dict[str, Any] = {}
    for name, value in given:
        empty = value == "" if isinstance(value, str) else not value.filename and not value.size
        if empty and (name in known or name in _URLS):
            continue  # what a browser sends for an input left empty
        if name not in known:
            raise ApiError(400, "unknown_field", _unknown(name, known))
        field = known[name]
        if field.name in values:
            raise ApiError(400, "repeated_field", f"{name} was given before" + _also(field))
        try:
            values[field.name] = _value(field, value)
        except (ValueError, TypeError) as error:
            why = str(error).removeprefix(f"{field.name}: ").removeprefix(f"{field.name} ")
            raise ApiError(400, "invalid_field", f"{name}: {why}") from error
    return {name: value for name, value in values.items() if value is not Said.NOTHING}


_URLS = ("url", "image_url", "bg_image_url")


def _unknown(name: str, known: Mapping[str, Field]) -> str:
    if name in _URLS:
        return f"{name}: this server fetches nothing; send the picture itself"
    return f"{name[:80]!r} is no field of this request; these are: {', '.join(known)}"


def _also(field: Field) -> str:
    return f" ({', '.join((field.name, *field.aliases))} are one field)" if field.aliases else ""


def _value(field: Field, given: str | UploadFile) -> Any:
    if field.parse is None:
        return _from_base64(given) if isinstance(given, str) else given
    if not isinstance(given, str):
        raise ValueError("must be a text, got a file")
    if len(given) > MAX_TEXT:
        raise ValueError(f"must have at most {MAX_TEXT} characters, got {len(given)}")
    return field.parse(given)


def _from_base64(text: str) -> UploadFile:
    """A file that came as a text, alone or as a data URL."""
    head, comma, rest = text.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        text = rest
    try:  # a + that was not quoted in an urlencoded form has become a space
        data = base64.b64decode(re.sub(r"[\r\n\t]+", "", text.strip()).replace(" ", "+"), validate=True)
    except ValueError as error:
        raise ValueError(f"must be a file, or one in base64: {error}") from error
    return UploadFile(io.BytesIO(data), size=len(data), filename="file")


# --- values of this server's own fields ------------------------------------------------------------------------------


def words(*words: str) -> dict[str, Any]:
    """The parser and the words of a field that knows only these."""
    return {"parse": _text.one_of(*words), "words": words, "example": words[0]}


def region(text: str) -> tuple[tuple[float, bool], ...]:
    """x1 y1 x2 y2, each in pixels or percent: (value, whether percent)."""
    return _lengths(text, (4,), "'x1 y1 x2 y2' in pixels or percent, such as '10% 10% 90% 100%'")


def margin(text: str) -> tuple[tuple[float, bool], ...]:
    """Pixels or percent of the subject: of all sides, of those above and beside, or of top, right, bottom and left."""
    found = _lengths(text, (1, 2, 4), "one, two or four lengths of at least 0, such as 20, 20px or '10% 5%'")
    return (found * 4)[:4]


def _lengths(text: str, counts: tuple[int, ...], what: str) -> tuple[tuple[float, bool], ...]:
    parts = re.split(r"[\s,]+", text.strip(), maxsplit=max(counts))
    found = [re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(px|%|)", part) for part in parts]
    if len(parts) not in counts or not all(found):
        raise ValueError(f"must be {what}, got {text[:80]!r}")
    return tuple((float(match[1]), match[2] == "%") for match in found if match)


def strokes(text: str) -> list[Stroke]:
    """A JSON list of strokes."""
    return checked_strokes(_text.from_json(text))


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
