"""The pictures of folders, and the name of each one's output."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from .._arrays import choice
from ..files import READ_SUFFIXES, WRITE_SUFFIXES
from . import storage
from .jobs import Job, Result, explain

_PARTS = {"rgba": "-cutout", "mask": "-cutout-mask", "alpha": "-cutout-alpha"}
ENDINGS = tuple(part + suffix for part in _PARTS.values() for suffix in sorted(WRITE_SUFFIXES))
"""Endings of the outputs. Files of a folder that end so are outputs of an earlier run, not inputs."""

STEP = "-cutout-step-"
"""In the names of pictures of steps, which are no inputs either."""

_MOST_REASONS = 20
_SPELLINGS = sorted({"", *READ_SUFFIXES, *map(str.upper, READ_SUFFIXES)})


def ending_of(what: str = "rgba", format: str = "png") -> str:
    """What follows a picture's name in that of its output: ending_of("mask", "webp") is "-cutout-mask.webp"."""
    choice(what, "what", tuple(_PARTS))
    if f".{format}" not in WRITE_SUFFIXES:
        raise ValueError(f"format must be one of {', '.join(sorted(WRITE_SUFFIXES))}, got {format!r}")
    return f"{_PARTS[what]}.{format}"


def walk(folder: str, *, recursive: bool = True, passed: Counter[str] | None = None) -> Iterator[str | Result]:
    """The pictures in a folder and, if `recursive`, its sub-folders, told by their endings.

    A folder that cannot be listed gives a failed result. Lazy: only the names of folders still to visit are kept, so
    that any number of files will do. Leaves out hidden files and folders, outputs of earlier runs, and links to
    folders, which could lead in circles; `passed` counts them by why, such as ".txt" or "hidden". The order is the file
    system's.
    """
    pending = [folder]
    while pending:
        current = pending.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                        if recursive:
                            pending.append(entry.path)
                    elif reason := _why_not(entry):
                        pass_over(reason, passed)
                    else:
                        yield entry.path
        except OSError as error:
            yield Result(current, None, "failed", explain(error, current))


def belongs(path: str, folder: str, *, recursive: bool = True) -> bool:
    """Whether :func:`walk` would find the picture `path`, which lies somewhere in `folder`."""
    *places, name = os.path.relpath(path, folder).split(os.sep)
    if (places and not recursive) or any(part.startswith(".") for part in (*places, name)):
        return False
    above = folder
    for place in places:
        above = os.path.join(above, place)
        if os.path.islink(above):
            return False
    try:
        return is_named_as_picture(name) and stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def plan_local(
    photos: Sequence[str],
    out: str | None = None,
    *,
    ending: str = "-cutout.png",
    recursive: bool = True,
    passed: Counter[str] | None = None,
) -> Iterator[Job | Result]:
    """The jobs of files, which come first, and of folders: see :func:`alphacut.batch.plan`."""
    unique: dict[str, str] = {}
    for photo in photos:
        unique.setdefault(os.path.abspath(photo), photo)
    files = [photo for photo in unique.values() if not os.path.isdir(photo)]
    folders = apart([photo for photo in unique.values() if os.path.isdir(photo)], recursive)
    inputs = {_identity(file) for file in files} | {os.path.realpath(file) for file in files}
    yield from _plan_files(files, inputs, out, ending)
    tops: set[str] = set()
    for folder in folders:
        top = out
        if out is not None and len(unique) > 1:
            name = _unique(os.path.basename(os.path.realpath(folder)) or "root", tops)
            tops.add(name)
            top = storage.join(out, name)
        for found in walk(folder, recursive=recursive, passed=passed):
            if isinstance(found, str) and _identity(found) in inputs:
                continue  # one of the files
            job = found if isinstance(found, Result) else job_in(folder, found, top, ending=ending)
            if isinstance(job, Job) and _identity(job.destination) in inputs:
                reason = f"{job.source}: its output would replace the input {job.destination}"
                job = Result(job.source, None, "failed", reason)
            yield job


def apart(folders: list[str], recursive: bool) -> list[str]:
    """Without those that a walk of another finds, or that are another."""
    places = {folder: Path(os.path.realpath(folder)) for folder in folders}
    walked = set(places.values()) if recursive else set()
    kept: dict[Path, str] = {}
    for folder, place in places.items():
        found = (place.relative_to(parent).parts for parent in place.parents if parent in walked)
        if all(any(part.startswith(".") for part in parts) for parts in found):
            kept.setdefault(place, folder)
    return list(kept.values())


def job_in(folder: str, picture: str, top: str | None = None, *, ending: str) -> Job:
    """The job of one picture of a folder, named without knowing the others, see :func:`alphacut.batch.plan`."""
    place, name = os.path.split(picture)
    target = place if top is None else storage.join(top, os.path.relpath(place, folder))
    stem = name if _has_namesake(picture) else os.path.splitext(name)[0]
    return Job(picture, os.path.join(target, stem + ending))


def _why_not(entry: os.DirEntry[str]) -> str:
    """Why the entry is no input; empty if it is one. A broken link looks like one: it will fail, and be reported."""
    if reason := why_not_named(entry.name):
        return reason
    if not entry.is_symlink():
        return "" if entry.is_file(follow_symlinks=False) else "not files"  # such as a pipe, which would wait for ever
    try:
        return "" if stat.S_ISREG(os.stat(entry.path).st_mode) else "not files"
    except OSError:
        return ""


def why_not_named(name: str) -> str:
    """Why a file of this name is no input; empty if it may be one."""
    if name.startswith("."):
        return "hidden"
    if is_named_as_picture(name):
        return ""
    ending = os.path.splitext(name.lower())[1]
    return "earlier outputs" if ending in READ_SUFFIXES else ending or "without an ending"


def pass_over(reason: str, passed: Counter[str] | None) -> None:
    """Count a file that is no input."""
    if passed is not None:
        passed[reason if reason in passed or len(passed) < _MOST_REASONS else "others"] += 1


def is_named_as_picture(name: str) -> bool:
    name = name.lower()
    return os.path.splitext(name)[1] in READ_SUFFIXES and not name.endswith(ENDINGS) and STEP not in name


def _plan_files(files: list[str], inputs: set[str], out: str | None, ending: str) -> Iterator[Job]:
    """Jobs of single files: each avoids the names of the others' outputs and inputs."""

    def stem(file: str) -> str:
        folder, name = os.path.split(file)
        return os.path.join(folder if out is None else out, os.path.splitext(name)[0])

    claims = Counter(map(stem, files))
    taken = set(inputs)
    for file in files:
        folder, name = os.path.split(stem(file))
        if claims[stem(file)] > 1:
            name = os.path.basename(file)
        place = _unique(os.path.join(os.path.realpath(folder), name), taken, ending)
        taken.add(place)
        yield Job(file, os.path.join(folder, os.path.basename(place)), named=True)


def _has_namesake(path: str) -> bool:
    """Whether another picture of the folder has the same stem, so that neither may be named by it.

    Looks for the usual spellings of the endings (.jpg, .JPG), rather than keep the names of a folder that may hold a
    million. A picture with an unusual one (.Jpg) always keeps its whole name. So does one whose stem is the whole name
    of another file.
    """
    stem, suffix = os.path.splitext(path)
    if suffix not in _SPELLINGS:
        return True
    for spelling in _SPELLINGS:
        if spelling == suffix:
            continue
        try:
            # On a file system that ignores case, .JPG and .jpg are one file and no namesakes.
            if not os.path.samestat(os.lstat(stem + spelling), os.lstat(path)):
                return True
        except OSError:
            continue
    return False


def _unique(name: str, taken: set[str], ending: str = "") -> str:
    """`name` with `ending`, numbered if that is taken."""
    candidate, number = name + ending, 2
    while candidate in taken:
        candidate, number = f"{name}-{number}{ending}", number + 1
    return candidate


def _identity(path: str) -> str:
    """The same text for each way to spell the place of a file; a link stands for itself."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)
