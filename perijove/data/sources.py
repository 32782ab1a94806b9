"""Sources: where data may come from, what lies there, and looking at it."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from perijove.contracts.data import DataFacts
from perijove.contracts.sources import Source, SourceEntries, Sources, SourceType
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, UnsupportedError
from perijove.core.once import once
from perijove.data.locations import AllowList, canonical, file_database, is_url, path_of
from perijove.data.ports import DataSource, Snapshot, Work

MOST_ENTRIES: Final = 1000
STALE_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Place:
    """A location, as it is stored, and the source that reads it."""

    location: str
    source: DataSource


class SourceCatalog:
    """The sources of one project.

    Parameters
    ----------
    project
        The open project.
    load
        Finds the kinds of sources that are installed; called once, when one is needed.
    """

    def __init__(self, project: ProjectContext, load: Callable[[], Sequence[DataSource]]) -> None:
        self.project = project
        self._load = load

    @once
    def _kinds(self) -> Sequence[DataSource]:
        return self._load()

    @property
    def allowed(self) -> AllowList:
        """What ``perijove.toml`` says now."""
        return AllowList(self.project.paths.root, self.project.definition.sources)

    def check_browser(self, location: str, query: str = "") -> None:
        """Let the browser name what lies in the project or in its sources, or is registered.

        Raises
        ------
        ForbiddenPathError
            For any other place, links and ``..`` resolved.
        """
        stored = self.stored(location)
        for node in self.project.chain.newest("data"):
            facts = facts_of(node, DataFacts)
            if (facts.path, facts.query) == (stored, query) and facts.kind in {"remote", "sql"}:
                return self.allowed.check(stored)
        return self.allowed.check(stored, declared=True)

    def stored(self, location: str) -> str:
        """Write a location as it is stored: relative to the project where it lies in it."""
        paths = self.project.paths
        if not is_url(location):
            return paths.relative(path_of(location, paths.root))
        place = canonical(location)
        database = file_database(place)
        if database is None:
            return place
        scheme, file, behind = database
        return f"{scheme}:///{paths.relative(path_of(file, paths.root))}{behind}"

    def place(self, location: str) -> Place:
        """Find the source of a location.

        Raises
        ------
        UnsupportedError
            When there is none, or when it is not installed, saying what to install.
        """
        stored = self.stored(location)
        source = next((kind for kind in self._kinds if kind.accepts(stored)), None)
        if source is None:
            kinds = ", ".join(kind.example for kind in self._kinds)
            raise UnsupportedError(
                f"No source reads {stored[:200]}.", f"Those that are there read: {kinds}."
            )
        if not source.available():
            raise UnsupportedError(
                f"{source.label} cannot be read here yet.",
                f"Install it for the kernel and the server: pip install '{source.needs}'.",
                code="source_not_installed",
            )
        return Place(stored, source)

    @contextmanager
    def snapshot(
        self, place: Place, query: str, *, etag: str = "", work: Work | None = None
    ) -> Iterator[Snapshot | None]:
        """Look at a place; a copy that nobody moved away by the block's end is removed."""
        if query and place.source.kind in {"file", "folder", "delta"}:
            raise InvalidInputError(
                f"{place.source.label} take no query.", "Filter in a view or in a curation."
            )
        fetched = self.project.paths.fetched
        into = fetched / f".{uuid.uuid4().hex}"
        if place.source.remote:
            self.project.paths.make_state()
            into.mkdir(parents=True)
            _sweep(fetched.glob(".*"))
        try:
            yield place.source.snapshot(place.location, query, into, etag=etag, work=work)
        finally:
            shutil.rmtree(into, ignore_errors=True)

    # What the panel shows

    def overview(self) -> Sources:
        """The project's folder, the declared sources, and the kinds that there are."""
        table = self.project.definition.sources
        declared = table.allow if table is not None else []
        own = Source(location="", label=self.project.name, kind="folder", declared=False)
        return Sources(
            items=[own, *(self._declared(entry) for entry in declared)],
            restricted=table is not None,
            types=[
                SourceType(
                    kind=kind.kind, label=kind.label, example=kind.example,
                    available=kind.available(), needs=kind.needs,
                )
                for kind in self._kinds
            ],
        )  # fmt: skip

    def _declared(self, entry: str) -> Source:
        stored = self.stored(entry)
        kind = next((kind.kind for kind in self._kinds if kind.accepts(stored)), "unknown")
        return Source(location=stored, label=_label(stored), kind=kind, declared=True)

    def allow(self, allow: Sequence[str] | None, *, by: str) -> Sources:
        """Write the allow-list; None lifts the restriction."""
        entries = None
        if allow is not None:
            entries = list(dict.fromkeys(self.stored(entry) for entry in allow if entry.strip()))

        def edit(document: Any) -> None:
            import tomlkit

            if entries is None:
                document.pop("sources", None)
                return
            table = document.setdefault("sources", tomlkit.table())
            table["allow"] = entries

        self.project.file.change(edit)
        self.project.chain.ledger.audit(by, "allow sources", "sources", allow=entries)
        return self.overview()

    def entries(self, location: str = "") -> SourceEntries:
        """Return what lies in a folder, a bucket or a database, at most 1,000 entries."""
        self.check_browser(location)
        place = self.place(location)
        found = place.source.entries(place.location, MOST_ENTRIES + 1)
        registered = self.registered()
        return SourceEntries(
            location="" if place.location == "." else place.location,
            items=[
                msgspec.structs.replace(entry, dataset=registered.get(entry.location, ""))
                for entry in found[:MOST_ENTRIES]
            ],
            truncated=len(found) > MOST_ENTRIES,
        )

    def registered(self) -> dict[str, str]:
        """Return the locations that datasets are registered from, with the datasets' names."""
        return {
            facts.path: node.name
            for node in reversed(self.project.chain.versions("data"))
            if (facts := facts_of(node, DataFacts)).kind not in {"curated", "quarantine"}
        }


def _label(location: str) -> str:
    if not is_url(location):
        return location
    parts = urlsplit(location)
    return f"{parts.hostname or ''}{parts.path}".strip("/") or location


def _sweep(leftovers: Iterator[Any]) -> None:
    """Remove copies that a killed process was making."""
    for folder in leftovers:
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
