"""The registry: datasets by name, their versions, and where a version's rows are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts, Dataset, DatasetSettings, SplitFacts
from perijove.core.chain import facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnreadableDataError,
)
from perijove.core.files import locked
from perijove.core.project_file import NAME, DataTable
from perijove.data.ports import ArrowTable, DataEngine, Lake, Table
from perijove.data.versions import VersionState, content_hash, version_state


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
    """

    def __init__(self, project: ProjectContext, engine: DataEngine, lake: Lake) -> None:
        self.project = project
        self._engine = engine
        self._lake = lake

    # Register

    def register(
        self, path: str, *, name: str = "", target: str = "", time: str = "", by: str
    ) -> Dataset:
        """Register a file by reference, or its changed content as a new version.

        Parameters
        ----------
        path
            Relative to the project's root, or absolute.

        Raises
        ------
        UnreadableDataError
            When the file is not what its name says; nothing is registered then.
        """
        file = (self.project.paths.root / path).resolve()
        name = name or _name_from(file)
        if not NAME.fullmatch(name):
            raise InvalidInputError(
                f"{name!r} cannot be a dataset's name.",
                "Use letters, digits, '.', '_' and '-', at most 63, a letter or digit first.",
            )
        stored = self.project.paths.relative(file)
        self._check_free(name, stored)
        node = self._version_of(name, file, by=by)
        self.write_table(name, DataTable(path=stored, target=target, time=time))
        return self.describe(node)

    def _check_free(self, name: str, stored: str) -> None:
        latest = self.project.chain.latest("data", name)
        if latest is None:
            return
        facts = facts_of(latest, DataFacts)
        if facts.kind == "curated":
            raise ConflictError(
                f"{name} is a curated dataset; a file cannot take its name.",
                "Register the file under another name.",
            )
        declared = self.project.definition.data.get(name, DataTable()).path or facts.path
        if stored != declared:
            raise ConflictError(
                f"{name} is {declared} in this project.",
                f"Give {stored} another name, or change [data.{name}] in perijove.toml first.",
            )

    def _version_of(self, name: str, file: Path, *, by: str) -> Node:
        """Return the version with the file's content; make it if there is none."""
        if not file.exists():
            raise NotFoundError(
                f"{self.project.paths.relative(file)} is not there.",
                "Check the path; it is relative to the project's folder.",
                code="file_not_found",
            )
        if not file.is_file():
            raise UnreadableDataError(f"{file.name} is no file.", "Register a file.")
        self.project.paths.make_state()
        digest = content_hash(self.project.paths, file)
        with locked(self.project.paths.state / "data.lock"):
            for node in self.project.chain.versions("data", name):
                facts = facts_of(node, DataFacts)
                if facts.sha256 == digest and facts.path == self.project.paths.relative(file):
                    return node
            return self._add_version(name, file, digest, by=by)

    def _add_version(self, name: str, file: Path, digest: str, *, by: str) -> Node:
        if file.suffix.lower() == ".parquet":
            table = file
            info = self._engine.inspect(Table((file,), digest, 0))
        else:
            table = self.project.paths.cache / f"{digest}.parquet"
            info = self._engine.twin(file, table)
        return self.project.chain.add(
            "data",
            name,
            DataFacts(
                path=self.project.paths.relative(file),
                kind="file",
                sha256=digest,
                bytes=file.stat().st_size,
                rows=info.rows,
                columns=info.columns,
                table=self.project.paths.relative(table),
            ),
            by=by,
            action="register dataset",
        )

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

        A file that has changed since it was registered becomes a new version here, so that
        what is read is always what the reference says.
        """
        if version:
            return self.project.chain.get(make_ref("data", name, version))
        latest = self.project.chain.latest("data", name)
        declared = self.project.definition.data.get(name)
        by = by or self.project.actor
        if latest is None:
            if declared is not None and declared.path:
                return self._version_of(name, self.project.paths.absolute(declared.path), by=by)
            known = ", ".join(sorted(n.name for n in self.project.chain.newest("data")))
            raise NotFoundError(
                f"The project has no dataset {name!r}.",
                f"It has {known}." if known else "Register a file first: pj.register(PATH).",
                code="dataset_not_found",
            )
        facts = facts_of(latest, DataFacts)
        if facts.kind == "file":
            path = declared.path if declared is not None and declared.path else facts.path
            return self._version_of(name, self.project.paths.absolute(path), by=by)
        return latest

    def table(self, node: Node) -> Table:
        """Return where the rows of a version are, made again from the source where they can be.

        Raises
        ------
        NotFoundError
            When the version's bytes are gone.
        """
        facts = facts_of(node, DataFacts)
        return Table(tuple(self._files(node, facts)), facts.sha256, facts.rows)

    def _files(self, node: Node, facts: DataFacts) -> list[Path]:
        table = self.project.paths.absolute(facts.table)
        if facts.delta_version is not None:
            return self._lake.files(table, facts.delta_version)
        source = self.project.paths.absolute(facts.path)
        same = source.is_file() and content_hash(self.project.paths, source) == facts.sha256
        if table == source and same:
            return [table]
        if table != source and table.is_file():
            return [table]
        if table != source and same:
            self._engine.twin(source, table)
            return [table]
        raise NotFoundError(
            f"The bytes of {node.ref} are gone: {facts.path} has changed since.",
            f"Restore the file (sha256 {facts.sha256[:12]}…), or read a newer version.",
            code="version_gone",
        )

    def read(self, node: Node, columns: list[str] | None = None) -> ArrowTable:
        """Return a version as one table in this process's memory."""
        return self._engine.read(self.table(node), columns)

    def state(self, node: Node) -> VersionState:
        """Tell whether a version's bytes are still those that were registered."""
        facts = facts_of(node, DataFacts)
        if facts.delta_version is None:
            files = [self.project.paths.absolute(facts.path)]
        else:
            try:
                files = self._lake.files(
                    self.project.paths.absolute(facts.table), facts.delta_version
                )
            except NotFoundError:
                return "missing"
        return version_state(self.project.paths, facts, files)

    def registered_paths(self) -> set[Path]:
        """Return every file that some version was registered from."""
        return {
            self.project.paths.absolute(facts.path).resolve()
            for node in self.project.chain.versions("data")
            if (facts := facts_of(node, DataFacts)).kind == "file"
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

    def snippet(self, name: str) -> str:
        self.get(name)
        variable = re.sub(r"\W", "_", name)
        variable = f"data_{variable}" if variable[0].isdigit() else variable
        return (
            f'import perijove as pj\n\n{variable} = pj.dataset("{name}").read()\n{variable}.head()'
        )

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


def _name_from(file: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", file.stem).strip("_.-")
    return name[:63] or "data"
