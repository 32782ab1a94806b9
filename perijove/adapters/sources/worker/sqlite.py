"""SQLite files, opened for reading only."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final
from urllib.parse import quote, unquote

import pyarrow as pa

from perijove.adapters.sources.worker.failures import SourceError
from perijove.adapters.sources.worker.rows import ColumnType

BATCH: Final = 20_000


def entries(url: str, limit: int) -> list[dict[str, Any]]:
    with closing(_open(url)) as db:
        found = db.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name LIMIT ?",
            (limit,),
        ).fetchall()
    return [{"name": name, "location": f"#{quote(name)}", "kind": "table"} for (name,) in found]


def select(
    url: str, table: str, query: str, folder: str, heard: Callable[[str], None]
) -> Iterator[Any]:
    """Yield the columns and then batches of rows, all of one transaction.

    A column of SQLite has no type: what its values are is found in a pass of its own.
    """
    sql = query or f'SELECT * FROM "{unquote(table).replace(chr(34), chr(34) * 2)}"'
    with closing(_open(url)) as db:
        try:
            db.execute("BEGIN")
            found = db.execute(sql)
            if found.description is None:
                raise SourceError("invalid", "the query returns no rows\nGive a SELECT.")
            names = [column[0] for column in found.description]
            kinds: list[set[type]] = [set() for _ in names]
            while rows := found.fetchmany(BATCH):
                for seen, values in zip(kinds, zip(*rows, strict=True), strict=True):
                    seen.update(map(type, values))
                heard("")
            yield [_column(name, seen) for name, seen in zip(names, kinds, strict=True)]
            found = db.execute(sql)
            while rows := found.fetchmany(BATCH):
                yield rows
        except sqlite3.Error as error:
            said = str(error)
            if "no such table" in said:
                raise SourceError("missing", said) from error
            kind = "invalid" if isinstance(error, (sqlite3.ProgrammingError, sqlite3.Warning)) else (
                "unreadable" if isinstance(error, sqlite3.DatabaseError)
                and not isinstance(error, sqlite3.OperationalError) else "invalid"
            )  # fmt: skip
            raise SourceError(kind, said) from error


def _column(name: str, seen: set[type]) -> ColumnType:
    kinds = seen - {type(None)}
    if kinds <= {int}:
        return ColumnType(name, pa.int64())
    if kinds <= {int, float}:
        return ColumnType(name, pa.float64(), float)
    if kinds <= {bytes}:
        return ColumnType(name, pa.binary())
    return ColumnType(name, pa.string(), _text)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _open(url: str) -> sqlite3.Connection:
    path = url.removeprefix("sqlite:///")
    if not os.path.isfile(path):
        raise SourceError("missing", "there is no such file")
    return sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None)
