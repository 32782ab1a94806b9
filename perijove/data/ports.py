"""What the data step needs of engines: one that reads tables, and one that keeps versions."""

from __future__ import annotations

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


class DataEngine(Protocol):
    """Reads tables. ``twin``, ``inspect`` and ``page`` touch user files, and run in a process of
    their own with a memory and a time limit; the others work on tables in the caller's memory.

    Raises UnreadableDataError naming the reason, UnavailableError when a limit was reached.
    """

    def twin(self, source: Path, parquet: Path) -> TableInfo:
        """Read any supported file and write its Parquet twin atomically."""
        ...

    def inspect(self, parquet: Path) -> TableInfo:
        """Return row count, types and nulls of a Parquet file."""
        ...

    def page(self, files: list[Path], offset: int, limit: int) -> bytes:
        """Return rows of Parquet files, in order, as an Arrow IPC stream."""
        ...

    def read(self, files: list[Path], columns: list[str] | None = None) -> ArrowTable:
        """Return Parquet files as one table."""
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
