"""Pictures of file systems that have URLs: single ones, patterns and folders."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from . import storage
from .jobs import Job, Result, explain
from .naming import is_named_as_picture, pass_over, why_not_named


def is_picture(url: str) -> bool:
    """Whether it names one picture, by its ending."""
    return is_named_as_picture(posixpath.basename(url)) and _magic(url) is None


def plan_remote(
    url: str, out: str | None, ending: str, recursive: bool, passed: Counter[str] | None
) -> Iterator[Job | Result]:
    """A picture, or those of a pattern or folder; a folder is listed as the job goes.

    The URLs of what is found are made of the one given: a path of fsspec may lack the host.
    """
    system, path = storage.file_system(url)

    def job(place: str, inside: str, named: bool = False) -> Job:
        target = place + ending if out is None else storage.join(out, storage.inside(inside + ending))
        return Job(place, target, named=named)

    if (magic := _magic(url)) is not None:
        above = url[: url.rfind("/", 0, magic) + 1]
        top = path[: path.rfind("/", 0, _magic(path)) + 1]
        for name in sorted(system.glob(path)):
            inside = name.removeprefix(top)
            yield job(above + inside, inside)
    elif not is_picture(url) and system.isdir(path):
        above, top = url.rstrip("/"), path.rstrip("/")
        for found in _walk(system, top, above, recursive, passed):
            if isinstance(found, Result):
                yield found
            else:
                inside = found.removeprefix(f"{top}/")
                yield job(f"{above}/{inside}", inside)
    else:
        yield job(url, posixpath.basename(path), named=True)


def _walk(system: Any, top: str, url: str, recursive: bool, passed: Counter[str] | None) -> Iterator[str | Result]:
    """As :func:`alphacut.batch.naming.walk`. That of fsspec says nothing of folders that it cannot list."""
    pending = [top]
    while pending:
        folder = pending.pop()
        try:
            entries = system.ls(folder, detail=True)
        except Exception as error:  # of a connection, or forbidden
            place = url + folder.removeprefix(top)
            yield Result(place, None, "failed", explain(error, place))
            continue
        for entry in sorted(entries, key=lambda entry: str(entry["name"])):
            path = entry["name"].rstrip("/")
            name = posixpath.basename(path)
            if path == folder:
                continue
            if entry["type"] == "directory" and not name.startswith("."):
                if recursive:
                    pending.append(path)
            elif reason := why_not_named(name):
                pass_over(reason, passed)
            else:
                yield path


def _magic(url: str) -> int | None:
    """Where a URL begins to be a pattern. A question mark of the web is none."""
    found = re.search(r"[*[]" if url.startswith(("http://", "https://")) else r"[*?[]", url)
    return found and found.start()
