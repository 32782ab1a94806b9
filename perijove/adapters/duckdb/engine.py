"""The data engine: DuckDB in the data worker, and pyarrow for whole tables in the caller."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from perijove.adapters.duckdb.workers import Lane, Workers
from perijove.contracts.data import Column
from perijove.contracts.table import CellValue
from perijove.core.errors import UnreadableDataError, UnsupportedError
from perijove.data.ports import ArrowTable, Look, Table, TableInfo, Work

PAGE_SECONDS = 30.0
TWIN_SECONDS = 600.0
VIEW_SECONDS = 60.0
WRITE_SECONDS = 3600.0


class DuckDbEngine:
    """Implements ``perijove.data.ports.DataEngine``.

    Parameters
    ----------
    workers
        The processes that read user files.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def twin(self, source: Path, parquet: Path) -> TableInfo:
        parquet.parent.mkdir(parents=True, exist_ok=True)
        return _info(
            self._workers.work(
                {"do": "twin", "source": str(source), "parquet": str(parquet)},
                [source, parquet],
                TWIN_SECONDS,
            )
        )

    def inspect(self, table: Table) -> TableInfo:
        return _info(self._ask("inspect", table))

    def page(
        self,
        table: Table,
        offset: int,
        limit: int,
        columns: Sequence[int] | None = None,
        names: Sequence[str] | None = None,
    ) -> bytes:
        reply = self._ask(
            "page",
            table,
            "pages",
            offset=offset,
            limit=limit,
            columns=list(columns) if columns is not None else None,
            names=list(names) if names is not None else None,
        )
        arrow: bytes = reply["arrow"]
        return arrow

    def cell(self, table: Table, row: int, column: int) -> CellValue:
        return msgspec.convert(self._ask("cell", table, "pages", row=row, column=column), CellValue)

    def first_rows(self, look: Look, rows: int, parquet: Path) -> tuple[int, bool]:
        parquet.parent.mkdir(parents=True, exist_ok=True)
        request = {"do": "first_rows", **_look(look), "rows": rows, "parquet": str(parquet)}
        reply = self._workers.ask(request, [*look.table.files, parquet], VIEW_SECONDS)
        return int(reply["rows"]), bool(reply["whole"])

    def count(self, look: Look) -> int:
        request = {"do": "count_view", **_look(look)}
        del request["sort"]
        return int(self._workers.ask(request, look.table.files, VIEW_SECONDS)["rows"])

    def copy(self, look: Look, room: int, parquet: Path, *, work: Work, scratch: Path) -> None:
        self._write(
            {"do": "copy_view", "room": room, "parquet": str(parquet)},
            look, parquet, work, scratch,
        )  # fmt: skip

    def find(
        self,
        look: Look,
        text: str,
        columns: Sequence[int],
        row: int,
        column: int | None,
        *,
        backwards: bool,
        case: bool,
    ) -> tuple[int, int] | None:
        request = {
            "do": "find", **_place(look.table), "names": list(look.names), "text": text,
            "columns": list(columns), "row": row, "column": column, "backwards": backwards,
            "case": case,
        }  # fmt: skip
        reply = self._workers.ask(request, look.table.files, VIEW_SECONDS)
        return None if reply["row"] is None else (reply["row"], reply["column"])

    def export(
        self, look: Look, columns: Sequence[int], path: Path, *, work: Work, scratch: Path
    ) -> int:
        request = {
            "do": "export", "columns": list(columns), "path": str(path),
            "ending": path.suffix.lower().removeprefix("."),
        }  # fmt: skip
        return int(self._write(request, look, path, work, scratch)["rows"])

    def _write(
        self, request: dict[str, Any], look: Look, path: Path, work: Work, scratch: Path
    ) -> dict[str, Any]:
        """Have a file written by a worker of its own; leave nothing of one that was ended."""
        path.parent.mkdir(parents=True, exist_ok=True)
        token = uuid.uuid4().hex
        partial, spill = path.with_name(f"{path.name}.{token}.part"), scratch / token
        try:
            return self._workers.work(
                {**request, **_look(look), "partial": str(partial)}, [*look.table.files, path],
                WRITE_SECONDS, work, scratch=spill,
            )  # fmt: skip
        finally:
            shutil.rmtree(spill, ignore_errors=True)
            partial.unlink(missing_ok=True)

    def _ask(
        self, action: str, table: Table, lane: Lane = "questions", **arguments: Any
    ) -> dict[str, Any]:
        return self._workers.ask(
            {"do": action, **_place(table), **arguments}, table.files, PAGE_SECONDS, lane
        )

    def read(self, table: Table, columns: list[str] | None = None) -> ArrowTable:
        import pyarrow as pa
        import pyarrow.parquet

        files = table.files
        try:
            tables = [
                pa.parquet.read_table(
                    f, columns=columns, partitioning=None, page_checksum_verification=True
                )
                for f in files
            ]
        except (pa.ArrowInvalid, OSError) as error:
            raise UnreadableDataError(
                f"{files[0].name} cannot be read: {str(error).splitlines()[0]}.",
                "The table's file is damaged or gone: register or curate it again.",
            ) from error
        return pa.concat_tables(tables)

    def ordered(self, table: ArrowTable, column: str, start: int, rows: int) -> ArrowTable:
        import numpy as np
        import pyarrow.compute as pc

        if column:
            order = pc.sort_indices(table.select([column]), sort_keys=[(column, "ascending")])
            return table.take(order.slice(start, rows))
        # splitmix64 of the row number: the same rows on every machine and in every version.
        x = np.arange(1, table.num_rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        order = np.argsort(x ^ (x >> np.uint64(31)), kind="stable")
        return table.take(np.sort(order[start : start + rows]))

    def to_table(self, frame: Any) -> ArrowTable:
        import pyarrow as pa

        if isinstance(frame, pa.Table):
            return frame
        module = type(frame).__module__.partition(".")[0]
        if module == "pandas":
            return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        if module == "polars":
            return frame.to_arrow()
        raise UnsupportedError(
            f"A {type(frame).__name__} is no table.",
            "Return a pandas or Polars frame, or a pyarrow Table.",
        )

    def info(self, table: ArrowTable) -> TableInfo:
        """Describe a table in the words that DuckDB uses for a file's columns."""
        return TableInfo(
            rows=table.num_rows,
            columns=[
                Column(name=name, type=duckdb_type(str(column.type)), nulls=column.null_count)
                for name, column in zip(table.column_names, table.columns, strict=True)
            ],
        )

    def fingerprint(self, table: ArrowTable) -> str:
        import pyarrow as pa

        digest = hashlib.sha256()

        class Sink:
            closed = False

            def write(self, data: Any) -> int:
                digest.update(data)
                return len(data)

            def flush(self) -> None: ...

            def close(self) -> None: ...

        clean = table.combine_chunks().replace_schema_metadata(None)
        with pa.ipc.new_stream(pa.PythonFile(Sink(), mode="w"), clean.schema) as writer:
            writer.write_table(clean)
        return digest.hexdigest()

    def close(self) -> None:
        self._workers.close()


def _place(table: Table) -> dict[str, Any]:
    return {
        "files": [str(file) for file in table.files],
        "partitions": str(table.partitions) if table.partitions else None,
    }


def _look(look: Look) -> dict[str, Any]:
    return {
        **_place(look.table),
        "names": list(look.names),
        "tree": msgspec.to_builtins(look.filter),
        "sort": msgspec.to_builtins(look.sort),
    }


def _info(reply: dict[str, Any]) -> TableInfo:
    return TableInfo(
        rows=reply["rows"], columns=[msgspec.convert(c, Column) for c in reply["columns"]]
    )


_TYPES = {
    "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT",
    "float": "FLOAT", "double": "DOUBLE", "bool": "BOOLEAN", "string": "VARCHAR",
    "large_string": "VARCHAR", "date32[day]": "DATE", "binary": "BLOB",
}  # fmt: skip


def duckdb_type(arrow: str) -> str:
    """Name an Arrow type as DuckDB does."""
    if arrow in _TYPES:
        return _TYPES[arrow]
    if arrow.startswith("timestamp"):
        return "TIMESTAMP WITH TIME ZONE" if "tz=" in arrow else "TIMESTAMP"
    return arrow.upper()
