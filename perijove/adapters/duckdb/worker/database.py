"""DuckDB in memory, shut off from everything but the named folders; and how to write its SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb

MEMORY_LIMIT = "1GB"
THREADS = 2
Report = Callable[[float], None]
"""Takes how far an action is, in [0, 1]."""
Action = Callable[..., dict[str, Any]]
"""Takes the database, a Report and the request's arguments."""


class UnreadableError(Exception):
    """The file is not what its name says."""


class Database:
    """The worker's one connection.

    Parameters
    ----------
    folders
        All that SQL may read or write below.
    scratch
        Where a sort that needs more than the memory may spill; None to refuse it.
    """

    def __init__(self, folders: list[str], scratch: str | None = None) -> None:
        config: dict[str, Any] = {"memory_limit": MEMORY_LIMIT, "threads": THREADS}
        if scratch is not None:
            config["temp_directory"] = scratch
        self.db = duckdb.connect(":memory:", config=config)
        self.db.execute("SET allowed_directories=?", [folders])
        self.db.execute("SET enable_external_access=false")
        self.db.execute("SET enable_progress_bar=false")
        self.db.execute("SET lock_configuration=true")

    def row(self, sql: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
        """Return the one row of a query."""
        row = self.db.execute(sql, parameters or []).fetchone()
        assert row is not None  # asked only for what always has one, such as an aggregate
        return row


def text(value: str) -> str:
    """Write a text literal."""
    return "'" + value.replace("'", "''") + "'"


def texts(values: list[str]) -> str:
    """Write a list of text literals."""
    return "[" + ", ".join(text(value) for value in values) + "]"


def name(value: str) -> str:
    """Write a column's name."""
    return '"' + value.replace('"', '""') + '"'


def scan(files: list[str], partitions: str | None = None, *, row_number: bool = False) -> str:
    """Write the table of a version: its Parquet files in row order."""
    options = ["file_row_number=true"] if row_number else []
    options.append("hive_partitioning=" + ("true" if partitions else "false"))
    return f"read_parquet({texts(files)}, {', '.join(options)})"
