"""The parts of a film while it is made: segments in a folder beside it, so that what was interrupted goes on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from . import _durable

LENGTH = 240
"""Frames of a segment."""


def _folder_of(destination: str | os.PathLike[str]) -> Path:
    return Path(f"{os.fspath(destination)}.parts")


def begun(destination: str | os.PathLike[str]) -> bool:
    """Whether there are segments of a film."""
    return (_folder_of(destination) / "job.json").exists()


class Segments:
    """Whole segments, each with what the tracker knew at its end, and the last one that is begun.

    Parameters
    ----------
    destination : path
        Of the film; the folder is that with ``.parts`` behind it.
    suffix : str
        Of the segments' files.
    job : str
        What the film is made of and how: segments of another job are not gone on with.
    resume : bool
        Go on with what is there; else it is deleted when the first segment begins.

    Raises
    ------
    ValueError
        If there are segments of another job.
    FileExistsError
        If the folder is there, and holds something else.
    """

    def __init__(self, destination: str | os.PathLike[str], suffix: str, job: str, resume: bool) -> None:
        self._folder, self._suffix, self._job = _folder_of(destination), suffix, job
        found = self._read("job")
        if found is None and self._folder.exists() and any(path.name != "new" for path in self._folder.iterdir()):
            raise FileExistsError(f"{self._folder} is there, and holds no film's parts")
        self._resumed = resume and found is not None
        self._whole: list[dict[str, Any]] = []
        if self._resumed:
            if found != job:
                raise ValueError(
                    f"{self._folder} holds parts of a film of another source, prompt or options: finish it as it was "
                    "begun, or start over (resume=False, --overwrite)"
                )
            while (note := self._read(f"{len(self._whole):06}")) and self._video(len(self._whole)).exists():
                self._whole.append(note)
            self._video(len(self._whole)).unlink(missing_ok=True)  # what was begun is made anew

    def _read(self, name: str) -> Any:
        try:
            return json.loads((self._folder / f"{name}.json").read_text())
        except (OSError, ValueError):
            return None

    def _write(self, name: str, data: bytes) -> None:
        """All of it or nothing."""
        new = self._folder / "new"
        new.write_bytes(data)
        _durable.put(new, self._folder / name)

    def _video(self, number: int) -> Path:
        return self._folder / f"{number:06}{self._suffix}"

    @property
    def folder(self) -> Path:
        """Where they lie; there once one was begun."""
        return self._folder

    @property
    def end(self) -> dict[str, Any] | None:
        """What was noted of the last whole segment."""
        return self._whole[-1] if self._whole else None

    @property
    def state(self) -> bytes:
        """What the tracker knew then."""
        return (self._folder / f"{len(self._whole) - 1:06}.state").read_bytes()

    def begin(self) -> Path:
        """The file of the next segment."""
        if not self._resumed:
            self.delete()
            self._folder.mkdir(exist_ok=True)
            self._write("job.json", json.dumps(self._job).encode())
            self._resumed = True
        return self._video(len(self._whole))

    def finish(self, note: dict[str, Any], state: bytes) -> None:
        """The segment that was begun is whole."""
        number = len(self._whole)
        _durable.sync(self._video(number))  # before a note says that it is there
        self._write(f"{number:06}.state", state)
        self._write(f"{number:06}.json", json.dumps(note).encode())
        self._whole.append(note)
        (self._folder / f"{number - 1:06}.state").unlink(missing_ok=True)

    def files(self) -> list[Path]:
        """Those to join: the whole ones, and the one that was begun."""
        return [path for number in range(len(self._whole) + 1) if (path := self._video(number)).exists()]

    def delete(self) -> None:
        """The film is done."""
        shutil.rmtree(self._folder, ignore_errors=True)


def digest(*values: Any) -> str:
    """Of what a film is made of: arrays by their bytes, files by place, size and time, all else as it is shown."""
    sum_ = hashlib.sha256()
    for value in _flat(values):
        sum_.update(value)
    return sum_.hexdigest()


def _flat(value: Any) -> Iterable[bytes]:
    if isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, dict):
        for key in sorted(value):
            yield f"{key}:".encode()
            yield from _flat(value[key])
    elif isinstance(value, (list, tuple)):
        yield f"{len(value)}".encode()
        for each in value:
            yield from _flat(each)
    elif hasattr(value, "pixels"):  # a Picture
        yield from _flat((value.pixels, value.alpha))
    else:
        yield value if isinstance(value, bytes) else f"{value!r};".encode()
        if isinstance(value, (str, os.PathLike)) and os.path.isfile(value):
            found = os.stat(value)
            yield f"{os.path.realpath(value)} {found.st_size} {found.st_mtime_ns}".encode()
