"""Splits: a version's train, validation and test rows, fixed once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts, Dataset, SplitFacts, SplitPart, SplitRequest
from perijove.core.chain import facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError, NotFoundError
from perijove.core.project_file import DataTable
from perijove.data.ports import ArrowTable, DataEngine
from perijove.data.registry import Registry

DEFAULT_PARTS = {"train": 0.7, "test": 0.3}
Method = Literal["time", "group", "hash"]


class Splits:
    """The splits of one project's data versions.

    By time the parts follow one another. By group equal values of a column stay together, and the
    hash of the value decides: a group is in the same part of every version. By hash it is the
    hash of the row's number.
    """

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
        method: Method | None = None,
        by: str = "",
    ) -> Node:
        """Return the split of a data version; the first call fixes it.

        Parameters
        ----------
        parts
            Name to share; as it is, or 70 % to train and 30 % to test, when left out.
        column
            That orders the rows, or whose equal values stay together.
        method
            By time where a column is given or a time column is declared, and else by hash, when
            left out.

        Raises
        ------
        ConflictError
            When the version is split already, and otherwise than asked for.
        """
        existing = self.project.chain.find(make_ref("split", node.name, node.version))
        if existing is not None and parts is None and method is None and not column:
            return existing
        facts = facts_of(node, DataFacts)
        method, column = self._how(node, facts, method, column)
        shares = _shares(parts or DEFAULT_PARTS)
        counts = (
            self._engine.group_counts(
                self._registry.read(node, [column]), column, list(shares.values())
            )
            if method == "group"
            else _counts(facts.rows, list(shares.values()))
        )
        wanted = SplitFacts(
            dataset=node.ref, method=method, column=column, parts=_parts(list(shares), counts)
        )
        empty = [part.name for part in wanted.parts if not part.rows]
        if empty and facts.rows and method == "group":
            raise InvalidInputError(
                f"{column} has too few groups: none falls to {empty[0]}.",
                "Split by a column with more values, or give that part a larger share.",
            )
        if existing is not None:
            if parts is not None and facts_of(existing, SplitFacts) != wanted:
                raise ConflictError(
                    f"{node.ref} was split otherwise already, and models were measured on it.",
                    "Keep the split, or curate a new version and split that.",
                    code="split_fixed",
                )
            return existing
        return self.project.chain.add(
            "split",
            node.name,
            wanted,
            by=by or self.project.actor,
            sources={node.ref: "rows"},
            version=node.version,
            action="split dataset",
        )

    def make(self, name: str, request: SplitRequest, *, by: str) -> Dataset:
        """Fix the parts of one version, and describe it."""
        node = self.project.chain.get(make_ref("data", name, request.version))
        self.ensure(
            node, request.parts or DEFAULT_PARTS, request.column, method=request.method, by=by
        )
        return self._registry.describe(node)

    def read(self, node: Node, part: str, columns: Sequence[str] | None = None) -> ArrowTable:
        """Return the rows of one part of a version's split; by time in that order.

        Parameters
        ----------
        columns
            Those wanted, in that order; all when left out.
        """
        split = facts_of(self.ensure(node), SplitFacts)
        for candidate in split.parts:
            if candidate.name == part:
                needed = None
                if columns is not None:
                    needed = [*columns, *({split.column} - {"", *columns})]
                rows = self._engine.part(self._registry.read(node, needed), split, candidate)
                return rows if columns is None else rows.select(list(columns))
        raise NotFoundError(
            f"The split of {node.ref} has no part {part!r}.",
            f"It has {', '.join(p.name for p in split.parts)}.",
            code="split_part_not_found",
        )

    def _how(
        self, node: Node, facts: DataFacts, method: Method | None, column: str
    ) -> tuple[Method, str]:
        if method is None or (method == "time" and not column):
            declared = self.project.definition.data.get(node.name, DataTable()).time
            column = column or declared
            method = method or ("time" if column else "hash")
        if method == "hash":
            return method, ""
        if not column:
            raise InvalidInputError(
                f"A split by {method} needs a column.",
                "Name the column, or declare the time column of the dataset."
                if method == "time"
                else "Name the column whose equal values stay together.",
            )
        if column not in [c.name for c in facts.columns]:
            raise InvalidInputError(
                f"{node.name} has no column {column!r} to split by.",
                f"Its columns are {', '.join(c.name for c in facts.columns)}.",
            )
        return method, column


def _shares(shares: dict[str, float]) -> dict[str, float]:
    """Return the parts that have a share."""
    wrong = [n for n, share in shares.items() if not 0 <= share <= 1]
    if wrong or abs(sum(shares.values()) - 1) > 1e-6:
        raise InvalidInputError(
            f"The parts {shares} do not make up the whole.", "Give shares that add up to 1."
        )
    return {name: share for name, share in shares.items() if share > 0}


def _counts(rows: int, shares: list[float]) -> list[int]:
    ends, passed = [0], 0.0
    for share in shares:
        passed += share
        ends.append(round(rows * passed))
    return [end - start for start, end in pairwise(ends)]


def _parts(names: list[str], counts: list[int]) -> list[SplitPart]:
    parts: list[SplitPart] = []
    start = 0
    for name, count in zip(names, counts, strict=True):
        parts.append(SplitPart(name=name, start=start, rows=count))
        start += count
    return parts
