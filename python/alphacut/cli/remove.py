"""``alphacut remove``: photos in, cut-outs out."""

from __future__ import annotations

import io
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from .. import batch
from ..io import READ_SUFFIXES, WRITE_SUFFIXES, DecodeError, read_image, read_mask

if TYPE_CHECKING:
    from .. import Cutout

STREAM = "-"
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


def _background(context: click.Context, option: click.Parameter, value: str | None) -> Any:
    """The picture, where --background names a file, or else a word or a colour."""
    if value is None or value in BACKGROUND_WORDS:
        return value
    if not os.path.exists(value):
        return _colour(context, option, value)
    try:
        return read_image(value).pixels
    except (OSError, DecodeError) as error:
        raise click.BadParameter(str(error)) from error


@click.command(short_help="Cut the subject out of photos.")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, type=click.Path(readable=False))
@click.option(
    "-o",
    "--out",
    metavar="OUT",
    type=click.Path(readable=False),
    help="A picture file, for one PHOTO; else a folder; - is standard output. By default NAME-cutout.png beside PHOTO.",
)
@click.option("--box", metavar="X,Y,W,H", callback=_box, help="The subject lies in this box, in pixels.")
@click.option("--key", metavar="COLOUR", callback=_colour, help="The ground has this colour, such as green or #00b140.")
@click.option("--mask", type=_file, callback=_gray, help="The subject, bright on dark, in the size of the photos.")
@click.option("--trimap", type=_file, callback=_gray, help="Black: background, white: subject, gray: to find out.")
@click.option(
    "--model",
    metavar="FILE",
    type=_file,
    help="An ONNX network says where the subject is; needs alphacut[onnx].",
)
@click.option(
    "--background",
    metavar="COLOUR|FILE|WORD",
    callback=_background,
    help="Put the subject on this: a colour, a picture, blur (the photo, blurred) or checkerboard.",
)
@click.option("--only-mask", is_flag=True, help="Write the mask, black and white.")
@click.option("--only-alpha", is_flag=True, help="Write the opacity, in shades of gray.")
@click.option("--crop", is_flag=True, help="Cut off what is empty around the subject.")
@click.option(
    "--method",
    type=click.Choice(["auto", "graphcut", "kmeans", "threshold", "key"]),
    default="auto",
    show_default=True,
    help="How the mask is found.",
)
@click.option(
    "--refine",
    type=click.Choice(["auto", "none", "guided", "sampled", "closed_form"]),
    default="auto",
    show_default=True,
    help="How the edge is refined, from fast to exact; none keeps it hard.",
)
@click.option("--device", metavar="auto|cpu|cuda|cuda:N", default="auto", show_default=True, help="Where to compute.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist, instead of skipping their photos.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only what failed.")
def remove(
    photos: tuple[str, ...],
    out: str | None,
    background: Any,
    only_mask: bool,
    only_alpha: bool,
    crop: bool,
    overwrite: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Cut the subject out of each PHOTO: a file, a folder with its sub-folders, or - for standard input.

    In folders, hidden files and earlier outputs (*-cutout.png) are left out. Where photos of a folder differ by their
    ending only, the outputs keep it: a.jpg-cutout.png, a.png-cutout.png. A photo that fails is reported at the end,
    with exit code 1, and the others are done all the same.

    \b
    Examples:
      alphacut remove photo.jpg
      alphacut remove photo.jpg -o out.png --box 120,80,400,520
      alphacut remove photos/ -o cutouts/ --crop
      alphacut remove photo.jpg -o card.jpg --background white
      alphacut remove - -o - < photo.jpg > cutout.png
    """
    if only_mask + only_alpha + (background is not None) > 1:
        raise click.UsageError("Give only one of --background, --only-mask and --only-alpha.")
    if sum(options[prompt] is not None for prompt in ("box", "key", "mask", "trimap")) > 1:
        raise click.UsageError("Give only one of --box, --key, --mask and --trimap.")
    what, ending = "rgba", batch.ENDINGS[0]
    if only_mask:
        what, ending = "mask", batch.ENDINGS[1]
    elif only_alpha:
        what, ending = "alpha", batch.ENDINGS[2]
    single = _single(photos, out, transparent=what == "rgba" and background is None)
    if options["refine"] == "none":
        options["refine"] = None

    from .. import Remover

    try:
        remover = Remover(**options)
    except (ValueError, RuntimeError, ImportError, OSError) as error:  # a device or model that cannot be used
        raise click.UsageError(str(error)) from error

    def work(source: str, destination: str) -> None:
        cutout = remover(sys.stdin.buffer.read() if source == STREAM else source)
        if not quiet:
            for warning in cutout.warnings:
                _say(f"{source}: {warning}")
        _save(cutout.crop() if crop else cutout, destination, background=background, what=what)

    if single is None:
        results = batch.run(batch.plan(photos, out, ending=ending), work, overwrite=overwrite)
        total = None if any(map(os.path.isdir, photos)) else len(photos)
    else:
        results = batch.run([single], work, overwrite=overwrite or single.destination == STREAM)
        total = 1

    _report(results, total, quiet=quiet, to_stream=single is not None and single.destination == STREAM)


def _report(results: Iterator[batch.Result], total: int | None, *, quiet: bool, to_stream: bool) -> None:
    """Have the jobs done, under a progress bar where a person looks on, and tell what failed at the end."""
    from tqdm import tqdm

    counts: Counter[str] = Counter()
    failures = []
    hidden = quiet or to_stream or not sys.stderr.isatty()
    with tqdm(results, total=total, unit="photo", disable=hidden, leave=False) as progress:
        for result in progress:
            counts[result.status] += 1
            if result.status == "failed":
                failures.append(result.reason)
    if not quiet and not to_stream:
        _say(_summary(counts))
    for reason in failures:
        _say(reason)
    if failures:
        click.get_current_context().exit(1)


def _single(photos: tuple[str, ...], out: str | None, *, transparent: bool) -> batch.Job | None:
    """The job, if there is one photo and one named output; None if outputs are to be named."""
    photo = photos[0]
    alone = len(photos) == 1 and not os.path.isdir(photo)
    if STREAM in photos and len(photos) > 1:
        raise click.UsageError("Standard input (-) must be the only PHOTO.")
    if out == STREAM or (out is None and photo == STREAM):
        if not alone:
            raise click.UsageError("Standard output (-) takes one PHOTO, not several and no folder.")
        if sys.stdout.isatty():
            raise click.UsageError("Standard output is a terminal: name a file with -o.")
        return batch.Job(photo, STREAM)
    suffix = os.path.splitext(out or "")[1].lower()
    if out is None or not alone or os.path.isdir(out) or suffix not in READ_SUFFIXES | WRITE_SUFFIXES:
        if photo == STREAM:
            raise click.BadParameter("standard input needs a picture file for its output.", param_hint="--out")
        if out is not None and os.path.lexists(out) and not os.path.isdir(out):
            raise click.BadParameter(f"{out!r} is there and is not a folder.", param_hint="--out")
        return None
    if suffix not in WRITE_SUFFIXES:
        raise click.BadParameter(f"cannot write {suffix}, only {' '.join(sorted(WRITE_SUFFIXES))}.", param_hint="--out")
    if transparent and suffix in (".jpg", ".jpeg"):
        raise click.BadParameter("a JPEG has no transparency: write a PNG, or give --background.", param_hint="--out")
    if os.path.exists(photo) and os.path.exists(out) and os.path.samefile(photo, out):
        raise click.BadParameter("the output would replace the photo.", param_hint="--out")
    return batch.Job(photo, out)


def _save(cutout: Cutout, destination: str, **what: Any) -> None:
    if destination != STREAM:
        os.makedirs(os.path.dirname(destination) or ".", exist_ok=True)
        cutout.save(destination, **what)
        return
    file = io.BytesIO()
    cutout.save(file, format="png", **what)
    sys.stdout.buffer.write(file.getbuffer())
    sys.stdout.buffer.flush()


def _summary(counts: Counter[str]) -> str:
    """Such as "3 written, 1 failed"."""
    words = {"written": "written", "skipped": "skipped (exists; --overwrite replaces it)", "failed": "failed"}
    return (
        ", ".join(f"{counts[status]} {word}" for status, word in words.items() if counts[status]) or "no photos found"
    )


def _say(line: str) -> None:
    """To standard error, above the progress bar."""
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)
