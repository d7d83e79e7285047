"""``alphacut review``: a page of a job's results, the doubtful first."""

from __future__ import annotations

import os

import click

from .layout import Command
from .report import say


@click.command(cls=Command, short_help="Look at the results of a job, the doubtful first.")
@click.argument("manifest", metavar="MANIFEST", type=click.Path(exists=True, file_okay=False))
@click.option(
    "-o", "--out", metavar="PAGE", type=click.Path(dir_okay=False), help="The page.  [default: MANIFEST/review.html]"
)
@click.option(
    "--most",
    metavar="N",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="Pictures at the most.",
)
@click.option("--below", metavar="PERCENT", type=click.IntRange(0, 100), help="Only those of less confidence.")
def review(manifest: str, out: str | None, most: int, below: int | None) -> None:
    """Write a page of what the job that kept MANIFEST has written, with the least confident first.

    The page shows each photo and its cutout over a checkerboard. A person draws a box around the subject, or clicks on
    pixels of it (with Shift on what is not), and saves the picks as picks.csv, a list that remove takes. The page holds
    its pictures, and loads nothing. Give remove the options of the job again.

    \b
    Example:
      alphacut remove photos/ -o cutouts/ --manifest manifest/
      alphacut review manifest/
      alphacut remove picks.csv --manifest manifest/ --overwrite
    """
    from ..batch.review import write_review

    out = os.path.join(manifest, "review.html") if out is None else out
    try:
        shown = write_review(manifest, out, most=most, below=1.0 if below is None else below / 100)
    except (ImportError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error
    say(f"{out}: {shown} pictures")
