"""References of foreign keys: which version of which dataset holds the values that may be there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts
from perijove.contracts.quality import QualityFacts, Rule
from perijove.core.chain import facts_of, ref_name
from perijove.core.context import ProjectContext
from perijove.data.ports import ArrowTable
from perijove.data.registry import Registry


@dataclass(frozen=True, slots=True)
class Reference:
    """Where the values of a foreign key are."""

    node: Node
    column: str


class References:
    """Finds what ``DATASET.COLUMN`` of a rule means.

    Names of datasets and of columns may hold dots: the longest dataset's name that has such a
    column counts. Of an input it is the version that was read; of any other dataset the newest one
    when the rules are applied, which the check's node records.
    """

    def __init__(self, project: ProjectContext, registry: Registry) -> None:
        self._chain = project.chain
        self._registry = registry

    def now(self, rules: Iterable[Rule], inputs: Sequence[str]) -> dict[str, Reference]:
        """Find the versions to look values up in; what is not there is left out.

        Parameters
        ----------
        inputs
            References of the data versions that the checked table was made from.
        """
        pinned = {ref_name(ref): ref for ref in inputs}

        def version(name: str) -> Node | None:
            if name in pinned:
                return self._chain.get(pinned[name])
            known = self._chain.latest("data", name) is not None
            return self._registry.resolve(name) if known else None

        return self._all(rules, lambda _: version)

    def then(self, checked: QualityFacts, inputs: Sequence[str], at: int) -> dict[str, Reference]:
        """Find the versions that values were looked up in.

        Parameters
        ----------
        at
            When: a check of a time when they were not recorded had the newest ones then.
        """
        pinned = {ref_name(ref): ref for ref in inputs}

        def version(name: str) -> Node | None:
            if name in pinned:
                return self._chain.get(pinned[name])
            older = (node for node in self._chain.versions("data", name) if node.at <= at)
            return max(older, key=lambda node: node.version, default=None)

        def recorded(key: str) -> Callable[[str], Node | None]:
            ref = checked.references.get(key, "")
            return lambda name: self._chain.get(ref) if name == ref_name(ref) else None

        rules = [result.rule for result in checked.results]
        return self._all(rules, lambda key: recorded(key) if key in checked.references else version)

    def read(self, found: Mapping[str, Reference]) -> dict[str, ArrowTable]:
        """Return the values, a table of one column each."""
        return {key: self._registry.read(one.node, [one.column]) for key, one in found.items()}

    def _all(
        self, rules: Iterable[Rule], versions: Callable[[str], Callable[[str], Node | None]]
    ) -> dict[str, Reference]:
        keys = {rule.references for rule in rules if rule.references}
        found = {key: _locate(key, versions(key)) for key in sorted(keys)}
        return {key: one for key, one in found.items() if one is not None}


def refs(found: Mapping[str, Reference]) -> dict[str, str]:
    """Tell the versions as a check's node records them."""
    return {key: one.node.ref for key, one in found.items()}


def _locate(key: str, version: Callable[[str], Node | None]) -> Reference | None:
    for at in reversed([at for at, letter in enumerate(key) if letter == "."]):
        name, column = key[:at], key[at + 1 :]
        node = version(name)
        if node is None:
            continue
        if any(known.name == column for known in facts_of(node, DataFacts).columns):
            return Reference(node, column)
    return None
