"""New files in the place of old ones: the one or the other is there whole, also after a loss of power."""

from __future__ import annotations

import contextlib
import os

_SYNCED = os.environ.get("ALPHACUT_SYNC", "1") != "0"


def put(new: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Let the file `new`, which is whole and closed, take the place of `path` in the same file system.

    Its bytes are on the disk before it has the name, so that no loss of power leaves a file that is cut short; the name
    is then there too, where the file system can say so. The environment variable ALPHACUT_SYNC=0 leaves both out.

    Raises
    ------
    OSError
        If it cannot; then `path` is as before, and `new` may be there.
    """
    sync(new)
    os.replace(new, path)
    if _SYNCED and os.name == "posix":
        with contextlib.suppress(OSError):  # not every file system can; what is there is whole either way
            _sync(os.path.dirname(path) or ".", os.O_RDONLY)


def sync(path: str | os.PathLike[str]) -> None:
    """Return when the bytes of a file are on the disk."""
    if _SYNCED:
        _sync(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)


def _sync(path: str | os.PathLike[str], flags: int) -> None:
    file = os.open(path, flags)
    try:
        os.fsync(file)
    finally:
        os.close(file)
