"""Schedules: when a curated dataset is made anew, and how that went."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import tzinfo

import msgspec

from perijove.contracts.alerts import Alert
from perijove.contracts.base import ErrorBody, Millis
from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts, Dataset, DataState, Schedule
from perijove.contracts.jobs import Job
from perijove.core.alerts import AlertBook
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, NotFoundError, PerijoveError
from perijove.core.files import locked
from perijove.core.jobs import ACTIVE, JobRunner
from perijove.core.ledger import now
from perijove.data.refresh import When, local_zone, parse_refresh

ALERT = "curation"
"""First word of the ids of alerts about scheduled curations that failed."""
LATE_MS = 90_000
"""A start this long after its time is late: whoever looks comes every quarter of a minute."""


class _State(msgspec.Struct):
    """What is kept of one schedule, in place."""

    when: str
    since: Millis
    """When the words were first seen: nothing was missed before."""
    last: Millis | None = None
    late: Millis = 0
    job: str = ""
    settled: str = ""
    """The newest job whose end was taken note of."""
    seen: str = ""
    """What the inputs were when it last started, for one that watches them."""
    error: ErrorBody | None = None


class Schedules:
    """The schedules of one project. A keeper calls :meth:`look` now and then.

    Parameters
    ----------
    project
        The open project.
    state
        Tells whether a version's bytes are still what was registered.
    jobs
        Tells how a curation went.
    alerts
        Where a failed one is told.
    curate
        Starts a curation by the dataset's name.
    zone
        Of the words' times; the machine's own when left out.
    clock
        Milliseconds since the epoch.
    """

    def __init__(
        self,
        project: ProjectContext,
        state: Callable[[Node], DataState],
        jobs: JobRunner,
        alerts: AlertBook,
        curate: Callable[[str], Job],
        *,
        zone: tzinfo | None = None,
        clock: Callable[[], int] = now,
    ) -> None:
        self.project = project
        self._state_of = state
        self._jobs = jobs
        self._alerts = alerts
        self._curate = curate
        self._zone = zone
        self._clock = clock
        self._pending: dict[str, str] = {}
        self._quiet: set[str] = set()
        """Whose inputs this process has seen unchanged: what changes now is not late."""

    @property
    def zone(self) -> tzinfo:
        if self._zone is None:
            self._zone = local_zone()
        return self._zone

    def describe(self, dataset: Dataset) -> Dataset:
        """Add its schedule to a dataset that is curated."""
        if dataset.facts.kind != "curated":
            return dataset
        return msgspec.structs.replace(dataset, schedule=self.of(dataset.name))

    def of(self, name: str) -> Schedule:
        """Return the schedule of a curated dataset."""
        words = self._words().get(name, "")
        state = self._read(name) or _State(words, self._clock())
        if state.when != words:
            state = _State(words, self._clock(), state.last, state.late, state.job)
        try:
            coming = parse_refresh(words).next(self._from(state), self.zone)
        except InvalidInputError as error:
            return Schedule(when=words, last=state.last, job=state.job, error=error.body())
        return Schedule(
            when=words, next=coming, last=state.last, late=state.late, job=state.job,
            error=state.error,
        )  # fmt: skip

    def look(self) -> list[Job]:
        """Start what is due, and take note of what has ended. One look at a time, by anybody."""
        words = self._words()
        kept = self._names()
        if not words and not kept:
            return []
        with locked(self.project.paths.state / "schedules.lock", wait=False) as mine:
            if not mine:
                return []
            for name in kept - words.keys():
                self._forget(name)
            started = [self._look_at(name, said) for name, said in words.items()]
        return [job for job in started if job is not None]

    def _look_at(self, name: str, words: str) -> Job | None:
        try:
            when = parse_refresh(words)
        except InvalidInputError:
            return None  # the dataset's page shows it
        node = self.project.chain.latest("data", name)
        if node is None or facts_of(node, DataFacts).kind != "curated":
            return None
        before = self._read(name)
        state = msgspec.structs.replace(before) if before else _State(words, self._clock())
        if state.when != words:
            state.when, state.since, state.seen = words, self._clock(), ""
        if state.last is not None and state.last > self._clock() + LATE_MS:
            state.last = self._clock()  # the clock was set back: count from now on
        if before != state:
            self._write(name, state)
        if not self._settle(name, node, state):
            return None
        due = self._due(name, node, when, state)
        return self._start(name, node, state, *due) if due is not None else None

    def _settle(self, name: str, node: Node, state: _State) -> bool:
        """Take note of how the newest job went; False while it runs."""
        alert = f"{ALERT}:{name}"
        if state.job and state.settled != state.job:
            try:
                job = self._jobs.get(state.job)
            except NotFoundError:
                job = None  # somebody removed it
            if job is not None and job.state in ACTIVE:
                return False
            state.settled, state.error = state.job, job.error if job is not None else None
            self._write(name, state)
            if job is not None and job.state in ("failed", "lost"):
                self._alarm(name, node, state, job.error)
            elif job is not None and job.state == "finished":
                self._alerts.clear(alert)
        standing = self._alerts.find(alert)
        if standing is not None and standing.subject != node.ref:
            self._alerts.clear(alert)  # somebody made a version since
        return True

    def _due(self, name: str, node: Node, when: When, state: _State) -> tuple[str, Millis] | None:
        """Return what the inputs are, and since when it is due; None when it is not."""
        if when.watch:
            return self._changed(name, node, state)
        coming = when.next(self._from(state), self.zone)
        return (state.seen, coming) if coming is not None and coming <= self._clock() else None

    def _changed(self, name: str, node: Node, state: _State) -> tuple[str, Millis] | None:
        """Whether an input is not what the newest version was made from.

        A change counts when two looks see the same: a file that is being written grows.
        """
        marks: list[str] = []
        since = 0
        for ref in facts_of(node, DataFacts).inputs:
            latest = self.project.chain.latest("data", ref.partition(":")[2].rpartition("@")[0])
            if latest is None:
                return None
            current = self._state_of(latest)
            if current == "missing":
                return None  # another alert says so; there is nothing to make it from
            if latest.ref == ref and current == "current":
                continue
            stamp, at = _stamp(self.project, latest)
            since = max(since, at if current == "changed" else latest.at)
            marks.append(f"{latest.ref} {current} {stamp}")
        found = "; ".join(marks)
        if not found or found == state.seen:
            self._pending.pop(name, None)
            self._quiet.add(name)
            return None
        if self._pending.get(name) != found:
            self._pending[name] = found
            return None
        known = name in self._quiet or not since
        self._quiet.discard(name)
        return found, self._clock() if known else since

    def _start(self, name: str, node: Node, state: _State, seen: str, due: Millis) -> Job | None:
        at = self._clock()
        late = max(0, at - due)
        state.last, state.late, state.seen = at, late if late > LATE_MS else 0, seen
        state.error = None
        # Written first: whatever happens next, it is not started again at the next look.
        self._write(name, state)
        try:
            job = self._curate(name)
        except PerijoveError as error:
            state.error = error.body()
            self._write(name, state)
            self._alarm(name, node, state, state.error)
            return None
        state.job = job.id
        self._write(name, state)
        return job

    def _alarm(self, name: str, node: Node, state: _State, error: ErrorBody | None) -> None:
        log = f" Its log: perijove jobs logs {state.job}" if state.job else ""
        self._alerts.raise_(
            Alert(
                id=f"{ALERT}:{name}", step="data", level="failed", subject=node.ref,
                title=f"{name} could not be made anew",
                detail=error.message if error is not None else "It failed.",
                fix=f"Mend the curation or its inputs, and curate again.{log}",
                since=self._clock(),
            )
        )  # fmt: skip

    def _from(self, state: _State) -> Millis:
        return max(state.last or 0, state.since)

    def _words(self) -> dict[str, str]:
        tables = self.project.definition.data
        return {name: table.refresh for name, table in tables.items() if table.refresh.strip()}

    def _names(self) -> set[str]:
        rows = self.project.chain.ledger.rows("SELECT name FROM wanted WHERE kind='schedule'")
        return {name for (name,) in rows}

    def _read(self, name: str) -> _State | None:
        rows = self.project.chain.ledger.rows(
            "SELECT value FROM wanted WHERE kind='schedule' AND name=?", (name,)
        )
        return msgspec.json.decode(rows[0][0], type=_State) if rows else None

    def _write(self, name: str, state: _State) -> None:
        with self.project.chain.ledger.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO wanted VALUES ('schedule',?,?,?)",
                (name, msgspec.json.encode(state), self._clock()),
            )

    def _forget(self, name: str) -> None:
        self._pending.pop(name, None)
        self._alerts.clear(f"{ALERT}:{name}")
        with self.project.chain.ledger.write() as db:
            db.execute("DELETE FROM wanted WHERE kind='schedule' AND name=?", (name,))


def _stamp(project: ProjectContext, node: Node) -> tuple[str, Millis]:
    """Size and time of what lies at a version's place now; empty for what is not on this disk."""
    try:
        found = os.stat(project.paths.absolute(facts_of(node, DataFacts).path))
    except (OSError, ValueError):
        return "", 0
    return f"{found.st_size} {found.st_mtime_ns}", found.st_mtime_ns // 1_000_000
