"""What the data step does: register, look, curate and split."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from perijove.contracts.chain import Node, StepEntry, StepStatus
from perijove.contracts.data import (
    DataFacts,
    Dataset,
    DatasetSettings,
    SplitFacts,
    SplitPart,
)
from perijove.core.chain import facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnreadableDataError,
)
from perijove.core.files import locked, sha256_text
from perijove.core.project_file import NAME, DataTable
from perijove.data.ports import ArrowTable, DataEngine, Lake
from perijove.data.versions import VersionState, content_hash, version_state

MAX_PAGE = 10_000
DEFAULT_PARTS = {"train": 0.7, "test": 0.3}


class DataService:
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
        self.engine = engine
        self.lake = lake

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
        self._declare(name, DataTable(path=stored, target=target, time=time))
        return self._describe(node)

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
            table, info = file, self.engine.inspect(file)
        else:
            table = self.project.paths.cache / f"{digest}.parquet"
            info = self.engine.twin(file, table)
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

    def _declare(self, name: str, table: DataTable) -> None:
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

    def files(self, node: Node) -> list[Path]:
        """Return the Parquet files of a version, made again from the source where they can be.

        Raises
        ------
        NotFoundError
            When the version's bytes are gone.
        """
        facts = facts_of(node, DataFacts)
        table = self.project.paths.absolute(facts.table)
        if facts.delta_version is not None:
            return self.lake.files(table, facts.delta_version)
        source = self.project.paths.absolute(facts.path)
        same = source.is_file() and content_hash(self.project.paths, source) == facts.sha256
        if table == source and same:
            return [table]
        if table != source and table.is_file():
            return [table]
        if table != source and same:
            self.engine.twin(source, table)
            return [table]
        raise NotFoundError(
            f"The bytes of {node.ref} are gone: {facts.path} has changed since.",
            f"Restore the file (sha256 {facts.sha256[:12]}…), or read a newer version.",
            code="version_gone",
        )

    def read_table(self, node: Node, columns: list[str] | None = None) -> ArrowTable:
        """Return a version as one table in this process's memory."""
        return self.engine.read(self.files(node), columns)

    def page(self, name: str, version: int, offset: int, limit: int) -> bytes:
        """Return rows as an Arrow IPC stream."""
        if offset < 0 or not 0 <= limit <= MAX_PAGE:
            raise InvalidInputError(
                f"Rows {offset} to {offset + limit} cannot be asked for.",
                f"An offset is 0 or more, and a page has at most {MAX_PAGE:,} rows.",
            )
        return self.engine.page(self.files(self.resolve(name, version)), offset, limit)

    def state(self, node: Node) -> VersionState:
        """Tell whether a version's bytes are still those that were registered."""
        facts = facts_of(node, DataFacts)
        if facts.delta_version is None:
            files = [self.project.paths.absolute(facts.path)]
        else:
            try:
                files = self.lake.files(
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

    # Curate

    def commit_curated(
        self, name: str, frame: Any, *, inputs: list[str], source: str, by: str
    ) -> Node:
        """Commit what a curation made as a version.

        The same values from the same code and the same inputs are the same version.

        Parameters
        ----------
        inputs
            References of the data versions that the frame was made from.
        source
            The source of the function that made it.
        """
        if not NAME.fullmatch(name):
            raise InvalidInputError(f"{name!r} cannot be a dataset's name.")
        latest = self.project.chain.latest("data", name)
        if latest is not None and facts_of(latest, DataFacts).kind == "file":
            raise ConflictError(
                f"{name} is registered from a file; a curation cannot take its name.",
                "Curate under another name.",
            )
        table = self.engine.to_table(frame)
        fingerprint = self.engine.fingerprint(table)
        code = sha256_text(source)
        if latest is not None and self.state(latest) == "current":
            facts = facts_of(latest, DataFacts)
            if (facts.fingerprint, facts.code_sha256, facts.inputs) == (fingerprint, code, inputs):
                return latest
        folder = self.project.paths.lake / name
        commit = self.lake.commit(folder, table)
        info = self.engine.info(table)
        node = self.project.chain.add(
            "data",
            name,
            DataFacts(
                path=self.project.paths.relative(folder),
                kind="curated",
                sha256=commit.sha256,
                bytes=commit.bytes,
                rows=info.rows,
                columns=info.columns,
                table=self.project.paths.relative(folder),
                delta_version=commit.version,
                inputs=inputs,
                code_sha256=code,
                source=source,
                fingerprint=fingerprint,
            ),
            by=by,
            sources=dict.fromkeys(inputs, "input"),
            action="curate dataset",
        )
        self._declare(name, DataTable())
        return node

    # Split

    def ensure_split(
        self,
        node: Node,
        parts: dict[str, float] | None = None,
        column: str = "",
        *,
        by: str = "",
    ) -> Node:
        """Return the split of a data version; the first call fixes it.

        By the declared time column where there is one, else by a fixed hash of the row number.

        Raises
        ------
        ConflictError
            When the version is split already, and otherwise than asked for.
        """
        facts = facts_of(node, DataFacts)
        declared = self.project.definition.data.get(node.name, DataTable())
        column = column or declared.time
        if column and column not in [c.name for c in facts.columns]:
            raise InvalidInputError(
                f"{node.name} has no column {column!r} to split by.",
                f"Its columns are {', '.join(c.name for c in facts.columns)}.",
            )
        existing = self.project.chain.find(make_ref("split", node.name, node.version))
        wanted = SplitFacts(
            dataset=node.ref,
            method="time" if column else "hash",
            column=column,
            parts=_parts(facts.rows, parts or DEFAULT_PARTS),
        )
        if existing is None:
            return self.project.chain.add(
                "split",
                node.name,
                wanted,
                by=by or self.project.actor,
                sources={node.ref: "rows"},
                version=node.version,
                action="split dataset",
            )
        if parts is not None and facts_of(existing, SplitFacts) != wanted:
            raise ConflictError(
                f"{node.ref} was split otherwise already, and models were measured on it.",
                "Keep the split, or curate a new version and split that.",
                code="split_fixed",
            )
        return existing

    def split_table(self, node: Node, part: str) -> ArrowTable:
        """Return the rows of one part of a version's split, in the split's order."""
        split = facts_of(self.ensure_split(node), SplitFacts)
        for candidate in split.parts:
            if candidate.name == part:
                return self.engine.ordered(
                    self.read_table(node), split.column, candidate.start, candidate.rows
                )
        raise NotFoundError(
            f"The split of {node.ref} has no part {part!r}.",
            f"It has {', '.join(p.name for p in split.parts)}.",
            code="split_part_not_found",
        )

    # Look

    def datasets(self) -> list[Dataset]:
        return [self._describe(node) for node in self.project.chain.newest("data")]

    def get(self, name: str) -> Dataset:
        node = self.project.chain.latest("data", name)
        return self._describe(node if node is not None else self.resolve(name))

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
            for key in ("target", "time"):
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

    def _describe(self, node: Node) -> Dataset:
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
            state=self.state(node),
            splits=[
                facts_of(split, SplitFacts)
                for split in self.project.chain.results(node.ref, "split")
            ],
        )

    def close(self) -> None:
        """End the data worker."""
        self.engine.close()

    def status(self) -> StepStatus:
        """The sidebar's row."""
        datasets = self.datasets()
        if not datasets:
            return StepStatus(step="data", state="not_started", fact="", next="Add data")
        stale = [d for d in datasets if d.state != "current"]
        newest = datasets[0]
        words = {"changed": "has changed since it was registered", "missing": "is gone"}
        return StepStatus(
            step="data",
            state="attention" if stale else "ok",
            fact=f"{stale[0].name} v{stale[0].version} {words[stale[0].state]}"
            if stale
            else f"{newest.name} v{newest.version} · {newest.facts.rows:,} rows",
            entries=[
                StepEntry(
                    ref=d.ref,
                    label=f"{d.name} v{d.version}",
                    state="ok" if d.state == "current" else "attention",
                    detail=f"{d.facts.rows:,} rows" if d.state == "current" else words[d.state],
                )
                for d in (stale + [d for d in datasets if d not in stale])[:5]
            ],
        )


def _name_from(file: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", file.stem).strip("_.-")
    return name[:63] or "data"


def _parts(rows: int, shares: dict[str, float]) -> list[SplitPart]:
    wrong = [n for n, share in shares.items() if not 0 <= share <= 1]
    if wrong or abs(sum(shares.values()) - 1) > 1e-6:
        raise InvalidInputError(
            f"The parts {shares} do not make up the whole.", "Give shares that add up to 1."
        )
    parts: list[SplitPart] = []
    start, passed = 0, 0.0
    for name, share in shares.items():
        passed += share
        end = round(rows * passed)
        if share > 0:
            parts.append(SplitPart(name=name, start=start, rows=end - start))
        start = end
    return parts
