"""Pages: rows of Parquet files, in order, as an Arrow IPC stream."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from perijove.adapters.duckdb.worker import cells
from perijove.adapters.duckdb.worker.database import (
    Action,
    Database,
    InvalidError,
    Report,
    UnreadableError,
    scan,
)
from perijove.adapters.duckdb.worker.parquet import ParquetTable, open_table, row_count

DEEP = 150_000
"""Rows before a page in its group from which DuckDB is quicker: it skips what Arrow decodes. Groups
that we write are smaller, so that their checksums are always verified."""
LONGEST_CELL = 2**20
"""Characters of a value that is asked for alone."""


def page(
    database: Database,
    report: Report,
    *,
    files: list[str],
    offset: int,
    limit: int,
    columns: list[int] | None = None,
    names: list[str] | None = None,
    partitions: str | None = None,
) -> dict[str, Any]:
    """Return rows of a version; columns by position.

    Parameters
    ----------
    names
        Of all columns, where they differ from those in the files (no two are the same).
    """
    first = open_table(files[0])
    folders = _Partitions(database, files, partitions, first)
    width = len(first.schema) + len(folders.columns)
    if columns is None:
        columns = list(range(min(width, len(names)) if names else width))
    if any(not 0 <= column < width for column in columns):
        raise InvalidError(f"it has {width:,} columns, and {max(columns):,} was asked for")
    parts: list[pa.Table] = []
    for file in files:
        rows = row_count(file)
        if offset < rows and limit > 0:
            stop = min(offset + limit, rows)
            parts.append(_read(folders, file, offset, stop, columns))
            limit -= stop - offset
        offset = max(0, offset - rows)
        if limit <= 0:
            break
    if not parts:
        parts.append(_read(folders, files[0], 0, 0, columns))
    table = pa.concat_tables(parts)
    if names:
        table = table.rename_columns([names[column] for column in columns])
    intervals = frozenset(
        at
        for at, column in enumerate(columns)
        if column < len(first.schema) and first.is_interval(column)
    )
    return {"arrow": _stream(cells.shown(table, intervals))}


def cell(
    database: Database,
    report: Report,
    *,
    files: list[str],
    row: int,
    column: int,
    partitions: str | None = None,
) -> dict[str, Any]:
    """Return one value whole, as text of at most a megabyte."""
    first = open_table(files[0])
    folders = _Partitions(database, files, partitions, first)
    for file in files:
        rows = row_count(file)
        if row < rows:
            value = _read(folders, file, row, row + 1, [column]).column(0)[0]
            interval = column < len(first.schema) and first.is_interval(column)
            text = cells.written(value, interval=interval)
            return {"text": text[:LONGEST_CELL], "bytes": len(text.encode())}
        row -= rows
    raise InvalidError("it has no such row")


class _Partitions:
    """Columns whose values are in the names of folders, as DuckDB reads them."""

    def __init__(
        self, database: Database, files: list[str], root: str | None, first: ParquetTable
    ) -> None:
        self.database = database
        self.root = root
        self.first = first
        self.columns: list[tuple[str, pa.DataType]] = []
        if root is None:
            return
        known = _KINDS.get((root, len(files)))
        if known is None:
            empty = database.db.sql(f"SELECT * FROM {scan(files, root)} LIMIT 0").to_arrow_table()
            known = [(f.name, f.type) for f in list(empty.schema)[len(first.schema) :]]
            _KINDS[root, len(files)] = known
        self.columns = known

    def values(self, file: str, rows: int, column: int) -> pa.Array:
        """Return one of the columns for some rows of a file."""
        name, kind = self.columns[column]
        folders = os.path.relpath(os.path.dirname(file), self.root).split(os.sep)
        pairs = dict(folder.split("=", 1) for folder in folders if "=" in folder)
        written = unquote(pairs[name])
        value = pa.scalar(None if written == "__HIVE_DEFAULT_PARTITION__" else written)
        return pa.repeat(value.cast(kind), rows)


_KINDS: dict[tuple[str, int], list[tuple[str, pa.DataType]]] = {}


def _read(
    folders: _Partitions, file: str, start: int, stop: int, columns: Sequence[int]
) -> pa.Table:
    """Read rows of one file in the schema of the first one."""
    first, table = folders.first, open_table(file)
    inner = [column for column in columns if column < len(first.schema)]
    places = inner if table.schema.equals(first.schema) else _places(table, first, inner)
    read = _skip_to(folders.database, table, start, stop, places) or table.read(start, stop, places)
    arrays: list[Any] = []
    fields: list[pa.Field] = []
    taken = iter(zip(inner, read.columns, strict=True))
    for column in columns:
        if column < len(first.schema):
            at, values = next(taken)
            field = first.schema.field(at)
            arrays.append(values if values.type == field.type else values.cast(field.type))
            fields.append(pa.field(field.name, field.type))
        else:
            name, kind = folders.columns[column - len(first.schema)]
            arrays.append(folders.values(file, stop - start, column - len(first.schema)))
            fields.append(pa.field(name, kind))
    return pa.table(arrays, schema=pa.schema(fields))


def _skip_to(
    database: Database, table: ParquetTable, start: int, stop: int, columns: list[int]
) -> pa.Table | None:
    """Read rows deep in a large row group; None where Arrow does as well, or better."""
    fields = [table.schema.field(column) for column in columns]
    if start == stop or table.depth(start) < DEEP or not all(_same(f.type) for f in fields):
        return None
    # Other names keep two columns of one name apart, and a column from being "file_row_number".
    names = ", ".join(f"c{at}" for at in range(len(table.schema)))
    chosen = ", ".join(f"c{column}" for column in columns)
    read = database.db.sql(
        f"SELECT {chosen} FROM {scan([table.path])} t({names}) "
        "WHERE file_row_number >= ? AND file_row_number < ? ORDER BY file_row_number",
        params=[start, stop],
    ).to_arrow_table()
    arrays = [c.cast(f.type) for c, f in zip(read.columns, fields, strict=True)]
    return pa.table(arrays, schema=pa.schema(fields))


def _same(kind: pa.DataType) -> bool:
    """Tell types that both libraries read alike."""
    return bool(
        pa.types.is_integer(kind)
        or kind in (pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.date32())
        or (pa.types.is_timestamp(kind) and kind.unit != "ns")
    )


def _places(table: ParquetTable, first: ParquetTable, columns: list[int]) -> list[int]:
    """Find the first file's columns in another file by name."""
    if table.schema.names == first.schema.names:
        return columns
    place = {name: at for at, name in reversed(list(enumerate(table.schema.names)))}
    missing = [first.schema.names[c] for c in columns if first.schema.names[c] not in place]
    if missing:
        raise UnreadableError(f"{os.path.basename(table.path)} has no column {missing[0]!r}")
    return [place[first.schema.names[column]] for column in columns]


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream


ACTIONS: dict[str, Action] = {"page": page, "cell": cell}
