"""Export: a view as a file of its own."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from perijove.adapters.duckdb.worker.conditions import order, relation, where
from perijove.adapters.duckdb.worker.database import Action, Database, Report, text
from perijove.adapters.duckdb.worker.views import CELLS, ROW_GROUP, written

TEXTS = {
    "csv": "FORMAT csv, HEADER",
    "tsv": "FORMAT csv, HEADER, DELIMITER '\t'",
    "jsonl": "FORMAT json",
}


def export(
    database: Database,
    report: Report,
    *,
    files: list[str],
    partitions: str | None,
    names: list[str],
    tree: dict[str, Any] | None,
    sort: list[dict[str, Any]],
    columns: list[int] | None,
    path: str,
    ending: str,
    partial: str,
) -> dict[str, Any]:
    """Write columns of a view; text is UTF-8."""
    table = relation(database, files, partitions, names)
    condition, values = where(table, tree, database)
    (rows,) = database.row(f"SELECT count(*) FROM {table.source} WHERE {condition}", values)
    ordered = f" ORDER BY {order(table, sort)}" if sort else ""
    selected = table.select(columns)
    sql = f"SELECT {', '.join(selected)} FROM {table.source} WHERE {condition}{ordered}"
    with database.watched(report), written(path, partial):
        if ending in TEXTS:
            database.db.execute(f"COPY ({sql}) TO {text(partial)} ({TEXTS[ending]})", values)
            return {"rows": rows}
        batch_rows = max(2048, min(ROW_GROUP, CELLS // len(selected)))
        reader = database.db.sql(sql, params=values).to_arrow_reader(batch_rows)
        with _writer(partial, reader.schema, ending) as writer:
            for batch in reader:
                writer.write_batch(batch)
    return {"rows": rows}


def _writer(path: str, schema: pa.Schema, ending: str) -> Any:
    if ending == "arrow":
        return pa.ipc.new_file(path, schema)
    return pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True)


ACTIONS: dict[str, Action] = {"export": export}
