"""Step 3: runs, their curves, and what made them."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Millis, Number, Struct
from perijove.contracts.problem import Direction

RunState = Literal["running", "finished", "failed", "stopped", "lost"]


class KpiVerdict(Struct):
    """A number that Perijove measured, against its target."""

    metric: str
    data: str
    split: str
    value: Number
    target: float
    direction: Direction
    met: bool
    """Never true while answers leak into the model's inputs: its number is no number."""
    leaks: list[str] = []
    """The inputs that tell the answer."""


class RunSummary(Struct):
    run_id: str
    name: str
    state: RunState
    started: Millis
    ended: Millis | None
    notebook: str
    """Path of the notebook relative to the project; empty when it is not known."""
    params: dict[str, str]
    metrics: dict[str, Number]
    """The last value of each metric."""
    verdicts: list[KpiVerdict]
    models: list[str]
    """References of the model versions that the run made."""
    progress: float | None = None
    """In [0, 1] while the run says so."""
    tracked_by: Literal["perijove", "mlflow"] = "perijove"


class Runs(Struct):
    items: list[RunSummary]
    total: int


class Cell(Struct):
    number: int
    """The execution count."""
    source: str


class Run(Struct):
    """A run with everything that made it."""

    summary: RunSummary
    tags: dict[str, str]
    cells: list[Cell]
    """The executed cells in order, the training cell last."""
    inputs: list[str]
    """References of the data versions that it read."""
    unregistered: list[str]
    """Files that it read and that no dataset names."""
    git_commit: str
    git_dirty: bool
    environment: dict[str, str]
    """Package name to version, plus ``python`` and ``platform``."""
    seed: int | None
    error: str = ""


class Series(Struct):
    """Points of one metric, min/max down-sampled to at most 700 points."""

    key: str
    steps: list[int]
    values: list[Number]
    times: list[Millis]
    total: int
    """Points before down-sampling."""


class RunSeries(Struct):
    run_id: str
    series: list[Series]


class RunCard(Struct):
    """The payload of the live card, ``application/vnd.perijove.run+json``."""

    project: str
    """The project's folder, absolute; the client asks the server which project that is."""
    run_id: str
    name: str
