"""The command ``alphacut``. Each command imports what it needs when it runs, so that --help is quick."""

from __future__ import annotations

import click

from .. import __version__
from .demo import demo
from .info import info
from .remove import remove


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="alphacut", message="%(prog)s %(version)s")
def main() -> None:
    """Cuts the subject out of a picture."""


main.add_command(remove)
main.add_command(demo)
main.add_command(info)

__all__ = ["main"]
