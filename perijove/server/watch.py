"""What changed in a project since it was last looked at.

Other processes write the stores and tell nobody, so they are looked at: change counters and file
times cost microseconds. A look happens only while a browser tab watches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from perijove.contracts.table import Task
from perijove.core.errors import PerijoveError

if TYPE_CHECKING:
    from perijove.adapters.workbench import Workbench

Topic = Literal["problem", "data", "develop", "deploy", "monitor", "operate"]
ENDED = ("finished", "failed", "cancelled")
CHAIN: tuple[Topic, ...] = ("problem", "data", "develop", "deploy", "monitor")


class ProjectWatch:
    """Remembers what a project looked like."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self._seen: dict[str, object] = {}
        self._tasks: dict[str, Task] = {}

    def look(self) -> set[Topic]:
        """Return the topics that are not as they were at the last look.

        Raises
        ------
        ProjectFileError
            When the definition is broken; asked again, it raises until it is mended.
        """
        self.bench.ingester.ingest()
        changed: set[Topic] = set()
        for topic, key, value in self._marks():
            if key in self._seen and self._seen[key] != value:
                changed.update(CHAIN if topic is None else (topic,))
            self._seen[key] = value
        return changed

    def moved(self) -> list[Task]:
        """Return the tasks that are not as they were at the last look."""
        tasks = {task.id: task for task in self.bench.data.tasks.all()}
        moved = [task for task in tasks.values() if self._tasks.get(task.id) != task]
        self._tasks = tasks
        return moved

    def _marks(self) -> Iterator[tuple[Topic | None, str, object]]:
        """Yield (topic, key, value); a topic of None stands for the whole chain."""
        paths = self.bench.project.paths
        yield None, "ledger", self.bench.project.chain.ledger.change_counter()
        yield None, "definition", self._definition()
        yield "develop", "runs", self.bench.store.change_counter()
        # A run that is lost, or only tells its progress, writes nothing to the store.
        yield "develop", "pulse", self.bench.develop.pulse()
        # Each step of a task is told by itself; what it was for has changed when it ends.
        yield "data", "tasks", [t.id for t in self.bench.data.tasks.all() if t.state in ENDED]
        jobs = self.bench.jobs.pulse()
        yield "operate", "jobs", jobs
        yield "data", "curations", jobs
        for registered in self.bench.data.registry.registered_paths():
            yield "data", str(registered), _stamp(registered)
        for endpoint in _entries(paths.state / "endpoints"):
            status = self._endpoint(endpoint.name)
            yield "deploy", f"endpoint {endpoint.name}", status
            size = sum(
                stamp[0]
                for kind in ("predictions", "outcomes")
                for journal in _entries(Path(endpoint.path, kind))
                if (stamp := _stamp(Path(journal.path)))
            )
            yield "monitor", f"journal {endpoint.name}", size

    def _definition(self) -> str:
        try:
            return self.bench.project.file.read()[1]
        except PerijoveError as error:
            return error.message

    def _endpoint(self, name: str) -> object:
        try:
            endpoint = self.bench.deploy.endpoint(name)
        except PerijoveError as error:
            return error.message
        return endpoint.state, endpoint.detail, endpoint.revision, endpoint.wanted, endpoint.pid


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
