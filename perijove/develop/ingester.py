"""The way of a metric from a journal into the run store, and of a live curve past it.

Any process may ingest: the server while it runs, the kernel at a run's end, whoever opens the
project next. A file lock lets one at a time. Cursors are kept beside the journals; losing them
costs a second reading and changes nothing, since what is written twice is there once.
"""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from perijove.contracts.base import Facts
from perijove.core.context import ProjectContext
from perijove.core.cuts import read_cuts
from perijove.core.errors import NotFoundError, PerijoveError, ReadOnlyError, UnavailableError
from perijove.core.files import locked, write_atomically
from perijove.core.journal import MAGIC, JournalReader, Record
from perijove.develop.ports import ERROR_TAG, STATUSES, Batch, Point, RunStatus, RunStore

CURSORS = "ingested.json"
CHUNK = 1024 * 1024
QUIET_SECONDS = 60.0
"""A run whose journals did not grow for so long is looked at every ``FULL_SWEEP_SECONDS``."""
FULL_SWEEP_SECONDS = 10.0
SWEPT = 100
"""Of those so many at a time: thousands of old runs must not hold up those that log now."""
SETTLED_NS = 2_000_000_000
"""A folder's time of change is as coarse as a clock's tick: what is younger is read again."""
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INT64 = 2**63


class Ingested(Facts):
    """How far a run's journals are in the store."""

    cursors: dict[str, int] = {}
    progress: float | None = None
    progress_at: int = 0
    cuts: dict[str, int] = {}
    """Of the journals, as they are in the store: see :mod:`perijove.core.cuts`."""


@dataclass(slots=True)
class Contents:
    """What records say, each kind in its place."""

    batch: Batch = field(default_factory=Batch)
    progress: float | None = None
    progress_at: int = 0
    end: tuple[RunStatus, int] | None = None
    """How and when the run ended."""


class Ingester:
    """Moves journals into the store.

    Parameters
    ----------
    project
        The open project.
    store
        Where its runs are kept.
    """

    def __init__(self, project: ProjectContext, store: RunStore) -> None:
        self.project = project
        self.store = store
        self._damaged: set[Path] = set()
        self._orphans: set[str] = set()
        self._quiet: dict[str, float] = {}
        """When each was looked at, the one that waits longest first."""
        self._names: tuple[int, list[str]] = 0, []
        """The runs with journals, as of a change of their folder."""
        self._failed: dict[str, None] = {}
        """Runs whose points were refused, the one that was tried last behind the others."""

    def folder(self, run_id: str) -> Path:
        """Return the folder of a run's journals.

        Raises
        ------
        NotFoundError
            For what cannot be a run's id.
        """
        if not _RUN_ID.fullmatch(run_id):
            raise NotFoundError(f"{run_id!r} is no run's id.", code="run_not_found")
        return self.project.paths.journals / run_id

    def ingest(self, run_id: str | None = None) -> set[str]:
        """Move what came since into the store; return the runs that it was of.

        With a run's id, only that run, after waiting for whoever ingests now: when this returns,
        all that was logged before is in the store. Without one, all runs, or nothing when
        somebody else is at it.

        Raises
        ------
        UnavailableError
            When the store does not answer, or not for one of the runs. Nothing is lost: the next
            call goes on from there, with the other runs first.
        """
        journals = self.project.paths.journals
        if run_id is not None:
            self._orphans.discard(run_id)  # it may have been deleted, and restored
        runs = self._due(journals) if run_id is None else [self.folder(run_id).name]
        if not runs or not journals.is_dir():
            return set()
        try:
            with locked(journals / "ingest.lock", wait=run_id is not None) as got:
                return self._ingest_runs(runs) if got else set()
        except OSError as error:  # of the lock: what a journal raises is told by its run
            raise ReadOnlyError(
                f"{journals} cannot be written: {error.strerror or error}.",
                "Check the permissions and the free space of the project's folder.",
            ) from error

    def _due(self, journals: Path) -> list[str]:
        try:
            names = self._runs(journals)
        except FileNotFoundError:
            return []
        swept = time.monotonic() - FULL_SWEEP_SECONDS
        waiting = list(itertools.islice(self._quiet.items(), SWEPT))
        for name, looked in waiting:
            if looked <= swept:
                self._quiet.pop(name, None)
        due = [name for name in names if name not in self._quiet and name not in self._orphans]
        # A run that the store refuses must not stand in the way of the others.
        failed = [name for name in self._failed if name in due]
        return [name for name in due if name not in self._failed] + failed

    def _runs(self, journals: Path) -> list[str]:
        changed = journals.stat().st_mtime_ns
        if changed != self._names[0] or time.time_ns() - changed < SETTLED_NS:
            found = [entry.name for entry in os.scandir(journals)]
            self._names = changed, [name for name in found if _RUN_ID.fullmatch(name)]
        return self._names[1]

    def _ingest_runs(self, runs: list[str]) -> set[str]:
        moved: set[str] = set()
        failure: PerijoveError | None = None
        for run in runs:
            self._failed.pop(run, None)
            try:
                if self._ingest_run(run):
                    moved.add(run)
            except (PerijoveError, OSError) as error:
                self._failed[run] = None
                failure = failure or _translated(error, run)
                if isinstance(error, UnavailableError):
                    break  # each further run could wait for its answer as long as this one did
        if failure is not None:
            raise failure
        return moved

    def _ingest_run(self, run_id: str) -> bool:
        folder = self.folder(run_id)
        state = self.state(run_id)
        moved, newest = False, 0.0
        ends: list[tuple[int, RunStatus]] = []
        journals = _journals(folder)
        state = self._withdraw(run_id, state, read_cuts(folder))
        for path, size, changed in journals:
            newest = max(newest, changed)
            end = min(size, state.cuts.get(path.name, size))
            reader = JournalReader(path, state.cursors.get(path.name, 0))
            if end <= reader.offset or path in self._damaged:
                continue
            while records := reader.read(CHUNK, end):
                found = understand(records)
                try:
                    if found.batch != Batch():  # progress alone is none of the store's business
                        self.store.write(run_id, found.batch)
                except NotFoundError:
                    self._orphans.add(run_id)  # deleted, or of another store: keep the journal
                    return moved
                if found.end is not None:
                    ends.append((found.end[1], found.end[0]))
                later = found.progress_at >= state.progress_at and found.progress is not None
                state = Ingested(
                    cursors={**state.cursors, path.name: reader.offset},
                    progress=found.progress if later else state.progress,
                    progress_at=found.progress_at if later else state.progress_at,
                    cuts=state.cuts,
                )
                if not ends:  # else a crash before the end is written would lose it
                    self._keep(run_id, state)
                moved = True
            if reader.damaged:
                self._damaged.add(path)
        if ends:
            # After all that was logged: whoever sees the run ended sees it whole.
            at, status = max(ends)
            try:
                self.store.finish(run_id, status, at)
            except NotFoundError:
                self._orphans.add(run_id)
                return moved
            self._keep(run_id, state)
        if time.time() - newest > QUIET_SECONDS:
            self._quiet.pop(run_id, None)  # to the end
            self._quiet[run_id] = time.monotonic()
        return moved

    def _withdraw(self, run_id: str, state: Ingested, cuts: dict[str, int]) -> Ingested:
        """Take what stands behind cuts out of the store again, where it got there before."""
        if cuts == state.cuts:
            return state
        cursors = dict(state.cursors)
        for name, end in cuts.items():
            behind = JournalReader(self.folder(run_id) / name, end or len(MAGIC))
            # Where it is not known how far it had got, all of it may be there.
            reached = cursors.get(name)
            while records := behind.read(CHUNK, reached):
                points = understand(records).batch.points
                if points:
                    self.store.withdraw(run_id, points)
            cursors[name] = 0 if reached is None else min(reached, end)
        state = msgspec.structs.replace(state, cursors=cursors, cuts=cuts)
        self._keep(run_id, state)
        return state

    def _keep(self, run_id: str, state: Ingested) -> None:
        content = msgspec.json.encode(state)
        write_atomically(self.folder(run_id) / CURSORS, content, durable=False)

    def heard(self, run_id: str) -> int:
        """Return when a run's journals were last written to; 0 where it has none."""
        try:
            journals = _journals(self.folder(run_id))
        except NotFoundError:  # another tool's id
            return 0
        return max((int(changed * 1000) for _, _, changed in journals), default=0)

    def state(self, run_id: str) -> Ingested:
        """Tell how far a run's journals are in the store, and its progress as of then."""
        try:
            text = (self.folder(run_id) / CURSORS).read_bytes()
            return msgspec.json.decode(text, type=Ingested)
        except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
            return Ingested()


def _translated(error: PerijoveError | OSError, run: str) -> PerijoveError:
    if isinstance(error, PerijoveError):
        return error
    return ReadOnlyError(
        f"The journals of the run {run} cannot be read: {error.strerror}.",
        "Check the permissions of the project's folder.",
    )


def understand(records: Iterable[Record]) -> Contents:
    """Sort records by kind. What no version of ours has written is passed over."""
    found = Contents()
    for record in records:
        match record:
            case ["m", int(at), int(step), dict(values)]:
                found.batch.points.extend(_points(at, step, values))
            case ["p", dict(texts)]:
                for key, text in texts.items():
                    found.batch.params.setdefault(str(key), str(text))
            case ["t", dict(texts)]:
                found.batch.tags.update({str(key): str(text) for key, text in texts.items()})
            case ["e", int(at), str(state), str(error)] if state in STATUSES:
                found.end = STATUSES[state], at
                if error:
                    found.batch.tags[ERROR_TAG] = error
            case ["g", int(at), float() | int() as share] if at >= found.progress_at:
                if share == share:
                    found.progress, found.progress_at = min(max(float(share), 0.0), 1.0), at
    return found


def _points(at: int, step: int, values: dict[Any, Any]) -> list[Point]:
    if not (-_INT64 <= at < _INT64 and -_INT64 <= step < _INT64):
        return []
    return [
        Point(str(key), float(value), at, step)
        for key, value in values.items()
        if isinstance(value, int | float)
    ]


def _journals(folder: Path) -> list[tuple[Path, int, float]]:
    try:
        return [
            (folder / entry.name, stat.st_size, stat.st_mtime)
            for entry in sorted(os.scandir(folder), key=lambda e: e.name)
            if entry.name.endswith(".pj") and (stat := entry.stat())
        ]
    except (FileNotFoundError, NotADirectoryError):
        return []
