"""Options that several commands share, and the remover that they ask for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..cutout import is_colour
from ..io import DecodeError, read_image, read_labels, read_mask

if TYPE_CHECKING:
    from .. import Remover, Tracker

Command = TypeVar("Command", bound=Callable[..., Any])

BACKGROUND_WORDS = ("blur", "checkerboard")

_file = click.Path(exists=True, dir_okay=False)


def _box(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Four numbers from "x,y,w,h"."""
    if value is None:
        return None
    if not re.fullmatch(r"\s*-?\d+\s*(,\s*-?\d+\s*){3}", value):
        raise click.BadParameter(f"{value!r} is not four whole numbers x,y,w,h")
    x, y, width, height = map(int, value.split(","))
    if width < 1 or height < 1:
        raise click.BadParameter(f"{value!r} has no area: w and h must be at least 1")
    return x, y, width, height


def _points(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> list[tuple[float, ...]] | None:
    """Two or three numbers each, from "x,y" or "x,y,keep"."""
    number = r"\s*\d+(\.\d+)?\s*"
    for value in values:
        if not re.fullmatch(rf"{number},{number}(,\s*[01]\s*)?", value):
            raise click.BadParameter(f"{value!r} is not x,y or x,y,1 (to keep) or x,y,0 (to remove)")
    return [tuple(map(float, value.split(","))) for value in values] or None


def _gray(context: click.Context, option: click.Parameter, value: str | None) -> Any:
    """The picture of --mask or --trimap, read once for all photos."""
    if value is None:
        return None
    try:
        stored = read_mask(value)
    except (OSError, DecodeError) as error:
        raise click.BadParameter(str(error)) from error
    # Anti-aliased edges and JPEG noise are no subject; half of the maximum serves masks of 0 and 1, too.
    return stored if option.name == "trimap" else stored > stored.max() // 2


def _colour(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from .._color import parse_color

        try:
            parse_color(value, f"--{option.name}")
        except ValueError as error:
            raise click.BadParameter(str(error)) from error
    return value


def _edge(context: click.Context, option: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    """--edge as (shift, feather)."""
    if value is None:
        return None
    try:
        numbers = tuple(float(part) for part in value.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 2):
        raise click.BadParameter(f"must be one or two numbers SHIFT,FEATHER, got {value!r}")
    return (*numbers, 0.0)[:2]


def _background(context: click.Context, option: click.Parameter, value: str | None) -> Any:
    """The picture, where --background names a file, or else a word or a colour."""
    if value is None or value in BACKGROUND_WORDS:
        return value
    if is_colour(value):
        return _colour(context, option, value)
    try:
        return read_image(value)
    except (OSError, DecodeError) as error:
        raise click.BadParameter(str(error)) from error


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several decorators as one, the first on top."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


prompts = _together(
    click.option("--box", metavar="X,Y,W,H", callback=_box, help="The subject lies in this box, in pixels."),
    click.option(
        "--point",
        "points",
        metavar="X,Y[,0]",
        multiple=True,
        callback=_points,
        help="This pixel belongs to the subject, or with ,0 does not; may be given again, and join --box and --labels.",
    ),
    click.option(
        "--labels",
        "--scribbles",
        "labels",
        metavar="FILE",
        type=_file,
        help="Strokes painted into a picture of the photos' size: green (#00ff00) to keep, red (#ff0000) to remove. "
        "Alone, or with --box or --model.",
    ),
    click.option("--mask", metavar="FILE", type=_file, callback=_gray, help="The subject, bright on dark."),
    click.option(
        "--trimap",
        metavar="FILE",
        type=_file,
        callback=_gray,
        help="Black: background, white: subject, gray: to find out.",
    ),
    click.option(
        "--model",
        metavar="FILE",
        type=_file,
        help="An ONNX network says where the subject is; needs alphacut[onnx].",
    ),
    click.option("--key", metavar="COLOUR", callback=_colour, help="The ground's colour, such as green or #00b140."),
    click.option("--similarity", type=float, help="Up to this distance from the key all is ground.  [default: 0.03]"),
    click.option("--blend", type=float, help="Over this further distance it fades.  [default: by the key]"),
    click.option("--despill", is_flag=True, help="Take the ground's tint off the subject, where the ground is keyed."),
)
flow = _together(
    click.option(
        "--method",
        type=click.Choice(["auto", "graphcut", "kmeans", "threshold", "key"]),
        default="auto",
        show_default=True,
        help="How the mask is found.",
    ),
    click.option(
        "--subject",
        type=click.Choice(["auto", "learned", "barrier"]),
        default="auto",
        show_default=True,
        help="What finds the subject where no prompt does: a small network, or distances from the border.",
    ),
    click.option(
        "--refine",
        type=click.Choice(["auto", "none", "guided", "sampled", "closed_form"]),
        default="auto",
        show_default=True,
        help="How the edge is refined, from fast to exact; none keeps it hard.",
    ),
    click.option(
        "--edge",
        metavar="SHIFT[,FEATHER]",
        callback=_edge,
        help="Move the edge by so many pixels, outwards or with - inwards, and soften it.",
    ),
    click.option(
        "--device", metavar="auto|cpu|cuda|cuda:N", default="auto", show_default=True, help="Where to compute."
    ),
    click.option("--threads", metavar="N", type=click.IntRange(1, 1024), help="Processors to use, by default all."),
    click.option("--seed", metavar="N", type=int, default=0, show_default=True, help="Of random choices."),
)
background = click.option(
    "--background",
    metavar="COLOUR|FILE|WORD",
    callback=_background,
    help="Put the subject on this: a colour, a picture, blur (the photo, blurred) or checkerboard.",
)


def remover(*, labels: str | None, refine: str, threads: int | None, **options: Any) -> Remover:
    """The remover that `prompts` and `flow` ask for; what it refuses is wrong usage."""
    from .. import Remover, set_num_threads

    try:
        if threads is not None:
            set_num_threads(threads)
        return Remover(
            labels=_strokes(labels, in_box=options["box"] is not None),
            refine=None if refine == "none" else refine,
            **options,
        )
    except (ValueError, RuntimeError, ImportError, OSError) as error:  # such as a device or model that cannot be used
        raise click.UsageError(str(error)) from error


def tracker(
    *, labels: str | None, refine: str, threads: int | None, model: str | None, device: str, **options: Any
) -> tuple[Tracker, dict[str, Any]]:
    """The tracker that `prompts` and `flow` ask for, and what they tell of the first frame."""
    from .. import Tracker, set_num_threads

    if model is not None or device.startswith("cuda"):
        raise click.UsageError(f"{'--model' if model is not None else '--device'} has no use for what is followed.")
    prompt = {name: options.pop(name) for name in ("box", "points", "mask", "trimap", "key")}
    prompt["labels"] = _strokes(labels, in_box=prompt["box"] is not None)
    refining = {"auto": "guided", "none": None}.get(refine, refine)
    try:
        if threads is not None:
            set_num_threads(threads)
        return Tracker(refine=refining, **options), {name: hint for name, hint in prompt.items() if hint is not None}
    except (ValueError, RuntimeError) as error:
        raise click.UsageError(str(error)) from error


def _strokes(path: str | None, *, in_box: bool) -> Any:
    """The labels of --labels; inside a box, what has no stroke is probably the subject."""
    if path is None:
        return None
    try:
        return read_labels(path, undecided=3 if in_box else 2)
    except (OSError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="--labels") from error
