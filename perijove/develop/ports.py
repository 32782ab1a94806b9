"""What develop needs of a run store. Two stores answer it: MLflow's SQLite file by our own SQL,
and any MLflow tracking URI through its client. Both pass ``perijove.testing.run_store``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol

RunStatus = Literal["SCHEDULED", "RUNNING", "FINISHED", "FAILED", "KILLED"]
"""MLflow's words; ``SCHEDULED`` while a run's job is queued."""
EndState = Literal["finished", "failed", "stopped"]
STATUSES: Final[dict[EndState, RunStatus]] = {
    "finished": "FINISHED",
    "failed": "FAILED",
    "stopped": "KILLED",
}
STOP_FILE: Final = "stop"
"""In the folder of a run's journals: its code is asked to stop."""


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
    """What is written to a run at once. Writing the same batch again changes nothing.

    Points and parameters that are there already stay as they are; of a tag the newest value counts.
    """

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


PARENT_TAG = "mlflow.parentRunId"
"""The run that a run belongs to, such as the search that it is a trial of."""
NOTEBOOK_TAG = "perijove.notebook"
"""Path of the notebook that a run was started from, relative to the project."""
ERROR_TAG = "perijove.error"
"""Why a run failed."""


class RunStore(Protocol):
    """Thread-safe. A call opens what it needs and blocks; nothing is cached across processes.

    Raises NotFoundError for an unknown run and UnavailableError when the store does not answer.
    """

    def create_run(self, name: str, *, started: int, batch: Batch, queued: bool = False) -> str:
        """Make a run in the project's experiment, RUNNING or SCHEDULED; return its id."""
        ...

    def begin(self, run_id: str, at: int) -> None:
        """Set a run RUNNING: a queued one, which starts now, or one that ended and goes on.

        The time of start moves for a queued one only, where the store can move it.
        """
        ...

    def children(self, run_id: str) -> list[str]:
        """Return the runs whose parent this one is, the newest first; at most 1,000."""
        ...

    def write(self, run_id: str, batch: Batch) -> None:
        """Add points, params and tags; see :class:`Batch` for what is there already.

        Any text is a good key. Values longer than MLflow's limits are cut to them.
        """
        ...

    def finish(self, run_id: str, status: RunStatus, at: int) -> None:
        """End a run."""
        ...

    def list_runs(
        self, *, limit: int, notebook: str = "", status: RunStatus | None = None
    ) -> tuple[list[StoredRun], int]:
        """Return the newest runs, and how many there are in all.

        ``notebook`` keeps only runs whose ``perijove.notebook`` tag equals it, ``status`` only
        runs of that status.
        """
        ...

    def get_run(self, run_id: str) -> StoredRun: ...

    def points(self, run_id: str, key: str = "") -> list[Point]:
        """Return all points of a run, or of one key, by key, step and time."""
        ...

    def points_since(self, run_id: str, cursor: int) -> tuple[list[Point], int]:
        """Return the points written after ``cursor``, in no fixed order, and the next cursor.

        0 is before the first point.
        """
        ...

    def artifact_folder(self, run_id: str) -> Path:
        """Return the folder that takes the run's artifacts; made if it is missing.

        Where artifacts lie on another machine, what was put there is sent when the run ends.
        """
        ...

    def read_artifact(self, run_id: str, path: str) -> bytes | None:
        """Return a small artifact's bytes by its path among the run's artifacts, or None."""
        ...

    def change_counter(self) -> int:
        """A number that differs after anybody has written. Cheap."""
        ...
