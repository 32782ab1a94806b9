"""Quality: the rules of a dataset, what they find in its versions, and what should be looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from perijove.contracts.alerts import Alert
from perijove.contracts.chain import Node
from perijove.contracts.quality import (
    QualityFacts,
    QualityHistory,
    QualityResult,
    Rule,
    RuleSet,
    Suggestions,
)
from perijove.contracts.table import Profile, Task
from perijove.core.chain import facts_of, make_ref, ref_name
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, NotFoundError, PerijoveError
from perijove.core.files import sha256_text
from perijove.core.project_file import DataTable
from perijove.data.ports import Applied, ArrowTable, Checked, RuleEngine, Work
from perijove.data.references import References, refs
from perijove.data.registry import Registry
from perijove.data.rules import RuleFiles
from perijove.data.standing import standing_alerts
from perijove.data.suggestions import suggest
from perijove.data.tasks import Tasks


class Quality:
    """The quality of one project's datasets.

    Parameters
    ----------
    project
        The open project.
    registry
        Resolves datasets and their files.
    tasks
        Checks a version in the background.
    engine
        Evaluates rules.
    references
        Finds what foreign keys are looked up in.
    read_schema
        Reads rules from the text of a schema that another library wrote.
    """

    def __init__(
        self,
        project: ProjectContext,
        registry: Registry,
        tasks: Tasks,
        engine: RuleEngine,
        references: References,
        read_schema: Callable[[str], Suggestions],
    ) -> None:
        self.project = project
        self.files = RuleFiles(project)
        self._registry = registry
        self._tasks = tasks
        self._engine = engine
        self._references = references
        self._read_schema = read_schema
        self._newest: dict[str, int | None] = {}

    # Rules

    def rules(self, name: str) -> RuleSet:
        """Return the rules of a dataset, or what is wrong with their file."""
        return self.files.read(name)

    def save(self, name: str, rules: Sequence[Rule], revision: str, *, by: str) -> RuleSet:
        """Write the rules of a dataset.

        Raises
        ------
        InvalidInputError
            When a rule cannot be, such as a pattern that is none.
        ConflictError, ProjectFileError
            See :meth:`RuleFiles.write`.
        """
        faults = self._engine.faults(rules)
        if faults:
            rule, fault = next(iter(faults.items()))
            raise InvalidInputError(f"Rule {rule!r}: {fault}.", code="rule")
        return self.files.write(name, rules, revision, by=by)

    def suggest(self, name: str, profile: Profile) -> Suggestions:
        """Return rules that hold for a profiled version, but for those that are there already."""
        declared = self.project.definition.data.get(name, DataTable())
        return suggest(profile, self.rules(name).rules, time=declared.time)

    def read_schema(self, text: str) -> Suggestions:
        """Return the rules that a pandera schema says.

        Raises
        ------
        InvalidInputError
            When the text is none.
        """
        return self._read_schema(text)

    # Checks

    def apply(self, name: str, table: ArrowTable, *, inputs: Sequence[str] = ()) -> Applied:
        """Apply the rules of ``rules/NAME.toml`` to a table that is to become a version.

        Without a file everything passes, and ``results`` is empty.

        Parameters
        ----------
        inputs
            References of the data versions that the table was made from: a foreign key into one
            of them is looked up in that version, any other in the newest.

        Raises
        ------
        ProjectFileError
            When the rules cannot be understood.
        """
        found = self.files.require(name)
        rules = self._complete(name, found.rules)
        references = self._references.now(rules, inputs)
        applied = self._engine.apply(table, rules, self._references.read(references))
        return replace(
            applied,
            rules_sha256=sha256_text(found.text) if found.text else "",
            references=refs(references),
        )

    def check(self, name: str, version: int = 0, *, by: str) -> Task:
        """Check a version in the background, and put what is found on the chain."""
        node = self._registry.resolve(name, version, by=by)
        found = self.files.require(name)
        if not found.rules:
            raise NotFoundError(
                f"{name} has no rules.",
                f"Add some, or write {found.path}.",
                code="no_rules",
            )
        key = f"check:{node.ref}:{found.revision}"
        return self._tasks.start(
            "check", f"Check {name} v{node.version}", key,
            lambda work: self._check(node, found, work, by=by),
        )  # fmt: skip

    def _check(self, node: Node, found: RuleSet, work: Work, *, by: str) -> None:
        rules = self._complete(node.name, found.rules)
        references = self._references.now(rules, [])
        tables = {
            key: (self._registry.table(one.node), one.column) for key, one in references.items()
        }
        checked = self._engine.check(
            self._registry.table(node), rules, tables, work=work,
            scratch=self.project.paths.cache / "scratch",
        )  # fmt: skip
        work.report(1.0)  # the last moment for a cancel: what follows stays
        facts = _facts(
            node.ref, checked, kept=checked.rows, rules_sha256=sha256_text(found.text),
            references=refs(references),
        )  # fmt: skip
        self.record(node.name, facts, by=by)

    def facts(self, applied: Applied, *, dataset: str = "", quarantine: str = "") -> QualityFacts:
        """Tell what :meth:`record` puts on the chain.

        Parameters
        ----------
        dataset
            Reference of the version; of the first input where a block kept it from being made.
        quarantine
            Reference of the quarantined rows.
        """
        return _facts(
            dataset, applied, kept=applied.kept.num_rows, rules_sha256=applied.rules_sha256,
            references=applied.references, quarantined=applied.quarantined.num_rows,
            fixed=applied.fixed, dropped=applied.dropped, quarantine=quarantine,
        )  # fmt: skip

    def record(
        self, name: str, facts: QualityFacts, *, by: str, version: int | None = None
    ) -> Node:
        """Put a check's result on the chain as ``quality:NAME@N``, behind the checked version.

        Parameters
        ----------
        name
            The dataset whose rules these are.
        version
            A number that the caller has already written down, else the next free one.
        """
        return self.project.chain.add(
            "quality", name, facts, by=by, sources={facts.dataset: "checked"}, version=version,
            action="check rules",
        )  # fmt: skip

    def next_ref(self, name: str) -> str:
        """The reference that the next :meth:`record` will have, for whoever holds the lock."""
        latest = self.project.chain.latest("quality", name)
        return make_ref("quality", name, 1 if latest is None else latest.version + 1)

    def history(self, name: str) -> QualityHistory:
        """Return what checks by a dataset's rules found, newest first."""
        self._registry.get(name)
        items = []
        for node in self.project.chain.versions("quality", name):
            facts = facts_of(node, QualityFacts)
            own = ref_name(facts.dataset) == name
            version = int(facts.dataset.rpartition("@")[2]) if own else 0
            items.append(
                QualityResult(ref=node.ref, version=version, at=node.at, by=node.by, facts=facts)
            )
        return QualityHistory(name=name, items=items)

    def watch(self) -> list[Alert]:
        """Return the alerts that should stand now: old data, other columns, blocked versions."""
        return standing_alerts(self.project, self._newest_value)

    def _newest_value(self, node: Node, column: str) -> int | None:
        """Ask once for each version: its rows stay as they are."""
        if node.ref not in self._newest:
            try:
                table = self._registry.table(node)
                self._newest[node.ref] = self._engine.newest(table, column)
            except PerijoveError:
                return None  # what is wrong with the bytes is told where they are looked at
        return self._newest[node.ref]

    def _complete(self, name: str, rules: Sequence[Rule]) -> list[Rule]:
        """Fill in the declared time column where a rule of freshness names none."""
        time = self.project.definition.data.get(name, DataTable()).time
        return [
            msgspec.structs.replace(rule, columns=[time])
            if rule.check == "freshness" and not rule.columns and time
            else rule
            for rule in rules
        ]


def _facts(
    dataset: str, checked: Checked, *, kept: int, rules_sha256: str,
    references: Mapping[str, str], quarantined: int = 0, fixed: int = 0, dropped: int = 0,
    quarantine: str = "",
) -> QualityFacts:  # fmt: skip
    return QualityFacts(
        dataset=dataset, rows=checked.rows, kept=kept, quarantined=quarantined, fixed=fixed,
        dropped=dropped, blocked=checked.blocked, results=checked.results,
        rules_sha256=rules_sha256, quarantine=quarantine, seconds=round(checked.seconds, 3),
        references=dict(references),
    )  # fmt: skip
