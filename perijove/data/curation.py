"""Curation: what a function of the user's made becomes a version in the lake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts
from perijove.contracts.quality import QualityFacts
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError, PerijoveError
from perijove.core.files import locked, sha256_text
from perijove.core.project_file import NAME, DataTable
from perijove.data.pending import Part, Pending, PendingCommits
from perijove.data.ports import Applied, ArrowTable, DataEngine, Lake, RowSums, Staged, Table
from perijove.data.registry import LAKE_KINDS, Registry
from perijove.data.versions import newest_delta, remember_hashes

if TYPE_CHECKING:
    from perijove.data.quality import Quality

QUARANTINE: Final = ".quarantine"
"""What the name of a dataset's rejected rows ends with."""


@dataclass(frozen=True, slots=True)
class Program:
    """What made a version, as far as it can be told."""

    source: str = ""
    """Of the function."""
    script: str = ""
    """A whole program with the function and all that it uses; empty where there is none."""
    entry: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    unrecorded: tuple[str, ...] = ()
    """Names that the script lacks, and files that were read past the inputs."""
    unregistered: tuple[str, ...] = ()
    """Those of these files that no dataset names."""

    @property
    def sha256(self) -> str:
        return sha256_text(self.script or self.source)


class Curation:
    """Commits curated versions.

    Parameters
    ----------
    project
        The open project.
    registry
        Resolves datasets and their files.
    engine
        Hashes rows.
    lake
        Keeps the versions.
    quality
        Applies the dataset's rules.
    """

    def __init__(
        self,
        project: ProjectContext,
        registry: Registry,
        engine: DataEngine,
        lake: Lake,
        quality: Quality,
    ) -> None:
        self.project = project
        self._registry = registry
        self._engine = engine
        self._lake = lake
        self._quality = quality
        self._pending = PendingCommits(project.paths.lake)

    def inputs(self, names: Sequence[tuple[str, int]], *, by: str) -> list[Node]:
        """Resolve the versions that a curation reads; 0 is the newest.

        Raises
        ------
        ConflictError
            When the bytes of a version are not those that were committed or registered.
        """
        nodes = [self._registry.resolve(name, version, by=by) for name, version in names]
        for node, (_, version) in zip(nodes, names, strict=True):
            kept = facts_of(node, DataFacts).kind in LAKE_KINDS
            # An older version of a file is read from its twin: the file has moved on.
            if (kept or not version) and (state := self._registry.state(node)) != "current":
                raise ConflictError(
                    f"{node.ref} cannot be read as an input: its bytes are {state}.",
                    "Make that version again, or read another one.",
                    code="input_changed",
                )
        return nodes

    def commit(
        self,
        name: str,
        frame: Any,
        *,
        inputs: list[str],
        source: str = "",
        program: Program | None = None,
        by: str,
    ) -> Node:
        """Apply the dataset's rules to what a curation made, and commit it as a version.

        The same rows from the same program, rules and inputs are the same version.

        Parameters
        ----------
        inputs
            References of the data versions that the frame was made from.
        source
            The source of the function, where nothing else of its program is known.

        Raises
        ------
        ConflictError
            When a rule blocks, or the name is a registered dataset's.
        ReadOnlyError
            When the disk is full; the versions before are as they were.
        """
        program = program or Program(source=source)
        self._check_name(name)
        table = self._engine.to_table(frame)
        applied = self._apply(name, table, inputs, by=by)
        rejected = applied.quarantined if applied is not None and applied.quarantined else None
        self.project.paths.make_state()
        self.project.paths.lake.mkdir(exist_ok=True)
        with (
            self._staged(name, applied.kept if applied is not None else table) as kept,
            self._staged(name + QUARANTINE, rejected) as quarantined,
            locked(self._lock(name)),
        ):
            assert kept is not None  # there is always a table
            if (left := self._pending.read(name)) is not None:
                self._list(left)  # whoever began it is gone: we hold the lock
            same = self._same(name, kept.fingerprint, inputs, program, applied)
            return same or self._add(name, kept, quarantined, inputs, program, applied, by=by)

    def _check_name(self, name: str) -> None:
        if not NAME.fullmatch(name):
            raise InvalidInputError(f"{name!r} cannot be a dataset's name.")
        if name.endswith(QUARANTINE) or not NAME.fullmatch(name + QUARANTINE):
            raise InvalidInputError(
                f"{name} cannot be curated: {name + QUARANTINE} would hold its rejected rows.",
                "Choose a shorter name, without that ending.",
            )
        latest = self.project.chain.latest("data", name)
        if latest is not None and (kind := facts_of(latest, DataFacts).kind) != "curated":
            raise ConflictError(
                f"{name} is registered from a {kind}; a curation cannot take its name.",
                "Curate under another name.",
            )

    def _apply(self, name: str, table: ArrowTable, inputs: list[str], *, by: str) -> Applied | None:
        """Apply the rules; None where none are declared."""
        applied = self._quality.apply(name, table, inputs=inputs)
        if not applied.results:
            return None
        if applied.blocked:
            recorded = ""
            if inputs:
                found = self._quality.facts(applied, dataset=inputs[0])
                recorded = self._quality.record(name, found, by=by).ref
            broken = [r for r in applied.results if r.state in {"blocked", "error"}]
            said = "; ".join(
                f"{r.rule.id} ({r.detail or f'{r.failed:,} rows fail'})" for r in broken
            )
            raise ConflictError(
                f"The rules of {name} keep it from being made: {said}.",
                f"Mend the rows or the rules; {recorded or 'nothing'} tells what was found.",
                code="quality_blocked",
            )
        return applied

    @contextmanager
    def _staged(self, name: str, table: ArrowTable | None) -> Iterator[_Files | None]:
        """Write a table's files, and hash their rows while the next ones are written."""
        if table is None:
            yield None
            return
        sums: list[Future[RowSums]] = []
        with ThreadPoolExecutor(1, thread_name_prefix="fingerprint") as threads:

            def written(file: Path) -> None:
                sums.append(threads.submit(self._engine.row_sums, Table((file,), file.stem, 0)))

            folder = self.project.paths.lake / name
            with self._lake.stage(folder, table, written) as staged:
                total = reduce(add, (done.result() for done in sums))
                yield _Files(folder, staged, total.fingerprint)

    def _same(
        self,
        name: str,
        fingerprint: str,
        inputs: list[str],
        program: Program,
        applied: Applied | None,
    ) -> Node | None:
        """Return the newest version if it is what would be made."""
        latest = self.project.chain.latest("data", name)
        if latest is None or self._registry.state(latest) != "current":
            return None
        facts = facts_of(latest, DataFacts)
        checked = self.project.chain.find(facts.quality) if facts.quality else None
        rules = facts_of(checked, QualityFacts).rules_sha256 if checked is not None else ""
        known = (facts.fingerprint, facts.code_sha256, facts.inputs, facts.parameters, rules)
        made = (
            fingerprint, program.sha256, inputs, program.parameters,
            applied.rules_sha256 if applied is not None else "",
        )  # fmt: skip
        return latest if known == made else None

    def _add(
        self,
        name: str,
        kept: _Files,
        quarantined: _Files | None,
        inputs: list[str],
        program: Program,
        applied: Applied | None,
        *,
        by: str,
    ) -> Node:
        pending = Pending(
            name=name,
            by=by,
            kept=self._part(kept, inputs, program),
            quarantined=self._part(quarantined, inputs, program, kind="quarantine")
            if quarantined is not None
            else None,
            checked=self._quality.facts(applied) if applied is not None else None,
        )
        self._pending.write(pending)
        for files in filter(None, (quarantined, kept)):
            self._lake.commit(files.staged)
            known = dict(zip(files.staged.files, files.staged.hashes, strict=True))
            with suppress(PerijoveError, OSError):  # only a cache
                remember_hashes(self.project.paths, known)
        node = self._list(pending)
        assert node is not None  # it is in the lake
        return node

    def _list(self, pending: Pending) -> Node | None:
        """Put a commit of the lake on the chain; None where the lake does not have it."""
        facts = self._in_lake(pending.kept)
        rejected = self._in_lake(pending.quarantined) if pending.quarantined is not None else None
        name, by, chain = pending.name, pending.by, self.project.chain
        node = None
        if facts is not None:
            with chain.ledger.write():
                known = chain.versions("data", name)
                node = next((n for n in known if _same_commit(n, facts)), None)
                node = node or self._nodes(name, facts, rejected, pending.checked, by=by)
        self._pending.remove(name)
        if node is not None:
            self._registry.write_table(name, DataTable())
        return node

    def _nodes(
        self,
        name: str,
        facts: DataFacts,
        rejected: DataFacts | None,
        checked: QualityFacts | None,
        *,
        by: str,
    ) -> Node:
        chain = self.project.chain
        latest = chain.latest("data", name)
        quality = self._quality.next_ref(name) if checked is not None else ""
        node = chain.add(
            "data", name, msgspec.structs.replace(facts, quality=quality), by=by,
            version=1 if latest is None else latest.version + 1,
            sources=dict.fromkeys(facts.inputs, "input"), action="curate dataset",
        )  # fmt: skip
        aside = ""
        if rejected is not None:
            aside = chain.add(
                "data", name + QUARANTINE, msgspec.structs.replace(rejected, quality=quality), by=by,
                sources={node.ref: "quarantined"}, action="quarantine rows",
            ).ref  # fmt: skip
        if checked is not None:
            found = msgspec.structs.replace(checked, dataset=node.ref, quarantine=aside)
            self._quality.record(name, found, by=by, version=int(quality.rpartition("@")[2]))
        return node

    def _in_lake(self, part: Part) -> DataFacts | None:
        folder = self.project.paths.absolute(part.facts.table)
        version = self._lake.version_with(folder, part.file)
        if version is None:
            return None
        return msgspec.structs.replace(part.facts, delta_version=version)

    def _part(
        self, files: _Files, inputs: list[str], program: Program, kind: Any = "curated"
    ) -> Part:
        info = self._engine.inspect(Table(files.staged.files, files.fingerprint, 0))
        folder = self.project.paths.relative(files.folder)
        facts = DataFacts(
            path=folder,
            kind=kind,
            sha256=files.staged.sha256,
            bytes=files.staged.bytes,
            rows=info.rows,
            columns=info.columns,
            table=folder,
            inputs=inputs,
            code_sha256=program.sha256,
            source=program.source,
            fingerprint=files.fingerprint,
            script=program.script,
            entry=program.entry,
            parameters=program.parameters,
            environment=program.environment,
            unrecorded=list(program.unrecorded),
            unregistered=list(program.unregistered),
        )
        return Part(file=files.staged.files[0].name, facts=facts)

    # What was left half done

    def recover(self) -> list[Node]:
        """List the versions that the lake has and the ledger not, for want of a living process.

        A commit that is under way is left to whoever does it.
        """
        found = []
        for name in self._pending.names():
            with locked(self._lock(name), wait=False) as ours:
                if ours and (pending := self._pending.read(name)) is not None:
                    found.append(self._list(pending))
        return [node for node in found if node is not None]

    def unlisted(self) -> dict[str, list[int]]:
        """Return the versions in the lake that no node names, by dataset.

        They are commits of other programs, and those that :meth:`recover` has not come to.
        """
        found = {}
        lake = self.project.paths.lake
        for folder in sorted(lake.iterdir()) if lake.is_dir() else []:
            known = {
                facts_of(node, DataFacts).delta_version
                for node in self.project.chain.versions("data", folder.name)
            }
            left = [v for v in range(newest_delta(folder) + 1) if v not in known]
            if left:
                found[folder.name] = left
        return found

    def _lock(self, name: str) -> Path:
        return self.project.paths.lake / f".{name}.lock"


@dataclass(frozen=True, slots=True)
class _Files:
    """A table's files, hashed and not committed yet."""

    folder: Path
    staged: Staged
    fingerprint: str


def _same_commit(node: Node, facts: DataFacts) -> bool:
    known = facts_of(node, DataFacts)
    return (known.delta_version, known.sha256) == (facts.delta_version, facts.sha256)
