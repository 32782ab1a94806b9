"""History: the versions of a dataset, and what two of them differ in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from perijove.contracts.chain import Node
from perijove.contracts.data import (
    ColumnChange,
    DataFacts,
    DataVersion,
    DataVersions,
    QualitySummary,
    VersionDiff,
)
from perijove.contracts.quality import QualityFacts
from perijove.core.chain import facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.core.files import sha256_text, write_atomically
from perijove.data.making import proof_of
from perijove.data.ports import DataEngine
from perijove.data.registry import Registry

MOST_COLUMNS: Final = 1000
"""That are compared by one request."""
DIFF_FORMAT = 2
"""Of what is kept of a comparison; another number has it done again."""


class History:
    """The past of one project's datasets.

    Parameters
    ----------
    obstacle
        Tells why a version cannot be made again.
    """

    def __init__(
        self,
        project: ProjectContext,
        registry: Registry,
        engine: DataEngine,
        obstacle: Callable[[Node], str],
    ) -> None:
        self.project = project
        self._registry = registry
        self._engine = engine
        self._obstacle = obstacle

    def versions(self, name: str) -> DataVersions:
        """Return the versions of a dataset, newest first."""
        chain = self.project.chain
        nodes = sorted(chain.versions("data", name), key=lambda node: -node.version)
        if not nodes:
            raise NotFoundError(
                f"The project has no dataset {name!r}.",
                "Register a file, or curate it in a notebook.",
                code="dataset_not_found",
            )
        return DataVersions(name=name, items=[self._describe(node) for node in nodes])

    def _describe(self, node: Node) -> DataVersion:
        facts = facts_of(node, DataFacts)
        proofs = self.project.chain.results(node.ref, "proof")
        return DataVersion(
            ref=node.ref,
            version=node.version,
            at=node.at,
            by=node.by,
            kind=facts.kind,
            rows=facts.rows,
            bytes=facts.bytes,
            columns=len(facts.columns),
            state=self._registry.state(node),
            inputs=facts.inputs,
            quality=self.quality(node),
            proof=proof_of(proofs[-1]) if proofs else None,
            obstacle=self._obstacle(node),
        )

    def quality(self, node: Node) -> QualitySummary | None:
        """Return the newest check of a version in one line."""
        # Where a block kept a curation from its version, its check is about the first input.
        checks = self.project.chain.results(node.ref, "quality")
        own = [check for check in checks if check.name == node.name]
        if not own:
            return None
        facts = facts_of(own[-1], QualityFacts)
        failed = [one for one in facts.results if one.state not in ("pass", "fixed")]
        return QualitySummary(
            ref=own[-1].ref,
            state="blocked" if facts.blocked else "warn" if failed else "pass",
            rules=len(facts.results),
            failed=len(failed),
            quarantined=facts.quarantined,
            fixed=facts.fixed,
        )

    def diff(
        self, name: str, base: int, version: int, start: int = 0, limit: int = 200
    ) -> VersionDiff:
        """Compare two versions; the order of columns and of rows is left aside.

        The result is kept: versions do not change.

        Parameters
        ----------
        start, limit
            The columns whose values are compared, of those that both have, in the later version's
            order.
        """
        if start < 0 or not 1 <= limit <= MOST_COLUMNS:
            raise InvalidInputError(
                f"The values of {limit:,} columns from {start:,} on cannot be compared.",
                f"Ask for 1 to {MOST_COLUMNS:,} columns at a time.",
            )
        before, after = (
            self.project.chain.get(make_ref("data", name, number)) for number in (base, version)
        )
        tables = self._registry.table(before), self._registry.table(after)
        kept = self.project.paths.cache / "diffs" / (
            sha256_text(f"{DIFF_FORMAT}\0{tables[0].key}\0{tables[1].key}\0{start}\0{limit}")[:32] + ".json"
        )  # fmt: skip
        if kept.is_file():
            found = msgspec.json.decode(kept.read_bytes(), type=VersionDiff)
            return msgspec.structs.replace(found, base=before.ref, version=after.ref)
        old, new = facts_of(before, DataFacts), facts_of(after, DataFacts)
        scratch = self.project.paths.cache / "scratch"
        # Rows are compared once, however many columns there are.
        first = self.diff(name, base, version) if start else None
        compared = self._engine.compare(*tables, start=start, limit=limit, scratch=scratch)
        diff = VersionDiff(
            base=before.ref,
            version=after.ref,
            columns=column_changes(old, new),
            rows_before=old.rows,
            rows_after=new.rows,
            added=first.added if first is not None else compared.added,
            removed=first.removed if first is not None else compared.removed,
            distributions=compared.distributions,
            common=compared.common,
            start=start,
        )
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, msgspec.json.encode(diff), durable=False)
        return diff


def column_changes(before: DataFacts, after: DataFacts) -> list[ColumnChange]:
    """Tell what became of the columns, in the later version's order and the removed ones last."""
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    changes = []
    for name, column in new.items():
        earlier = old.get(name)
        if earlier is None:
            changes.append(ColumnChange(column=name, change="added", before="", after=column.type))
            continue
        if earlier.type != column.type:
            changes.append(
                ColumnChange(column=name, change="type", before=earlier.type, after=column.type)
            )
        if earlier.nulls != column.nulls:
            changes.append(
                ColumnChange(
                    column=name, change="nulls", before=str(earlier.nulls), after=str(column.nulls)
                )
            )
    return changes + [
        ColumnChange(column=name, change="removed", before=column.type, after="")
        for name, column in old.items()
        if name not in new
    ]
