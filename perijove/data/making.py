"""Making: curated versions made once more, as a proof, or anew from what the inputs are now."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts, Proof
from perijove.contracts.jobs import Job
from perijove.contracts.quality import QualityFacts
from perijove.core import jobs
from perijove.core.chain import ProofFacts, facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    NotFoundError,
    PerijoveError,
    UnsupportedError,
)
from perijove.core.files import sha256_text
from perijove.core.jobs import JobRunner, JobSpec
from perijove.data.curation import Curation, Program
from perijove.data.ports import ArrowTable, DataEngine, Lake, Programs, RowSums, RuleEngine, Table
from perijove.data.references import References
from perijove.data.registry import LAKE_KINDS, Registry


class Making:
    """Runs recorded programs.

    Parameters
    ----------
    project
        The open project.
    registry
        Resolves datasets and their files.
    curation
        Commits what a program made of its inputs' newest versions.
    engine, lake
        Hash the rows of a version that was made again.
    rules
        Applies the rules as they were.
    references
        Finds what their foreign keys were looked up in.
    programs
        Loads a recorded program into this process: one that was started for it.
    runner
        Starts such a process.
    """

    def __init__(
        self,
        project: ProjectContext,
        registry: Registry,
        curation: Curation,
        engine: DataEngine,
        lake: Lake,
        rules: RuleEngine,
        references: References,
        programs: Programs,
        runner: JobRunner,
    ) -> None:
        self.project = project
        self._registry = registry
        self._curation = curation
        self._engine = engine
        self._lake = lake
        self._rules = rules
        self._references = references
        self._programs = programs
        self._runner = runner

    # Jobs

    def make_again(self, name: str, version: int = 0, *, by: str = "") -> Job:
        """Start a job that makes a version again and proves it; 0 is the newest.

        Raises
        ------
        ConflictError
            When it cannot be made again, saying why.
        """
        node = self._version(name, version)
        self._check(node)
        return self._submit("make_again", f"Make {name} v{node.version} again", node.ref, node, by)

    def curate(self, name: str, by: str = "") -> Job:
        """Start a job that runs the newest version's program on its inputs' newest versions.

        Raises
        ------
        ConflictError
            When the program is not known well enough, saying why.
        """
        node = self._version(name, 0)
        if reason := self._unrecorded(node):
            raise _obstacle(node, reason)
        return self._submit("curate", f"Curate {name}", f"data:{name}", node, by)

    def _submit(self, kind: str, title: str, subject: str, node: Node, by: str) -> Job:
        by = by or self.project.actor
        what = node.ref if kind == "make_again" else node.name
        argv = jobs.command(kind, what, by=by)
        return self._runner.submit(JobSpec(kind, title, subject, argv, by))

    # What a job's process does

    def prove(self, ref: str, *, by: str = "") -> Proof:
        """Make a version again in a folder of its own, and put on the chain whether it is the same.

        The inputs are read in the versions that it was made from, and the rules are those that
        were applied then. Nothing of it becomes a version.

        Raises
        ------
        ConflictError
            When the version, its inputs or its program are not what they were.
        UnsupportedError
            When the program cannot be loaded here, or fails.
        """
        node = self.project.chain.get(ref)
        self._check(node)
        facts = facts_of(node, DataFacts)
        began = time.monotonic()
        jobs.report(0.05, "reading the inputs")
        tables = [self._registry.read(self.project.chain.get(ref)) for ref in facts.inputs]
        jobs.report(0.2, "running the program")
        frame = self._run(facts, tables)
        table = self._engine.to_table(frame)
        jobs.report(0.6, "applying the rules")
        table = self._ruled(node, facts, table)
        jobs.report(0.7, "comparing the rows")
        made = self._sums(node.name, table)
        expected = self._expected(node, facts, made)
        proof = ProofFacts(
            dataset=node.ref,
            same=made.fingerprint == expected,
            rows=made.rows,
            fingerprint=made.fingerprint,
            seconds=time.monotonic() - began,
            job=folder.name if (folder := jobs.job_folder()) is not None else "",
            differences=_differences(
                facts.environment, self._programs.environment(facts.environment)
            ),
        )
        kept = self.project.chain.add(
            "proof", f"{node.name}@{node.version}", proof, by=by or self.project.actor,
            sources={node.ref: "proved"}, action="make again",
        )  # fmt: skip
        return proof_of(kept)

    def renew(self, name: str, *, by: str = "") -> Node:
        """Run the newest version's program on its inputs' newest versions, and commit the result.

        Where nothing has changed it is the newest version.
        """
        node = self._version(name, 0)
        if reason := self._unrecorded(node):
            raise _obstacle(node, reason)
        facts = facts_of(node, DataFacts)
        by = by or self.project.actor
        jobs.report(0.05, "reading the inputs")
        loaded = self._programs.load(facts.script, facts.entry)
        inputs = self._curation.inputs(loaded.inputs, by=by)
        tables = [self._registry.read(node) for node in inputs]
        jobs.report(0.2, "running the program")
        frame = _guarded(lambda: loaded.make(tables, facts.parameters))
        jobs.report(0.7, "committing")
        program = Program(
            source=facts.source, script=facts.script, entry=facts.entry,
            parameters=facts.parameters, environment=self._programs.environment(facts.environment),
        )  # fmt: skip
        return self._curation.commit(
            name, frame, inputs=[node.ref for node in inputs], program=program, by=by
        )

    def obstacle(self, node: Node) -> str:
        """Tell why a version cannot be made again; empty when nothing is known against it."""
        reason = self._unrecorded(node)
        if reason:
            return reason
        for ref in facts_of(node, DataFacts).inputs:
            found = self.project.chain.find(ref)
            if found is None:
                return f"Its input {ref} is not in the chain."
            facts = facts_of(found, DataFacts)
            if facts.kind in LAKE_KINDS or facts.table == facts.path:
                state = self._registry.state(found)
            else:
                there = self.project.paths.absolute(facts.table).exists()
                state = "current" if there else self._registry.state(found)
            if state != "current":
                return f"The bytes of its input {ref} are {_gone(state)}."
        return ""

    def _unrecorded(self, node: Node) -> str:
        facts = facts_of(node, DataFacts)
        if facts.kind == "quarantine":
            return f"It is made with {node.name.removesuffix('.quarantine')}."
        if facts.kind != "curated":
            return "It was registered, not made by a program."
        if facts.unrecorded:
            names = ", ".join(facts.unrecorded)
            return f"Its function uses what no program can carry: {names}."
        if not facts.script:
            return "Its program was not recorded."
        if sha256_text(facts.script) != facts.code_sha256:
            return "Its recorded program is not the one that made it: its hash differs."
        return ""

    def _check(self, node: Node) -> None:
        if reason := self.obstacle(node):
            raise _obstacle(node, reason)

    def _version(self, name: str, version: int) -> Node:
        chain = self.project.chain
        latest = (
            chain.get(make_ref("data", name, version)) if version else chain.latest("data", name)
        )
        if latest is None:
            raise NotFoundError(
                f"The project has no dataset {name!r}.",
                "Curate it once in a notebook, with @pj.curate.",
                code="dataset_not_found",
            )
        return latest

    def _run(self, facts: DataFacts, tables: Sequence[ArrowTable]) -> Any:
        loaded = self._programs.load(facts.script, facts.entry)
        return _guarded(lambda: loaded.make(tables, facts.parameters))

    def _ruled(self, node: Node, facts: DataFacts, table: ArrowTable) -> ArrowTable:
        """Apply the rules that let the version pass."""
        if not facts.quality:
            return table
        checked = facts_of(self.project.chain.get(facts.quality), QualityFacts)
        rules = [result.rule for result in checked.results]
        then = self._references.then(checked, facts.inputs, node.at)
        return self._rules.apply(table, rules, self._references.read(then)).kept

    def _sums(self, name: str, table: ArrowTable) -> RowSums:
        """Hash rows as those of a version are: from files, by the data worker."""
        files: list[Path] = []
        self.project.paths.cache.mkdir(parents=True, exist_ok=True)
        with (
            TemporaryDirectory(dir=self.project.paths.cache, prefix="made-again-") as folder,
            self._lake.stage(Path(folder, name), table, files.append),
        ):
            return reduce(add, (self._engine.row_sums(Table((f,), f.stem, 0)) for f in files))

    def _expected(self, node: Node, facts: DataFacts, made: RowSums) -> str:
        """Return the version's fingerprint by the method that hashed what was made."""
        if facts.fingerprint.partition(":")[0] == made.method:
            return facts.fingerprint
        if (state := self._registry.state(node)) != "current":
            raise ConflictError(
                f"{node.ref} was hashed by another method, and its own bytes are {_gone(state)}.",
                "Without them nothing can be compared.",
                code="not_reproducible",
            )
        return self._engine.row_sums(self._registry.table(node)).fingerprint


def proof_of(node: Node) -> Proof:
    """Tell a proof of the chain."""
    facts = facts_of(node, ProofFacts)
    return Proof(
        ref=node.ref, at=node.at, by=node.by, same=facts.same, rows=facts.rows,
        fingerprint=facts.fingerprint, seconds=facts.seconds, differences=facts.differences,
    )  # fmt: skip


def _guarded(run: Any) -> Any:
    """Run the user's function; what it raises is told with the line that raised it."""
    try:
        return run()
    except PerijoveError:
        raise
    except Exception as error:  # the boundary to the user's program
        import traceback

        traceback.print_exc()
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise UnsupportedError(
            f"The program failed: {type(error).__name__}: {error}.",
            f"At {last.filename}, line {last.lineno}: {last.line or last.name}",
            code="program_failed",
        ) from error


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{name} {before.get(name, 'none')} -> {now.get(name, 'none')}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def _gone(state: str) -> str:
    return "gone" if state == "missing" else state


def _obstacle(node: Node, reason: str) -> ConflictError:
    return ConflictError(
        f"{node.ref} cannot be made again. {reason}",
        "Curate it once more with what is missing in place.",
        code="not_reproducible",
    )
