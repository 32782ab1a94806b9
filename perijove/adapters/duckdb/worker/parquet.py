"""Parquet files as pages need them: open footers, and rows decoded no further than asked.

Two bounds hold whatever a file holds: of a row group only small batches are decoded at a time, and
of those only some megabytes are kept for the next page. Page checksums are verified where the
file has them.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from perijove.adapters.duckdb.worker.database import UnreadableError

BATCH_ROWS = 8192
BATCH_CELLS = 2**19
BLOCK = 256
"""Columns that are read at a time."""
KEPT_BYTES = 24 * 2**20
"""Of decoded rows, for pages that follow each other."""
KEPT_CHUNKS = 400_000
"""Column chunks whose footer entries are kept in memory, over all files."""

Stamp = tuple[int, int, int]


class _Scan:
    """Rows of one row group, decoded from its start as far as somebody asked."""

    def __init__(self, reader: Any, group: int, leaves: list[int], rows: int) -> None:
        batch = max(256, min(BATCH_ROWS, BATCH_CELLS // max(1, len(leaves)), rows))
        self._batches = reader.iter_batches(
            batch, row_groups=[group], column_indices=leaves, use_threads=False
        )
        self._kept: list[pa.RecordBatch] = []
        self._bytes = 0
        self.first = 0
        """The row of the group that the first kept batch begins with."""
        self._end = 0

    def rows(self, start: int, stop: int) -> list[pa.RecordBatch]:
        """Return rows of the group; none of them may lie before ``first``."""
        while self._end < stop:
            batch = next(self._batches, None)
            if batch is None:
                raise UnreadableError("it has fewer rows than its footer says")
            self._end += batch.num_rows
            self._kept.append(batch)
            self._bytes += batch.nbytes
            while len(self._kept) > 1 and (
                self._bytes > KEPT_BYTES and self.first + self._kept[0].num_rows <= start
            ):
                self._bytes -= self._kept[0].nbytes
                self.first += self._kept.pop(0).num_rows
        parts, at = [], self.first
        for batch in self._kept:
            begin, end = max(start - at, 0), min(stop - at, batch.num_rows)
            if begin < end:
                parts.append(batch.slice(begin, end - begin))
            at += batch.num_rows
        return parts


class ParquetTable:
    """One open file.

    It stays readable when another file takes its name, and is opened anew for the next request:
    see :func:`open_table`.
    """

    def __init__(self, path: str, stamp: Stamp) -> None:
        self.path = path
        self.stamp = stamp
        try:
            self._file = pq.ParquetFile(
                path, page_checksum_verification=True, buffer_size=2**17, pre_buffer=False,
                memory_map=False, thrift_string_size_limit=2**30,
            )  # fmt: skip
        except (pa.ArrowInvalid, OSError) as error:
            raise UnreadableError(_reason(error)) from error
        self.metadata = self._file.metadata
        self.schema: pa.Schema = self._file.schema_arrow
        self.rows: int = self.metadata.num_rows
        groups = range(self.metadata.num_row_groups)
        sizes = [self.metadata.row_group(group).num_rows for group in groups]
        self._ends = list(accumulate(sizes))
        self._sizes = sizes
        counts = [leaf_count(field.type) for field in self.schema]
        self._first_leaf = [0, *accumulate(counts)]
        self._scan: tuple[tuple[int, tuple[int, ...]], _Scan] | None = None

    @property
    def chunks(self) -> int:
        return len(self._sizes) * int(self.metadata.num_columns)

    def is_interval(self, column: int) -> bool:
        """Tell Parquet's INTERVAL, which Arrow knows as twelve bytes."""
        leaf = self._file.schema.column(self._first_leaf[column])
        return str(leaf.converted_type) == "INTERVAL"

    def nulls(self, column: int) -> int | None:
        """Return a column's nulls as the footer tells them; None where it does not."""
        if column >= len(self.schema) or pa.types.is_nested(self.schema.field(column).type):
            return None
        leaf, total = self._first_leaf[column], 0
        for group in range(len(self._sizes)):
            statistics = self.metadata.row_group(group).column(leaf).statistics
            if statistics is None or not statistics.has_null_count:
                return None
            total += statistics.null_count
        return total

    def depth(self, row: int) -> int:
        """Return how many rows of its group lie before a row, and are decoded before it."""
        group = min(bisect_right(self._ends, row), len(self._ends) - 1)
        return row - (self._ends[group] - self._sizes[group]) if self._ends else 0

    def read(self, start: int, stop: int, columns: Sequence[int]) -> pa.Table:
        """Return rows in order, columns by position in the order asked for."""
        # Each open column has a buffer of its own: a wide page is put together of blocks.
        fields: list[pa.Field] = []
        arrays: list[pa.ChunkedArray] = []
        for at in range(0, len(columns), BLOCK):
            more = self._block(start, stop, columns[at : at + BLOCK])
            fields += more[0]
            arrays += more[1]
        if len(columns) > BLOCK:
            self.forget()
        return pa.table(arrays, schema=pa.schema(fields))

    def _block(
        self, start: int, stop: int, columns: Sequence[int]
    ) -> tuple[list[pa.Field], list[pa.ChunkedArray]]:
        wanted = sorted(set(columns))
        leaves = [
            leaf
            for column in wanted
            for leaf in range(self._first_leaf[column], self._first_leaf[column + 1])
        ]
        batches: list[pa.RecordBatch] = []
        group = bisect_right(self._ends, start)
        while start < stop and wanted:
            first = self._ends[group] - self._sizes[group]
            end = min(stop, self._ends[group])
            batches += self._group_rows(group, leaves, start - first, end - first)
            start, group = end, group + 1
        fields = [self.schema.field(column) for column in columns]
        place = {column: at for at, column in enumerate(wanted)}
        return fields, [
            pa.chunked_array([batch.column(place[column]) for batch in batches], field.type)
            for column, field in zip(columns, fields, strict=True)
        ]

    def _group_rows(
        self, group: int, leaves: list[int], start: int, stop: int
    ) -> list[pa.RecordBatch]:
        key = (group, tuple(leaves))
        if self._scan is None or self._scan[0] != key or self._scan[1].first > start:
            self._scan = None
            scan = _Scan(self._file.reader, group, leaves, self._sizes[group])
            self._scan = (key, scan)
        try:
            return self._scan[1].rows(start, stop)
        except MemoryError as error:
            self._scan = None
            raise self._too_big(group, leaves) from error
        except (pa.ArrowInvalid, OSError) as error:
            self._scan = None
            raise UnreadableError(_reason(error)) from error
        except BaseException:
            self._scan = None
            raise

    def forget(self) -> None:
        """Drop decoded rows, and give their memory back."""
        if self._scan is not None:
            self._scan = None
            pa.default_memory_pool().release_unused()

    def _too_big(self, group: int, leaves: list[int]) -> MemoryError:
        chunks = self.metadata.row_group(group)
        size, name = max(
            (chunks.column(leaf).total_uncompressed_size, chunks.column(leaf).path_in_schema)
            for leaf in leaves
        )
        first = self._ends[group] - self._sizes[group]
        return MemoryError(
            f"rows {first:,} to {self._ends[group] - 1:,} of column {name!r} hold "
            f"{size / 2**20:,.0f} MB, more than can be looked at; hide that column to see the "
            "others"
        )


_OPEN: OrderedDict[str, ParquetTable] = OrderedDict()
_ROWS: dict[tuple[str, Stamp], int] = {}


def open_table(path: str) -> ParquetTable:
    """Open a file, or return it as it was opened if it has not changed since."""
    stamp = stamp_of(path)
    table = _OPEN.get(path)
    if table is None or table.stamp != stamp:
        table = _OPEN[path] = ParquetTable(path, stamp)
        _ROWS[path, stamp] = table.rows
    _OPEN.move_to_end(path)
    for other in list(_OPEN.values())[:-1]:
        other.forget()
    while len(_OPEN) > 1 and sum(t.chunks for t in _OPEN.values()) > KEPT_CHUNKS:
        _OPEN.popitem(last=False)
    return table


def row_count(path: str) -> int:
    """Return a file's rows, without opening it again where they are known."""
    known = _ROWS.get((path, stamp_of(path)))
    return open_table(path).rows if known is None else known


def stamp_of(path: str) -> Stamp:
    """Tell a file's content from what it was before: size, time of change, identity."""
    try:
        stat = os.stat(path)
    except FileNotFoundError as error:
        raise UnreadableError("it is gone") from error
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def leaf_count(kind: pa.DataType) -> int:
    """Count the flat columns of a file that one of this type is made of."""
    if isinstance(kind, pa.BaseExtensionType):
        return leaf_count(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return leaf_count(kind.value_type)
    if pa.types.is_nested(kind):
        return sum(leaf_count(kind.field(at).type) for at in range(kind.num_fields))
    return 1


def _reason(error: Exception) -> str:
    lines = str(error).splitlines()
    if "CRC checksum" in str(error):
        return f"a part of it is damaged on the disk ({lines[0].rstrip('.')})"
    return lines[0].rstrip(".")[:300] if lines else type(error).__name__
