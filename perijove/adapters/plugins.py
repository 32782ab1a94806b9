"""Deployment targets, data sources and executors that are installed, those that cannot be loaded included.

A package that does not import must not take its step along: in its place stands one that is there
and says why it is not available.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, NoReturn

from perijove.contracts.base import Struct
from perijove.contracts.jobs import ExecutorInfo
from perijove.contracts.sources import SourceEntry
from perijove.core.context import ProjectContext
from perijove.core.errors import UnavailableError
from perijove.core.jobs import Executor, JobSpec, JobStatus
from perijove.data.ports import DataSource, Snapshot, Work
from perijove.deploy.ports import Answer, DeployTarget, TargetStatus

TARGETS: Final = "perijove.deploy_targets"
SOURCES: Final = "perijove.data_sources"
EXECUTORS: Final = "perijove.executors"


def load_targets(project: ProjectContext) -> dict[str, DeployTarget]:
    """Make every deployment target that is installed, ours first."""
    found: dict[str, DeployTarget] = {}
    for entry in _entries(TARGETS):
        try:
            found[entry.name] = entry.load()(project)
        except Exception as error:  # noqa: BLE001 - the boundary to somebody else's package
            found[entry.name] = MissingTarget(entry.name, _why(error))
    return found


def load_sources(project: ProjectContext) -> list[DataSource]:
    """Make every kind of source that is installed, ours first."""
    found: list[DataSource] = []
    for entry in _entries(SOURCES):
        try:
            found.append(entry.load()(project.paths))
        except Exception as error:  # noqa: BLE001 - the boundary to somebody else's package
            found.append(MissingSource(entry.name, _why(error)))
    # Whoever knows one kind of database better is asked before the source of them all.
    return sorted(found, key=lambda source: source.kind == "database")


def load_executors(project: ProjectContext) -> dict[str, Executor]:
    """Make every executor that is installed, ours first."""
    found: dict[str, Executor] = {}
    for entry in _entries(EXECUTORS):
        try:
            found[entry.name] = entry.load()(project)
        except Exception as error:  # noqa: BLE001 - the boundary to somebody else's package
            found[entry.name] = MissingExecutor(entry.name, _why(error))
    return found


def _entries(group: str) -> Iterator[EntryPoint]:
    yield from sorted(
        entry_points(group=group), key=lambda e: (not e.value.startswith("perijove."), e.name)
    )


def _why(error: Exception) -> str:
    return f"not available: {type(error).__name__}: {error}"


class NoSettings(Struct):
    """A target that is not there can be set nothing."""


@dataclass
class MissingTarget:
    """A deployment target whose package does not load."""

    name: str
    why: str
    title: str = ""
    settings: type[Struct] = NoSettings

    def __post_init__(self) -> None:
        self.title = f"{self.name} ({self.why})"

    def ensure(self, endpoint: str) -> None:
        _refuse(f"The deployment target {self.name}", self.why)

    def status(self, endpoint: str) -> TargetStatus:
        return TargetStatus("failed", f"The deployment target {self.name} is {self.why}", 0)

    def request(
        self, endpoint: str, method: str, path: str, body: bytes = b"", timeout: float = 30.0
    ) -> Answer:
        _refuse(f"The deployment target {self.name}", self.why)


@dataclass
class MissingSource:
    """A kind of source whose package does not load."""

    kind: str
    why: str
    label: str = ""
    example: str = ""
    needs: str = ""
    remote: bool = False

    def __post_init__(self) -> None:
        self.label, self.needs = f"{self.kind} ({self.why})", self.kind

    def available(self) -> bool:
        return False

    def accepts(self, location: str) -> bool:
        return False

    def entries(self, location: str, limit: int) -> list[SourceEntry]:
        _refuse(f"The source {self.kind}", self.why)

    def snapshot(
        self, location: str, query: str, into: Path, *, etag: str = "", work: Work | None = None
    ) -> Snapshot | None:
        _refuse(f"The source {self.kind}", self.why)


@dataclass
class MissingExecutor:
    """An executor whose package does not load."""

    name: str
    why: str

    def info(self) -> ExecutorInfo:
        return ExecutorInfo(self.name, self.name, available=False, reason=self.why)

    def start(self, folder: Path, spec: JobSpec) -> None:
        _refuse(f"The executor {self.name}", self.why)

    def look(self, folder: Path) -> JobStatus:
        _refuse(f"The executor {self.name}", self.why)

    def log(self, folder: Path, offset: int) -> tuple[bytes, int, int]:
        _refuse(f"The executor {self.name}", self.why)

    def stop(self, folder: Path) -> None:
        _refuse(f"The executor {self.name}", self.why)


def _refuse(what: str, why: str) -> NoReturn:
    raise UnavailableError(
        f"{what} is {why}.", "Mend or remove the package that brings it.", code="plugin_broken"
    )
