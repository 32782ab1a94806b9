"""What the data step needs of engines: those that read tables, keep versions, and know sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from perijove.contracts.data import Column, DataKind, Distribution, SplitFacts, SplitPart
from perijove.contracts.quality import Rule, RuleResult
from perijove.contracts.sources import SourceEntry
from perijove.contracts.table import CellValue, Filter, SortKey
from perijove.data.versions import FileHash

ArrowTable = Any
"""A ``pyarrow.Table``; the services never look inside."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    rows: int
    columns: list[Column]


@dataclass(frozen=True, slots=True)
class Table:
    """Parquet files that hold the rows of one version, in row order."""

    files: tuple[Path, ...]
    key: str
    """Names the content: caches are kept under it."""
    rows: int
    partitions: Path | None = None
    """The folder whose ``key=value`` folders are columns too."""


@dataclass(frozen=True, slots=True)
class RowSums:
    """Sums of the hashes of a table's rows. Those of its parts add up to those of the whole."""

    method: str
    """What hashed, such as ``duckdb-2.0``: hashes of two methods say nothing of each other."""
    schema: str
    """Hash of the columns' names and types, in their order."""
    rows: int
    sums: tuple[int, int]
    """Modulo 2**64, of hashes with different salts."""

    def __add__(self, other: RowSums) -> RowSums:
        assert (self.method, self.schema) == (other.method, other.schema)  # parts of one table
        first, second = (
            (a + b) % 2**64 for a, b in zip(self.sums, other.sums, strict=True)
        )  # fmt: skip
        return RowSums(self.method, self.schema, self.rows + other.rows, (first, second))

    @property
    def fingerprint(self) -> str:
        first, second = self.sums
        return f"{self.method}:{self.schema[:16]}-{self.rows:x}-{first:016x}{second:016x}"


@dataclass(frozen=True, slots=True)
class Difference:
    """Two tables beside each other."""

    added: int | None
    """Rows that only the other one has, with repetition; None when the columns differ."""
    removed: int | None
    common: int
    """Columns that both have."""
    distributions: list[Distribution]
    """Of columns that both have, in a type that compares; most different first."""


@dataclass(frozen=True, slots=True)
class Look:
    """A table as somebody filtered and sorted it."""

    table: Table
    names: tuple[str, ...]
    """Of all columns, no two the same; they may differ from those in the files."""
    filter: Filter | None = None
    sort: tuple[SortKey, ...] = ()


class Work(Protocol):
    """The other end of work in the background: whoever does it tells how far it is."""

    def report(self, progress: float, detail: str = "") -> None: ...

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Have ``stop`` called when the work is cancelled; at once if it is already."""
        ...


class DataEngine(Protocol):
    """Reads tables.

    What takes a path, a Table or a Look touches files, and runs in processes of their own with a
    memory and a time limit (:meth:`read` excepted); the others work on tables in the caller's
    memory.

    Raises UnreadableDataError naming the reason, UnavailableError when a limit was reached,
    ReadOnlyError when the disk is full.
    """

    def twin(self, source: Path, parquet: Path, sheet: str = "") -> TableInfo:
        """Read any supported file and write its Parquet twin atomically, with page checksums.

        Parameters
        ----------
        sheet
            Of a workbook; its first one when empty.
        """
        ...

    def combine(self, files: Sequence[Path], folder: Path, parquet: Path) -> TableInfo:
        """Write one Parquet twin of several files of text or JSON, in their order.

        Folders called ``key=value`` between ``folder`` and a file become columns. Columns are
        matched by name.

        Raises
        ------
        UnreadableDataError
            When the files are not of one format, or lack columns that others have.
        """
        ...

    def inspect(self, table: Table) -> TableInfo:
        """Return row count, types and nulls; from the files' footers where they tell.

        Raises
        ------
        UnreadableDataError
            When the files' columns differ in name, order or type.
        """
        ...

    def page(
        self,
        table: Table,
        offset: int,
        limit: int,
        columns: Sequence[int] | None = None,
        names: Sequence[str] | None = None,
    ) -> bytes:
        """Return rows in order as an Arrow IPC stream.

        Long values are cut at 1,000 characters or bytes, lists at 100 elements: the schema's
        metadata then has ``cut``, JSON that tells the rows of the page by column position.
        Nested values travel as JSON, nanoseconds, durations and intervals as text, dictionaries
        as their values; all else in its own type.

        Parameters
        ----------
        offset, limit
            In rows; fewer come at the end.
        columns
            Positions, in the order wanted; all when None.
        names
            Of all columns, where they differ from those in the files. Columns of the files behind
            the last name are left out.
        """
        ...

    def cell(self, table: Table, row: int, column: int) -> CellValue:
        """Return one value as text of at most 2**20 characters; its column by position."""
        ...

    def first_rows(self, look: Look, rows: int, parquet: Path) -> tuple[int, bool]:
        """Write the first rows of a look, atomically: at most ``rows``, fewer of a wide table.

        Return how many they are, and whether they are all.

        Behind the look's columns stands one more: the row's number in the table, from 0.

        Raises
        ------
        InvalidInputError
            For a filter that the engine cannot read, such as a pattern that is none.
        """
        ...

    def count(self, look: Look) -> int:
        """Count the rows that pass the filter."""
        ...

    def copy(self, look: Look, room: int, parquet: Path, *, work: Work, scratch: Path) -> None:
        """Write all rows of a look as :meth:`first_rows` does.

        Parameters
        ----------
        room
            Bytes that the file may have.
        scratch
            A folder for what a sort cannot hold in memory.

        Raises
        ------
        CancelledError
            When the work was cancelled; nothing is left then.
        InvalidInputError
            When the rows need more room.
        """
        ...

    def find(
        self,
        look: Look,
        text: str,
        columns: Sequence[int],
        row: int,
        column: int | None,
        *,
        backwards: bool,
        case: bool,
    ) -> tuple[int, int] | None:
        """Return row and column position of the next cell whose text holds a text.

        The search begins in ``row`` behind (before) ``column``, goes through ``columns`` in their
        order, and goes on at the other end. A look's filter and sort are left aside.

        Raises
        ------
        InvalidInputError
            When nothing was found in 20 seconds.
        """
        ...

    def export(
        self, look: Look, columns: Sequence[int], path: Path, *, work: Work, scratch: Path
    ) -> int:
        """Write a look in the format that the path's ending names, and return its rows.

        The formats are csv, tsv, jsonl (all UTF-8), parquet and arrow. The file is there whole or
        not at all.
        """
        ...

    def read(
        self,
        table: Table,
        columns: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> ArrowTable:
        """Return all rows as one table in this process's memory.

        Parameters
        ----------
        columns
            By name, in the order wanted; all when None.
        names
            Of all columns, where they differ from those in the files: no two are the same.

        Raises
        ------
        InvalidInputError
            When there is no such column.
        """
        ...

    def part(self, table: ArrowTable, split: SplitFacts, part: SplitPart) -> ArrowTable:
        """Return a part's rows: by time in that order, ties by row; else as they lie.

        Which rows these are is the same on every machine and with every version of the engine.
        """
        ...

    def group_counts(self, table: ArrowTable, column: str, shares: Sequence[float]) -> list[int]:
        """Count the rows of parts that the hash of a column's value decides about."""
        ...

    def to_table(self, frame: Any) -> ArrowTable:
        """Take a frame of any library that the kernel has.

        Raises
        ------
        UnsupportedError
            For what is no table.
        """
        ...

    def info(self, table: ArrowTable) -> TableInfo: ...

    def row_sums(self, table: Table) -> RowSums:
        """Hash the rows of a table: the same whatever their order and their files are.

        All values count, and how often a row is there. Of floats the bits count, but all NaN are
        one and so are the zeros.
        """
        ...

    def compare(
        self, base: Table, other: Table, *, start: int, limit: int, scratch: Path
    ) -> Difference:
        """Compare two tables; the order of rows and of columns is left aside.

        Parameters
        ----------
        start, limit
            The columns that are compared, of those that both have, in the order of ``other``;
            rows are compared only together with the first column.
        """
        ...

    def close(self) -> None:
        """End the process that reads user files; the next call starts another."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What lay at a location when a source looked: the bytes of one version."""

    kind: DataKind
    root: Path
    """The one file, or the folder of the files."""
    files: tuple[FileHash, ...]
    """In row order; a single one, named by its whole path, for one file."""
    sha256: str
    bytes: int
    delta_version: int | None = None
    etag: str = ""
    fetched: bool = False
    """Whether ``root`` is a copy that was made for this snapshot."""


class DataSource(Protocol):
    """A kind of place where data may come from.

    Registered under the entry point ``perijove.data_sources`` as a class that takes the project's
    :class:`~perijove.core.paths.ProjectPaths`. Making one imports nothing heavy and asks nobody.

    What reads the bytes of a user's file, or asks a network, does so in a process of its own with
    a time and a memory limit. A location holds no secret: credentials come from the environment
    or from the standard configuration of the library that reads the place.
    """

    kind: str
    label: str
    example: str
    """A location of this kind."""
    needs: str
    """What to install where :meth:`available` says no, such as ``perijove[s3]``."""
    remote: bool
    """Whether versions are copies that are made when somebody registers; else they are read in
    place, and a changed place becomes a new version at the next read."""

    def available(self) -> bool:
        """Whether what it needs is installed."""
        ...

    def accepts(self, location: str) -> bool:
        """Whether a location, as :mod:`perijove.data.locations` writes it, is of this kind.

        The first source that says yes gets it; paths are asked of the disk, URLs of nobody.
        """
        ...

    def entries(self, location: str, limit: int) -> list[SourceEntry]:
        """Return what lies in a place, folders first; at most ``limit`` entries.

        Raises
        ------
        NotFoundError, UnavailableError
            When there is no such place, or it does not answer.
        """
        ...

    def snapshot(
        self, location: str, query: str, into: Path, *, etag: str = "", work: Work | None = None
    ) -> Snapshot | None:
        """Look at a place: hash it where it lies, or copy it.

        Parameters
        ----------
        query
            A SELECT or a sheet, where the kind knows such.
        into
            A folder for a copy; nobody else uses it.
        etag
            Of the newest registered version: None is returned when the place still has that.

        Raises
        ------
        NotFoundError
            When nothing lies there.
        UnavailableError
            When the place does not answer in time, or does not let us in.
        ConflictError
            When it changed while it was read.
        """
        ...


class Staged(Protocol):
    """Files that hold a table, and that no version knows yet."""

    files: tuple[Path, ...]
    """In row order, on the disk."""
    rows: int
    bytes: int
    hashes: tuple[str, ...]
    """The sha256 of each file, in their order."""
    sha256: str
    """Of these hashes."""


class Lake(Protocol):
    """Versioned tables. Safe to share by threads and processes.

    Raises ReadOnlyError when the disk is full or cannot be written; versions that are there stay
    as they are, and nothing is left of one that is not.
    """

    def stage(
        self, folder: Path, table: ArrowTable, written: Callable[[Path], None] | None = None
    ) -> AbstractContextManager[Staged]:
        """Write a table's files, with page checksums; leaving the block removes them again unless
        they were committed.

        Parameters
        ----------
        written
            Told each file as soon as it is whole, by some thread and in no order.

        Raises
        ------
        UnsupportedError
            For a column that cannot be kept as it is.
        """
        ...

    def commit(self, staged: Staged) -> int:
        """Make staged files the newest version, whole or not at all, and return its number."""
        ...

    def version_with(self, folder: Path, file: str) -> int | None:
        """Return the number of the version that was made of a file; None where none was."""
        ...

    def files(self, folder: Path, version: int) -> list[Path]:
        """Return the Parquet files of a version, in row order."""
        ...


class Recorded(Protocol):
    """A curation that was loaded from its recorded program."""

    inputs: tuple[tuple[str, int], ...]
    """Names and versions, 0 for the newest, as the program declares them."""

    def make(self, tables: Sequence[ArrowTable], parameters: Mapping[str, Any]) -> Any:
        """Run the function on its inputs and return its frame."""
        ...


class Programs(Protocol):
    """Loads what :class:`~perijove.data.curation.Program` records, in a process for it alone."""

    def load(self, script: str, entry: str) -> Recorded:
        """Execute a program's definitions.

        Raises
        ------
        UnsupportedError
            When it cannot be loaded here, for want of a package for instance.
        """
        ...

    def environment(self, names: Iterable[str]) -> dict[str, str]:
        """Return the versions here of Python and of packages; what is not installed is left out."""
        ...


@dataclass(frozen=True, slots=True)
class Checked:
    """What rules found in a table that they left as it is."""

    rows: int
    results: list[RuleResult]
    """One a rule, in the rules' order."""
    blocked: bool
    """Whether a rule whose action is ``block`` fails, or one that acts cannot be evaluated."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Applied(Checked):
    """What rules made of a table: rows that may pass, and rows that may not."""

    kept: ArrowTable
    quarantined: ArrowTable
    """Rows as they came in, with a column ``_failed`` more: the ids of the rules they fail."""
    fixed: int
    """Rows that some fix changed."""
    dropped: int
    """Rows that a fix took away: in neither table."""
    rules_sha256: str = ""
    references: Mapping[str, str] = field(default_factory=dict)
    """For each rule's ``references``, the data version that was looked up."""


class RuleEngine(Protocol):
    """Evaluates rules in one pass over a table.

    Only ``not_null`` fails on a missing value; a NaN is one. ``unique`` fails all but the first
    row of each key. A rule that cannot be evaluated has the state ``error`` and blocks, unless
    its action is ``warn``.
    """

    def apply(
        self, table: ArrowTable, rules: Sequence[Rule], references: Mapping[str, ArrowTable]
    ) -> Applied:
        """Fix, drop and quarantine in the caller's memory; ``table`` itself stays as it is.

        Parameters
        ----------
        references
            For each rule's ``references``, a table of one column with the values that it may have.
        """
        ...

    def check(
        self,
        table: Table,
        rules: Sequence[Rule],
        references: Mapping[str, tuple[Table, str]],
        *,
        work: Work | None = None,
        scratch: Path | None = None,
    ) -> Checked:
        """Count in a data worker what fails in a version's files; nothing is changed.

        Parameters
        ----------
        references
            For each rule's ``references``, the version and the column that hold the values.
        """
        ...

    def faults(self, rules: Sequence[Rule]) -> dict[str, str]:
        """Tell which patterns and types this engine cannot read: rule id to reason."""
        ...

    def newest(self, table: Table, column: str) -> int | None:
        """Return the greatest time of a column in milliseconds since the epoch.

        None where the column is not there, holds no times or has no values.
        """
        ...
