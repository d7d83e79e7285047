"""``alphacut remove``: photos in, cut-outs out."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from .. import batch
from ..files import READ_SUFFIXES, WRITE_SUFFIXES, write_image
from ..session import Clock
from . import options, report, steps
from .watch import arrivals

if TYPE_CHECKING:
    from .. import Cutout

STREAM = "-"
FORMATS = {"png": (".png",), "webp": (".webp",), "tiff": (".tiff", ".tif"), "jpeg": (".jpeg", ".jpg", ".jfif", ".jpe")}


@click.command(short_help="Cut the subject out of photos.")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, type=click.Path(readable=False))
@click.option(
    "-o",
    "--out",
    metavar="OUT",
    type=click.Path(readable=False),
    help="A picture file, for one PHOTO; else a folder; - is standard output. By default NAME-cutout.png beside PHOTO.",
)
@options.prompts
@options.background
@click.option("--only-mask", is_flag=True, help="Write the mask, black and white.")
@click.option("--only-alpha", is_flag=True, help="Write the opacity, in shades of gray.")
@click.option("--format", type=click.Choice(list(FORMATS)), help="Of outputs that OUT does not name.  [default: png]")
@options.outputs
@options.flow
@click.option("--recursive/--no-recursive", default=True, show_default=True, help="Whether to go into sub-folders.")
@click.option("--watch", is_flag=True, help="Go on with photos that come into the folder or change, until Ctrl-C.")
@click.option(
    "--show-steps",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Write each step as a picture NAME-cutout-step-NN-... into DIR, but of no photo that is skipped.",
)
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist, instead of skipping their photos.")
@click.option("--json", "as_json", is_flag=True, help="Tell what became of each photo: one JSON object a line.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only what failed.")
def remove(
    photos: tuple[str, ...],
    out: str | None,
    background: Any,
    only_mask: bool,
    only_alpha: bool,
    crop: bool,
    margin: int | None,
    format: str | None,
    quality: int | None,
    png_level: int | None,
    exif: bool,
    recursive: bool,
    watch: bool,
    show_steps: str | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Cut the subject out of each PHOTO: a file, a folder with its sub-folders, or - for standard input.

    In folders, hidden files and earlier outputs (such as *-cutout.png) are left out. Where photos of a folder differ
    by their ending only, the outputs keep it: a.jpg-cutout.png, a.png-cutout.png. Two photos are worked on at once.
    One that fails is reported at the end, and the others are done all the same; called again, it does what is missing.

    \b
    Exit codes: 0 if all is done or skipped, 1 if something failed, 2 for wrong
    usage. Ctrl-C ends --watch with 0.

    \b
    Examples:
      alphacut remove photo.jpg
      alphacut remove photo.jpg -o out.png --box 120,80,400,520
      alphacut remove photo.jpg --point 310,200 --point 40,420,0
      alphacut remove photo.jpg --labels strokes.png
      alphacut remove photos/ -o cutouts/ --crop --margin 20 --format webp
      alphacut remove photo.jpg -o card.jpg --background white
      alphacut remove - -o - < photo.jpg > cutout.png
      alphacut remove inbox/ -o cutouts/ --watch
    """
    if only_mask + only_alpha + (background is not None) > 1:
        raise click.UsageError("Give only one of --background, --only-mask and --only-alpha.")
    if margin is not None and not crop:
        raise click.UsageError("--margin goes with --crop.")
    what = "mask" if only_mask else "alpha" if only_alpha else "rgba"
    if STREAM in (*photos, out) or as_json:
        report.require_streams()
    single = _single(photos, out, format)
    to_stream = single is not None and single.destination == STREAM
    named = None if single is None or to_stream else os.path.splitext(single.destination)[1][1:]
    encoding = {"format": named or format or "png", "quality": quality, "png_level": png_level}
    _require_writable(encoding, transparent=what == "rgba" and background is None)
    if to_stream and as_json:
        raise click.UsageError("--json needs standard output, which is the picture's.")
    if watch and not (len(photos) == 1 and os.path.isdir(photos[0])):
        raise click.UsageError("--watch takes one folder.")
    remover = options.remover(steps=show_steps is not None, **given)
    cut = remover.once if len(photos) == 1 and not os.path.isdir(photos[0]) else remover
    ending = batch.ending_of(what, format or "png")

    def work(source: str, destination: str) -> dict[str, Any]:
        stamp = batch.stamp(source) if watch else None
        cutout = cut(sys.stdin.buffer.read() if source == STREAM else source)
        if show_steps is not None:
            folder, name = os.path.split(destination if destination != STREAM else source)
            name = "stdin" if name == STREAM else name
            stem = name.removesuffix(ending) if name.endswith(ending) else os.path.splitext(name)[0]
            place = "" if single is not None else _place(folder, out)
            steps.write(steps.pictures(cutout, remover.prompt), os.path.join(show_steps, place), stem + batch.STEP)
        clock = Clock()
        clock.add(cutout.timings)
        with clock("write"):
            _save(
                cutout.crop(margin or 0) if crop else cutout,
                destination,
                background=background,
                what=what,
                exif=exif,
                **encoding,
            )
        if watch and batch.stamp(source) != stamp:
            os.unlink(destination)  # made of what is no longer there, but newer than what is
            raise ValueError("changed while it was cut: once more when it is at rest")
        return {**report.facts(cutout), "timings": clock.seconds}

    workers = 1 if single is not None else min(2, _threads())
    passed: Counter[str] = Counter()
    run = partial(batch.run, work=work, workers=workers)
    if watch:
        results = _watched(photos[0], out, ending, recursive, overwrite, run)
    else:
        jobs = [single] if single else batch.plan(photos, out, ending=ending, recursive=recursive, passed=passed)
        results = run(jobs, overwrite=overwrite or to_stream)
    total = None if any(map(os.path.isdir, photos)) else len(photos)
    report.follow(results, total, quiet=quiet, silent=to_stream, as_json=as_json, watching=watch, passed=passed)


def _watched(
    folder: str, out: str | None, ending: str, recursive: bool, overwrite: bool, run: Any
) -> Generator[batch.Result, None, None]:
    """What becomes of the pictures of a folder, and of those that come or change: then their old outputs are stale."""
    replaced: bool | Callable[[batch.Job], bool] = overwrite
    for found in arrivals(folder, recursive=recursive):
        jobs = (
            item if isinstance(item, batch.Result) else batch.job_in(folder, item, out, ending=ending) for item in found
        )
        yield from run(jobs, overwrite=replaced)
        replaced = overwrite or batch.is_stale


def _single(photos: tuple[str, ...], out: str | None, format: str | None) -> batch.Job | None:
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
    if not alone and suffix in READ_SUFFIXES | WRITE_SUFFIXES and not os.path.isdir(out or ""):
        raise click.BadParameter(
            f"{out!r} is one picture, but there may be several: name a folder.", param_hint="--out"
        )
    if out is None or not alone or os.path.isdir(out) or suffix not in READ_SUFFIXES | WRITE_SUFFIXES:
        if photo == STREAM:
            raise click.BadParameter("standard input needs a picture file for its output.", param_hint="--out")
        if out is not None and os.path.lexists(out) and not os.path.isdir(out):
            raise click.BadParameter(f"{out!r} is there and is not a folder.", param_hint="--out")
        return None
    if suffix not in WRITE_SUFFIXES:
        raise click.BadParameter(f"cannot write {suffix}, only {' '.join(sorted(WRITE_SUFFIXES))}.", param_hint="--out")
    if format is not None and suffix not in FORMATS[format]:
        raise click.UsageError(f"--format {format} and --out {out} contradict.")
    if os.path.exists(photo) and os.path.exists(out) and os.path.samefile(photo, out):
        raise click.BadParameter("the output would replace the photo.", param_hint="--out")
    return batch.Job(photo, out)


def _require_writable(encoding: dict[str, Any], *, transparent: bool) -> None:
    """One pixel can be written so, before any work is done."""
    try:
        write_image(io.BytesIO(), np.zeros((1, 1, 4) if transparent else (1, 1), np.uint8), **encoding)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _place(folder: str, out: str | None) -> str:
    """A relative name for the folder of an output: different folders have different ones."""
    top, folder = os.path.abspath(out or os.curdir), os.path.abspath(folder)
    if os.path.join(folder, "").startswith(os.path.join(top, "")):
        return os.path.relpath(folder, top)
    return os.path.join("-", os.path.splitdrive(folder)[1].lstrip(os.sep))  # no folder in `top` is called so


def _threads() -> int:
    from .. import get_num_threads

    return get_num_threads()


def _save(cutout: Cutout, destination: str, **what: Any) -> None:
    if destination != STREAM:
        os.makedirs(os.path.dirname(destination) or ".", exist_ok=True)
        cutout.save(destination, **what)
        return
    file = io.BytesIO()
    cutout.save(file, **what)
    sys.stdout.buffer.write(file.getbuffer())
    sys.stdout.buffer.flush()
