"""Databases with MLflow's tables that the table of runs is asked of; the project's own file."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from perijove.adapters.mlflow import database
from perijove.adapters.mlflow.run_conditions import FUNCTIONS, GIVEN
from perijove.adapters.mlflow.run_curves import read_curve
from perijove.adapters.mlflow.sqlite_store import SqliteRunStore, translated
from perijove.adapters.mlflow.values import short_key
from perijove.develop.ports import Point, Window

CACHE_KB: Final = 64 * 1024

Rows = list[tuple[Any, ...]]


class RunDatabase(Protocol):
    """A database with MLflow's tables, and our functions in its connections."""

    def rows(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any] = (),
        given: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Rows: ...

    def counter(self) -> int:
        """A number that differs after anybody has written."""
        ...

    def look_again(self, run_ids: Sequence[str]) -> None:
        """See what was just changed of runs; of all when none are named."""
        ...

    def curve(self, run_id: str, key: str, window: Window) -> tuple[list[Point], int]: ...


def prepare(db: sqlite3.Connection, given: Any) -> None:
    """Give a connection the functions that our SQL calls."""
    for name, (arguments, function) in FUNCTIONS.items():
        db.create_function(name, arguments, function, deterministic=True)
    db.create_function(GIVEN, 2, given)


class RunFile:
    """The project's own MLflow database, on a connection apart from its writers'.

    Parameters
    ----------
    store
        The store that knows the file, and checked its schema.
    """

    def __init__(self, store: SqliteRunStore) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._pid = 0
        self._db: sqlite3.Connection
        self._given: Mapping[str, Mapping[str, str]] = {}

    def _open(self) -> None:
        # A connection must not cross a fork.
        if self._pid == os.getpid():
            return
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            f"{self._store.path.as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=database.BUSY_MS / 1000,
            check_same_thread=False,
        )
        self._db.execute(f"PRAGMA cache_size=-{CACHE_KB}")
        prepare(self._db, lambda column, run_id: self._given.get(column, {}).get(run_id))
        self._pid = os.getpid()

    def rows(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any] = (),
        given: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Rows:
        try:
            self._open()
            with self._lock:
                self._given = given or {}
                return self._db.execute(sql, parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise translated(error, self._store.path) from error

    def counter(self) -> int:
        return int(self.rows("PRAGMA data_version")[0][0])

    def look_again(self, run_ids: Sequence[str]) -> None:
        """Nothing: each query sees what is there."""

    def curve(self, run_id: str, key: str, window: Window) -> tuple[list[Point], int]:
        return read_curve(self.rows, run_id, short_key(key), window)

    def close(self) -> None:
        """Close the connection of this process."""
        if self._pid == os.getpid():
            with self._lock:
                self._db.close()
                self._pid = 0
