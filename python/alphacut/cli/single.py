"""One photo and one named output, or streams."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ..batch import Job, Recipe, storage
from ..batch.sources import is_one
from ..files import READ_SUFFIXES, WRITE_SUFFIXES
from ..files.formats import WRITTEN

if TYPE_CHECKING:
    from .. import Cutout

STREAM = "-"
FORMATS = tuple(dict.fromkeys(map(str.lower, WRITTEN.values())))


def single_job(photos: tuple[str, ...], out: str | None, format: str | None) -> Job | None:
    """The job, if there is one photo and one named output; None if outputs are to be named."""
    photo = photos[0]
    alone = len(photos) == 1 and is_one(photo)
    if STREAM in photos and len(photos) > 1:
        raise click.UsageError("Standard input (-) must be the only PHOTO.")
    if out == STREAM or (out is None and photo == STREAM):
        if not alone:
            raise click.UsageError("Standard output (-) takes one PHOTO, not several and no folder.")
        if sys.stdout.isatty():
            raise click.UsageError("Standard output is a terminal: name a file with -o.")
        return Job(photo, STREAM, named=True)
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
    if format is not None and WRITTEN[suffix].lower() != format:
        raise click.UsageError(f"--format {format} and --out {out} contradict.")
    if os.path.exists(photo) and os.path.exists(out) and os.path.samefile(photo, out):
        raise click.BadParameter("the output would replace the photo.", param_hint="--out")
    return Job(photo, out, named=True)


def streamed(recipe: Recipe, job: Job) -> dict[str, Any]:
    """A picture from standard input, or to standard output."""
    source = sys.stdin.buffer.read() if job.source == STREAM else storage.fetch(job.source)
    return recipe.made(source, job, _write if job.destination == STREAM else storage.save)


def _write(cutout: Cutout, _: str, **what: Any) -> None:
    """To standard output."""
    file = io.BytesIO()
    cutout.save(file, **what)
    sys.stdout.buffer.write(file.getbuffer())
    sys.stdout.buffer.flush()
