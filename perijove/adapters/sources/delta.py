"""Delta Lake folders of others: the newest version at the time, read where it lies."""

from __future__ import annotations

from pathlib import Path

from perijove.adapters.sources.local import entry_of, missing
from perijove.adapters.sources.process import SourceProcess
from perijove.contracts.sources import SourceEntry
from perijove.core.errors import UnreadableDataError
from perijove.core.paths import ProjectPaths
from perijove.data.locations import is_url
from perijove.data.ports import Snapshot, Work
from perijove.data.versions import digest_of, hashed, newest_delta


class DeltaFolder:
    """A folder with a ``_delta_log``.

    Implements :class:`perijove.data.ports.DataSource`. Tables with deletion vectors or mapped
    columns are refused: their files alone do not say which rows they hold.
    """

    kind = "delta"
    label = "Delta Lake"
    example = "data/builds_delta/"
    needs = ""
    remote = False

    def __init__(self, paths: ProjectPaths) -> None:
        self._paths = paths
        self._process = SourceProcess()

    def available(self) -> bool:
        return True

    def accepts(self, location: str) -> bool:
        return not is_url(location) and newest_delta(self._paths.absolute(location)) >= 0

    def entries(self, location: str, limit: int) -> list[SourceEntry]:
        folder = self._paths.absolute(location)
        if newest_delta(folder) < 0:
            raise missing(location)
        return [entry_of(self._paths, folder)]

    def snapshot(
        self, location: str, query: str, into: Path, *, etag: str = "", work: Work | None = None
    ) -> Snapshot:
        folder = self._paths.absolute(location)
        if newest_delta(folder) < 0:
            raise missing(location)
        reply = self._process.ask({"do": "delta", "folder": str(folder)}, location, work)
        files = [folder / name for name in reply["files"]]
        if not files:
            raise UnreadableDataError(
                f"Version {reply['version']} of {location} has no rows.", "Write some first."
            )
        for file in files:
            if not file.resolve().is_relative_to(folder):
                raise UnreadableDataError(f"{location} names files outside of itself.")
        known = hashed(self._paths, folder, files)
        return Snapshot(
            kind="delta",
            root=folder,
            files=tuple(known),
            sha256=digest_of(known),
            bytes=sum(file.bytes for file in known),
            delta_version=reply["version"],
        )
