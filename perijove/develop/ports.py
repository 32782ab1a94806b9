"""What develop needs of a run store. Two stores answer it: MLflow's SQLite file by our own SQL,
and any MLflow tracking URI through its client. Both pass ``perijove.testing.run_store``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

RunStatus = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]
"""MLflow's words."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one metric."""

    key: str
    value: float
    at: int
    """Milliseconds since the epoch."""
    step: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written to a run at once. Writing the same batch again changes nothing."""

    points: list[Point] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredRun:
    run_id: str
    name: str
    status: RunStatus
    started: int
    ended: int | None
    params: dict[str, str]
    metrics: dict[str, float]
    """Newest value of each key, by step, then time."""
    tags: dict[str, str]


class RunStore(Protocol):
    """Thread-safe. A call opens what it needs and blocks; nothing is cached across processes.

    Raises NotFoundError for an unknown run and UnavailableError when the store does not answer.
    """

    def create_run(self, name: str, *, started: int, batch: Batch) -> str:
        """Make a run in state RUNNING in the project's experiment; return its id."""
        ...

    def write(self, run_id: str, batch: Batch) -> None:
        """Add points, params and tags. Idempotent: what is there already stays as it is."""
        ...

    def finish(self, run_id: str, status: RunStatus, at: int) -> None:
        """End a run."""
        ...

    def list_runs(self, *, limit: int, notebook: str = "") -> tuple[list[StoredRun], int]:
        """Return the newest runs, and how many there are in all.

        ``notebook`` keeps only runs whose ``perijove.notebook`` tag equals it.
        """
        ...

    def get_run(self, run_id: str) -> StoredRun: ...

    def points(self, run_id: str, key: str = "") -> list[Point]:
        """Return all points of a run, or of one key, by key, step and time."""
        ...

    def artifact_folder(self, run_id: str) -> Path:
        """Where the run's artifacts lie; made if it is missing."""
        ...

    def change_counter(self) -> int:
        """A number that differs after anybody has written. Cheap."""
        ...
