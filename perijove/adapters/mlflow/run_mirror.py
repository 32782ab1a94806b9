"""The table of runs of a store that is elsewhere, on a copy in memory.

MLflow's REST interface takes seconds for what a table asks many times. So the runs are copied into
tables of the same shape, on which the same SQL runs. What others do shows some seconds later: new
and open runs every two seconds, the rest after ten times of what it takes to read them all.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from perijove.adapters.mlflow.client_store import ClientRunStore, client_errors
from perijove.adapters.mlflow.run_file import Rows, prepare
from perijove.adapters.mlflow.values import original_key, pack, short_key
from perijove.core.errors import NotFoundError, UnavailableError
from perijove.develop.ports import Point, Window
from perijove.develop.series import down_sample

PAGE: Final = 1000
RECENT_SECONDS: Final = 2.0
WHOLE_SECONDS: Final = 60.0
AWAY_SECONDS: Final = 10.0
OPEN: Final = ("RUNNING", "SCHEDULED")

_TABLES: Final = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, lifecycle_stage TEXT);
INSERT INTO experiments VALUES (0, 'active');
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, status TEXT, start_time INTEGER,
    end_time INTEGER, user_id TEXT, artifact_uri TEXT, lifecycle_stage TEXT,
    experiment_id INTEGER DEFAULT 0);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid));
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT, PRIMARY KEY (key, run_uuid));
CREATE TABLE latest_metrics (key TEXT, value REAL, is_nan INTEGER, run_uuid TEXT,
    PRIMARY KEY (key, run_uuid));
CREATE INDEX params_run ON params (run_uuid);
CREATE INDEX tags_run ON tags (run_uuid);
CREATE INDEX metrics_run ON latest_metrics (run_uuid);
"""


def _client(store: ClientRunStore) -> Any:
    if store.remote:
        from perijove.adapters.mlflow.remote import BriefClient

        return BriefClient(store.uri)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=store.uri)


class RunMirror:
    """Copies of a remote store's runs: a ``RunDatabase``.

    Parameters
    ----------
    store
        The store that knows the way to the others.
    """

    def __init__(self, store: ClientRunStore) -> None:
        self._store = store
        self._client: Any = _client(store)
        self._lock = threading.RLock()
        self._given: Mapping[str, Mapping[str, str]] = {}
        self._changes = 0
        self._newest = 0
        self._due = self._recent_due = -math.inf
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.executescript(_TABLES)
        prepare(self._db, lambda column, run_id: self._given.get(column, {}).get(run_id))

    def rows(
        self,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any] = (),
        given: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Rows:
        with self._lock:
            self._refresh()
            self._given = given or {}
            return self._db.execute(sql, parameters).fetchall()

    def counter(self) -> int:
        with self._lock:
            self._refresh()
            return self._changes

    def look_again(self, run_ids: Sequence[str]) -> None:
        with self._lock:
            if run_ids:
                self._reread(run_ids)
            else:
                self._due = -math.inf

    def curve(self, run_id: str, key: str, window: Window) -> tuple[list[Point], int]:
        points = self._store.points(run_id, key)
        low = -math.inf if window.start is None else window.start
        high = math.inf if window.end is None else window.end
        if window.by == "step":
            points = [point for point in points if low <= point.step <= high]
        else:
            points = [point for point in points if low <= point.at <= high]
        return down_sample(points, max(4, window.points)), len(points)

    def _refresh(self) -> None:
        try:
            self._look()
        except UnavailableError:
            if not self._changes:
                raise
            # What was copied still shows, and nobody waits each time for a server that is away.
            self._due = max(self._due, time.monotonic() + AWAY_SECONDS)
            self._recent_due = time.monotonic() + AWAY_SECONDS

    def _look(self) -> None:
        began = time.monotonic()
        if began >= self._due:
            self._copy(list(self._search("")), whole=True)
            cost = time.monotonic() - began
            self._due = time.monotonic() + max(WHOLE_SECONDS, 10 * cost)
        elif began >= self._recent_due:
            # What began since, and what was open then: it may have gone on, or ended.
            before = [
                row[0]
                for row in self._db.execute("SELECT run_uuid FROM runs WHERE status IN (?,?)", OPEN)
            ]
            found = {
                run.info.run_id: run
                for words in (
                    f"attributes.start_time > {self._newest}",
                    *(f"attributes.status = '{status}'" for status in OPEN),
                )
                for run in self._search(words)
            }
            self._copy(list(found.values()))
            self._reread([run_id for run_id in before if run_id not in found])
        else:
            return
        cost = time.monotonic() - began
        self._recent_due = time.monotonic() + max(RECENT_SECONDS, 10 * cost)

    def _search(self, words: str) -> Iterator[Any]:
        from mlflow.entities import ViewType

        token = None
        experiment = self._store.experiment
        while True:
            with client_errors(self._store.uri):
                page = self._client.search_runs(
                    [experiment],
                    filter_string=words,
                    run_view_type=ViewType.ALL,
                    max_results=PAGE,
                    order_by=["attributes.start_time ASC"],
                    page_token=token,
                )
            yield from page
            token = page.token
            if not token:
                return

    def _reread(self, run_ids: Sequence[str]) -> None:
        runs, gone = [], []
        for run_id in run_ids:
            try:
                with client_errors(self._store.uri, run_id):
                    runs.append(self._client.get_run(run_id))
            except NotFoundError:
                gone.append(run_id)
        self._copy(runs)
        for run_id in gone:
            self._drop([run_id])

    def _copy(self, runs: list[Any], *, whole: bool = False) -> None:
        if not runs and not whole:
            return
        self._changes += 1
        self._db.execute("BEGIN")
        try:
            self._drop(None if whole else [run.info.run_id for run in runs])
            for run in runs:
                self._add(run)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _drop(self, run_ids: list[str] | None) -> None:
        for table in ("params", "tags", "latest_metrics"):
            if run_ids is None:
                self._db.execute(f"DELETE FROM {table}")
            else:
                self._db.executemany(
                    f"DELETE FROM {table} WHERE run_uuid=?", [(run_id,) for run_id in run_ids]
                )
        if run_ids is None:
            self._db.execute("DELETE FROM runs")

    def _add(self, run: Any) -> None:
        info, data = run.info, run.data
        self._newest = max(self._newest, info.start_time or 0)
        # In place, so that runs of one moment keep their order.
        self._db.execute(
            "INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,0) ON CONFLICT (run_uuid) DO UPDATE SET "
            "name=excluded.name, status=excluded.status, start_time=excluded.start_time, "
            "end_time=excluded.end_time, lifecycle_stage=excluded.lifecycle_stage",
            (
                info.run_id, info.run_name, info.status, info.start_time, info.end_time,
                info.user_id, info.artifact_uri, info.lifecycle_stage,
            ),
        )  # fmt: skip
        for table, texts in (("params", data.params), ("tags", data.tags)):
            self._db.executemany(
                f"INSERT OR REPLACE INTO {table} VALUES (?,?,?)",
                [(short_key(original_key(key)), text, info.run_id) for key, text in texts.items()],
            )
        self._db.executemany(
            "INSERT OR REPLACE INTO latest_metrics VALUES (?,?,?,?)",
            [
                (short_key(original_key(key)), *pack(value), info.run_id)
                for key, value in data.metrics.items()
            ],
        )
