"""What the data step needs of engines: one that reads tables, and one that keeps versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from perijove.contracts.data import Column

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


class Work(Protocol):
    """The other end of work in the background: whoever does it tells how far it is."""

    def report(self, progress: float, detail: str = "") -> None: ...

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Have ``stop`` called when the work is cancelled; at once if it is already."""
        ...


class DataEngine(Protocol):
    """Reads tables. ``twin``, ``inspect``, ``page`` and ``fingerprint`` touch files, and run in a
    process of their own with a memory and a time limit; the others work on tables in the caller's
    memory.

    Raises UnreadableDataError naming the reason, UnavailableError when a limit was reached.
    """

    def twin(self, source: Path, parquet: Path) -> TableInfo:
        """Read any supported file and write its Parquet twin atomically."""
        ...

    def inspect(self, table: Table) -> TableInfo:
        """Return row count, types and nulls."""
        ...

    def page(
        self, table: Table, offset: int, limit: int, columns: Sequence[int] | None = None
    ) -> bytes:
        """Return rows in order as an Arrow IPC stream; columns by position, all when None."""
        ...

    def read(self, table: Table, columns: list[str] | None = None) -> ArrowTable:
        """Return all rows as one table in this process's memory."""
        ...

    def ordered(self, table: ArrowTable, column: str, start: int, rows: int) -> ArrowTable:
        """Return a slice of the table ordered by a column (ties by row), or by a fixed hash of
        the row's number when no column is named.
        """
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

    def fingerprint(self, table: ArrowTable) -> str:
        """Hash names, types and values, in row order."""
        ...

    def close(self) -> None:
        """End the process that reads user files; the next call starts another."""
        ...


@dataclass(frozen=True, slots=True)
class Commit:
    version: int
    """Delta's version number."""
    files: list[Path]
    sha256: str
    """Of the files' hashes, in order."""
    bytes: int


class Lake(Protocol):
    """Versioned tables."""

    def commit(self, folder: Path, table: ArrowTable) -> Commit:
        """Write a table as the newest version, whole or not at all."""
        ...

    def files(self, folder: Path, version: int) -> list[Path]:
        """Return the Parquet files of a version, in row order."""
        ...
