"""``alphacut video``: a film in, its cutout out."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ..files import DecodeError
from . import options
from .layout import Command
from .report import say, tell_once

if TYPE_CHECKING:
    from .. import Cutout


@click.command(cls=Command, short_help="Cut the subject out of a film.")
@click.argument("film", metavar="IN", type=click.Path(exists=True, dir_okay=False))
@click.argument("out", metavar="OUT", type=click.Path(dir_okay=False, writable=True))
@options.prompts
@options.background
@options.shadow
@options.flow
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists, and start over what was interrupted.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only what failed.")
def video(film: str, out: str, background: Any, shadow: Any, overwrite: bool, quiet: bool, **given: Any) -> None:
    """Cut the subject of the film IN out of each frame, and write the film OUT.

    The prompts tell the subject in the first frame; from there it is followed. OUT is .webm (VP9), .mov (ProRes 4444),
    .gif or .webp, with transparency; with --background also .mp4 or .mkv (H.264). Sound comes along. The edge is
    refined by the guided filter unless --refine says otherwise. Ctrl-C ends the film there; the same command again
    goes on from the segments in OUT.parts. Needs alphacut[video].

    \b
    Exit codes: 0 at the end of the film, 1 if something failed or it was
    interrupted, 2 for wrong usage.

    \b
    Examples:
      alphacut video dog.mp4 dog.webm --box 120,80,400,520
      alphacut video talk.mp4 beach.mp4 --background beach.jpg
    """
    from tqdm import tqdm

    from .._segments import begun
    from ..film import cut_film

    if os.path.exists(out) and not overwrite and not begun(out):
        raise click.UsageError(f"{out} exists; --overwrite replaces it.")
    tracker, prompt = options.tracker(**given)
    told: set[str] = set()
    hidden = quiet or not sys.stderr.isatty()
    with tqdm(unit="frame", disable=hidden, leave=False) as progress:

        def each(number: int, total: int | None, cutout: Cutout) -> None:
            progress.total = total
            if number and not progress.n:
                progress.initial = progress.n = number  # what was there already
            progress.update(number + 1 - progress.n)
            if not quiet:
                tell_once(cutout.warnings, number, told)

        try:
            behind = {"background": background, "shadow": shadow}
            done = cut_film(film, out, tracker, prompt=prompt, **behind, resume=not overwrite, each=each)
        except DecodeError as error:
            raise click.ClickException(str(error)) from error
        except (ImportError, ValueError, TypeError) as error:
            raise click.UsageError(str(error)) from error
        except OSError as error:
            raise click.ClickException(str(error)) from error
    if done.interrupted:
        raise click.ClickException(
            f"interrupted: {out} ends after {done.frames} frames; call the same command again to go on"
        )
    if not quiet:
        say(f"{out}: {done.frames} frames, {done.seconds:.1f} s")
