"""Files of this machine, one at a time: read where they lie."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from perijove.contracts.sources import SourceEntry
from perijove.core.errors import NotFoundError, UnreadableDataError
from perijove.core.paths import ProjectPaths
from perijove.data.locations import is_url
from perijove.data.ports import Snapshot, Work
from perijove.data.versions import (
    ENDINGS,
    FileHash,
    content_hash,
    file_digest,
    newest_delta,
)

WORKBOOKS: Final = frozenset(["xlsx", "xlsm", "xls", "xlsb", "ods"])


class LocalFile:
    """A file of text, JSON, Arrow or Parquet.

    Implements :class:`perijove.data.ports.DataSource`.
    """

    kind = "file"
    label = "Files"
    example = "data/builds.csv"
    needs = ""
    remote = False

    def __init__(self, paths: ProjectPaths) -> None:
        self._paths = paths

    def available(self) -> bool:
        return True

    def accepts(self, location: str) -> bool:
        if is_url(location):
            return False
        return not self._paths.absolute(location).is_dir() and ending(location) not in WORKBOOKS

    def entries(self, location: str, limit: int) -> list[SourceEntry]:
        return [entry_of(self._paths, self._existing(location))]

    def snapshot(
        self, location: str, query: str, into: Path, *, etag: str = "", work: Work | None = None
    ) -> Snapshot:
        file = self._existing(location)
        content = content_hash(self._paths, file)
        size = file.stat().st_size
        return Snapshot(
            kind="file",
            root=file,
            files=(FileHash(path=file.name, sha256=content, bytes=size),),
            sha256=file_digest(content, query),
            bytes=size,
        )

    def _existing(self, location: str) -> Path:
        file = self._paths.absolute(location)
        if not file.exists():
            raise missing(location)
        if not file.is_file():
            raise UnreadableDataError(f"{file.name} is no file.", "Register a file or a folder.")
        return file


class Workbook(LocalFile):
    """A sheet of an Excel or OpenDocument workbook.

    By python-calamine: MIT, 1 MB, no dependencies, reads all five formats ten times as fast as
    openpyxl reads one.
    """

    kind = "excel"
    label = "Excel and OpenDocument"
    example = "data/builds.xlsx"
    needs = "perijove[excel]"

    def available(self) -> bool:
        return find_spec("python_calamine") is not None

    def accepts(self, location: str) -> bool:
        return (
            not is_url(location)
            and ending(location) in WORKBOOKS
            and not self._paths.absolute(location).is_dir()
        )


def ending(location: str) -> str:
    return location.rpartition(".")[2].lower()


def missing(location: str) -> NotFoundError:
    return NotFoundError(
        f"{location[:200]} is not there.",
        "Check the path; it is relative to the project's folder.",
        code="file_not_found",
    )


def browse(paths: ProjectPaths, folder: Path, limit: int) -> list[SourceEntry]:
    """Return folders and then files that can be registered; hidden names are left out."""
    found = sorted(_visible(folder), key=lambda entry: (not entry.is_dir(), entry.name.lower()))
    return [entry_of(paths, Path(entry.path)) for entry in found[:limit]]


def _visible(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name[0] in "._":
                continue
            if entry.is_dir() or (entry.is_file() and ending(entry.name) in ENDINGS):
                yield entry


def entry_of(paths: ProjectPaths, path: Path) -> SourceEntry:
    stat = path.stat()
    table = path.is_file() or newest_delta(path) >= 0
    return SourceEntry(
        name=path.name,
        location=paths.relative(path),
        kind="table" if table else "folder",
        bytes=stat.st_size if path.is_file() else None,
        modified=stat.st_mtime_ns // 1_000_000,
    )
