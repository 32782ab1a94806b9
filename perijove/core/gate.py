"""The gate: a registry of checks that the steps contribute to.

Deploy asks all of them and knows none. What cannot be known is ``unknown``, and only ``pass``
opens the gate. The four faults of a careless deployment each meet a check: no target, answers
among the inputs, a model that is not the best one, no monitor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from perijove.contracts.chain import Node
from perijove.contracts.deploy import Gate, GateCheck, ModelFacts
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext

Step = Literal["problem", "data", "develop", "deploy", "monitor", "operate"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is checked: a model version, and the endpoint that it is meant for."""

    project: ProjectContext
    model: Node
    facts: ModelFacts
    endpoint: str


Check = Callable[[Candidate], GateCheck]


@dataclass(frozen=True, slots=True)
class Question:
    """What one check asks; it is answered with one of three states."""

    id: str
    step: Step
    title: str

    def passes(self, detail: str) -> GateCheck:
        return self._answer("pass", detail)

    def fails(self, detail: str, fix: str, items: Sequence[str] = ()) -> GateCheck:
        """Say what is wrong, how to mend it, and which numbers or columns it is."""
        return self._answer("fail", detail, fix, items)

    def unknown(self, detail: str, fix: str) -> GateCheck:
        """Say what cannot be known; the gate stays shut."""
        return self._answer("unknown", detail, fix)

    def _answer(
        self,
        state: Literal["pass", "fail", "unknown"],
        detail: str,
        fix: str = "",
        items: Sequence[str] = (),
    ) -> GateCheck:
        return GateCheck(
            id=self.id, step=self.step, title=self.title, state=state,
            detail=detail, items=list(items), fix=fix,
        )  # fmt: skip


class GateRegistry:
    """Checks in the order of the steps."""

    def __init__(self) -> None:
        self._checks: list[Check] = []

    def add(self, *checks: Check) -> None:
        self._checks += checks

    def evaluate(self, project: ProjectContext, model: str, endpoint: str = "") -> Gate:
        """Ask every check about a model version.

        Raises
        ------
        NotFoundError
            When there is no such model version.
        """
        node = project.chain.get(model)
        candidate = Candidate(project, node, facts_of(node, ModelFacts), endpoint)
        checks = [check(candidate) for check in self._checks]
        return Gate(
            model=model, passed=all(check.state == "pass" for check in checks), checks=checks
        )
