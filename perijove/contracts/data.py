"""Step 2: datasets, their versions and their splits."""

from __future__ import annotations

from typing import Any, Literal

from perijove.contracts.base import ErrorBody, Facts, Millis, Number, Struct

Known = Literal["before", "after"]
"""Whether a column's value is known when a prediction is asked for."""
DataKind = Literal["file", "folder", "delta", "remote", "sql", "curated", "quarantine"]
"""Where a version's rows come from. All but ``curated`` and ``quarantine`` are registered."""
DataState = Literal["current", "changed", "missing"]
"""``changed``: the bytes differ from the registered ones; ``missing``: they are gone."""


class Column(Facts):
    name: str
    type: str
    """DuckDB's name of the type, such as ``BIGINT`` or ``VARCHAR``."""
    known: Known = "before"
    nulls: int = 0


class DataFacts(Facts):
    """What is fixed of one version of a dataset."""

    path: str
    """Relative to the project's root where it lies inside it, else absolute; a URL without
    secrets for what lies elsewhere."""
    kind: DataKind
    sha256: str
    """Of the bytes of the file; of all files' hashes where there are several; of the rows'
    fingerprint where there are no bytes, as for a query."""
    bytes: int
    rows: int
    columns: list[Column]
    table: str
    """Where the table is read from, relative to the root: Parquet, or a Delta folder."""
    delta_version: int | None = None
    inputs: list[str] = []
    """References of the data versions that it was made from."""
    code_sha256: str = ""
    """Of the source of the function that made it; empty for a file."""
    source: str = ""
    """That source itself."""
    fingerprint: str = ""
    """Of names, types and rows, in any order: tells equal content in other files. It begins with
    the name of its method; two can be compared only where the methods are the same."""
    partitioned: bool = False
    """Whether ``table`` is a folder with ``key=value`` folders that are columns too."""
    etag: str = ""
    """What a remote source calls the bytes that were read."""
    query: str = ""
    """The SELECT of a database, or the sheet of a workbook; empty for all of what lies there."""
    script: str = ""
    """A whole program with the curation's function and all that it uses of its notebook."""
    entry: str = ""
    """The function's name in that program."""
    parameters: dict[str, Any] = {}
    environment: dict[str, str] = {}
    """Python and the packages that the program imports, with their versions."""
    unrecorded: list[str] = []
    """Names that the function uses and that no program can carry, and files that it opened past
    its inputs: such a version cannot be made again."""
    unregistered: list[str] = []
    """Those of these files that no dataset names."""
    quality: str = ""
    """Reference of the check that let it pass; empty where no rules were declared."""


class SplitPart(Facts):
    name: str
    start: int
    """First row of the part in the split's order; the parts are contiguous."""
    rows: int


class SplitFacts(Facts):
    """Train, validation and test rows of one data version, fixed once."""

    dataset: str
    """Reference of the data version."""
    method: Literal["time", "group", "hash"]
    column: str
    """The column that orders the rows, or whose equal values stay together; empty for a hash of
    the row's number."""
    parts: list[SplitPart]


class QualitySummary(Struct):
    """How a version fared against its rules, in one line."""

    ref: str
    """Of the check."""
    state: Literal["pass", "warn", "blocked"]
    rules: int
    failed: int
    """Rules that some row, or the table, fails."""
    quarantined: int
    fixed: int


class Schedule(Struct):
    """When a curated dataset is made anew, and how that went."""

    when: str
    """``"when the source changes"``, ``"every 6 hours"``, ``"daily at 06:00"`` or five cron
    fields; empty for never."""
    next: Millis | None = None
    last: Millis | None = None
    late: Millis = 0
    """By how much the last one was late because nobody was there to start it."""
    job: str = ""
    """The newest job of this schedule."""
    error: ErrorBody | None = None


class Dataset(Struct):
    """A dataset and one of its versions: the newest, or the one that was asked for."""

    name: str
    ref: str
    version: int
    versions: int
    facts: DataFacts
    at: Millis
    by: str
    target: str
    """The column to predict; empty when none is declared."""
    time: str
    """The column of the event's time; empty when none is declared."""
    state: DataState
    splits: list[SplitFacts]
    description: str = ""
    tags: list[str] = []
    quality: QualitySummary | None = None
    schedule: Schedule | None = None
    """None for what is not curated."""


class Datasets(Struct):
    items: list[Dataset]


class DatasetQuery(Struct):
    version: int = 0
    """0 is the newest."""


class DatasetRegister(Struct):
    """Register what lies at ``path``, or its changed content as a new version."""

    path: str
    """A path relative to the project, or a location of one of its sources."""
    name: str = ""
    """Made from the file's name when empty."""
    target: str = ""
    time: str = ""
    query: str = ""
    """For a database a SELECT, where the location names no table; for a workbook a sheet."""


class DatasetSettings(Struct):
    """Declarations about a dataset, kept in ``perijove.toml``. None leaves a value as it is."""

    target: str | None = None
    time: str | None = None
    known: dict[str, Known] | None = None
    """Column name to when it is known; columns that are not named stay as they are."""
    description: str | None = None
    tags: list[str] | None = None
    refresh: str | None = None
    """See :class:`Schedule`."""


class SplitRequest(Struct):
    """Fix a version's parts: by time, by group or by a hash of the row's number."""

    version: int
    method: Literal["time", "group", "hash"]
    column: str = ""
    parts: dict[str, float] = {}
    """Name to share; the shares add up to 1."""


class Proof(Struct):
    """A version that was made again, and whether the same rows came of it."""

    ref: str
    at: Millis
    by: str
    same: bool
    rows: int
    fingerprint: str
    seconds: float
    differences: list[str] = []
    """Packages whose versions differ from those at the first time."""


class DataVersion(Struct):
    ref: str
    version: int
    at: Millis
    by: str
    kind: DataKind
    rows: int
    bytes: int
    columns: int
    state: DataState
    inputs: list[str]
    quality: QualitySummary | None
    proof: Proof | None
    """The newest attempt to make it again."""
    obstacle: str = ""
    """Why it cannot be made again; empty when it can."""


class DataVersions(Struct):
    name: str
    items: list[DataVersion]
    """Newest first."""


class DiffQuery(Struct):
    base: int
    version: int
    start: int = 0
    """Of the columns that both have, the first one whose values are compared."""
    limit: int = 200
    """How many are, 1,000 at most."""


class ColumnChange(Struct):
    column: str
    change: Literal["added", "removed", "type", "nulls"]
    before: str
    after: str


class Distribution(Struct):
    """One column's values in two versions, in the same bins."""

    column: str
    labels: list[str]
    """A bin's lower edge, or its value."""
    before: list[int]
    after: list[int]
    divergence: Number
    """Jensen-Shannon distance (base 2), in [0, 1]."""


class VersionDiff(Struct):
    base: str
    version: str
    columns: list[ColumnChange]
    rows_before: int
    rows_after: int
    added: int | None
    """Rows that only the later one has, counted with repetition; None when the columns differ."""
    removed: int | None
    distributions: list[Distribution]
    """Most different first, of ``limit`` columns from ``start`` on."""
    common: int = 0
    """Columns that both have."""
    start: int = 0


class MakeAgainRequest(Struct):
    version: int


class Snippet(Struct):
    code: str


class SnippetQuery(Struct):
    language: Literal["python"] = "python"
    version: int = 0
    """0 for whichever is the newest when the code runs."""
