"""What clients of other removers send: done where it can be, ignored where that does no harm, else refused."""

from __future__ import annotations

import re
from collections.abc import Callable

from .. import _text
from .._arrays import percent
from .fields import Field, Said

Parse = Callable[[str], Said]


def _ignored(*nothing: str) -> Parse:
    """A parser: these words ask for what is done anyway, others for what is not done."""
    return lambda text: Said.NOTHING if text.strip().lower() in nothing else Said.IGNORED


def _refused(why: str, *nothing: str) -> Parse:
    """A parser: these words ask for what is done anyway, others for what would be missed."""

    def parse(text: str) -> Said:
        if text.strip().lower() not in nothing:
            raise ValueError(f"{why}, got {text[:80]!r}")
        return Said.NOTHING

    return parse


def _size(text: str) -> str | Said:
    word = text.strip().lower()
    if word in ("auto", "full", "4k", "50mp", "max"):
        return Said.NOTHING
    if word in ("small", "regular", "medium", "hd"):
        return Said.IGNORED
    if word != "preview":
        raise ValueError(f"must be preview, small, regular, medium, hd, 4k, 50MP, full or auto, got {text[:80]!r}")
    return word


def _scale(text: str) -> float | Said:
    if text.strip().lower() == "original":
        return Said.NOTHING
    shares = _shares(text)
    if len(shares) != 1 or shares[0] == 0:
        raise ValueError(f"must be original, or above 0% and up to 100%, got {text[:80]!r}")
    return shares[0]


def _position(text: str) -> tuple[float, ...] | str:
    word = text.strip().lower()
    if word in ("original", "center"):
        return word
    shares = _shares(text)
    if len(shares) not in (1, 2):
        raise ValueError(f"must be original, center, or one or two from 0% to 100%, got {text[:80]!r}")
    return (shares * 2)[:2]


def _shares(text: str) -> tuple[float, ...]:
    """Percentages up to 100 % as shares of one; none if there is something else."""
    found = [percent(part) for part in re.split(r"[\s,]+", text.strip(), maxsplit=2)]
    shares = tuple(each / 100 for each in found if each is not None and 0 <= each <= 100)
    return shares if len(shares) == len(found) else ()


LAYOUT = (
    Field(
        "size",
        "preview: at most 0.25 megapixels. Any other word (auto, full, regular, hd, ...): the full size.",
        _size,
        example="preview",
    ),
    Field(
        "scale",
        "original, or how much of the answer the subject fills, in percent; then it lies in the middle.",
        _scale,
        example="80%",
    ),
    Field(
        "position",
        "original, center, or where the subject lies: percent of the free space left of it and above it.",
        _position,
        example="50% 100%",
    ),
)


def _shadow_type(text: str) -> str | Said:
    word = text.strip().lower()
    if word not in ("none", "auto", "drop", "contact"):
        raise ValueError(f"must be none, auto, drop or contact, got {text[:80]!r}")
    return Said.NOTHING if word == "none" else "drop" if word == "auto" else word


def _share(text: str) -> float:
    value = _text.real(text)
    if not 0 <= value <= 100:
        raise ValueError(f"must be from 0 to 100, got {text[:80]!r}")
    return value / 100


ASKED_ELSEWHERE = (
    Field("type", "Ignored: the subject may be of any type.", _ignored("auto"), example="person"),
    Field("type_level", "Ignored: types are not told.", _ignored("none"), example="1"),
    Field("semitransparency", "Ignored: the edge alone is soft.", _ignored("true", "1"), example="true"),
    Field("add_shadow", "true: as shadow=drop.", _text.flag, example="false"),
    Field("shadow_type", "The same as shadow, alone: none, drop (auto) or contact.", _shadow_type, example="none"),
    Field("shadow_opacity", "In percent, of the shadow that the two before ask for.", _share, example="50"),
    Field("a", "Ignored: the edge is always refined, but with refine=none.", _ignored("true", "1"), example="true"),
    Field("af", "Ignored: see refine.", _ignored(), example="240"),
    Field("ab", "Ignored: see refine.", _ignored(), example="10"),
    Field("ae", "Ignored: see refine.", _ignored(), example="10"),
    Field("ppm", "Ignored: see clean.", _ignored("true", "1"), example="true"),
    Field(
        "extras",
        "Only {}: prompts have fields of their own.",
        _refused("prompts have fields of their own here (points, box, strokes): it must be {}", "{}"),
        example="{}",
    ),
)
