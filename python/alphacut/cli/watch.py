"""The pictures of a folder, and those that come."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

import click

from ..batch import Result
from ..batch.naming import belongs, walk
from ..batch.storage import Stamp, stamp

REST = 1.0
"""Seconds for which a file has not changed before it is taken for whole."""


def arrivals(folder: str, *, recursive: bool) -> Iterator[Iterable[str | Result]]:
    """First the pictures that are there, then those that have come or changed; each once it is at rest.

    The first round is lazy, and holds failed results for folders that cannot be listed. Ends with an error when the
    folder goes.
    """
    changes = _changes(folder, recursive)
    resting = _Resting()
    resting.add(next(changes))  # from here on nothing is missed
    yield resting.sieve(walk(folder, recursive=recursive))
    for paths in changes:
        resting.add(paths)
        if ready := resting.ready():
            yield ready


def _changes(folder: str, recursive: bool) -> Iterator[list[str]]:
    """The pictures that have come or changed, twice a second."""
    try:
        import watchfiles
    except ImportError as error:
        raise click.ClickException("--watch needs watchfiles: pip install 'alphacut[watch]'") from error
    place = os.path.realpath(folder)  # as the changes name it
    watched = _identity(place)
    stream = watchfiles.watch(
        place, watch_filter=None, recursive=recursive, debounce=500, rust_timeout=500, yield_on_timeout=True
    )
    for changed in _told(stream, folder):
        if _identity(place) != watched:
            raise click.ClickException(f"{folder} is no longer there, or another folder")
        paths = []
        for change, path in changed:
            path = os.path.join(folder, os.path.relpath(path, place))
            if belongs(path, folder, recursive=recursive):
                paths.append(path)
            elif recursive and change == watchfiles.Change.added and os.path.isdir(path):
                # What a folder brought along may have made no changes of its own.
                paths += [found for found in walk(path) if isinstance(found, str) and belongs(found, folder)]
        yield paths


def _identity(folder: str) -> tuple[int, int] | None:
    """What tells a folder from another in its place; None where there is none."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _told(changes: Iterator[Any], folder: str) -> Iterator[Any]:
    """The same; what the system refuses, such as more folders than it can watch, in one line."""
    try:
        yield from changes
    except (OSError, RuntimeError) as error:
        raise click.ClickException(f"cannot watch {folder}: {error}") from error


class _Resting:
    """Files that may still be written to."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Stamp | None, float]] = {}  # what it was; since when

    def add(self, paths: Iterable[str]) -> None:
        """Wait for these."""
        for path in paths:
            self._seen[path] = None, 0.0

    def sieve(self, found: Iterable[str | Result]) -> Iterator[str | Result]:
        """What is at rest by its time of change; waits for the others."""
        for item in found:
            if isinstance(item, str) and item in self._seen:
                continue
            seen = stamp(item) if isinstance(item, str) else None
            if isinstance(item, str) and seen and time.time() - seen.modified / 1e9 < REST:
                self.add([item])
            else:
                yield item

    def ready(self) -> list[str]:
        """Those that have come to rest, no longer waited for."""
        now, done = time.monotonic(), []
        for path, (before, since) in list(self._seen.items()):
            seen = stamp(path)
            if seen is None:
                del self._seen[path]
            elif seen != before:
                self._seen[path] = seen, now
            elif now - since >= REST:
                del self._seen[path]
                done.append(path)
        return done
