"""``alphacut review``."""

from __future__ import annotations

import click


@click.command(short_help="Look at the results of a job, the doubtful first.")
@click.argument("manifest")
def review(manifest: str) -> None:
    """x"""
