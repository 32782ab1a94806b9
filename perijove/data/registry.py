"""The registry: datasets by name, their versions, and where a version's rows are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts, Dataset, DatasetSettings, SplitFacts
from perijove.core.chain import SourceFacts, facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
)
from perijove.core.files import locked
from perijove.core.project_file import NAME, DataTable
from perijove.data.locations import is_url
from perijove.data.ports import ArrowTable, DataEngine, Lake, Snapshot, Table, Work
from perijove.data.snapshots import Snapshots
from perijove.data.sources import Place, SourceCatalog
from perijove.data.versions import (
    ENDINGS,
    VersionState,
    changed_meanwhile,
    partitioned,
    version_state,
)

LAKE_KINDS: Final = frozenset(["curated", "quarantine"])
"""Made here: they have no source."""
COPIED_KINDS: Final = frozenset(["remote", "sql"])
"""Looked at anew only when somebody registers them again."""


class Registry:
    """The datasets of one project.

    Parameters
    ----------
    project
        The open project.
    engine
        Reads tables.
    lake
        Keeps curated versions.
    sources
        Where data may come from.
    """

    def __init__(
        self, project: ProjectContext, engine: DataEngine, lake: Lake, sources: SourceCatalog
    ) -> None:
        self.project = project
        self._sources = sources
        self._engine = engine
        self._lake = lake
        self._tables = Snapshots(project.paths, engine, lake)

    # Register

    def register(
        self,
        path: str,
        *,
        name: str = "",
        target: str = "",
        time: str = "",
        query: str = "",
        by: str,
        work: Work | None = None,
    ) -> Dataset:
        """Register what lies at a location, or its changed content as a new version.

        Parameters
        ----------
        path
            A path relative to the project's root, an absolute one, or a URL.
        query
            A SELECT of a database, or a sheet of a workbook.

        Raises
        ------
        ForbiddenPathError
            When the project's allow-list does not have the place.
        UnreadableDataError
            When the file is not what its name says; nothing is registered then.
        """
        place = self._sources.place(path)
        self._sources.allowed.check(place.location)
        name = name or _name_from(place.location)
        if not NAME.fullmatch(name):
            raise InvalidInputError(
                f"{name[:80]!r} cannot be a dataset's name.",
                "Use letters, digits, '.', '_' and '-', at most 63, a letter or digit first.",
            )
        self._check_free(name, place.location, query)
        node = self._look(name, place, query, by=by, work=work)
        self.write_table(
            name, DataTable(path=place.location, query=query, target=target, time=time)
        )
        return self.describe(node)

    def _check_free(self, name: str, location: str, query: str) -> None:
        latest = self.project.chain.latest("data", name)
        if latest is None:
            return
        facts = facts_of(latest, DataFacts)
        if facts.kind in LAKE_KINDS:
            raise ConflictError(
                f"{name} is a curated dataset; a source cannot take its name.",
                "Register the source under another name.",
            )
        declared = self.project.definition.data.get(name, DataTable())
        known = declared.path or facts.path
        if location != known:
            raise ConflictError(
                f"{name} is {known} in this project.",
                f"Give {location} another name, or change [data.{name}] in perijove.toml first.",
            )
        if query != (declared.query or facts.query):
            raise ConflictError(
                f"{name} has another query in this project.",
                f"Register it under another name, or change [data.{name}] in perijove.toml first.",
            )

    def _look(
        self, name: str, place: Place, query: str, *, by: str, work: Work | None = None
    ) -> Node:
        """Return the version with what lies at a place now; make it if there is none."""
        latest = self.project.chain.latest("data", name)
        etag = ""
        if latest is not None:
            facts = facts_of(latest, DataFacts)
            if (facts.path, facts.query) == (place.location, query):
                same = self.state(latest) == "current"
                if same and not place.source.remote:
                    return latest
                etag = facts.etag if same else ""
        with self._sources.snapshot(place, query, etag=etag, work=work) as snapshot:
            if snapshot is None and latest is not None:
                return latest
            assert snapshot is not None  # only what knows an etag may say that nothing changed
            self.project.paths.make_state()
            with locked(self.project.paths.state / "data.lock"):
                for node in self.project.chain.versions("data", name):
                    facts = facts_of(node, DataFacts)
                    if (facts.sha256, facts.path, facts.query) == (
                        snapshot.sha256, place.location, query,
                    ):  # fmt: skip
                        if snapshot.fetched and self.state(node) != "current":
                            self._tables.store(snapshot, query)  # its copy was gone
                        return node
                return self._add_version(name, place, query, snapshot, by=by)

    def _add_version(
        self, name: str, place: Place, query: str, snapshot: Snapshot, *, by: str
    ) -> Node:
        self._sources.allowed.check(place.location)
        table, info = self._tables.store(snapshot, query)
        if not snapshot.fetched:
            with self._sources.snapshot(place, query) as after:
                if after is None or after.sha256 != snapshot.sha256:
                    raise changed_meanwhile(place.location)
        return self.project.chain.add(
            "data",
            name,
            DataFacts(
                path=place.location,
                kind=snapshot.kind,
                sha256=snapshot.sha256,
                bytes=snapshot.bytes,
                rows=info.rows,
                columns=info.columns,
                table=self.project.paths.relative(table),
                delta_version=snapshot.delta_version,
                partitioned=table.is_dir() and partitioned(snapshot.files),
                etag=snapshot.etag,
                query=query,
            ),
            by=by,
            sources={self._source_of(name, place, query, by=by): "registered"},
            action="register dataset",
        )

    def _source_of(self, name: str, place: Place, query: str, *, by: str) -> str:
        """Return the reference of the chain's source: a new version where the place is another."""
        facts = SourceFacts(location=place.location, kind=place.source.kind, query=query)
        latest = self.project.chain.latest("source", name)
        if latest is None or facts_of(latest, SourceFacts) != facts:
            latest = self.project.chain.add("source", name, facts, by=by)
        return latest.ref

    def write_table(self, name: str, table: DataTable) -> None:
        """Write what is new into ``[data.NAME]``; what a person wrote there stays."""
        known = self.project.definition.data.get(name)
        wanted = {k: v for k, v in msgspec.to_builtins(table).items() if v}
        current = msgspec.to_builtins(known) if known is not None else {}
        if known is not None and all(current.get(key) == value for key, value in wanted.items()):
            return

        def edit(document: Any) -> None:
            import tomlkit

            tables = document.setdefault("data", tomlkit.table(is_super_table=True))
            entry = tables.setdefault(name, tomlkit.table())
            for key, value in wanted.items():
                if entry.get(key) != value:
                    entry[key] = value

        self.project.file.change(edit)

    # Versions

    def resolve(self, name: str, version: int = 0, *, by: str = "") -> Node:
        """Return a data version; 0 is the newest.

        A file or folder that has changed since it was registered becomes a new version here, so
        that what is read is always what the reference says. A remote source or a database is asked
        only when there is no version yet; else whoever registers it again makes the next one.
        """
        if version:
            return self.project.chain.get(make_ref("data", name, version))
        latest = self.project.chain.latest("data", name)
        declared = self.project.definition.data.get(name, DataTable())
        by = by or self.project.actor
        if latest is None:
            if declared.path:
                place = self._sources.place(declared.path)
                return self._look(name, place, declared.query, by=by)
            known = ", ".join(sorted(n.name for n in self.project.chain.newest("data")))
            raise NotFoundError(
                f"The project has no dataset {name!r}.",
                f"It has {known}." if known else "Register a file first: pj.register(PATH).",
                code="dataset_not_found",
            )
        facts = facts_of(latest, DataFacts)
        if facts.kind in LAKE_KINDS:
            return latest
        path, query = declared.path or facts.path, declared.query or facts.query
        if facts.kind in COPIED_KINDS and (path, query) == (facts.path, facts.query):
            return latest
        return self._look(name, self._sources.place(path), query, by=by)

    def table(self, node: Node) -> Table:
        """Return where the rows of a version are, made again from the source where they can be.

        Raises
        ------
        NotFoundError
            When the version's bytes are gone.
        """
        return self._tables.find(node)

    def read(self, node: Node, columns: list[str] | None = None) -> ArrowTable:
        """Return a version as one table in this process's memory."""
        names = [column.name for column in facts_of(node, DataFacts).columns]
        return self._engine.read(self.table(node), columns, names)

    def state(self, node: Node) -> VersionState:
        """Tell whether a version's bytes are still those that were registered.

        A remote source is not asked: ``changed`` and ``missing`` are said of the copy then.
        """
        facts = facts_of(node, DataFacts)
        files: list[Path] = []
        if facts.kind in LAKE_KINDS and facts.delta_version is not None:
            try:
                files = self._lake.files(
                    self.project.paths.absolute(facts.table), facts.delta_version
                )
            except NotFoundError:
                return "missing"
        return version_state(self.project.paths, facts, files)

    def registered_paths(self) -> dict[Path, str]:
        """Return every file and folder that some version was registered from, with its name."""
        return {
            self.project.paths.absolute(location).resolve(): name
            for location, name in self._sources.registered().items()
            if not is_url(location)
        }

    # Look

    def datasets(self) -> list[Dataset]:
        return [self.describe(node) for node in self.project.chain.newest("data")]

    def get(self, name: str, version: int = 0) -> Dataset:
        """Describe a version; 0 is the newest that is registered."""
        if version:
            return self.describe(self.project.chain.get(make_ref("data", name, version)))
        node = self.project.chain.latest("data", name)
        return self.describe(node if node is not None else self.resolve(name))

    def declare(self, name: str, settings: DatasetSettings, *, by: str) -> Dataset:
        """Write target, time and what is known when into ``perijove.toml``."""
        dataset = self.get(name)
        names = {column.name for column in dataset.facts.columns}
        asked = [settings.target, settings.time, *(settings.known or {})]
        unknown = [column for column in asked if column and column not in names]
        if unknown:
            raise InvalidInputError(
                f"{name} has no column {unknown[0]!r}.",
                f"Its columns are {', '.join(sorted(names))}.",
                code="unknown_column",
            )

        def edit(document: Any) -> None:
            import tomlkit

            tables = document.setdefault("data", tomlkit.table(is_super_table=True))
            entry = tables.setdefault(name, tomlkit.table())
            for key in ("target", "time", "description", "tags", "refresh"):
                value = getattr(settings, key)
                if value is not None:
                    entry[key] = value
            for column, known in (settings.known or {}).items():
                columns = entry.setdefault("columns", tomlkit.table(is_super_table=True))
                columns.setdefault(column, tomlkit.table())["known"] = known

        self.project.file.change(edit)
        self.project.chain.ledger.audit(
            by, "declare dataset", f"data:{name}", **msgspec.to_builtins(settings)
        )
        return self.get(name)

    def snippet(self, name: str, version: int = 0) -> str:
        """Write code that loads a dataset; 0 for whichever version is the newest by then."""
        self.get(name, version)
        variable = re.sub(r"\W", "_", name)
        variable = f"data_{variable}" if variable[0].isdigit() else variable
        pinned = f"{name}@{version}" if version else name
        return f'import perijove as pj\n\n{variable} = pj.dataset("{pinned}").read()\n{variable}.head()'

    def describe(self, node: Node) -> Dataset:
        facts = facts_of(node, DataFacts)
        declared = self.project.definition.data.get(node.name, DataTable())
        columns = [
            msgspec.structs.replace(column, known=declared.columns[column.name].known)
            if column.name in declared.columns
            else column
            for column in facts.columns
        ]
        return Dataset(
            name=node.name,
            ref=node.ref,
            version=node.version,
            versions=len(self.project.chain.versions("data", node.name)),
            facts=msgspec.structs.replace(facts, columns=columns),
            at=node.at,
            by=node.by,
            target=declared.target,
            time=declared.time,
            description=declared.description,
            tags=declared.tags,
            state=self.state(node),
            splits=[
                facts_of(split, SplitFacts)
                for split in self.project.chain.results(node.ref, "split")
            ],
        )


def _name_from(location: str) -> str:
    """Make a name of the file's, the folder's or the table's."""
    if is_url(location):
        parts = urlsplit(location)
        last = parts.fragment or parts.path.rstrip("/").rpartition("/")[2] or parts.netloc
        location = unquote(last)
    _, _, last = location.rstrip("/").rpartition("/")
    stem, dot, ending = last.rpartition(".")
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", stem if dot and ending.lower() in ENDINGS else last)
    return name.strip("_.-")[:63] or "data"
