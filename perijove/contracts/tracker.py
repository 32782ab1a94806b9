"""The tracker: many runs in one table, runs side by side, and what they left behind."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Millis, Number, Struct
from perijove.contracts.develop import RunState, RunSummary, Series
from perijove.contracts.table import Filter, SortKey

# A column of the table has the name that MLflow's search words have for it: ``metrics.loss``,
# ``params.lr``, ``tags.team``, ``attributes.run_name``. Ours besides: ``attributes.duration``
# (ms), ``attributes.verdict``, ``attributes.cost``, ``attributes.notebook``.


class RunsRequest(Struct):
    """A page of the table of runs."""

    search: str = ""
    """MLflow's filter words, ``metrics.auc > 0.7 and params.kind = 'hgb'``; else words that a run's
    name, notebook, tags or notes hold."""
    filter: Filter | None = None
    """What was put together by clicks; both must hold."""
    sort: list[SortKey] = []
    """Newest first when empty. Pinned runs come before all others, whatever the order."""
    columns: list[str] = []
    """Whose values are wanted."""
    group_by: str = ""
    """A column; the page is of groups then."""
    group: str | None = None
    """With ``group_by``: the page is of the runs of this one group."""
    view: Literal["active", "deleted"] = "active"
    offset: int = 0
    limit: int = 100


class RunRow(Struct):
    run_id: str
    name: str
    state: RunState
    started: Millis
    ended: Millis | None
    notebook: str
    values: list[Number | str | None]
    """Of the columns that were asked for, in their order."""
    verdict: Literal["met", "missed", "leaks", ""] = ""
    progress: float | None = None
    starred: bool = False
    pinned: bool = False
    noted: bool = False
    children: int = 0
    """Runs that belong to it: the trials of a search."""
    parent: str = ""
    tracked_by: Literal["perijove", "mlflow"] = "perijove"


class Spread(Struct):
    """What the runs of a group have in one column."""

    mean: Number | None = None
    """None where a value is no number."""
    low: Number | None = None
    high: Number | None = None
    values: int = 0
    """How many of its runs have one."""


class RunGroup(Struct):
    value: str | None
    """What its runs share; None for those that have no value."""
    runs: int
    spreads: list[Spread]
    """One a column that was asked for."""
    newest: Millis
    run_ids: list[str] = []
    """The newest, at most 50."""


class RunColumn(Struct):
    """A column that the table can show."""

    column: str
    kind: Literal["number", "text", "time"]
    runs: int
    """Runs that have a value; a recent count."""
    telling: bool
    """Whether runs differ in it."""


class RunTable(Struct):
    rows: list[RunRow]
    groups: list[RunGroup]
    total: int
    """Runs, or groups, that match."""
    runs: int
    """Runs of the project in this view."""
    columns: list[RunColumn]
    """Every column that there is, the targets' metrics first, then by how many runs have it."""
    best: dict[str, str] = {}
    """A metric that was asked for, to the matching run with its best honest value."""
    understood: Filter | None = None
    """What the search words say; None where they are plain words."""
    fault: str = ""
    """Why the search words cannot be followed, and where; nothing matches then."""


class RunsChange(Struct):
    """What is written on runs. What is None stays as it is."""

    run_ids: list[str]
    star: bool | None = None
    pin: bool | None = None
    name: str | None = None
    """For one run only."""
    note: str | None = None
    """Markdown; MLflow shows it as the run's description."""
    tags: dict[str, str] = {}
    untag: list[str] = []


class RunsChosen(Struct):
    run_ids: list[str]


class RunNames(Struct):
    """Runs that something was done to."""

    items: list[RunSummary]


class CurvesRequest(Struct):
    run_ids: list[str]
    """At most 50."""
    keys: list[str] = []
    """Metrics; every one when empty."""
    points: int = 700
    """Of each curve, in the window."""
    by: Literal["step", "time"] = "step"
    start: float | None = None
    """The window: from this step, or this time in ms, on."""
    end: float | None = None


class RunCurve(Struct):
    run_id: str
    series: list[Series]


class CurveSet(Struct):
    items: list[RunCurve]


# Side by side


class CompareRequest(Struct):
    run_ids: list[str]
    """Two to 20; the first is what the others are told from."""


class ComparedRow(Struct):
    key: str
    values: list[Number | str | None]
    """One a run."""
    differs: bool


class CodeLine(Struct):
    text: str
    kind: Literal["same", "removed", "added", "skipped"]
    """``skipped`` stands for same lines; its text is how many."""
    left: int | None = None
    """Number of the line in its cell."""
    right: int | None = None


class CellDiff(Struct):
    left: int | None
    """Execution count in the first run; None for a cell that it has not."""
    right: int | None
    same: bool
    lines: list[CodeLine]


class CodeDiff(Struct):
    run_id: str
    """Told from the first run."""
    cells: list[CellDiff]
    commit: list[str] = []
    """The two git commits, where they differ."""


class DataDiff(Struct):
    name: str
    versions: list[int | None]
    """One a run; None where it did not read the dataset."""
    differs: bool


class Comparison(Struct):
    runs: list[RunSummary]
    metrics: list[ComparedRow]
    """What differs first."""
    params: list[ComparedRow]
    tags: list[ComparedRow]
    environment: list[ComparedRow]
    data: list[DataDiff]
    code: list[CodeDiff]


class ImportanceRequest(Struct):
    metric: str
    run_ids: list[str] = []
    """Those that are looked at; the newest 2,000 with the metric when empty."""


class ParamImportance(Struct):
    param: str
    importance: float
    """In [0, 1]; together they are 1."""
    correlation: float | None = None
    """Spearman's, for a parameter that is a number."""


class Importance(Struct):
    metric: str
    items: list[ParamImportance]
    """The most important first."""
    runs: int
    method: str
    """In words, such as ``permutation importance of a random forest``."""
    reason: str = ""
    """Why there is none: too few runs, say."""


# What a run left


class ArtifactsQuery(Struct):
    path: str = ""
    """A folder of the run's artifacts."""


class Artifact(Struct):
    path: str
    name: str
    folder: bool
    bytes: int | None
    kind: Literal["folder", "image", "table", "text", "json", "markdown", "plot", "model", "binary"]
    """How it can be shown: ``plot`` for a Vega-Lite specification."""


class Artifacts(Struct):
    items: list[Artifact]
    """Folders first, then by name."""
    place: str = ""
    """Where they lie, for people."""


class ArtifactQuery(Struct):
    path: str


class ArtifactPreview(Struct):
    """One artifact as it can be shown; ``get_artifact`` gives its bytes."""

    path: str
    kind: Literal["folder", "image", "table", "text", "json", "markdown", "plot", "model", "binary"]
    bytes: int
    text: str = ""
    """Of text, JSON and Markdown; cut at 256 KB."""
    columns: list[str] = []
    rows: list[list[str]] = []
    """Of a table: the first 200."""
    total_rows: int | None = None
    cut: bool = False


class RunsExport(Struct):
    """The table's runs, all that match, as CSV."""

    request: RunsRequest
