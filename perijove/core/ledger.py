"""The project's ledger: nodes and edges of the chain, wanted state, and the audit.

One SQLite file in WAL mode with ``synchronous=FULL``: what a call has written survives a power
loss. Nodes and audit rows are only ever added. Audit rows are hash-chained: each one's hash covers
the one before, so that an edited or removed row shows.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from perijove.contracts.chain import Audit, AuditAnchor, AuditEntry, AuditQuery
from perijove.core.errors import ReadOnlyError, UnavailableError
from perijove.core.files import locked, sha256_text
from perijove.core.paths import ProjectPaths

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE node (
  ref TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
  at INTEGER NOT NULL, by TEXT NOT NULL, facts BLOB NOT NULL, UNIQUE (kind, name, version)
) WITHOUT ROWID;
CREATE TABLE edge (
  src TEXT NOT NULL, dst TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (src, dst)
) WITHOUT ROWID;
CREATE INDEX edge_dst ON edge (dst);
CREATE TABLE wanted (
  kind TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  resource TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TRIGGER node_is_fixed BEFORE UPDATE ON node BEGIN SELECT RAISE(ABORT, 'fixed'); END;
CREATE TRIGGER audit_is_fixed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'fixed'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'kept'); END;
"""


def now() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class Ledger:
    """One process's door to the ledger. Safe to share between threads.

    Parameters
    ----------
    paths
        The project's paths; the state folder is made if it is missing.
    """

    def __init__(self, paths: ProjectPaths) -> None:
        paths.make_state()
        self.path = paths.ledger
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(
                self.path, timeout=10, isolation_level=None, check_same_thread=False
            )
            with locked(paths.state / "ledger.lock"):
                self._prepare()
        except sqlite3.OperationalError as error:
            raise ReadOnlyError(
                f"The ledger {self.path} cannot be opened: {error}.",
                "Check the permissions and the free space of the project's folder.",
            ) from error
        except sqlite3.DatabaseError as error:
            raise UnavailableError(
                f"{self.path} is not a ledger: {error}.",
                "Restore it from a backup, or move it away to start a new one.",
                code="ledger_damaged",
            ) from error

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
        elif version > SCHEMA_VERSION:
            raise UnavailableError(
                f"The ledger was written by a newer Perijove (schema {version}).",
                "Upgrade with `pip install -U perijove`.",
                code="ledger_newer",
            )

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the block in one transaction; all of it is kept, or nothing.

        A block inside another one's is part of the outer transaction.
        """
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            try:
                self._db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise ReadOnlyError(
                    f"The ledger cannot be written: {error}.",
                    "Check the permissions and the free space of the project's folder.",
                ) from error
            try:
                yield self._db
            except BaseException as error:
                with suppress(sqlite3.OperationalError):  # a full disk rolls back by itself
                    self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise ReadOnlyError(
                        f"The ledger could not be written: {error}.", "Free some disk space."
                    ) from error
                raise
            try:
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:
                with suppress(sqlite3.OperationalError):
                    self._db.execute("ROLLBACK")
                raise ReadOnlyError(
                    f"The ledger could not be written: {error}.", "Free some disk space."
                ) from error

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, parameters).fetchall()

    def change_counter(self) -> int:
        """A number that differs when another connection has written since."""
        with self._lock:
            own = self._db.total_changes
            return int(self._db.execute("PRAGMA data_version").fetchone()[0]) * 1_000_003 + own

    def audit(self, actor: str, action: str, resource: str, **detail: Any) -> None:
        """Append an audit row. Inside a :meth:`write` block it is part of that transaction."""
        with self._lock:
            if not self._db.in_transaction:
                with self.write():
                    self.audit(actor, action, resource, **detail)
                return
            last = self._db.execute(
                "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"
            ).fetchone() or (0, "")
            row = (last[0] + 1, now(), actor, action, resource, json.dumps(detail, sort_keys=True))
            self._db.execute(
                "INSERT INTO audit VALUES (?,?,?,?,?,?,?)", (*row, _audit_hash(last[1], row))
            )

    def read_audit(
        self, only: AuditQuery | None = None, anchor: AuditAnchor | None = None
    ) -> Audit:
        """Return the newest rows that are asked for, and whether the whole chain of hashes holds.

        Parameters
        ----------
        anchor
            The head as it was once: the row must be there still, and be the same.
        """
        only = only or AuditQuery()
        entries: deque[AuditEntry] = deque(maxlen=max(0, only.limit))
        total, previous, fault, anchored = 0, "", "", ""
        for *row, digest in self.rows("SELECT * FROM audit ORDER BY seq"):
            total += 1
            if not fault and row[0] != total:
                fault = f"Entry {total} is missing."
            elif not fault and digest != _audit_hash(previous, tuple(row)):
                fault = f"Entry {row[0]} was edited, or the one before it."
            previous = digest
            seq, at, actor, action, resource, detail = row
            if anchor is not None and seq == anchor.seq:
                anchored = digest
            if (
                resource.startswith(only.resource)
                and only.actor in ("", actor)
                and only.action in ("", action)
            ):
                entries.append(
                    AuditEntry(
                        seq=seq, at=at, actor=actor, action=action, resource=resource,
                        detail=_detail(detail), hash=digest,
                    )
                )  # fmt: skip
        if not fault and anchor is not None and anchored != anchor.hash:
            fault = (
                f"The anchor knows {anchor.seq} entries, and there are {total}: "
                "entries are missing at the end."
                if anchor.seq > total
                else f"Entry {anchor.seq} is not the one that the anchor knows: the ledger was "
                "written anew, or is another one."
            )
        return Audit(
            entries=list(entries)[::-1], intact=not fault, total=total, anchor=anchor, fault=fault
        )

    def audit_head(self) -> AuditAnchor:
        """Return the newest audit row's number and hash."""
        rows = self.rows("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        seq, digest = rows[0] if rows else (0, "")
        return AuditAnchor(seq=seq, hash=digest, at=now())

    def close(self) -> None:
        with self._lock:
            self._db.close()


def _detail(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:  # somebody edited it: the chain of hashes says so
        return {"unreadable": text}
    return found if isinstance(found, dict) else {"unreadable": text}


def _audit_hash(previous: str, row: tuple[Any, ...]) -> str:
    return sha256_text(previous + json.dumps(row))
