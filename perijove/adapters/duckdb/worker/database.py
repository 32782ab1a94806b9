"""DuckDB in memory, shut off from everything but the named folders; and how to write its SQL."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT = "1GB"
THREADS = 2
MOST_SPILLED = 32 * 2**30
Report = Callable[[float], None]
"""Takes how far an action is, in [0, 1]."""
Action = Callable[..., dict[str, Any]]
"""Takes the database, a Report and the request's arguments."""


class UnreadableError(Exception):
    """The file is not what its name says."""


class InvalidError(Exception):
    """What was asked for cannot be done with this table, such as a pattern that is none."""


class Database:
    """The worker's one connection, made when it is first needed.

    Parameters
    ----------
    folders
        All that SQL may read or write below.
    scratch
        Where a sort that needs more than the memory may spill; None to refuse it.
    """

    def __init__(self, folders: list[str], scratch: str | None = None) -> None:
        self.folders = folders
        self.scratch = scratch

    @cached_property
    def db(self) -> duckdb.DuckDBPyConnection:
        """The connection, locked."""
        import duckdb

        config: dict[str, Any] = {"memory_limit": MEMORY_LIMIT, "threads": THREADS}
        if self.scratch is not None:
            config["temp_directory"] = self.scratch
            room = min(MOST_SPILLED, shutil.disk_usage(self.scratch).free // 2)
            config["max_temp_directory_size"] = f"{room}B"
        db = duckdb.connect(":memory:", config=config)
        db.execute("SET allowed_directories=?", [self.folders])
        db.execute("SET enable_external_access=false")
        # Counted for query_progress(), and not drawn.
        db.execute("SET enable_progress_bar=true")
        db.execute("SET enable_progress_bar_print=false")
        # The system keeps what was read of a file; a second copy would only make the worker big.
        db.execute("SET enable_external_file_cache=false")
        db.execute("SET TimeZone='UTC'")
        db.execute("SET lock_configuration=true")
        return db

    @contextmanager
    def watched(self, report: Report) -> Iterator[None]:
        """Report how far queries are while the block runs."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.3):
                share = self.db.query_progress() / 100
                if share > 0:
                    report(min(1.0, share))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()

    def row(self, sql: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
        """Return the one row of a query."""
        # Fetched to the end: a result that is not holds the connection.
        (row,) = self.db.execute(sql, parameters or []).fetchall()
        found: tuple[Any, ...] = row
        return found


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
