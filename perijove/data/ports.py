"""What the data step needs of engines: one that reads tables, and one that keeps versions."""

from __future__ import annotations

from collections.abc import Callable
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
    """Reads user data in a process of its own, with a memory and a time limit.

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


Maker = Callable[..., Any]
"""A curation function: frames in, one frame out."""
