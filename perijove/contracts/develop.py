"""Step 3: runs, their curves, and what made them."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Facts, Millis, Number, Struct
from perijove.contracts.problem import Direction

RunState = Literal["queued", "running", "finished", "failed", "stopped", "lost"]
"""``queued``: its job waits for CPUs or a GPU."""


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
    starred: bool = False
    job: str = ""
    """The job that runs it; empty where it runs in a kernel."""
    proved: bool | None = None
    """What its newest certificate says; None where it has none."""


class Runs(Struct):
    items: list[RunSummary]
    total: int


class Cell(Struct):
    number: int
    """The execution count."""
    source: str


class Usage(Facts):
    """What a run took, of its process and those that it started."""

    seconds: float
    cpu_seconds: float | None = None
    gpu_seconds: float | None = None
    """Seconds that it held a GPU, times the GPUs."""
    gpus: list[int] = []
    peak_memory: int | None = None
    """Bytes, resident."""
    peak_gpu_memory: int | None = None
    cost: float | None = None
    """By the rates of ``[costs]`` in perijove.toml; None where it has none."""
    currency: str = ""


class Disorder(Facts):
    """One reason why the cells that ran are not the notebook that a fresh run would run."""

    kind: Literal["order", "edited", "failed", "deleted", "hidden"]
    """``order``: a cell ran after one that stands below it; ``edited``: a cell was changed after it
    ran; ``failed``: a cell that raised may have had effects; ``deleted``: a cell that ran is not in
    the notebook any more; ``hidden``: a name comes from no cell that ran."""
    detail: str
    """For people, naming cells by their numbers."""
    cells: list[int] = []
    names: list[str] = []


class Compared(Facts):
    """One metric of a run, and of its rerun."""

    metric: str
    expected: Number
    found: Number | None
    """The last value; None where the rerun did not log it."""
    same: bool
    """Every point, bit for bit, where ``bitwise``; else the last value within the tolerance."""
    points: int = 0
    differing: int = 0
    first_step: int | None = None
    """The first step that differs."""


class CertificateFacts(Facts):
    """What a rerun of a run's recorded cells, in a fresh environment, came to."""

    run_id: str
    rerun: str
    """The run that was made for it; empty where it did not come to that."""
    ok: bool
    bitwise: bool
    """Whether points were compared bit for bit: the machine and packages are the same."""
    tolerance: float
    """Relative; of numbers that were not compared bit for bit."""
    at: Millis
    seconds: float
    job: str = ""
    cells_sha256: str = ""
    lock_sha256: str = ""
    inputs: list[str] = []
    """References of the data versions that both read."""
    metrics: list[Compared] = []
    differences: list[str] = []
    """Of the environments: packages, Python, platform, CPU."""
    reasons: list[str] = []
    """Why it is not ok: what was tampered with, what failed, which metrics differ."""


class RerunRequest(Struct):
    tolerance: float = 1e-6
    """Relative, where the environment is not the same."""


class Trial(Struct):
    number: int
    run_id: str
    state: Literal["running", "finished", "failed", "pruned"]
    value: Number | None
    params: dict[str, str]


class SearchReport(Struct):
    """Trials over a space of parameters, as the runs of one group."""

    metric: str
    direction: Direction
    trials: list[Trial]
    wanted: int | None
    """Trials that were asked for."""
    best: str
    """The run with the best value; empty while there is none."""
    history: list[Number]
    """The best value after each finished trial."""
    study: str
    """The name in Optuna's own storage."""
    storage: str


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
    note: str = ""
    """Markdown."""
    usage: Usage | None = None
    disorder: list[Disorder] = []
    """Why a fresh kernel that ran these cells might not do the same."""
    certificates: list[CertificateFacts] = []
    """Of reruns, the newest first."""
    obstacle: str = ""
    """Why it cannot be run again; empty when nothing is known against it."""
    parent: str = ""
    children: list[str] = []
    search: SearchReport | None = None
    """Where it is the head of a search."""
    masked: list[str] = []
    """Parameters and variables that looked like secrets, and were not kept."""


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


# What a cell that trains in the background takes along


class ReviewedCell(Struct):
    number: int
    source: str
    wanted: bool
    """Whether it goes along unless somebody decides otherwise."""
    reason: str = ""
    """Why not: it deploys, it writes outside, it is marked, it failed."""


class BackgroundReview(Struct):
    """The cells that ran in a kernel, for the person to choose from."""

    cells: list[ReviewedCell]
    disorder: list[Disorder] = []
    executors: list[str] = []
    cpus: int = 1
    gpus: int = 0
    """Of this machine."""


class RunCard(Struct):
    """The payload of the live card, ``application/vnd.perijove.run+json``."""

    project: str
    """The project's folder, absolute; the client asks the server which project that is."""
    run_id: str
    name: str
