"""What changed in a project since it was last looked at.

Other processes write the stores and tell nobody, so they are looked at: change counters and file
times cost microseconds. A look happens only while a browser tab watches.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from perijove.contracts.deploy import EndpointFacts
from perijove.contracts.jobs import Job
from perijove.contracts.table import Task
from perijove.core.chain import WantedEndpoint, facts_of, make_ref
from perijove.core.errors import NotFoundError, PerijoveError
from perijove.core.jobs import ACTIVE

if TYPE_CHECKING:
    from perijove.adapters.workbench import Workbench

Topic = Literal["problem", "data", "develop", "deploy", "monitor", "operate"]
ENDED = ("finished", "failed", "cancelled")
CHAIN: tuple[Topic, ...] = ("problem", "data", "develop", "deploy", "monitor")
STEPS: tuple[Topic, ...] = (*CHAIN, "operate")
NEWEST = 50
"""Of these jobs it is seen that they begin."""
UNSHOWN = frozenset(("read dataset",))
"""Actions of the audit that change nothing that a page shows."""
KEPT: dict[str, tuple[Topic, ...]] = {"schedule": ("data",), "cursor": (), "ledger": ()}
"""What the ledger keeps in place, and who shows it; what is not here, the whole chain."""

Mark = tuple[tuple[Topic, ...], str, Callable[[], object]]
"""Who shows it, its key, and how it is looked at."""


class LedgerWatch:
    """What was written to the ledger, by the topics that show it."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._ledger = bench.project.chain.ledger
        self._counter: int | None = None
        self._audited = 0
        self._kept: dict[str, tuple[object, ...]] = {}
        self.wanted: dict[str, WantedEndpoint] = {}
        self.paths: list[Path] = []
        """Files that are registered."""
        self._targets: dict[str, str] = {}

    def look(self) -> set[Topic]:
        """Return who shows what was written since the last look; nobody at the first one."""
        counter = self._ledger.change_counter()
        if counter == self._counter:
            return set()
        first, self._counter = self._counter is None, counter
        changed: set[Topic] = set()
        for seq, action in self._ledger.rows(
            "SELECT seq, action FROM audit WHERE seq > ? ORDER BY seq", (self._audited,)
        ):
            self._audited = seq
            if action not in UNSHOWN:
                changed.update(CHAIN)
        kept: dict[str, tuple[object, ...]] = {
            kind: tuple(stamp)
            for kind, *stamp in self._ledger.rows(
                "SELECT kind, count(*), max(at), total(at) FROM wanted GROUP BY kind"
            )
        }
        for kind in kept.keys() | self._kept.keys():
            if kept.get(kind) != self._kept.get(kind):
                changed.update(KEPT.get(kind, CHAIN))
        self._kept = kept
        if first or changed:
            self.wanted = self._bench.project.chain.wanted_endpoints()
            self.paths = list(self._bench.data.registry.registered_paths())
        return set() if first else changed

    def target(self, name: str, revision: int) -> str:
        """Return the target of an endpoint's revision, which never changes."""
        ref = make_ref("endpoint", name, revision)
        if ref not in self._targets:
            facts = facts_of(self._bench.project.chain.get(ref), EndpointFacts)
            self._targets[ref] = facts.target
        return self._targets[ref]


class ProjectWatch:
    """Remembers what a project looked like."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._ledger = LedgerWatch(bench)
        self._seen: dict[str, object] = {}
        self._tasks: dict[str, Task] = {}
        self._active: set[str] = set()
        """Jobs that had not ended at the last look."""
        self._last: str | None = None
        """The newest job's id at the last look."""

    def look(self) -> set[Topic]:
        """Return the topics that are not as they were at the last look.

        What cannot be looked at, say a run store that is away, counts as changed when it goes and
        when it comes back, and hides nothing else.

        Raises
        ------
        UnavailableError
            When the ledger cannot be read.
        """
        changed = self._ledger.look()
        for topics, key, ask in self._marks():
            value = _answer(ask)
            if key in self._seen and self._seen[key] != value:
                changed.update(topics)
            self._seen[key] = value
        return changed

    def moved(self) -> list[Task]:
        """Return the tasks that are not as they were at the last look."""
        tasks = {task.id: task for task in self.bench.data.tasks.all()}
        moved = [task for task in tasks.values() if self._tasks.get(task.id) != task]
        self._tasks = tasks
        return moved

    def ended(self) -> list[Job]:
        """Return the jobs that have ended since the last look; none at the first one."""
        jobs = {job.id: job for job in self.bench.jobs.list(NEWEST)}
        for job in self._active - jobs.keys():
            with suppress(NotFoundError):  # its folder was deleted
                jobs[job] = self.bench.jobs.get(job)
        active = {job.id for job in jobs.values() if job.state in ACTIVE}
        # Ids come in the order of time: one beyond the last is of a job that came and went between.
        last, self._last = self._last, max((self._last or "", *jobs))
        ended = [
            job
            for job in jobs.values()
            if job.id not in active
            and (job.id in self._active or (last is not None and job.id > last))
        ]
        self._active = active
        return ended

    def _marks(self) -> Iterator[Mark]:
        bench, paths = self.bench, self.bench.project.paths
        yield CHAIN, "definition", lambda: bench.project.file.read()[1]
        yield ("develop",), "ingestion", self._ingest
        yield ("develop",), "runs", lambda: bench.store.change_counter()
        # A run that is lost, or only tells its progress, writes nothing to the store.
        yield ("develop",), "pulse", lambda: bench.develop.pulse()
        # Each step of a task is told by itself; what it was for has changed when it ends.
        yield ("data",), "tasks", lambda: [t.id for t in bench.data.tasks.all() if t.state in ENDED]
        yield ("operate", "data"), "jobs", lambda: bench.jobs.pulse()
        for registered in self._ledger.paths:
            yield ("data",), str(registered), lambda file=registered: _stamp(file)  # type: ignore[misc]
        for endpoint in _entries(paths.state / "endpoints"):
            name, folder = endpoint.name, Path(endpoint.path)
            yield ("deploy",), f"endpoint {name}", lambda name=name: self._endpoint(name)  # type: ignore[misc]
            yield ("monitor",), f"journal {name}", lambda folder=folder: _journalled(folder)  # type: ignore[misc]

    def _ingest(self) -> None:
        """Metrics go into the store; what fails is told once, and tried again at each look."""
        self.bench.ingester.ingest()

    def _endpoint(self, name: str) -> object:
        wanted = self._ledger.wanted.get(name)
        if wanted is None:
            return None
        target = self.bench.targets.get(self._ledger.target(name, wanted.revision))
        if target is None:
            return wanted
        status = target.status(name)
        return wanted, status.state, status.detail, status.revision, status.pid


def _answer(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except (PerijoveError, OSError) as error:
        return f"failed: {error}"


def _journalled(endpoint: Path) -> int:
    return sum(
        stamp[0]
        for kind in ("predictions", "outcomes")
        for journal in _entries(endpoint / kind)
        if (stamp := _stamp(Path(journal.path)))
    )


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        stat = file.stat()
    except FileNotFoundError:
        return None
    return stat.st_size, stat.st_mtime_ns
