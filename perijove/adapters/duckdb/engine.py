"""The data engine: DuckDB in the data worker, and pyarrow for whole tables in the caller."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from perijove.adapters.duckdb.workers import Lane, Workers, place_of
from perijove.contracts.data import Column, SplitFacts, SplitPart
from perijove.contracts.table import CellValue
from perijove.core.errors import InvalidInputError, UnreadableDataError, UnsupportedError
from perijove.data.ports import (
    ArrowTable,
    Difference,
    Look,
    RowSums,
    Table,
    TableInfo,
    Work,
)

PAGE_SECONDS = 30.0
TWIN_SECONDS = 600.0
VIEW_SECONDS = 60.0
WRITE_SECONDS = 3600.0
SUMS_SECONDS = 300.0
COMPARE_SECONDS = 300.0
WORKBOOKS = frozenset([".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"])


class DuckDbEngine:
    """Implements ``perijove.data.ports.DataEngine``.

    Parameters
    ----------
    workers
        The processes that read user files.
    """

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def twin(self, source: Path, parquet: Path, sheet: str = "") -> TableInfo:
        request: dict[str, Any] = {"do": "twin"}
        if source.suffix.lower() in WORKBOOKS:
            request = {"do": "twin_sheet", "sheet": sheet}
        elif sheet:
            raise InvalidInputError(
                f"{source.name} is no workbook: it has no sheets.", "Leave the query away."
            )
        return self._twin({**request, "source": str(source)}, [source], parquet)

    def combine(self, files: Sequence[Path], folder: Path, parquet: Path) -> TableInfo:
        request = {
            "do": "combine", "files": [str(file) for file in files], "folder": str(folder),
        }  # fmt: skip
        return self._twin(request, [folder / "data", *files], parquet)

    def _twin(self, request: dict[str, Any], files: list[Path], parquet: Path) -> TableInfo:
        parquet.parent.mkdir(parents=True, exist_ok=True)
        request["parquet"] = str(parquet)
        return _info(self._workers.work(request, [*files, parquet], TWIN_SECONDS))

    def inspect(self, table: Table) -> TableInfo:
        alone = len(table.files) == 1 and table.partitions is None
        return _info(self._ask("inspect" if alone else "inspect_all", table))

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
            "do": "find", **place_of(look.table), "names": list(look.names), "text": text,
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
            {"do": action, **place_of(table), **arguments}, table.files, PAGE_SECONDS, lane
        )

    def read(
        self,
        table: Table,
        columns: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> ArrowTable:
        import pyarrow as pa
        import pyarrow.parquet as pq

        files = table.files
        keys = self._partition_values(table)
        try:
            own = pq.read_schema(files[0]).names
            shown = [*own, *keys.column_names]
            if names is not None and len(names) == len(shown):
                shown = list(names)
            places = _places(columns, shown) if columns is not None else None
            read = (
                range(len(own)) if places is None else sorted({p for p in places if p < len(own)})
            )
            tables = [_read_columns(file, own, read) for file in files]
        except (pa.ArrowInvalid, OSError) as error:
            raise UnreadableDataError(
                f"{files[0].name} cannot be read: {str(error).splitlines()[0]}.",
                "The table's file is damaged or gone: register or curate it again.",
            ) from error
        for at, key in enumerate(keys.column_names):
            for number, part in enumerate(tables):
                values = pa.repeat(keys.column(at)[number], part.num_rows)
                tables[number] = part.append_column(key, values)
        whole = pa.concat_tables(tables)
        there = [*read, *range(len(own), len(own) + keys.num_columns)]
        if places is not None:
            whole = whole.select([there.index(place) for place in places])
        wanted = shown if places is None else [shown[place] for place in places]
        return whole if whole.column_names == wanted else whole.rename_columns(wanted)

    def _partition_values(self, table: Table) -> ArrowTable:
        """Return the columns that folders' names are, with a row for each file."""
        import pyarrow as pa

        if table.partitions is None:
            return pa.table({})
        reply = self._ask("partition_values", table)
        return pa.ipc.open_stream(reply["arrow"]).read_all()

    def part(self, table: ArrowTable, split: SplitFacts, part: SplitPart) -> ArrowTable:
        from perijove.adapters.parts import take_part

        return take_part(table, split.method, split.column, part.start, part.rows)

    def group_counts(self, table: ArrowTable, column: str, shares: Sequence[float]) -> list[int]:
        from perijove.adapters.parts import group_counts

        return group_counts(table.column(column), shares)

    def to_table(self, frame: Any) -> ArrowTable:
        import pyarrow as pa

        if isinstance(frame, pa.Table):
            return frame
        module = type(frame).__module__.partition(".")[0]
        if module == "pandas":
            try:
                table = pa.Table.from_pandas(frame, preserve_index=False)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                # Arrow tells the reason first, then the column.
                raise UnsupportedError(
                    f"The frame is no table of typed columns: {'; '.join(map(str, error.args))}.",
                    "Give that column one type, with astype() for instance.",
                ) from error
            return table.replace_schema_metadata(None)
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

    def row_sums(self, table: Table) -> RowSums:
        request = {"do": "fingerprint", **place_of(table)}
        reply = self._workers.ask(request, table.files, SUMS_SECONDS)
        first, second = (int(number) for number in reply["sums"])
        return RowSums(reply["method"], reply["schema"], reply["rows"], (first, second))

    def compare(
        self, base: Table, other: Table, *, start: int, limit: int, scratch: Path
    ) -> Difference:
        spill = scratch / uuid.uuid4().hex
        request = {
            "do": "compare", "base": place_of(base), "other": place_of(other),
            "start": start, "limit": limit,
        }  # fmt: skip
        try:
            reply = self._workers.work(
                request, [*other.files, *base.files], COMPARE_SECONDS, scratch=spill
            )
        finally:
            shutil.rmtree(spill, ignore_errors=True)
        return msgspec.convert(reply, Difference)

    def close(self) -> None:
        self._workers.close()


def _places(columns: Sequence[str], names: list[str]) -> list[int]:
    gone = [column for column in columns if column not in names]
    if gone:
        raise InvalidInputError(
            f"The table has no column {gone[0]!r}.",
            f"Its columns are {', '.join(names)[:500]}.",
            code="unknown_column",
        )
    return [names.index(column) for column in columns]


def _read_columns(file: Path, names: list[str], places: Sequence[int]) -> ArrowTable:
    """Read some columns of a file, by position and in that order."""
    import pyarrow.parquet as pq

    wanted = [names[place] for place in places]
    if len(set(names)) == len(names):
        columns = None if len(wanted) == len(names) else wanted
        return pq.read_table(
            file, columns=columns, partitioning=None, page_checksum_verification=True
        )
    # By their names, columns of one name cannot be told apart.
    with pq.ParquetFile(file, page_checksum_verification=True) as opened:
        return opened.read().select(list(places))


def _look(look: Look) -> dict[str, Any]:
    return {
        **place_of(look.table),
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
