"""Step 2: datasets, their versions and their splits."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Millis, Struct

Known = Literal["before", "after"]
"""Whether a column's value is known when a prediction is asked for."""


class Column(Struct):
    name: str
    type: str
    """DuckDB's name of the type, such as ``BIGINT`` or ``VARCHAR``."""
    known: Known = "before"
    nulls: int = 0


class DataFacts(Struct):
    """What is fixed of one version of a dataset."""

    path: str
    """Relative to the project's root where it lies inside it, else absolute."""
    kind: Literal["file", "curated"]
    sha256: str
    """Of the bytes of the file; of the commit's files for a curated version."""
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
    """Hash of a curated version's values, which tells equal content in other files."""


class SplitPart(Struct):
    name: str
    start: int
    """First row of the part in the split's order; the parts are contiguous."""
    rows: int


class SplitFacts(Struct):
    """Train, validation and test rows of one data version, fixed once."""

    dataset: str
    """Reference of the data version."""
    method: Literal["time", "hash"]
    column: str
    """The column that orders the rows; empty for a hash split."""
    parts: list[SplitPart]


class Dataset(Struct):
    """A registered dataset and its newest version."""

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
    state: Literal["current", "changed", "missing"]
    """``changed``: the file differs from the registered version; ``missing``: it is gone."""
    splits: list[SplitFacts]


class Datasets(Struct):
    items: list[Dataset]


class DatasetRegister(Struct):
    """Register the file at ``path`` (relative to the project), or its changed content."""

    path: str
    name: str = ""
    """Made from the file's name when empty."""
    target: str = ""
    time: str = ""


class DatasetSettings(Struct):
    """Declarations about a dataset, kept in ``perijove.toml``."""

    target: str | None = None
    time: str | None = None
    known: dict[str, Known] | None = None
    """Column name to when it is known; columns that are not named stay as they are."""


class Snippet(Struct):
    code: str
