"""What develop needs of a run store. Two stores answer it: MLflow's SQLite file by our own SQL,
and any MLflow tracking URI through its client. Both pass ``perijove.testing.run_store``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol

from perijove.contracts.problem import Direction
from perijove.contracts.table import Filter, SortKey

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


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    path: str
    """Among the run's artifacts."""
    folder: bool
    bytes: int | None


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

    @property
    def remote(self) -> bool:
        """Whether it is on another machine, and may be away for a while."""
        ...

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

    def withdraw(self, run_id: str, points: Sequence[Point]) -> None:
        """Take points back that no longer count: the run went on from before them.

        Where the store deletes nothing, as MLflow's servers do, they stay.
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

    def point_cursor(self) -> int:
        """Return the cursor behind the newest point; cheap."""
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

    def untag(self, run_id: str, keys: Sequence[str]) -> None:
        """Remove tags; those that are not there are no fault."""
        ...

    def delete(self, run_id: str, at: int) -> None:
        """Put a run away: it is in no list, and can be restored."""
        ...

    def restore(self, run_id: str) -> None:
        """Bring a deleted run back; one that is not deleted stays as it is."""
        ...

    def artifact_place(self, run_id: str) -> str:
        """Say where a run's artifacts lie, a path or a URI. Deleted runs have theirs, too."""
        ...

    def list_artifacts(self, run_id: str, path: str = "") -> list[StoredArtifact]:
        """Return what lies in a folder of the run's artifacts; nothing where it is no folder."""
        ...

    def artifact_file(self, run_id: str, path: str) -> Path:
        """Return a file on this machine that holds an artifact; of a remote one, a copy.

        Raises NotFoundError where there is no such file, ForbiddenPathError outside the folder.
        """
        ...

    def change_counter(self) -> int:
        """A number that differs after anybody has written. Cheap."""
        ...


# The table of runs


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs, in which order. Columns are named as in ``perijove.develop.columns``.

    A condition on a column does not hold for a run that has no value in it; ``Not`` turns that
    round. NaN counts as no value. A parameter or a tag is compared with a number as a number where
    its text says one, else as text.
    """

    filter: Filter | None = None
    words: tuple[str, ...] = ()
    """Each is in the run's name, its notebook, its note or a tag of a person, in any case."""
    sort: tuple[SortKey, ...] = ()
    """Values that say a number before other texts; then newest first. Pinned runs before all."""
    deleted: bool = False
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What the store does not know: a column to the values of runs. They count before its own."""


@dataclass(frozen=True, slots=True)
class RunGroupFound:
    """Runs that have the same text in a column."""

    value: str | None
    run_ids: list[str]
    """Newest first."""
    newest: int
    spreads: list[tuple[float | None, float | None, float | None, int]]
    """Of each column that was asked for: mean, least, greatest, runs with a value. No numbers
    where a value is none."""


@dataclass(frozen=True, slots=True)
class ColumnFound:
    name: str
    runs: int
    numbers: bool
    """Every value is one."""
    telling: bool
    """Not all values are the same."""


class RunQueries(Protocol):
    """Searches among runs, as a table and its charts ask. Thread-safe.

    Two answer it: our own SQL on MLflow's database, and for other stores the same SQL on a copy of
    their runs in memory, which is some seconds behind. Both pass ``perijove.testing.run_queries``.
    """

    def look_again(self, run_ids: Sequence[str] = ()) -> None:
        """See what was just changed of some runs, or of all, where changes are not seen at once."""
        ...

    def find(self, query: RunQuery, *, offset: int, limit: int) -> tuple[list[StoredRun], int]:
        """Return a page of runs with their tags alone, and how many match."""
        ...

    def count(self, *, deleted: bool = False) -> int:
        """Return how many runs there are."""
        ...

    def values(
        self, run_ids: Sequence[str], columns: Sequence[str]
    ) -> dict[str, list[float | str | None]]:
        """Return what runs have in columns; numbers of metrics and times, texts else."""
        ...

    def best(
        self, query: RunQuery, wanted: Mapping[str, Direction], without: Collection[str]
    ) -> dict[str, str]:
        """Return the matching run with the best number of each metric, some runs left aside."""
        ...

    def groups(self, query: RunQuery, by: str, columns: Sequence[str]) -> list[RunGroupFound]:
        """Return all groups of matching runs, the newest first."""
        ...

    def columns(self, *, deleted: bool = False) -> list[ColumnFound]:
        """Return the columns of metrics, parameters and tags that runs have; some seconds old."""
        ...

    def open_runs(self) -> list[StoredRun]:
        """Return the runs that are queued or running, with their tags alone."""
        ...

    def children(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Return how many runs each of these has below it."""
        ...

    def metric_keys(self, run_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the metrics of runs, by name."""
        ...

    def curve(self, run_id: str, key: str, window: Window) -> tuple[list[Point], int]:
        """Return points of a curve by step and time, and how many there are in the window.

        Of more points than are wanted, each stretch keeps its least and its greatest one, and NaN.
        """
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a curve, both ends included."""

    points: int = 700
    by: Literal["step", "time"] = "step"
    start: float | None = None
    end: float | None = None


class Environments(Protocol):
    """What is installed, written down and made anew."""

    def lock(self) -> str:
        """Write down what this process computes with, a line a package."""
        ...

    def machine(self) -> dict[str, str]:
        """Tell what else decides the last bits of a sum: processor, threads, devices."""
        ...

    def changed(self, text: str) -> list[str]:
        """Name the packages of a lock that are under work on this machine and were changed."""
        ...

    def make(self, folder: Path, text: str, python: str) -> Path:
        """Make a fresh environment of a lock in a folder; return its interpreter.

        Raises
        ------
        UnsupportedError
            When a version of the lock cannot be had.
        UnavailableError
            When what makes environments is not installed.
        """
        ...
