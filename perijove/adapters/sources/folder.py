"""Folders of this machine: their files are one table, ``key=value`` folders are columns."""

from __future__ import annotations

from pathlib import Path

from perijove.adapters.sources.local import browse, missing
from perijove.contracts.sources import SourceEntry
from perijove.core.errors import UnreadableDataError
from perijove.core.paths import ProjectPaths
from perijove.data.locations import is_url
from perijove.data.ports import Snapshot, Work
from perijove.data.versions import MOST_FILES, data_files, digest_of, hashed, newest_delta


class Folder:
    """A folder of files with one schema.

    Implements :class:`perijove.data.ports.DataSource`.
    """

    kind = "folder"
    label = "Folders"
    example = "data/builds/"
    needs = ""
    remote = False

    def __init__(self, paths: ProjectPaths) -> None:
        self._paths = paths

    def available(self) -> bool:
        return True

    def accepts(self, location: str) -> bool:
        if is_url(location):
            return False
        folder = self._paths.absolute(location)
        return folder.is_dir() and newest_delta(folder) < 0

    def entries(self, location: str, limit: int) -> list[SourceEntry]:
        folder = self._paths.absolute(location)
        if not folder.is_dir():
            raise missing(location)
        return browse(self._paths, folder, limit)

    def snapshot(
        self, location: str, query: str, into: Path, *, etag: str = "", work: Work | None = None
    ) -> Snapshot:
        folder = self._paths.absolute(location)
        if not folder.is_dir():
            raise missing(location)
        files = data_files(folder)
        if not files:
            raise UnreadableDataError(
                f"{location} holds no data files.",
                "Register a folder with Parquet, CSV, JSON lines or Arrow files in it.",
            )
        if len(files) > MOST_FILES:
            raise UnreadableDataError(
                f"{location} holds more than {MOST_FILES:,} files.",
                "Register a folder further down, or write fewer and larger files.",
            )
        known = hashed(self._paths, folder, files)
        return Snapshot(
            kind="folder",
            root=folder,
            files=tuple(known),
            sha256=digest_of(known),
            bytes=sum(file.bytes for file in known),
        )
