"""Tables as people look at them: views, pages, profiles, and the work behind them."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import ErrorBody, Millis, Number, Struct
from perijove.contracts.data import Known

# Filters: a tree, so that no text of a user is ever run. Values travel as text and are read as
# the column's type: an int64 keeps all its digits.


class Compare(Struct, tag="compare"):
    column: str
    op: Literal["=", "!=", "<", "<=", ">", ">=", "contains", "starts_with", "ends_with", "matches"]
    """The last four are for text; ``matches`` takes a regular expression (RE2)."""
    value: str


class OneOf(Struct, tag="one_of"):
    column: str
    values: list[str]


class Missing(Struct, tag="missing"):
    """Null; NaN too, where the column holds floats."""

    column: str


class Not(Struct, tag="not"):
    of: Filter


class AllOf(Struct, tag="all"):
    of: list[Filter]


class AnyOf(Struct, tag="any"):
    of: list[Filter]


Filter = Compare | OneOf | Missing | Not | AllOf | AnyOf


class SortKey(Struct):
    column: str
    descending: bool = False
    """Missing values come last either way; rows that tie keep the table's order."""


class ViewSpec(Struct):
    version: int = 0
    """0 is the newest."""
    filter: Filter | None = None
    sort: list[SortKey] = []
    columns: list[str] = []
    """Those shown, in their order; all when empty."""


class View(Struct):
    """A filtered or sorted look at one version.

    Its first rows are there at once; a copy with all of them is built in the background, and kept
    under a cap on the disk. ``columns`` has no part in its identity.
    """

    id: str
    """What rows are asked by; empty for a version's own order, which needs no copy."""
    ref: str
    state: Literal["ready", "building", "failed"]
    rows: int | None
    """None while it is being counted."""
    reachable: int
    """Rows from the first on that can be asked for now."""
    task: str = ""
    error: ErrorBody | None = None


class RowsQuery(Struct):
    version: int = 0
    """0 is the newest."""
    view: str = ""
    offset: int = 0
    limit: int = 512
    columns: str = ""
    """Positions of the columns wanted, such as ``0-63,100``; all when empty."""


class CellQuery(Struct):
    row: int
    column: str
    version: int = 0
    view: str = ""


class CellValue(Struct):
    """One value whole, as text; pages cut long ones."""

    text: str
    bytes: int
    """Of the value; more than ``text`` holds where even this is cut, at a megabyte."""


class FindRequest(Struct):
    text: str
    version: int = 0
    view: str = ""
    columns: list[str] = []
    row: int = 0
    """Start here, and go on at the other end."""
    column: str = ""
    """In that row, start after (before) this column."""
    backwards: bool = False
    case: bool = False


class Found(Struct):
    row: int | None
    """None when no cell holds the text."""
    column: str = ""


class CodeRequest(Struct):
    view: ViewSpec
    library: Literal["pandas", "polars", "sql"] = "pandas"


class ExportRequest(Struct):
    view: ViewSpec
    path: str
    """In the project; the ending names the format: csv, tsv, parquet, arrow or jsonl."""
    replace: bool = False


# Work in the server's background. It ends with the server, and what it was making is not kept;
# what must outlive the server is a job.


class Task(Struct):
    id: str
    kind: Literal["view", "profile", "export", "check", "register"]
    title: str
    state: Literal["waiting", "running", "finished", "failed", "cancelled"]
    progress: float
    """In [0, 1]."""
    since: Millis
    detail: str = ""
    error: ErrorBody | None = None


# Profiles


class Histogram(Struct):
    """Counts in bins: numbers and times have one more edge than counts, words have labels.

    Of words only the most frequent ones have a bin.
    """

    counts: list[int]
    edges: list[Number] = []
    """Times in ms since the epoch."""
    labels: list[str] = []


class TopValue(Struct):
    value: str
    count: int


class ColumnProfile(Struct):
    """What is known of a column. None is what this stage does not tell."""

    name: str
    type: str
    kind: Literal["number", "text", "time", "truth", "other"]
    known: Known = "before"
    nulls: int | None = None
    distinct: int | None = None
    distinct_error: float = 0.0
    """Relative standard error; 0 where it is exact."""
    minimum: str | None = None
    maximum: str | None = None
    mean: Number | None = None
    deviation: Number | None = None
    """Standard deviation of the sample (n - 1)."""
    nan: int | None = None
    infinite: int | None = None
    zeros: int | None = None
    quantiles: list[Number] = []
    """At the shares of ``Profile.shares``; times in ms since the epoch."""
    quantile_error: float = 0.0
    """Largest error in rank, as a share of the rows seen, at 99 % confidence; 0 where exact."""
    histogram: Histogram | None = None
    top: list[TopValue] = []
    shortest: int | None = None
    longest: int | None = None
    """Lengths of texts in characters."""


class Correlation(Struct):
    """Pearson's r between the first 50 columns of numbers, over the rows where both are there."""

    columns: list[str]
    values: list[list[Number]]
    rows: int


class TimeAxis(Struct):
    """How many rows fall where in time."""

    column: str
    edges: list[Millis]
    counts: list[int]


class Profile(Struct):
    ref: str
    stage: Literal["footer", "sample", "full"]
    rows: int
    seen: int
    """Rows that the figures are of; fewer than ``rows`` for a sample."""
    columns: list[ColumnProfile]
    shares: list[float] = []
    correlation: Correlation | None = None
    time_axis: TimeAxis | None = None
    task: str = ""
    """The task that makes the full one, while there is one."""
    seconds: float = 0.0


class ProfileQuery(Struct):
    version: int = 0
    stage: Literal["footer", "sample", "full"] = "footer"
    """``full`` answers with the best that there is."""


class ProfileRequest(Struct):
    version: int = 0


class LeakQuery(Struct):
    target: str
    version: int = 0


class ColumnLeak(Struct):
    column: str
    known: Known
    score: Number
    leaks: bool
    """Whether the gate would refuse a model that has it among its inputs."""
    reason: str


class LeakReport(Struct):
    ref: str
    target: str
    rows: int
    """Rows that it was tried on."""
    columns: list[ColumnLeak]
    """Most telling first."""
    part: str = ""
    """The part of the version's split that these rows are from; empty for rows of the whole."""
