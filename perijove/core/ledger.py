"""The project's ledger: nodes and edges of the chain, wanted state, and the audit.

One SQLite file in WAL mode with ``synchronous=FULL``: what a call has written survives a power
loss. Nodes, edges and audit rows are only ever added. Audit rows are hash-chained: each one's hash
covers the one before, and a node's row covers the node and its edges, so that what was edited,
added or removed past Perijove shows.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import msgspec

from perijove.contracts.chain import Audit, AuditAnchor, AuditEntry, AuditQuery
from perijove.core.errors import ReadOnlyError, UnavailableError
from perijove.core.files import locked, on_network, sha256_text
from perijove.core.paths import ProjectPaths

SCHEMA_VERSION = 2
"""2: triggers keep nodes and edges, the audit covers them, and the ledger has an identity."""
SYSTEM: Final = "perijove"
"""Who does what nobody asked for."""
T = TypeVar("T")
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
_SINCE_2 = """
CREATE TRIGGER node_is_kept BEFORE DELETE ON node BEGIN SELECT RAISE(ABORT, 'kept'); END;
CREATE TRIGGER edge_is_fixed BEFORE UPDATE ON edge BEGIN SELECT RAISE(ABORT, 'fixed'); END;
CREATE TRIGGER edge_is_kept BEFORE DELETE ON edge BEGIN SELECT RAISE(ABORT, 'kept'); END;
"""
_NODES = "SELECT ref, kind, name, version, at, by, facts FROM node ORDER BY ref"


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
        self.made = False
        """Whether this process made the ledger just now."""
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
        if on_network(self.path.parent):
            with suppress(sqlite3.OperationalError):  # another process has it open as it was
                self._db.execute("PRAGMA journal_mode=DELETE")
        else:
            self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            identity = secrets.token_hex(16)
            self._db.executescript(
                f"BEGIN;{_SCHEMA}{_SINCE_2}"
                f"INSERT INTO wanted VALUES ('ledger', 'identity', '{identity}', {now()});"
                f"PRAGMA user_version={SCHEMA_VERSION};COMMIT;"
            )
            self.made = True
        elif version == 1:
            self._upgrade()
        elif version > SCHEMA_VERSION:
            raise UnavailableError(
                f"The ledger was written by a newer Perijove (schema {version}).",
                "Upgrade with `pip install -U perijove`.",
                code="ledger_newer",
            )

    def _upgrade(self) -> None:
        """Bring a ledger of schema 1 to 2: its nodes as they are now go under the audit."""
        with self.write() as db:
            for statement in _SINCE_2.strip().splitlines():
                db.execute(statement)
            db.execute(
                "INSERT INTO wanted VALUES ('ledger', 'identity', ?, ?)",
                (secrets.token_hex(16), now()),
            )
            sources = _sources(db.execute("SELECT src, dst, role FROM edge").fetchall())
            nodes = {
                row[0]: node_digest(row, sources.get(row[0], {}))
                for row in db.execute(_NODES).fetchall()
            }
            self.audit(SYSTEM, "upgrade ledger", "ledger", schema=SCHEMA_VERSION, nodes=nodes)
            db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    @property
    def identity(self) -> str:
        """A random word that this ledger got when it was made."""
        rows = self.rows("SELECT value FROM wanted WHERE kind='ledger' AND name='identity'")
        return str(rows[0][0]) if rows else ""

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Let the block's reads see one state, whatever others write meanwhile."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self.rows("BEGIN")
            try:
                yield
            finally:
                self._db.execute("COMMIT")

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
        """Return what a query finds.

        Raises
        ------
        UnavailableError
            When the ledger cannot be read: it is locked, damaged or closed.
        """
        with self._lock:
            try:
                return self._db.execute(sql, parameters).fetchall()
            except sqlite3.DatabaseError as error:
                raise UnavailableError(
                    f"The ledger {self.path} cannot be read: {error}.",
                    "Try again; if it stays so, restore it from a backup.",
                    code="ledger_unreadable",
                ) from error

    def change_counter(self) -> int:
        """A number that differs when another connection has written since."""
        with self._lock:
            own = self._db.total_changes
            return int(self.rows("PRAGMA data_version")[0][0]) * 1_000_003 + own

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
        """Return the newest rows that are asked for, and whether the whole chain of hashes holds
        and the nodes and edges are those that it tells of.

        Parameters
        ----------
        anchor
            The head as it was once: the row must be there still, and be the same.
        """
        with self._snapshot():
            return self._read_audit(only or AuditQuery(), anchor)

    def _read_audit(self, only: AuditQuery, anchor: AuditAnchor | None) -> Audit:
        cover = _Cover()
        entries: deque[AuditEntry] = deque(maxlen=max(0, only.limit))
        total, previous, fault, anchored = 0, "", "", ""
        for *row, digest in self.rows("SELECT * FROM audit ORDER BY seq"):
            total += 1
            if not fault and row[0] != total:
                fault = f"Entry {total} is missing."
            elif not fault and digest != _audit_hash(previous, tuple(row)):
                fault = f"Entry {row[0]} was edited, or the one before it."
            previous = digest
            seq, at, actor, action, resource, text = row
            detail = _detail(text)
            cover.take(action, resource, detail)
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
                        detail=detail, hash=digest,
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
        fault = fault or cover.fault(
            self.rows(_NODES), self.rows("SELECT src, dst, role FROM edge")
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


class _Cover:
    """What the audit tells of nodes and edges, to compare with what is there."""

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}
        self._links: dict[tuple[str, str], str] = {}
        self._named: set[str] = set()

    def take(self, action: str, resource: str, detail: dict[str, Any]) -> None:
        """Take one row of the audit in."""
        self._named.add(resource)
        if action == "upgrade ledger" and isinstance(nodes := detail.get("nodes"), dict):
            self._digests.update(nodes)
        elif action == "link" and {"src", "role"} <= detail.keys():
            self._links[str(detail["src"]), resource] = str(detail["role"])
        elif "sha256" in detail and action.partition(" ")[0] != "anchor":
            self._digests.setdefault(resource, str(detail["sha256"]))

    def fault(self, nodes: list[tuple[Any, ...]], edges: list[tuple[str, str, str]]) -> str:
        """Say what is wrong; empty when all is as the audit tells."""
        found = {(src, dst): role for src, dst, role in edges}
        for (src, dst), role in self._links.items():
            if found.get((src, dst)) != role:
                return f"The link from {src} to {dst} was removed or edited."
        sources = _sources([edge for edge in edges if edge[:2] not in self._links])
        refs = {row[0] for row in nodes}
        for row in nodes:
            ref = row[0]
            digest = self._digests.get(ref)
            if digest is None and ref not in self._named:
                return f"{ref} was added past the audit."
            # A process of an older version may have written it: no hash to compare with.
            if digest is not None and digest != node_digest(row, sources.get(ref, {})):
                return f"{ref} was edited, or what led to it."
        missing = next((ref for ref in self._digests if ref not in refs), "")
        if missing:
            return f"{missing} is missing."
        stray = next((ref for ref in sources if ref not in refs), "")
        return f"A link to {stray} was added past the audit." if stray else ""


def node_digest(row: tuple[Any, ...], sources: dict[str, str]) -> str:
    """Hash a node as its table holds it, with the edges that it was added with."""
    _, *fields, facts = row
    text = facts.decode() if isinstance(facts, bytes) else facts
    return sha256_text(json.dumps([*fields, text, sorted(sources.items())]))


def _sources(edges: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for src, dst, role in edges:
        found.setdefault(dst, {})[src] = role
    return found


def read_kept(value: bytes, kind: type[T]) -> T:
    """Read a record that is kept in place.

    Raises
    ------
    UnavailableError
        When this version cannot understand it.
    """
    try:
        return msgspec.json.decode(value, type=kind)
    except msgspec.DecodeError as error:
        raise UnavailableError(
            f"The ledger holds what cannot be understood: {error}.",
            "A newer Perijove wrote it: upgrade with `pip install -U perijove`.",
            code="ledger_newer",
        ) from error


def _detail(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:  # somebody edited it: the chain of hashes says so
        return {"unreadable": text}
    return found if isinstance(found, dict) else {"unreadable": text}


def _audit_hash(previous: str, row: tuple[Any, ...]) -> str:
    return sha256_text(previous + json.dumps(row))
