"""The command ``alphacut``. A command is imported when it is asked for, and what it needs when it runs."""

from __future__ import annotations

import click

from .. import __version__
from .config import config
from .layout import Group

COMMANDS = "remove", "review", "video", "pipe", "serve", "demo", "info"
"""Each the name of a module, and of its command."""


@click.group(cls=Group, names=COMMANDS, package=__name__, context_settings={"help_option_names": ["-h", "--help"]})
@config
@click.version_option(__version__, prog_name="alphacut", message="%(prog)s %(version)s")
def main() -> None:
    """Cuts the subject out of a picture.

    \b
    Exit codes: 0 if all is done, 1 if something failed, 2 for wrong usage.

    \b
    Examples:
      alphacut remove photo.jpg           photo-cutout.png beside it
      alphacut remove photos/ -o out/     a folder
      alphacut remove --help              boxes, colours, backgrounds and more
      alphacut review manifest/           pictures of a job to look at, the doubtful first
      alphacut video dog.mp4 dog.webm     a film
      alphacut pipe --help                raw video frames, as from ffmpeg
    """


__all__ = ["main"]
