"""Rows of databases as Parquet, and which tables there are."""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from perijove.adapters.sources.worker.rows import ParquetRows

Report = Callable[..., None]
SECONDS: Final = 600.0
"""That a database may think before the next rows come."""
TELL_SECONDS: Final = 1.0


def tables(report: Report, *, url: str, limit: int) -> dict[str, Any]:
    """List tables and views; where the URL names no database, the databases."""
    return {"entries": _dialect(url).entries(url, limit)}


def query(report: Report, *, url: str, table: str, query: str, parquet: str) -> dict[str, Any]:
    """Write the rows of a table or a SELECT, and return their fingerprint."""
    with (
        _heartbeat(report) as heard,
        closing(
            _dialect(url).select(
                url, table, query.strip().rstrip(";").rstrip(), os.path.dirname(parquet), heard
            )
        ) as rows,
    ):
        schema = next(rows)
        with ParquetRows(parquet, schema) as out:
            for batch in rows:
                out.write(batch)
                heard(f"{out.rows:,} rows")
        return {"fingerprint": out.fingerprint(), "rows": out.rows}


_DIALECTS: Final = {"duckdb": "duckdb_files", "sqlite": "sqlite", "postgresql": "postgresql"}
"""Scheme to the module that speaks to it; all others are SQLAlchemy's."""


def _dialect(url: str) -> Any:
    name = _DIALECTS.get(url.partition(":")[0], "alchemy")
    return importlib.import_module(f"perijove.adapters.sources.worker.{name}")


@contextmanager
def _heartbeat(report: Report) -> Iterator[Callable[[str], None]]:
    """Tell that we are alive while a database thinks; but not for ever.

    It begins when the database was first heard of: one that lets nobody in is only silent.
    """
    detail, since = "", 0.0
    ended = threading.Event()
    lock = threading.Lock()

    def heard(words: str) -> None:
        nonlocal detail, since
        with lock:
            detail, since = words, time.monotonic()

    def beat() -> None:
        while not ended.wait(TELL_SECONDS):
            with lock:
                if since and time.monotonic() - since > SECONDS:
                    return
                if since:
                    report(0.0, detail)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        ended.set()
        thread.join()


ACTIONS = {"tables": tables, "query": query}
