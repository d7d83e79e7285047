"""What became of each picture, in a folder of Parquet files that grows as the job goes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from .jobs import Job, Result
from .recipe import described

if TYPE_CHECKING:
    import pyarrow

Status = Literal["written", "skipped", "failed", "stale"]

PART_ROWS = 10_000
"""Rows of a part."""

_STATUSES: tuple[Status, ...] = ("written", "skipped", "failed")
_COLUMNS = {
    "source": "string",
    "destination": "string",
    "status": "string",
    "reason": "string",
    "size": "int64",
    "digest": "string",
    "width": "int32",
    "height": "int32",
    "method": "string",
    "confidence": "float32",
    "warnings": "list<string>",
    "milliseconds": "float32",
    "prompt": "string",
    "options": "string",
    "version": "string",
    "key": "fixed_size_binary[16]",
    "recipe": "uint64",
}


class Manifest:
    """A table with a row for each picture that was written, failed, or was there already.

    Each row is first a line of a journal, so that nothing is lost when the process is killed; 10,000 become a Parquet
    file. A later row of a picture takes the place of an earlier one. What must be known of earlier rows takes 25 bytes
    each. A context manager: its end makes the last Parquet file.

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
    OSError
        If the folder cannot be written, or another job writes it.
    """

    def __init__(self, folder: str, options: str) -> None:
        from .. import __version__

        _arrow()
        self._folder, self._options, self._version = folder, options, __version__
        os.makedirs(folder, exist_ok=True)
        self._lock = _locked(os.path.join(folder, "_lock"))
        for name in sorted(os.listdir(folder)):
            if found := re.fullmatch(r"_journal-(\d+)\.jsonl", name):
                self._fold(int(found[1]))
        keys, self._recipes, self._codes = _latest(folder)
        self._high, self._low = map(np.ascontiguousarray, keys.T)
        self._number = max((_number(part) for part in parts(folder)), default=0) + 1
        self._rows = 0
        self._journal: IO[str] | None = None

    def status(self, job: Job) -> Status | None:
        """What became of a job's picture before; "stale" if it was written with other options or another version."""
        key = _key(job.source)
        high, low = np.uint64(int.from_bytes(key[:8], "big")), int.from_bytes(key[8:], "big")
        place = int(self._high.searchsorted(high))
        if place == len(self._high) or self._high[place] != high or self._low[place] != low:
            return None
        status = _STATUSES[self._codes[place]]
        return "stale" if status == "written" and self._recipes[place] != self._recipe(job.prompt) else status

    def add(self, result: Result) -> None:
        """Write down what became of a picture."""
        value = result.value or {}
        row = {name: value.get(name) for name in _COLUMNS if name in value}
        row |= {
            "source": result.source,
            "destination": result.destination,
            "status": result.status,
            "reason": result.reason,
            "prompt": described(result.prompt),
            "options": self._options,
            "version": self._version,
            "key": _key(result.source).hex(),
            "recipe": self._recipe(result.prompt),
        }
        if self._journal is None:
            self._journal = open(self._journal_path(self._number), "w", encoding="ascii")  # noqa: SIM115
        self._journal.write(json.dumps(row) + "\n")
        self._journal.flush()
        self._rows += 1
        if self._rows == PART_ROWS:
            self._end_part()

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
        pa, parquet = _arrow()
        journal, part = self._journal_path(number), os.path.join(self._folder, f"part-{number:06}.parquet")
        if not os.path.exists(part):
            with open(journal, encoding="ascii", errors="replace") as stream:
                rows = [row for line in stream if (row := _row(line)) is not None]
            if rows:
                table = pa.Table.from_pylist(rows, schema=_schema())
                parquet.write_table(table, part + ".tmp", compression="zstd")
                os.replace(part + ".tmp", part)
        os.unlink(journal)


def parts(folder: str) -> list[str]:
    """The Parquet files of a manifest, in order."""
    names = sorted(name for name in os.listdir(folder) if re.fullmatch(r"part-\d+\.parquet", name))
    return [os.path.join(folder, name) for name in names]


def latest_rows(folder: str, order: str, most: int) -> Iterator[dict[str, Any]]:
    """The newest row of each picture, by a column: those of the least values, at most so many; nulls are left out."""
    _, parquet = _arrow()
    import pyarrow.dataset

    found = parts(folder)
    if not found:
        raise ValueError(f"{folder}: no manifest, for there is no part-*.parquet in it")
    values = np.concatenate([_numpy(parquet.read_table(part, columns=[order])[order], np.nan) for part in found])
    places = _newest(_keys_of(found))
    places = places[~np.isnan(values[places])]
    chosen = places[np.argsort(values[places], kind="stable")[:most]]
    table = pyarrow.dataset.dataset(found, format="parquet").take(chosen)
    yield from table.to_pylist()


def _latest(folder: str) -> tuple[Any, Any, Any]:
    """Keys in order, and the recipe and status of each one's newest row."""
    pa, parquet = _arrow()
    import pyarrow.compute as compute

    found = parts(folder)
    keys, recipes, codes = _keys_of(found), [np.empty(0, np.uint64)], [np.empty(0, np.uint8)]
    for part in found:
        table = parquet.read_table(part, columns=["recipe", "status"])
        recipes.append(table["recipe"].to_numpy())
        codes.append(compute.index_in(table["status"], pa.array(_STATUSES)).to_numpy().astype(np.uint8))
    newest = _newest(keys)
    return keys[newest], np.concatenate(recipes)[newest], np.concatenate(codes)[newest]


def _keys_of(found: Sequence[str]) -> Any:
    """(N, 2) of 64 bits."""
    _, parquet = _arrow()
    keys = [np.empty((0, 2), np.uint64)]
    for part in found:
        column = parquet.read_table(part, columns=["key"])["key"].combine_chunks()
        data = np.frombuffer(column.buffers()[1], ">u8", 2 * len(column), 16 * column.offset)
        keys.append(data.reshape(-1, 2).astype(np.uint64))
    return np.concatenate(keys)


def _newest(keys: Any) -> Any:
    """The place of the last of each key, in the order of the keys."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    last = np.ones(len(order), bool)
    last[:-1] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order[last]


def _numpy(column: Any, null: float) -> Any:
    return column.fill_null(null).to_numpy()


def _key(source: str) -> bytes:
    return hashlib.blake2b(os.fsencode(source), digest_size=16).digest()


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


def _schema() -> pyarrow.Schema:
    pa, _ = _arrow()
    kinds = {"list<string>": pa.list_(pa.string()), "fixed_size_binary[16]": pa.binary(16)}
    return pa.schema([(name, kinds.get(kind) or pa.type_for_alias(kind)) for name, kind in _COLUMNS.items()])


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("a manifest needs pyarrow: pip install 'alphacut[manifest]'") from error
    return pyarrow, parquet


def _number(part: str) -> int:
    return int(os.path.basename(part)[5:-8])


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
