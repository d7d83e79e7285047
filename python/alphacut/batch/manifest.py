"""What became of each picture, in a folder of Parquet files that grows as the job goes."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from functools import cached_property
from typing import IO, Any

import numpy as np

from .. import _durable
from . import storage
from .jobs import Job, Result
from .recipe import described
from .table import COLUMNS, STATUSES, Status, arrow, latest_of, number_of, parts, schema

PART_ROWS = 10_000
"""Rows of a part."""


class Manifest:
    """A table with a row for each output that was written, failed, or was there already.

    Each row is first a line of a journal, so that nothing is lost when the process is killed; 10,000 become a Parquet
    file. A later row of the same picture and output takes the place of an earlier one. What must be known of earlier
    rows takes 25 bytes each. A context manager: its end makes the last Parquet file.

    Parameters
    ----------
    folder : str
        Made if it is not there. pyarrow, pandas, Polars and DuckDB read it as one table.
    options : str
        What all pictures are done with, see :meth:`Recipe.described`.

    Raises
    ------
    ImportError
        Without pyarrow.
    ValueError
        If it is a URL.
    OSError
        If the folder cannot be written, or another job writes it.
    """

    def __init__(self, folder: str, options: str) -> None:
        from .. import __version__

        if storage.is_url(folder):
            raise ValueError(f"manifest must be a folder of this machine, got {folder!r}")
        arrow()
        self._folder, self._options, self._version = folder, options, __version__
        os.makedirs(folder, exist_ok=True)
        self._lock = _locked(os.path.join(folder, "_lock"))
        for name in sorted(os.listdir(folder)):
            if found := re.fullmatch(r"_journal-(\d+)\.jsonl", name):
                self._fold(int(found[1]))
        keys, self._recipes, self._codes = latest_of(folder)
        self._high, self._low = map(np.ascontiguousarray, keys.T)
        self._number = max((number_of(part) for part in parts(folder)), default=0) + 1
        self._rows = 0
        self._journal: IO[str] | None = None

    def status(self, job: Job) -> Status | None:
        """What became of a job's picture before; "stale" if it was written with other options or another version."""
        key = _key(job.source, job.destination)
        high, low = np.uint64(int.from_bytes(key[:8], "big")), int.from_bytes(key[8:], "big")
        place = int(self._high.searchsorted(high))
        if place == len(self._high) or self._high[place] != high or self._low[place] != low:
            return None
        status = STATUSES[self._codes[place]]
        return "stale" if status == "written" and self._recipes[place] != self._recipe(job.prompt) else status

    def add(self, result: Result) -> None:
        """Write down what became of a picture."""
        value = result.value or {}
        row = {name: value.get(name) for name in COLUMNS if name in value}
        row |= {
            "source": result.source,
            "destination": result.destination,
            "status": result.status,
            "reason": result.reason,
            "prompt": described(result.prompt),
            "options": self._options,
            "version": self._version,
            "key": _key(result.source, result.destination or "").hex(),
            "recipe": self._recipe(result.prompt),
        }
        try:
            if self._journal is None:
                self._journal = open(self._journal_path(self._number), "w", encoding="ascii")  # noqa: SIM115
            self._journal.write(json.dumps(row) + "\n")
            self._journal.flush()
            self._rows += 1
            if self._rows == PART_ROWS:
                self._end_part()
        except OSError as error:  # such as a full disk, of which the error names no file
            if self._journal is not None:
                with contextlib.suppress(OSError):
                    self._journal.close()
            self._rows, self._number, self._journal = 0, self._number + 1, None  # the next job reads what it has
            raise OSError(error.errno, error.strerror, self._folder) from error

    def close(self) -> None:
        """Make the last Parquet file."""
        try:
            self._end_part()
        finally:
            self._lock.close()

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @cached_property
    def _usual(self) -> int:
        """Of pictures without a prompt of their own."""
        return self._recipe({"": None})

    def _recipe(self, prompt: Mapping[str, Any]) -> int:
        if not prompt:
            return self._usual
        text = "\n".join((self._version, self._options, described(prompt)))
        import hashlib

        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")

    def _journal_path(self, number: int) -> str:
        return os.path.join(self._folder, f"_journal-{number:06}.jsonl")

    def _end_part(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
            self._fold(self._number)
            self._number, self._rows = self._number + 1, 0

    def _fold(self, number: int) -> None:
        """A journal as a Parquet file. One that is there already was made of it."""
        pa, parquet = arrow()
        journal, part = self._journal_path(number), os.path.join(self._folder, f"part-{number:06}.parquet")
        if not os.path.exists(part):
            with open(journal, encoding="ascii", errors="replace") as stream:
                rows = [row for line in stream if (row := _row(line)) is not None]
            if rows:
                table = pa.Table.from_pylist(rows, schema=schema())
                try:
                    parquet.write_table(table, part + ".tmp", compression="zstd")
                    _durable.put(part + ".tmp", part)
                except BaseException:
                    with contextlib.suppress(OSError):
                        os.unlink(part + ".tmp")
                    raise
        os.unlink(journal)


def _key(source: str, destination: str) -> bytes:
    import hashlib

    return hashlib.blake2b(os.fsencode(source) + b"\0" + os.fsencode(destination), digest_size=16).digest()


def _row(line: str) -> dict[str, Any] | None:
    """A line of a journal; None of one that was cut short."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    for name, value in row.items():
        if isinstance(value, str):  # a name that is no text
            row[name] = value.encode("utf-8", "backslashreplace").decode()
    return {**row, "key": bytes.fromhex(row["key"])}


def _locked(path: str) -> IO[str]:
    """A file that one process holds at a time."""
    file = open(path, "w")  # noqa: SIM115
    with contextlib.suppress(ImportError):  # of Windows
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise OSError(error.errno, "another job writes this manifest", os.path.dirname(path)) from error
    return file
