"""Pages: rows of Parquet files, in order, as an Arrow IPC stream."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from perijove.adapters.duckdb.worker.database import Action, Database, Report, scan, text


def page(
    database: Database,
    report: Report,
    *,
    files: list[str],
    offset: int,
    limit: int,
    columns: list[int] | None = None,
    partitions: str | None = None,
) -> dict[str, Any]:
    """Return rows of a version; columns by position."""
    parts: list[Any] = []
    for file in files:
        (rows,) = database.row(f"SELECT sum(num_rows) FROM parquet_file_metadata({text(file)})")
        if offset < rows and limit > 0:
            parts.append(
                database.db.execute(
                    f"SELECT * EXCLUDE (file_row_number) FROM "
                    f"{scan([file], partitions, row_number=True)} "
                    "WHERE file_row_number >= ? AND file_row_number < ?",
                    [offset, offset + limit],
                ).to_arrow_table()
            )
            limit -= parts[-1].num_rows
        offset = max(0, offset - rows)
    if not parts:
        parts.append(
            database.db.execute(f"SELECT * FROM {scan(files, partitions)} LIMIT 0")
            .to_arrow_table()
        )  # fmt: skip
    table = pa.concat_tables(parts)
    if columns is not None:
        table = table.select(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {"arrow": sink.getvalue().to_pybytes()}


ACTIONS: dict[str, Action] = {"page": page}
