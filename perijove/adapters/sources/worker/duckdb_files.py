"""DuckDB's database files, opened for reading only and shut off from all other files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import quote, unquote

import duckdb
import pyarrow as pa

from perijove.adapters.sources.worker.failures import SourceError
from perijove.adapters.sources.worker.rows import ColumnType

BATCH: Final = 20_000
CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": "false",
    "memory_limit": "1GB",
    "threads": 2,
    "temp_directory": "",
}
_AS_TEXT: Final = (
    "INTERVAL",
    "BIT",
    "UNION",
    "TIME WITH TIME ZONE",
    "TIME_NS",
    "VARIANT",
    "BIGNUM",
)
"""Types that Parquet has none for; they come as DuckDB writes them."""


def entries(url: str, limit: int) -> list[dict[str, Any]]:
    with _reading(url) as db:
        found = db.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal "
            "AND NOT temporary UNION ALL "
            "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal "
            "AND NOT temporary ORDER BY schema_name <> 'main', 1, 2 LIMIT ?",
            [limit],
        ).fetchall()
    return [
        {
            "name": table if schema == "main" else f"{schema}.{table}",
            "location": "#" + ("" if schema == "main" else f"{_part(schema)}.") + _part(table),
            "kind": "table",
        }
        for schema, table in found
    ]


def select(
    url: str, table: str, query: str, folder: str, heard: Callable[[str], None]
) -> Iterator[Any]:
    """Yield the columns and then batches of rows; a file that is read is written to by nobody."""
    with _reading(url) as db:
        heard("")
        if query:
            kinds = [statement.type for statement in db.extract_statements(query)]
            if kinds != [duckdb.StatementType.SELECT]:
                raise SourceError("invalid", "one SELECT is done here: nothing may change")
        sql = query or f"SELECT * FROM {_whole(table)}"
        found = db.sql(sql)
        names, types = found.columns, [str(kind) for kind in found.types]
        if len(set(names)) == len(names):
            chosen = ", ".join(map(_read_as, names, types))
            found = db.sql(f"SELECT {chosen} FROM ({sql})")
        reader = found.to_arrow_reader(BATCH)
        yield [_column(field, kind) for field, kind in zip(reader.schema, types, strict=True)]
        for batch in reader:
            yield list(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _read_as(name: str, kind: str) -> str:
    quoted = _name(name)
    if kind.startswith(_AS_TEXT):
        return f"CAST({quoted} AS VARCHAR) AS {quoted}"
    return f"epoch_ns({quoted}) AS {quoted}" if kind == "TIMESTAMP_NS" else quoted


def _column(field: pa.Field, kind: str) -> ColumnType:
    if kind == "TIMESTAMP_NS":
        return ColumnType(field.name, pa.timestamp("ns"))  # of whole numbers
    values = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    return ColumnType(field.name, values)


def _whole(table: str) -> str:
    schema, dot, name = table.rpartition(".")
    return ".".join(_name(unquote(part)) for part in ([schema, name] if dot else [name]))


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _part(name: str) -> str:
    """Write a name so that its own dots separate nothing."""
    return quote(name, "").replace(".", "%2E")


@contextmanager
def _reading(url: str) -> Iterator[duckdb.DuckDBPyConnection]:
    path = url.removeprefix("duckdb:///")
    if not os.path.isfile(path):
        raise SourceError("missing", "there is no such file")
    try:
        with closing(duckdb.connect(path, read_only=True, config=CONFIG)) as db:
            db.execute("SET TimeZone='UTC'")
            db.execute("SET lock_configuration=true")
            yield db
    except duckdb.Error as error:
        raise SourceError(*_meant(error)) from error


def _meant(error: duckdb.Error) -> tuple[str, str]:
    said = str(error).splitlines()[0].partition("Error: ")[2][:300] or str(error)[:300]
    if isinstance(error, duckdb.CatalogException):
        return "missing", said
    if isinstance(error, duckdb.IOException):
        if "lock" in said:
            return "refused", "another process has it open for writing"
        return "unreadable", said
    if isinstance(error, duckdb.OutOfMemoryException):
        return "memory", said
    return "invalid", said
