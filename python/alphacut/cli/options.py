"""Options that several commands share, from the tables of ``alphacut.options``, and the remover that they ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .. import _text
from .._prompt import Prompt
from ..cutout import is_colour
from ..files import read_image
from ..options import BACKGROUNDS, OPTIONS, OUTPUTS, PROMPTS, Option
from .layout import Decorator, group

if TYPE_CHECKING:
    from .. import Remover, Tracker

Command = TypeVar("Command", bound=Callable[..., Any])
Made = TypeVar("Made")


def _read(row: Option, context: click.Context, option: click.Parameter, text: Any) -> Any:
    """The value of what was typed; what it refuses is wrong usage."""
    try:
        if row.several:
            return [value for each in text for value in row.from_text(each)] or row.default
        return row.default if text is None else row.from_text(text)
    except (ValueError, TypeError, RuntimeError) as error:  # the last of a device that is not there
        raise click.BadParameter(str(error)) from error


def _option(row: Option) -> Callable[[Command], Command]:
    """A row as an option of a command."""
    flags = row.flags or (f"--{row.name.replace('_', '-')}",)
    kind: dict[str, Any]
    if row.read is None:
        kind = {"metavar": "FILE", "type": click.Path(exists=True, dir_okay=False)}
    elif isinstance(row.default, bool):
        flags = (f"{flags[0]}/--no-{flags[0][2:]}",) if row.default else flags
        kind = {"is_flag": True, "default": row.default, "show_default": row.default}
    else:
        word: Any = click.Choice(row.words) if row.words else str

        def callback(context: click.Context, option: click.Parameter, text: Any) -> Any:
            return _read(row, context, option, text)

        kind = {"type": word, "metavar": row.metavar or None, "callback": callback, "multiple": row.several}
        if row.default is not None:
            kind |= {"default": str(row.default), "show_default": True}
    more = " May be given again." if row.several else ""
    return click.option(*flags, row.name, help=row.help + more, **kind)


def _all(rows: Iterable[Option]) -> list[Decorator[Any]]:
    return [_option(row) for row in rows if "cli" in row.faces]


def _background(context: click.Context, option: click.Parameter, value: str | None) -> Any:
    """The picture, where --background names a file, or else a word or a colour."""
    if value is None or value in BACKGROUNDS:
        return value
    try:
        return _text.colour(value) if is_colour(value) else read_image(value)
    except (OSError, ValueError) as error:
        raise click.BadParameter(str(error)) from error


threads = click.option(
    "--threads", metavar="N", type=click.IntRange(1, 1024), help="Processors to use, by default all."
)
prompts = group("Where the subject is", *_all(PROMPTS))
flow = group("How it is cut out", *_all(OPTIONS), threads)
output_rows = _all(OUTPUTS)
shadow = _option(next(row for row in OUTPUTS if row.name == "shadow"))
background = click.option(
    "--background",
    metavar="COLOUR|FILE|WORD",
    callback=_background,
    help="Put the subject on this: a colour, a picture, blur (the photo, blurred) or checkerboard.",
)


def remover(*, threads: int | None, **given: Any) -> Remover:
    """The remover that `prompts` and `flow` ask for; what it refuses is wrong usage."""
    from .. import Remover

    return require(lambda: Remover(**given), threads=threads)


def require(make: Callable[[], Made], *, threads: int | None) -> Made:
    """What is made with so many threads; what it refuses is wrong usage."""
    from .. import set_num_threads

    try:
        if threads is not None:
            set_num_threads(threads)
        return make()
    except (ValueError, RuntimeError, ImportError, OSError) as error:  # such as a device or model that cannot be used
        raise click.UsageError(str(error)) from error


def tracker(*, threads: int | None, **given: Any) -> tuple[Tracker, dict[str, Any]]:
    """The tracker that `prompts` and `flow` ask for, and what they tell of the first frame."""
    from .. import Tracker

    for name in ("model", "instance"):
        if given.pop(name) is not None:
            raise click.UsageError(f"--{name} has no use for what is followed.")
    if given.pop("device").startswith("cuda"):
        raise click.UsageError("--device has no use for what is followed: all of it runs on the CPU.")
    hints = {row.name: given.pop(row.name) for row in PROMPTS if row.name in given}
    if given["refine"] == "auto":
        given["refine"] = "guided"

    def make() -> tuple[Tracker, dict[str, Any]]:
        prompt = Prompt(**hints)  # reads files
        return Tracker(**given), {name: getattr(prompt, name) for name, hint in hints.items() if hint is not None}

    return require(make, threads=threads)
