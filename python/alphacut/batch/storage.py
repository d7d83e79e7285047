"""Files by their paths, and by the URLs that fsspec knows (``s3://``, ``gs://``, ``memory://``)."""

from __future__ import annotations

import io
import os
import posixpath
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ..cutout import Cutout


class _Named(io.BytesIO):
    """Bytes that know where they come from, for errors."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def is_url(path: str) -> bool:
    """Whether it is a URL, and no path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path) is not None


def as_path(place: str) -> str:
    """The path of a ``file://`` URL; anything else as it is."""
    return place.removeprefix("file://") if place.startswith("file:///") else place


def file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path there."""
    try:
        import fsspec
    except ImportError as error:
        raise ImportError("URLs need fsspec: pip install 'alphacut[urls]'") from error
    return fsspec.core.url_to_fs(url)


def inside(path: str) -> str:
    """A path within a URL, normal in its spelling: it leads to nothing above, whatever ".." it has."""
    return posixpath.normpath(f"/{path}").lstrip("/")


def join(folder: str, *parts: str) -> str:
    """The place in a folder, normal in its spelling."""
    if is_url(folder):
        return f"{folder.rstrip('/')}/{inside(posixpath.join(*parts))}".rstrip("/")
    return os.path.normpath(os.path.join(folder, *parts))


def exists(place: str) -> bool:
    """Whether there is a file, or a link to none."""
    if not is_url(place):
        return os.path.lexists(place)
    system, path = file_system(place)
    return bool(system.exists(path))


def fetch(place: str) -> Any:
    """What :func:`alphacut.read_image` takes: the path, or the bytes of a URL."""
    if not is_url(place):
        return place
    system, path = file_system(place)
    return _Named(system.cat_file(path), place)


def save(cutout: Cutout, place: str, **what: Any) -> None:
    """Write a cutout in the format of its ending, at once or not at all; to a URL as its file system does, object
    stores so. Folders are made."""
    what.pop("format", None)
    if not is_url(place):
        os.makedirs(os.path.dirname(place) or ".", exist_ok=True)
        cutout.save(place, **what)
        return
    file = io.BytesIO()
    cutout.save(file, format=posixpath.splitext(place)[1][1:], **what)
    system, path = file_system(place)
    system.makedirs(posixpath.dirname(path), exist_ok=True)
    system.pipe_file(path, file.getvalue())


def open_file(place: str, mode: str, **how: Any) -> Any:
    """A stream, as of :func:`open`."""
    if not is_url(place):
        return open(place, mode, **how)
    system, path = file_system(place)
    return system.open(path, mode, **how)


class Stamp(NamedTuple):
    """What changes when a file does; times in nanoseconds."""

    inode: int
    size: int
    modified: int
    changed: int


def stamp(path: str) -> Stamp | None:
    """That of a file; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return Stamp(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
