"""``alphacut pipe``: raw frames in, raw frames out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from .._arrays import Array
from ..cutout import cover
from ..files import MAX_PIXELS, Picture
from ..tracker import Tracker
from . import options
from .layout import Command
from .report import require_streams, tell_once

if TYPE_CHECKING:
    from .. import Cutout

_CHANNELS = {"rgb24": (3,), "bgr24": (3,), "gray": (), "rgba": (4,)}


@click.command(cls=Command, short_help="Cut the subject out of raw video frames.")
@click.argument("width", type=click.IntRange(1))
@click.argument("height", type=click.IntRange(1))
@click.option("--in", "incoming", type=click.Choice(list(_CHANNELS)), default="rgb24", show_default=True)
@click.option(
    "--out",
    type=click.Choice(["rgba", "gray", "rgb24"]),
    default="rgba",
    show_default=True,
    help="The cutout, its opacity, or, with --background, the composition.",
)
@options.prompts
@options.background
@options.shadow
@options.flow
@click.option("--track", is_flag=True, help="Follow the subject: the prompts tell of the first frame alone.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only what failed.")
def pipe(
    width: int,
    height: int,
    incoming: str,
    out: str,
    background: Any,
    shadow: Any,
    track: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Cut the subject out of each raw frame of standard input, and write it to standard output.

    Frames are WIDTH x HEIGHT pixels of 8 bits a channel, one after the other, as those of ffmpeg's rawvideo. One is
    worked on at a time. A warning is told of the first frame that has it.

    \b
    Exit codes: 0 at the end of the input, or when nobody reads on; 1 if it ends
    within a frame or something failed; 2 for wrong usage.

    \b
    Example:
      ffmpeg -v error -i green.mp4 -f rawvideo -pix_fmt rgb24 - \\
        | alphacut pipe 1280 720 --key '#00b140' --despill \\
        | ffmpeg -f rawvideo -pix_fmt rgba -s 1280x720 -r 25 -i - cutout.webm
    """
    if (out == "rgb24") != (background is not None):
        raise click.UsageError("--out rgb24 and --background go together.")
    if out == "gray" and shadow is not None:
        raise click.UsageError("--shadow has no use for --out gray.")
    if width * height > MAX_PIXELS:
        raise click.UsageError(f"{width} x {height} pixels are more than the limit of {MAX_PIXELS}.")
    require_streams()
    if sys.stdin.isatty() or sys.stdout.isatty():
        raise click.UsageError("Standard input and output are for frames, but one of them is a terminal.")
    remover: Callable[..., Cutout]
    prompt: dict[str, Any] = {}
    if track:
        remover, prompt = options.tracker(**given)
    else:
        remover = options.remover(**given)
    raw = np.zeros((height, width, *_CHANNELS[incoming]), np.uint8)
    frame = raw.copy() if incoming == "bgr24" else raw
    try:
        remover(frame, **prompt)  # says what cannot work before anything is read, and starts the threads
    except (ValueError, RuntimeError) as error:
        raise click.UsageError(str(error)) from error

    if isinstance(remover, Tracker):
        remover.reset()
    if os.name == "posix":
        for stream in (sys.stdin, sys.stdout):
            os.set_blocking(stream.fileno(), True)  # whoever else holds the pipe may have set it otherwise
    if isinstance(background, Picture):
        background = cover(background, height, width)  # once, not for each frame
    told: set[str] = set()
    number = 0
    while _filled(sys.stdin.buffer, raw, number):
        if incoming == "bgr24":
            frame[...] = raw[..., ::-1]
        try:
            cutout = remover(frame, **(prompt if number == 0 else {}))
        except (ValueError, RuntimeError) as error:
            raise click.ClickException(f"frame {number}: {error}") from error
        if not quiet:
            tell_once(cutout.warnings, number, told)
        if not _written(_pixels(cutout, out, background, shadow)):
            return
        number += 1


def _filled(stream: Any, frame: Array, number: int) -> bool:
    """Read one frame from a binary file; whether there was one."""
    view = frame.data.cast("B")
    got = 0
    while got < len(view):
        count = stream.readinto(view[got:])
        if not count:
            break
        got += count
    if 0 < got < len(view):
        raise click.ClickException(f"the input ends within frame {number}: {got} of {len(view)} bytes")
    return got > 0


def _pixels(cutout: Cutout, out: str, background: Any, shadow: Any) -> Array:
    return cutout.alpha if out == "gray" else cutout.on(background, shadow=shadow)


def _written(pixels: Array) -> bool:
    """Write all of it; whether somebody still reads.

    Past Python's buffer, which would hold a part of it back, and complain at exit that nobody takes it.
    """
    view = np.ascontiguousarray(pixels).data.cast("B")
    try:
        while view:
            view = view[os.write(sys.stdout.fileno(), view) :]
    except BrokenPipeError:
        return False
    except OSError as error:
        raise click.ClickException(f"standard output: {error.strerror}") from error
    return True
