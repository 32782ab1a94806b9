"""Which columns tell the answer: each alone predicts it, on rows from all over the table.

Where the version is split, on rows that models may learn from. Which these are is decided by a
key of each row: a time, or a hash. Keys are read a block at a time, and the two that bound the
part are found digit by digit, so that the table's size costs time and no memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from perijove.adapters.duckdb.worker.columns import kind_of
from perijove.adapters.duckdb.worker.database import Action, Database, InvalidError, Report
from perijove.adapters.duckdb.worker.parquet import ParquetTable, open_table
from perijove.adapters.parts import group_hashes, row_hashes

ROWS: Final = 40_000
CELLS: Final = 24_000_000
"""Of a wide table fewer rows are tried."""
PLACES: Final = 16
"""Row groups that rows are taken from, spread over the files."""
BLOCK: Final = 2**18
DIGIT: Final = 16
"""Bits of a key that one pass decides."""
FEW: Final = 2**20
"""Keys that may be sorted in memory."""

Keys = NDArray[np.uint64]


def leaks(
    database: Database,
    report: Report,
    *,
    files: list[str],
    names: list[str],
    target: str,
    part: dict[str, Any] | None = None,
    partitions: str | None = None,
) -> dict[str, Any]:
    """Score each column alone.

    Parameters
    ----------
    names
        Of all columns, no two the same; those of the files come first.
    part
        Of a split: its ``method`` and ``column``, and which rows of that order, ``start`` and
        ``rows``. Where the column cannot be ordered here, all rows are tried.
    """
    from perijove.adapters.profile import leak_scores
    from perijove.core.errors import PerijoveError

    tables = [open_table(file) for file in files]
    schema = tables[0].schema
    flat = [at for at, field in enumerate(schema) if kind_of(field.type) != "other"]
    if target not in [names[at] for at in flat]:
        raise InvalidError(f"{target} cannot be predicted: it is no plain column of the table")
    order = _Order.of(tables, names, part) if part is not None else None
    share = part["rows"] / max(1, sum(table.rows for table in tables)) if order and part else 1.0
    rows = min(math.ceil(ROWS / max(share, 0.1)), max(1024, CELLS // len(flat)))
    sampled, numbers = _sample(tables, flat, rows)
    if order is not None and part is not None:
        sampled = sampled.filter(pa.array(order.within(part["start"], part["rows"], numbers)))
    frame = sampled.rename_columns([names[at] for at in flat]).slice(0, ROWS).to_pandas()
    for name in frame.columns:
        if frame[name].dtype.kind == "M":
            frame[name] = frame[name].astype("int64")
    try:
        scores = leak_scores(frame, list(frame.columns), target)
    except PerijoveError as error:
        raise InvalidError(error.message) from error
    return {
        "rows": len(frame),
        "within": order is not None,
        "scores": [{"column": one.feature, "score": one.score} for one in scores],
    }


def _sample(
    tables: Sequence[ParquetTable], columns: list[int], rows: int
) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return the first rows of row groups that lie evenly over the files, and their numbers."""
    groups, first = [], 0
    for table in tables:
        begin = 0
        for group in range(table.metadata.num_row_groups):
            size = table.metadata.row_group(group).num_rows
            if size:
                groups.append((table, first, begin, begin + size))
            begin += size
        first += table.rows
    if not groups:
        empty = tables[0].schema.empty_table().select(columns)
        return empty, np.array([], np.int64)
    places = np.unique(np.linspace(0, len(groups) - 1, min(len(groups), PLACES)).astype(int))
    share = math.ceil(rows / len(places))
    parts, numbers = [], []
    for place in places:
        table, offset, begin, end = groups[place]
        end = min(end, begin + share)
        parts.append(table.read(begin, end, columns))
        numbers.append(np.arange(offset + begin, offset + end))
    return pa.concat_tables(parts), np.concatenate(numbers)


class _Order:
    """The order of a split: a key for each row, in blocks."""

    def __init__(
        self,
        tables: Sequence[ParquetTable],
        column: int | None,
        make: Callable[[pa.ChunkedArray], Keys] | None,
    ) -> None:
        self._tables = tables
        self._column = column
        self._make = make
        self._rows = sum(table.rows for table in tables)

    @classmethod
    def of(
        cls, tables: Sequence[ParquetTable], names: list[str], part: dict[str, Any]
    ) -> _Order | None:
        """Find the order; None where the column is none of the files', or of no type for it."""
        if part["method"] == "hash":
            return cls(tables, None, None)
        schema = tables[0].schema
        column = names.index(part["column"])
        if column >= len(schema):
            return None  # a folder's name
        if part["method"] == "group":
            return cls(tables, column, group_hashes)
        kind = schema.field(column).type
        sorts = (
            pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind)
        )
        return cls(tables, column, _sort_keys) if sorts else None

    def within(self, start: int, rows: int, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which rows surely lie in a part; those that tie with its neighbours do not."""
        below = self._key_at(start - 1) if start else None
        above = self._key_at(start + rows) if start + rows < self._rows else None
        keys = self._keys_of(numbers)
        inside = np.ones(len(keys), bool)
        if below is not None:
            inside &= keys > below
        if above is not None:
            inside &= keys < above
        if inside.any():
            return inside
        # Few values: the whole part ties.
        inside = np.ones(len(keys), bool)
        if below is not None:
            inside &= keys >= below
        return inside & (keys <= above) if above is not None else inside

    def _keys_of(self, numbers: NDArray[np.int64]) -> Keys:
        if self._column is None:
            hashes: Keys = row_hashes(numbers)
            return hashes
        assert self._make is not None  # a column has keys
        keys, first = [], 0
        for table in self._tables:
            mine = numbers[(numbers >= first) & (numbers < first + table.rows)] - first
            # Runs of rows that follow one another, as they were sampled.
            for run in np.split(mine, np.flatnonzero(np.diff(mine) != 1) + 1):
                if len(run):
                    read = table.read(int(run[0]), int(run[-1]) + 1, [self._column])
                    keys.append(self._make(read.column(0)))
            first += table.rows
        return np.concatenate(keys) if keys else np.array([], np.uint64)

    def _blocks(self) -> Iterator[Keys]:
        if self._column is None:
            for start in range(0, self._rows, BLOCK):
                yield row_hashes(np.arange(start, min(start + BLOCK, self._rows)))
            return
        assert self._make is not None  # a column has keys
        for table in self._tables:
            for start in range(0, table.rows, BLOCK):
                read = table.read(start, min(start + BLOCK, table.rows), [self._column])
                yield self._make(read.column(0))

    def _key_at(self, rank: int) -> np.uint64:
        return key_at(self._blocks, rank)


def key_at(blocks: Callable[[], Iterator[Keys]], rank: int) -> np.uint64:
    """Return the key of a rank, counted from 0; the keys are passed over a few times."""
    prefix, shift = 0, 64
    while True:
        shift -= DIGIT
        counts = np.zeros(2**DIGIT, np.int64)
        for keys in blocks():
            digits = (_with(keys, prefix, shift + DIGIT) >> np.uint64(shift)) & np.uint64(0xFFFF)
            counts += np.bincount(digits.astype(np.int64), minlength=2**DIGIT)
        ends = np.cumsum(counts)
        digit = int(np.searchsorted(ends, rank, "right"))
        rank -= int(ends[digit] - counts[digit])
        prefix = prefix << DIGIT | digit
        if shift == 0:
            return np.uint64(prefix)
        if counts[digit] <= FEW:
            left = np.concatenate([_with(keys, prefix, shift) for keys in blocks()])
            return np.uint64(np.partition(left, rank)[rank])


def _with(keys: Keys, prefix: int, shift: int) -> Keys:
    """Return the keys that begin with some bits; all where there are none yet."""
    if shift == 64:
        return keys
    found: Keys = keys[keys >> np.uint64(shift) == np.uint64(prefix)]
    return found


def _sort_keys(column: pa.ChunkedArray) -> Keys:
    """Make whole numbers of values that sort as they do; what is missing comes last."""
    kind = column.type
    missing = column.is_null(nan_is_null=pa.types.is_floating(kind)).to_numpy()
    sign = np.uint64(2**63)
    if pa.types.is_floating(kind):
        numbers = column.cast(pa.float64()).fill_null(0.0).to_numpy() + 0.0  # -0 becomes 0
        bits = numbers.view(np.uint64)
        keys = np.where(bits & sign, ~bits, bits | sign)
    elif pa.types.is_uint64(kind):
        keys = column.fill_null(0).to_numpy().astype(np.uint64)
    else:
        whole = column.cast(pa.int32()) if pa.types.is_date32(kind) else column
        whole = whole.cast(pa.int32()) if pa.types.is_time32(kind) else whole
        keys = whole.cast(pa.int64()).fill_null(0).to_numpy().view(np.uint64) ^ sign
    return np.where(missing, np.uint64(2**64 - 1), keys)


ACTIONS: dict[str, Action] = {"leaks": leaks}
