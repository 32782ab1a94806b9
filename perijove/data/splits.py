"""Splits: a version's train, validation and test rows, fixed once."""

from __future__ import annotations

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts, SplitFacts, SplitPart
from perijove.core.chain import facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError, NotFoundError
from perijove.core.project_file import DataTable
from perijove.data.ports import ArrowTable, DataEngine
from perijove.data.registry import Registry

DEFAULT_PARTS = {"train": 0.7, "test": 0.3}


class Splits:
    """The splits of one project's data versions."""

    def __init__(self, project: ProjectContext, registry: Registry, engine: DataEngine) -> None:
        self.project = project
        self._registry = registry
        self._engine = engine

    def ensure(
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

    def read(self, node: Node, part: str) -> ArrowTable:
        """Return the rows of one part of a version's split, in the split's order."""
        split = facts_of(self.ensure(node), SplitFacts)
        for candidate in split.parts:
            if candidate.name == part:
                return self._engine.ordered(
                    self._registry.read(node), split.column, candidate.start, candidate.rows
                )
        raise NotFoundError(
            f"The split of {node.ref} has no part {part!r}.",
            f"It has {', '.join(p.name for p in split.parts)}.",
            code="split_part_not_found",
        )


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
