"""``alphacut remove``: photos in, cut-outs out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ..batch import Job, Recipe, Result, ending_of, plan, results
from ..batch.due import is_stale
from ..batch.engine import local
from ..batch.jobs import explain
from ..batch.naming import STEP, job_in
from ..batch.running import run
from ..batch.sources import count, is_one, place_in
from . import options, report, steps
from .layout import Command, group
from .single import FORMATS, STREAM, single_job, streamed
from .watch import arrivals

if TYPE_CHECKING:
    from .. import Cutout, Remover


@click.command(cls=Command, short_help="Cut the subject out of photos.")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True, type=click.Path(readable=False))
@click.option(
    "-o",
    "--out",
    metavar="OUT",
    type=click.Path(readable=False),
    help="A picture file, for one PHOTO; else a folder; - is standard output. By default NAME-cutout.png beside PHOTO.",
)
@options.prompts
@group(
    "What is written",
    options.background,
    click.option("--only-mask", is_flag=True, help="Write the mask, black and white."),
    click.option("--only-alpha", is_flag=True, help="Write the opacity, in shades of gray."),
    click.option("--format", type=click.Choice(FORMATS), help="Of outputs that OUT does not name.  [default: png]"),
    *options.output_rows,
)
@options.flow
@group(
    "Many photos",
    click.option("--recursive/--no-recursive", default=True, show_default=True, help="Whether to go into sub-folders."),
    click.option(
        "--overwrite/--skip-existing",
        default=None,
        help="Whether to replace outputs that exist: by default those of photos that are named, but not of folders.",
    ),
    click.option("--watch", is_flag=True, help="Go on with photos that come into the folder or change, until Ctrl-C."),
    click.option(
        "--workers", metavar="N", type=click.IntRange(1, 100_000), help="Photos at once.  [default: a processor each]"
    ),
    click.option(
        "--isolate",
        metavar="SECONDS",
        type=click.FloatRange(0, min_open=True),
        help="Do each photo in a process of bounded memory that is killed after so long: for those of strangers.",
    ),
    click.option(
        "--manifest",
        metavar="DIR",
        type=click.Path(file_okay=False),
        help="Keep a table of what became of each photo in this folder, and go by it when called again.",
    ),
    click.option("--retry-failed", is_flag=True, help="Do again what the manifest says has failed."),
    click.option("--stale", is_flag=True, help="Do again what was made with other options, or of an older photo."),
    click.option(
        "--ray",
        metavar="[ADDRESS]",
        is_flag=False,
        flag_value="",
        help="Work on a Ray cluster, by default that of RAY_ADDRESS or else one of this machine; needs alphacut[ray].",
    ),
)
@click.option(
    "--show-steps",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Write each step as a picture NAME-cutout-step-NN-... into DIR, but of no photo that is skipped.",
)
@click.option("--json", "as_json", is_flag=True, help="Tell what became of each photo: one JSON object a line.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only what failed.")
def remove(
    photos: tuple[str, ...],
    out: str | None,
    background: Any,
    only_mask: bool,
    only_alpha: bool,
    shadow: Any,
    crop: bool,
    margin: int | str | None,
    aspect: tuple[float, float] | None,
    format: str | None,
    quality: int | None,
    png_level: int | None,
    exif: bool,
    threads: int | None,
    recursive: bool,
    overwrite: bool | None,
    watch: bool,
    workers: int | None,
    isolate: float | None,
    manifest: str | None,
    retry_failed: bool,
    stale: bool,
    ray: str | None,
    show_steps: str | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Cut the subject out of each PHOTO: a file, a folder with its sub-folders, or - for standard input; or of the
    photos of one list (.txt, .csv, .parquet) or URL.

    In folders, hidden files and earlier outputs (such as *-cutout.png) are left out. Where photos of a folder differ
    by their ending only, the outputs keep it: a.jpg-cutout.png, a.png-cutout.png. Several photos are worked on at once.
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
      alphacut remove photos/ -o cutouts/ --crop-margin 5% --format webp
      alphacut remove photo.jpg -o card.jpg --background white --shadow drop
      alphacut remove - -o - < photo.jpg > cutout.png
      alphacut remove inbox/ -o cutouts/ --watch
      alphacut remove list.csv -o cutouts/ --manifest manifest/ --ray
    """
    if only_mask + only_alpha + (background is not None) > 1:
        raise click.UsageError("Give only one of --background, --only-mask and --only-alpha.")
    if shadow is not None and (only_mask or only_alpha):
        raise click.UsageError("--shadow goes with neither --only-mask nor --only-alpha.")
    what = "mask" if only_mask else "alpha" if only_alpha else "rgba"
    if STREAM in (*photos, out) or as_json:
        report.require_streams()
    single = single_job(photos, out, format)
    to_stream = single is not None and single.destination == STREAM
    named = None if single is None or to_stream else os.path.splitext(single.destination)[1][1:]
    encoding = {"format": named or format or "png", "quality": quality, "png_level": png_level}
    if to_stream and as_json:
        raise click.UsageError("--json needs standard output, which is the picture's.")
    if watch and not (len(photos) == 1 and os.path.isdir(photos[0])):
        raise click.UsageError("--watch takes one folder.")
    _require_together(watch or STREAM in (*photos, out), manifest, ray, retry_failed or stale)
    ending = ending_of(what, format or "png")
    recipe = Recipe(
        options={**given, "steps": show_steps is not None},
        crop=crop or margin is not None or aspect is not None,
        margin=margin or 0,
        aspect=aspect,
        save={"background": background, "shadow": shadow, "what": what, "exif": exif, **encoding},
        digest=manifest is not None,
        watched=watch,
        alone=single is not None or (len(photos) == 1 and is_one(photos[0])),
        also=None
        if show_steps is None
        else partial(_write_steps, show_steps=show_steps, out=out, ending=ending, alone=single is not None),
    )
    options.require(recipe.check, threads=threads)
    passed: Counter[str] = Counter()
    jobs = [single] if single else plan(photos, out, ending=ending, recursive=recursive, passed=passed)
    if watch:
        done = _watched(photos[0], out, ending, recursive, bool(overwrite), workers, isolate, recipe)
    elif single is not None and STREAM in (single.source, single.destination):
        if isolate is not None:
            raise click.UsageError("--isolate has no use for streams.")
        done = run([single], partial(streamed, recipe), overwrite=to_stream or overwrite is not False)
    else:
        done = results(
            jobs,
            recipe,
            engine="local" if ray is None else "ray",
            address=ray or None,
            workers=workers,
            isolate=isolate,
            manifest=manifest,
            overwrite=overwrite,
            retry_failed=retry_failed,
            stale=stale,
        )
    try:
        report.follow(
            done,
            1 if single is not None else None,
            quiet=quiet,
            silent=to_stream,
            as_json=as_json,
            watching=watch,
            passed=passed,
            count=lambda: None if watch else count(photos, recursive=recursive),
        )
    except (ImportError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    except BrokenPipeError:
        raise
    except RuntimeError as error:  # no worker could begin
        raise click.ClickException(str(error)) from error
    except OSError as error:  # of a list or manifest; ConnectionError of a cluster
        raise click.ClickException(explain(error, error.filename) if error.filename else str(error)) from error


def _require_together(streams: bool, manifest: str | None, ray: str | None, again: bool) -> None:
    if again and manifest is None:
        raise click.UsageError("--retry-failed and --stale go with --manifest.")
    if streams and (manifest is not None or ray is not None):
        raise click.UsageError("--manifest and --ray have no use for --watch and streams.")


def _write_steps(
    cutout: Cutout, job: Job, remover: Remover, *, show_steps: str, out: str | None, ending: str, alone: bool
) -> None:
    """The steps of a picture, named as its output."""
    folder, name = os.path.split(job.destination if job.destination != STREAM else job.source)
    name = "stdin" if name == STREAM else name
    stem = name.removesuffix(ending) if name.endswith(ending) else os.path.splitext(name)[0]
    place = "" if alone else place_in(folder, top=out or os.curdir)
    steps.write(steps.pictures(cutout, remover.prompt), os.path.join(show_steps, place), stem + STEP)


def _watched(
    folder: str,
    out: str | None,
    ending: str,
    recursive: bool,
    overwrite: bool,
    workers: int | None,
    isolate: float | None,
    recipe: Recipe,
) -> Generator[Result, None, None]:
    """What becomes of the pictures of a folder, and of those that come or change: then their old outputs are stale."""
    replaced: bool | Callable[[Job], bool] = overwrite
    for found in arrivals(folder, recursive=recursive):
        jobs = (item if isinstance(item, Result) else job_in(folder, item, out, ending=ending) for item in found)
        yield from run(jobs, local(recipe, workers, 2, isolate), overwrite=replaced)
        replaced = overwrite or is_stale
