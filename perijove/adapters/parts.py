"""Which rows a part of a split has: the same on every machine, with every version of an engine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MISSING = np.uint64(0x6A09E667F3BCC909)
"""Stands for the group of rows that have no value."""


def take_part(
    table: Any, method: Literal["time", "group", "hash"], column: str, start: int, rows: int
) -> Any:
    """Return some rows of a split's order.

    By time in that order, ties by row; else as they lie in the table.
    """
    import pyarrow as pa

    if not rows:
        return table.slice(0, 0)
    if method == "time":
        return _by_time(table, column, start, rows)
    if method == "group":
        hashes = group_hashes(table.column(column))
    else:
        hashes = row_hashes(np.arange(table.num_rows))
    # The part's rows are those between the hashes of its first and its last one.
    last = start + rows - 1
    placed = np.partition(hashes, sorted({start, last}))
    return table.filter(pa.array((hashes >= placed[start]) & (hashes <= placed[last])))


def group_counts(column: Any, shares: Sequence[float]) -> list[int]:
    """Count the rows of each part, where the hash of a group's value says which part it is in.

    Parameters
    ----------
    shares
        Of the groups; they add up to 1.
    """
    placed = np.sort(group_hashes(column))
    passed, ends = 0.0, []
    for share in shares:
        passed += share
        ends.append(min(round(passed * 2**64), 2**64 - 1))
    ends[-1] = 2**64 - 1
    cuts = [int(np.searchsorted(placed, np.uint64(end), "left")) for end in ends[:-1]]
    counts: list[int] = np.diff([0, *cuts, len(placed)]).tolist()
    return counts


def row_hashes(numbers: Any) -> Any:
    """Hash rows by their numbers, counted from 0."""
    return _scramble((np.asarray(numbers).astype(np.uint64) + np.uint64(1)) * _GOLDEN)


def group_hashes(column: Any) -> Any:
    """Hash each row's value: numbers and times by their bits, all else by its text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    missing = pc.is_null(column).to_numpy(zero_copy_only=False)
    if pa.types.is_unsigned_integer(kind):
        numbers = column.cast(pa.uint64()).fill_null(0).to_numpy().astype(np.uint64)
    elif pa.types.is_boolean(kind) or pa.types.is_signed_integer(kind) or _is_time(kind):
        if pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("us"))
        whole = column.cast(pa.int32()) if pa.types.is_date32(kind) else column
        numbers = whole.cast(pa.int64()).fill_null(0).to_numpy().view(np.uint64)
    elif pa.types.is_floating(kind):
        values = column.cast(pa.float64()).fill_null(0.0).to_numpy() + 0.0  # -0 becomes 0
        numbers = np.where(np.isnan(values), np.nan, values).view(np.uint64)
    else:
        coded = column.combine_chunks().dictionary_encode()
        if isinstance(coded, pa.ChunkedArray):
            coded = pa.concat_arrays(coded.chunks) if coded.num_chunks != 1 else coded.chunk(0)
        words = np.array([_text_hash(value) for value in coded.dictionary.to_pylist()], np.uint64)
        at = coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        hashes = words[at] if len(words) else np.zeros(len(at), np.uint64)
        return np.where(missing, _MISSING, hashes)
    return np.where(missing, _MISSING, _scramble(numbers + _GOLDEN))


def _by_time(table: Any, column: str, start: int, rows: int) -> Any:
    import pyarrow.compute as pc

    order = pc.sort_indices(table.select([column]), sort_keys=[(column, "ascending")])
    chosen = order.slice(start, rows).to_numpy().view(np.int64)
    if chosen[-1] - chosen[0] == rows - 1 and bool((np.diff(chosen) == 1).all()):
        return table.slice(int(chosen[0]), rows)
    # Column by column side by side: a take of a table does them one after the other.
    indices = order.slice(start, rows)
    with ThreadPoolExecutor() as threads:
        columns = list(threads.map(lambda values: values.take(indices), table.columns))
    return table.from_arrays(columns, schema=table.schema)


def _scramble(x: Any) -> Any:
    """The end of splitmix64: each number has another hash."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _text_hash(value: Any) -> int:
    content = value if isinstance(value, bytes) else str(value).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")


def _is_time(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_timestamp(kind) or pa.types.is_date32(kind) or pa.types.is_time(kind))
