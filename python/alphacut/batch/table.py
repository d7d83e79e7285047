"""The Parquet files of a manifest, and what must be known of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pyarrow

Status = Literal["written", "skipped", "failed", "stale"]

STATUSES: tuple[Status, ...] = ("written", "skipped", "failed")
COLUMNS = {
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


def parts(folder: str) -> list[str]:
    """The Parquet files of a manifest, in order."""
    names = sorted(name for name in os.listdir(folder) if re.fullmatch(r"part-\d+\.parquet", name))
    return [os.path.join(folder, name) for name in names]


def latest_rows(folder: str, order: str, most: int) -> Iterator[dict[str, Any]]:
    """The newest row of each output, by a column: those of the least values, at most so many; nulls are left out."""
    _, parquet = arrow()
    import pyarrow.dataset

    found = parts(folder)
    if not found:
        raise ValueError(f"{folder}: no manifest, for there is no part-*.parquet in it")
    values = np.concatenate([_numpy(parquet.read_table(part, columns=[order])[order], np.nan) for part in found])
    places = _newest(_keys_of(found), _codes_of(found))
    places = places[~np.isnan(values[places])]
    chosen = places[np.argsort(values[places], kind="stable")[:most]]
    table = pyarrow.dataset.dataset(found, format="parquet").take(chosen)
    yield from table.to_pylist()


def latest_of(folder: str) -> tuple[Any, Any, Any]:
    """Keys in order, and the recipe and status of each one's newest row."""
    _, parquet = arrow()
    found = parts(folder)
    keys, codes, recipes = _keys_of(found), _codes_of(found), [np.empty(0, np.uint64)]
    recipes += [parquet.read_table(part, columns=["recipe"])["recipe"].to_numpy() for part in found]
    newest = _newest(keys, codes)
    return keys[newest], np.concatenate(recipes)[newest], codes[newest]


def _keys_of(found: Sequence[str]) -> Any:
    """(N, 2) of 64 bits."""
    _, parquet = arrow()
    keys = [np.empty((0, 2), np.uint64)]
    for part in found:
        column = parquet.read_table(part, columns=["key"])["key"].combine_chunks()
        data = np.frombuffer(column.buffers()[1], ">u8", 2 * len(column), 16 * column.offset)
        keys.append(data.reshape(-1, 2).astype(np.uint64))
    return np.concatenate(keys)


def _codes_of(found: Sequence[str]) -> Any:
    """(N,): the places of the statuses in STATUSES."""
    pa, parquet = arrow()
    import pyarrow.compute as compute

    codes = [np.empty(0, np.uint8)]
    for part in found:
        status = parquet.read_table(part, columns=["status"])["status"]
        codes.append(compute.index_in(status, pa.array(STATUSES)).to_numpy().astype(np.uint8))
    return np.concatenate(codes)


def _newest(keys: Any, codes: Any) -> Any:
    """The place of the last row of each key, in the order of the keys; one that was skipped, which tells nothing new,
    only where there is no other."""
    order = np.lexsort((codes != STATUSES.index("skipped"), keys[:, 1], keys[:, 0]))
    ordered = keys[order]
    last = np.ones(len(order), bool)
    last[:-1] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return order[last]


def _numpy(column: Any, null: float) -> Any:
    return column.fill_null(null).to_numpy()


def schema() -> pyarrow.Schema:
    pa, _ = arrow()
    kinds = {"list<string>": pa.list_(pa.string()), "fixed_size_binary[16]": pa.binary(16)}
    return pa.schema([(name, kinds.get(kind) or pa.type_for_alias(kind)) for name, kind in COLUMNS.items()])


def arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError("a manifest needs pyarrow: pip install 'alphacut[manifest]'") from error
    return pyarrow, parquet


def number_of(part: str) -> int:
    return int(os.path.basename(part)[5:-8])
