"""Views: the first rows of a filtered and sorted table at once, and then a copy with all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from perijove.adapters.duckdb.worker.conditions import Relation, order, relation, where
from perijove.adapters.duckdb.worker.database import Action, Database, InvalidError, Report, name
from perijove.adapters.duckdb.worker.parquet import BLOCK

ROW_GROUP = 122_880
FIRST_CELLS = 2**21
CELLS = 2**22
"""Of a row group that is held in memory while it is written."""


def first_rows(
    database: Database,
    report: Report,
    *,
    files: list[str],
    partitions: str | None,
    names: list[str],
    tree: dict[str, Any] | None,
    sort: list[dict[str, Any]],
    rows: int,
    parquet: str,
) -> dict[str, Any]:
    """Write the first rows of a view, and tell how many there are."""
    table = relation(database, files, partitions, names)
    rows = min(rows, max(256, FIRST_CELLS // len(table.columns)))
    if len(table.columns) > BLOCK:
        found = _wide_rows(table, database, tree, sort, rows)
    else:
        sql, values = query(table, database, tree, sort)
        found = database.db.sql(f"{sql} LIMIT {rows:d}", params=values).to_arrow_table()
    with written(parquet) as partial:
        pq.write_table(found, partial, compression="lz4", write_page_checksum=True)
    return {"rows": found.num_rows, "whole": found.num_rows < rows}


def _wide_rows(
    table: Relation,
    database: Database,
    tree: dict[str, Any] | None,
    sort: list[dict[str, Any]],
    rows: int,
) -> pa.Table:
    """Find which rows are the first, and then read them by blocks of columns."""
    condition, values = where(table, tree, database)
    ordered = f" ORDER BY {order(table, sort)}" if sort else ""
    numbers = database.db.sql(
        f"SELECT {table.row} AS row FROM {table.source} WHERE {condition}{ordered} LIMIT {rows:d}",
        params=values,
    ).to_arrow_table()["row"]
    place = pa.compute.sort_indices(pa.compute.sort_indices(numbers))
    listed = ", ".join(map(str, numbers.to_pylist())) or "NULL"
    fields: list[pa.Field] = []
    arrays: list[pa.ChunkedArray] = []
    for at in range(0, len(table.columns), BLOCK):
        columns = table.select(list(range(at, min(at + BLOCK, len(table.columns)))))
        block = database.db.sql(
            f"SELECT {', '.join(columns)} FROM {table.source} "
            f"WHERE {table.row} IN ({listed}) ORDER BY {table.row}"
        ).to_arrow_table()
        fields += list(block.schema)
        arrays += block.take(place).columns
    fields.append(pa.field(row_name(table), numbers.type))
    return pa.table([*arrays, numbers], schema=pa.schema(fields))


def count_view(
    database: Database,
    report: Report,
    *,
    files: list[str],
    partitions: str | None,
    names: list[str],
    tree: dict[str, Any] | None,
) -> dict[str, Any]:
    """Count the rows that pass a filter."""
    table = relation(database, files, partitions, names)
    condition, values = where(table, tree, database)
    (count,) = database.row(f"SELECT count(*) FROM {table.source} WHERE {condition}", values)
    return {"rows": count}


def copy_view(
    database: Database,
    report: Report,
    *,
    files: list[str],
    partitions: str | None,
    names: list[str],
    tree: dict[str, Any] | None,
    sort: list[dict[str, Any]],
    room: int,
    parquet: str,
    partial: str,
) -> dict[str, Any]:
    """Write all rows of a view as Parquet, with the row's number behind the other columns.

    Parameters
    ----------
    room
        Bytes that the copy may have.
    """
    table = relation(database, files, partitions, names)
    sql, values = query(table, database, tree, sort)
    batch_rows = max(2048, min(ROW_GROUP, CELLS // len(table.columns)))
    reader = database.db.sql(sql, params=values).to_arrow_reader(batch_rows)
    done = 0
    with (
        database.watched(report),
        written(parquet, partial),
        pq.ParquetWriter(
            partial, reader.schema, compression="lz4", write_page_checksum=True,
            use_dictionary=False,
        ) as writer,
    ):  # fmt: skip
        for batch in reader:
            writer.write_batch(batch, row_group_size=batch_rows)
            done += batch.num_rows
            if os.path.getsize(partial) > room:
                raise InvalidError(
                    f"A copy of this view needs more than the {room / 2**20:,.0f} MB that views "
                    "may have on the disk; only its first rows are there.\n"
                    "Filter further, or free some space and open the view again."
                )
    return {"rows": done}


def query(
    table: Relation, database: Database, tree: dict[str, Any] | None, sort: list[dict[str, Any]]
) -> tuple[str, list[Any]]:
    """Write a view's rows in order, the row's number last."""
    condition, values = where(table, tree, database)
    columns = ", ".join([*table.select(), f"{table.row} AS {name(row_name(table))}"])
    # Without a sort DuckDB keeps the files' order, and need not read on behind a LIMIT.
    ordered = f" ORDER BY {order(table, sort)}" if sort else ""
    return f"SELECT {columns} FROM {table.source} WHERE {condition}{ordered}", values


def row_name(table: Relation) -> str:
    """Name the row's number as no column is named."""
    taken = {column.name.lower() for column in table.columns}
    chosen = "__row"
    while chosen in taken:
        chosen += "_"
    return chosen


@contextmanager
def written(path: str, partial: str = "") -> Iterator[str]:
    """Have a file written under another name first: it is there whole or not at all."""
    partial = partial or f"{path}.{os.getpid()}.part"
    try:
        yield partial
        os.replace(partial, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)


ACTIONS: dict[str, Action] = {
    "first_rows": first_rows,
    "count_view": count_view,
    "copy_view": copy_view,
}
