"""The run store on the project's own MLflow database, by SQL of ours.

MLflow's client pays a transaction and several queries for each call, and a hundred times what
SQLite takes to read. The tables and their rules are MLflow's: see ``sanitize_metric_value`` and
``_update_latest_metrics_if_necessary`` in its ``sqlalchemy_store.py``.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from perijove.adapters.mlflow import database
from perijove.adapters.mlflow.artifact_files import found_file, listed
from perijove.adapters.mlflow.models import local_folder
from perijove.adapters.mlflow.values import MAX_PARAM, MAX_TAG, pack, short, short_key, unpack
from perijove.core.context import ProjectContext
from perijove.core.errors import NotFoundError, PerijoveError, ReadOnlyError, UnavailableError
from perijove.core.paths import resolve_inside
from perijove.develop.ports import (
    NOTEBOOK_TAG,
    PARENT_TAG,
    Batch,
    Point,
    RunStatus,
    StoredArtifact,
    StoredRun,
)

_VISIBLE = (
    "FROM runs r JOIN experiments e USING (experiment_id) "
    "WHERE r.lifecycle_stage='active' AND e.lifecycle_stage='active'"
)
_HEAD = "r.run_uuid, r.name, r.status, r.start_time, r.end_time"
_INSERT_METRIC = (
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
    "VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING"
)
# The newest point by step, time and value is the run's value of the key, as MLflow has it.
_INSERT_LATEST = """
INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?,?,?,?,?,?)
ON CONFLICT (key, run_uuid) DO UPDATE
SET value=excluded.value, timestamp=excluded.timestamp, step=excluded.step, is_nan=excluded.is_nan
WHERE (excluded.step, excluded.timestamp, excluded.value)
    > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)
"""
_CHUNK = 500


class SqliteRunStore:
    """Runs in ``.perijove/mlflow.db``. Thread-safe, and usable again after a fork.

    Parameters
    ----------
    project
        The open project. The database is made if it is missing.

    Raises
    ------
    UnavailableError
        When the database has a schema that this code is not tested with, or is damaged.
    """

    remote = False

    def __init__(self, project: ProjectContext) -> None:
        self.project = project
        self.path = database.ensure_database(project.paths, project.name)
        self._lock = threading.RLock()
        self._write_lock = threading.RLock()
        self._pid = 0
        self._reader: sqlite3.Connection
        self._writer: sqlite3.Connection
        with self._errors():
            self._open()
            revision = database.schema_revision(self._reader)
            if revision in database.TESTED_REVISIONS:
                database.relocate(self._writer, project.paths)
        if revision not in database.TESTED_REVISIONS:
            raise UnavailableError(
                f"{self.path.name} has MLflow's schema {revision or 'of no revision'}, "
                "which Perijove does not read by itself.",
                "Install the MLflow that Perijove names, or open the runs through its client.",
                code="unknown_schema",
            )

    def _open(self) -> None:
        # A connection must not cross a fork: a child opens its own and leaves these alone.
        if self._pid == os.getpid():
            return
        self._lock, self._write_lock = threading.RLock(), threading.RLock()
        self._reader, self._writer = self._connect(), self._connect()
        self._pid = os.getpid()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=database.BUSY_MS / 1000,
            check_same_thread=False,
        )
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA synchronous=NORMAL")
        return db

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise translated(error, self.path) from error

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._errors():
            self._open()
            with self._lock:
                return self._reader.execute(sql, parameters).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            self._open()
            with self._write_lock:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer
                    self._writer.execute("COMMIT")
                except BaseException:
                    if self._writer.in_transaction:
                        self._writer.execute("ROLLBACK")
                    raise

    def create_run(self, name: str, *, started: int, batch: Batch, queued: bool = False) -> str:
        run_id = uuid.uuid4().hex
        tags = {"mlflow.user": self.project.actor, **batch.tags, "mlflow.runName": name}
        with self._transaction() as db:
            home = db.execute(
                "SELECT artifact_location FROM experiments WHERE experiment_id=?",
                (database.EXPERIMENT,),
            ).fetchone()
            db.execute(
                "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, "
                "user_id, status, start_time, source_version, lifecycle_stage, artifact_uri, "
                "experiment_id) VALUES (?,?,'UNKNOWN','','',?,?,?,'','active',?,?)",
                (
                    run_id,
                    short(name, 250),
                    short(tags["mlflow.user"], 256),
                    "SCHEDULED" if queued else "RUNNING",
                    started,
                    f"{home[0]}/{run_id}/artifacts",
                    database.EXPERIMENT,
                ),
            )
            _write(db, run_id, Batch(batch.points, batch.params, tags))
        return run_id

    def write(self, run_id: str, batch: Batch) -> None:
        with self._transaction() as db:
            self._require(db, run_id)
            _write(db, run_id, batch)

    def withdraw(self, run_id: str, points: Sequence[Point]) -> None:
        with self._transaction() as db:
            self._require(db, run_id)
            _withdraw(db, run_id, points)

    def begin(self, run_id: str, at: int) -> None:
        with self._transaction() as db:
            self._require(db, run_id)
            db.execute(
                "UPDATE runs SET start_time=CASE status WHEN 'SCHEDULED' THEN ? ELSE start_time END"
                ", status='RUNNING', end_time=NULL WHERE run_uuid=?",
                (at, run_id),
            )

    def finish(self, run_id: str, status: RunStatus, at: int) -> None:
        with self._transaction() as db:
            self._require(db, run_id)
            db.execute(
                "UPDATE runs SET status=?, end_time=? WHERE run_uuid=?", (status, at, run_id)
            )
        # MLflow's own searches take a plan a hundred times slower without statistics.
        with self._errors(), self._write_lock:
            self._writer.execute("PRAGMA analysis_limit=400")
            self._writer.execute("PRAGMA optimize=0x10002")

    @staticmethod
    def _require(db: sqlite3.Connection, run_id: str) -> None:
        if not db.execute(f"SELECT 1 {_VISIBLE} AND run_uuid=?", (run_id,)).fetchone():
            raise _unknown(run_id)

    def list_runs(
        self, *, limit: int, notebook: str = "", status: RunStatus | None = None
    ) -> tuple[list[StoredRun], int]:
        where = _VISIBLE
        parameters: list[str] = []
        if status:
            where += " AND r.status=?"
            parameters.append(status)
        if notebook:
            where += (
                " AND EXISTS (SELECT 1 FROM tags t"
                " WHERE t.run_uuid=r.run_uuid AND t.key=? AND t.value=?)"
            )
            parameters += [NOTEBOOK_TAG, notebook]
        total = self._rows(f"SELECT count(*) {where}", parameters)[0][0]
        heads = self._rows(
            f"SELECT {_HEAD} {where} ORDER BY r.start_time DESC, r.rowid DESC LIMIT ?",
            [*parameters, limit],
        )
        return self._with_values(heads), total

    def get_run(self, run_id: str) -> StoredRun:
        heads = self._rows(f"SELECT {_HEAD} {_VISIBLE} AND run_uuid=?", (run_id,))
        if not heads:
            raise _unknown(run_id)
        return self._with_values(heads)[0]

    def children(self, run_id: str) -> list[str]:
        rows = self._rows(
            f"SELECT r.run_uuid {_VISIBLE} AND EXISTS (SELECT 1 FROM tags t WHERE "
            "t.run_uuid=r.run_uuid AND t.key=? AND t.value=?) "
            "ORDER BY r.start_time DESC, r.rowid DESC LIMIT 1000",
            (PARENT_TAG, run_id),
        )
        return [row[0] for row in rows]

    def _with_values(self, heads: list[tuple[Any, ...]]) -> list[StoredRun]:
        runs = {
            run_id: StoredRun(
                run_id=run_id,
                name=name or run_id[:8],
                status=status,
                started=started or 0,
                ended=ended,
                params={},
                metrics={},
                tags={},
            )
            for run_id, name, status, started, ended in heads
        }
        keys = list(runs)
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            among = f"WHERE run_uuid IN ({','.join('?' * len(chunk))}) ORDER BY key"
            for run_id, key, text in self._rows(
                f"SELECT run_uuid, key, value FROM params {among}", chunk
            ):
                runs[run_id].params[key] = text
            for run_id, key, text in self._rows(
                f"SELECT run_uuid, key, value FROM tags {among}", chunk
            ):
                runs[run_id].tags[key] = text or ""
            for run_id, key, value, is_nan in self._rows(
                f"SELECT run_uuid, key, value, is_nan FROM latest_metrics {among}", chunk
            ):
                runs[run_id].metrics[key] = unpack(value, is_nan)
        return list(runs.values())

    def points(self, run_id: str, key: str = "") -> list[Point]:
        one, parameters = (" AND key=?", [run_id, short_key(key)]) if key else ("", [run_id])
        rows = self._rows(
            "SELECT key, value, is_nan, timestamp, step FROM metrics "
            f"WHERE run_uuid=?{one} ORDER BY key, step, timestamp",
            parameters,
        )
        return [Point(k, unpack(value, nan), at, step) for k, value, nan, at, step in rows]

    def point_cursor(self) -> int:
        return int(self._rows("SELECT coalesce(max(rowid), 0) FROM metrics")[0][0])

    def points_since(self, run_id: str, cursor: int) -> tuple[list[Point], int]:
        # index_metrics_run_uuid holds the rowid behind the run: this reads only what is new.
        rows = self._rows(
            "SELECT rowid, key, value, is_nan, timestamp, step FROM metrics "
            "WHERE run_uuid=? AND rowid>? ORDER BY rowid",
            (run_id, cursor),
        )
        points = [Point(k, unpack(value, nan), at, step) for _, k, value, nan, at, step in rows]
        return points, rows[-1][0] if rows else cursor

    def artifact_folder(self, run_id: str) -> Path:
        folder = self._artifacts(run_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReadOnlyError(
                f"{folder} cannot be made: {error.strerror}.",
                "Check the permissions and the free space of the project's folder.",
            ) from error
        return folder

    def _artifacts(self, run_id: str) -> Path:
        rows = self._rows("SELECT artifact_uri FROM runs WHERE run_uuid=?", (run_id,))
        if not rows:
            raise _unknown(run_id)
        uri = str(rows[0][0] or "")
        parts = urlsplit(uri)
        if parts.scheme and parts.scheme != "file":
            raise UnavailableError(
                f"The artifacts of run {run_id} lie at {uri}.",
                "Set MLFLOW_TRACKING_URI to the store that it was logged to.",
                code="artifacts_elsewhere",
            )
        return Path(unquote(parts.path if parts.scheme else uri))

    def untag(self, run_id: str, keys: Sequence[str]) -> None:
        with self._transaction() as db:
            self._require(db, run_id)
            db.executemany(
                "DELETE FROM tags WHERE run_uuid=? AND key=?",
                [(run_id, short_key(key)) for key in keys],
            )

    def delete(self, run_id: str, at: int) -> None:
        with self._transaction() as db:
            self._require(db, run_id)
            db.execute(
                "UPDATE runs SET lifecycle_stage='deleted', deleted_time=? WHERE run_uuid=?",
                (at, run_id),
            )

    def restore(self, run_id: str) -> None:
        with self._transaction() as db:
            found = db.execute(
                "UPDATE runs SET lifecycle_stage='active', deleted_time=NULL WHERE run_uuid=?",
                (run_id,),
            )
            if not found.rowcount:
                raise _unknown(run_id)

    def artifact_place(self, run_id: str) -> str:
        return str(self._artifacts(run_id))

    def list_artifacts(self, run_id: str, path: str = "") -> list[StoredArtifact]:
        return listed(self._artifacts(run_id), path, self._models(run_id))

    def artifact_file(self, run_id: str, path: str) -> Path:
        return found_file(self._artifacts(run_id), path, self._models(run_id))

    def _models(self, run_id: str) -> dict[str, Path]:
        """Return the folders of the models that a run logged; of one name the newest counts."""
        rows = self._rows(
            "SELECT name, artifact_location FROM logged_models "
            "WHERE source_run_id=? AND lifecycle_stage='active' ORDER BY creation_timestamp_ms",
            (run_id,),
        )
        folders = {str(name): local_folder(str(place)) for name, place in rows}
        return {name: folder for name, folder in folders.items() if folder is not None}

    def read_artifact(self, run_id: str, path: str) -> bytes | None:
        try:
            return resolve_inside(self._artifacts(run_id).resolve(), path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def change_counter(self) -> int:
        return int(self._rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close the connections of this process."""
        if self._pid == os.getpid():
            with self._lock, self._write_lock:
                self._reader.close()
                self._writer.close()
                self._pid = 0


def _write(db: sqlite3.Connection, run_id: str, batch: Batch) -> None:
    rows = []
    latest: dict[str, tuple[Any, ...]] = {}
    for point in batch.points:
        value, is_nan = pack(point.value)
        row = (short_key(point.key), value, point.at, run_id, point.step, is_nan)
        rows.append(row)
        best = latest.get(row[0])
        if best is None or (row[4], row[2], row[1]) > (best[4], best[2], best[1]):
            latest[row[0]] = row
    db.executemany(_INSERT_METRIC, rows)
    db.executemany(_INSERT_LATEST, latest.values())
    db.executemany(
        "INSERT INTO params (key, value, run_uuid) VALUES (?,?,?) ON CONFLICT DO NOTHING",
        [(short_key(k), short(v, MAX_PARAM), run_id) for k, v in batch.params.items()],
    )
    db.executemany(
        "INSERT INTO tags (key, value, run_uuid) VALUES (?,?,?) "
        "ON CONFLICT (key, run_uuid) DO UPDATE SET value=excluded.value",
        [(short_key(k), short(v, MAX_TAG), run_id) for k, v in batch.tags.items()],
    )
    name = batch.tags.get("mlflow.runName")
    if name:
        db.execute("UPDATE runs SET name=? WHERE run_uuid=?", (short(name, 250), run_id))


def _withdraw(db: sqlite3.Connection, run_id: str, points: Sequence[Point]) -> None:
    db.executemany(
        "DELETE FROM metrics WHERE run_uuid=? AND key=? AND timestamp=? AND step=? AND value=? "
        "AND is_nan=?",
        [(run_id, short_key(p.key), p.at, p.step, *pack(p.value)) for p in points],
    )
    keys = [(run_id, key) for key in dict.fromkeys(short_key(point.key) for point in points)]
    db.executemany("DELETE FROM latest_metrics WHERE run_uuid=? AND key=?", keys)
    db.executemany(
        "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan) "
        "SELECT key, value, timestamp, run_uuid, step, is_nan FROM metrics "
        "WHERE run_uuid=? AND key=? ORDER BY step DESC, timestamp DESC, value DESC LIMIT 1",
        keys,
    )


def _unknown(run_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no run {run_id} in this project.",
        "See the Runs page for the runs that there are; a deleted run is gone.",
        code="run_not_found",
    )


def translated(error: sqlite3.DatabaseError, path: Path) -> PerijoveError:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return ReadOnlyError(
            f"{path} cannot be written: {error}.", "Check the permissions of the project's folder."
        )
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return UnavailableError(
            f"{path} is damaged: {error}.",
            "Restore it from a backup, or move it away to start a new one.",
            code="runs_damaged",
        )
    hint = "Try again; another process may be writing."
    if code.startswith("SQLITE_FULL"):
        hint = "Free some disk space."
    return UnavailableError(f"The run store {path} does not answer: {error}.", hint)
