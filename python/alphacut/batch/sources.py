"""Pictures from whatever names them: folders, files, patterns, lists and URLs."""

from __future__ import annotations

import codecs
import csv
import glob
import os
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..options import PROMPTS
from . import storage
from .jobs import Job, Result, explain
from .naming import apart, job_in, plan_local, walk
from .remote import is_picture, plan_remote

LISTS = (".txt", ".csv", ".parquet")
"""Endings of lists of pictures."""

_SOURCES = ("source", "path")  # names of the column of pictures
_ROWS = {row.name: row for row in PROMPTS if row.name != "model"}


def plan(
    sources: Sequence[str],
    out: str | None = None,
    *,
    ending: str = "-cutout.png",
    recursive: bool = True,
    passed: Counter[str] | None = None,
) -> Iterator[Job | Result]:
    """A job for each picture.

    Parameters
    ----------
    sources : sequence of str
        Files, taken as they are; folders, walked; patterns (``photos/*.jpg``, ``**`` for sub-folders); or one list of
        pictures, or one URL of a picture, folder, pattern or list.
    out : str, optional
        The folder for the outputs, or its URL; by default beside each picture. Sub-folders are kept; if there are
        several `sources`, each folder of them gets a sub-folder of its own name.
    ending : str
        What follows the picture's name in the output's, see :func:`ending_of`.
    recursive : bool
        Whether to walk into sub-folders.
    passed : Counter, optional
        Counts the files of the folders that are passed over, by why, such as ".txt", "hidden" or "earlier outputs".

    Yields
    ------
    Job or Result
        Files before folders. A failed result stands for what cannot be planned, such as a row without a source.

    Raises
    ------
    ValueError
        If a list or URL is not the only source.

    Notes
    -----
    An output is named by the stem of its picture, or by its whole name where another picture of the same stem would
    claim the same output: a.jpg becomes a-cutout.png; a.jpg and a.png become a.jpg-cutout.png and a.png-cutout.png.
    Files from several folders that would still meet in `out` are numbered in the order given. So no two pictures of
    files and folders have one output, and no output is one of the `sources`. The output of a URL keeps its ending.

    A list is a text file with one path or URL a line, or a CSV or Parquet file with a column ``source`` (or ``path``)
    and, if you like, ``destination`` and the prompts of each picture: ``box``, ``points``, ``labels``, ``mask``,
    ``trimap``, ``key``, ``instance``, written as on the command line. Paths are relative to the working folder. It is
    read as the job goes, so that any number of rows will do; a row that is there twice is done twice. What a list names
    keeps its folders in `out`. URLs are written to messages and manifests as they are: tell fsspec passwords by its
    settings, not in URLs.
    """
    places = [storage.as_path(source) for source in sources]
    others = [place for place in places if storage.is_url(place) or _is_list(place)]
    if not others:
        found = [path for place in places for path in _matches(place)]
        yield from plan_local(found, out, ending=ending, recursive=recursive, passed=passed)
    elif len(places) > 1:
        raise ValueError(f"{others[0]}: a list or URL must be the only source")
    elif _is_list(others[0]):
        yield from _listed(others[0], out, ending)
    else:
        yield from plan_remote(others[0], out, ending, recursive, passed)


def count(sources: Sequence[str], *, recursive: bool = True) -> int | None:
    """How many pictures :func:`plan` would find; None of URLs, which would take long."""
    places = [storage.as_path(source) for source in sources]
    if any(map(storage.is_url, places)):
        return None
    if len(places) == 1 and _is_list(places[0]):
        return sum(1 for _ in _rows(places[0]))
    found = {os.path.abspath(path): path for place in places for path in _matches(place)}.values()
    folders = apart([path for path in found if os.path.isdir(path)], recursive)
    walked = sum(1 for folder in folders for _ in walk(folder, recursive=recursive))
    return walked + sum(not os.path.isdir(path) for path in found)


def is_one(place: str) -> bool:
    """Whether a source is one picture."""
    if storage.is_url(place):
        return is_picture(place)
    return not os.path.isdir(place) and not _is_list(place) and _matches(place) == [place]


def _is_list(place: str) -> bool:
    return posixpath.splitext(place)[1].lower() in LISTS and not os.path.isdir(place)


def _matches(place: str) -> list[str]:
    """The files of a pattern, in order; a name that is there is none."""
    if os.path.lexists(place) or not glob.has_magic(place):
        return [place]
    return sorted(glob.glob(place, recursive=True)) or [place]


def _listed(place: str, out: str | None, ending: str) -> Iterator[Job | Result]:
    """The jobs of a list."""
    for number, row in enumerate(_rows(place), 1):
        if not any(name in row for name in _SOURCES):
            raise ValueError(f"{place} has no column source")
        source = next((storage.as_path(str(row[name])) for name in _SOURCES if row.get(name)), None)
        try:
            if source is None:
                raise ValueError("no source")
            prompt = {name: _value(name, row[name]) for name in _ROWS if row.get(name) not in (None, "")}
            destination = storage.as_path(str(row.get("destination") or _destination(source, out, ending)))
            if os.path.abspath(source) == os.path.abspath(destination):
                raise ValueError("the output would replace the picture")
            yield Job(source, destination, prompt)
        except (ValueError, TypeError) as error:
            named = f"{place}: row {number}"
            reason = explain(ValueError(f"{named}: {error}"), source or place)
            yield Result(source or named, None, "failed", reason)


def _value(name: str, given: Any) -> Any:
    """A prompt from a cell: a text, or what a Parquet file has."""
    row = _ROWS[name]
    if row.read is None:
        return given
    return row.from_text(given) if isinstance(given, str) else row.check(given, name)


def _destination(source: str, out: str | None, ending: str) -> str:
    if storage.is_url(source):
        if out is None:
            return source + ending
        inside = re.sub(r"^[^/@:]*:[^/@]*@", "", source.split("://", 1)[1])  # no password in a name
        return storage.join(out, storage.inside(inside + ending))
    beside = job_in("", source, ending=ending).destination
    return beside if out is None else storage.join(out, place_in(*os.path.split(beside)))


def place_in(folder: str, name: str = "", top: str = os.curdir) -> str:
    """A relative path for a file of a folder: different folders of any place have different ones."""
    top, folder = os.path.abspath(top), os.path.abspath(folder)
    if os.path.join(folder, "").startswith(os.path.join(top, "")):
        return os.path.join(os.path.relpath(folder, top), name)
    return os.path.join("-", os.path.splitdrive(folder)[1].lstrip(os.sep), name)  # no folder in `top` is called so


def _rows(place: str) -> Iterator[Mapping[str, Any]]:
    """The rows of a list by the names of their columns."""
    readers: dict[str, Callable[[str], Iterator[Mapping[str, Any]]]]
    readers = {".txt": _text_rows, ".csv": _csv_rows, ".parquet": _parquet_rows}
    try:
        yield from readers[posixpath.splitext(place)[1].lower()](place)
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{place}: {error}") from error


def _text_rows(place: str) -> Iterator[Mapping[str, Any]]:
    with storage.open_file(place, "rb") as stream:
        for number, line in enumerate(stream):
            line = line.removeprefix(codecs.BOM_UTF8) if number == 0 else line
            if name := os.fsdecode(line.rstrip(b"\r\n")):
                yield {"source": name}


def _csv_rows(place: str) -> Iterator[Mapping[str, Any]]:
    with storage.open_file(place, "r", encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        yield from csv.DictReader(stream)


def _parquet_rows(place: str) -> Iterator[Mapping[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("Parquet needs pyarrow: pip install 'alphacut[manifest]'") from error
    with storage.open_file(place, "rb") as stream, parquet.ParquetFile(stream) as file:
        wanted = [name for name in file.schema_arrow.names if name in (*_SOURCES, "destination", *_ROWS)]
        for batch in file.iter_batches(1024, columns=wanted):
            yield from batch.to_pylist()
