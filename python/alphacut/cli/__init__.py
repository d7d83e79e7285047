"""The command ``alphacut``. Each command imports what it needs when it runs, so that --help is quick."""

from __future__ import annotations

import click

from .. import __version__
from . import demo, info, pipe, remove, review, serve, video
from .config import config
from .layout import Group


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
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


main.add_command(remove.remove)
main.add_command(review.review)
main.add_command(video.video)
main.add_command(pipe.pipe)
main.add_command(serve.serve)
main.add_command(demo.demo)
main.add_command(info.info)

__all__ = ["main"]
