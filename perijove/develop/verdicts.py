"""Which models a run made, and how Perijove's own measurements of them meet the targets."""

from __future__ import annotations

from dataclasses import dataclass

from perijove.contracts.base import to_float
from perijove.contracts.develop import KpiVerdict
from perijove.contracts.problem import Kpi
from perijove.core.chain import EvaluationFacts, facts_of, ref_name
from perijove.core.context import ProjectContext
from perijove.core.leakage import judge, leaks_of
from perijove.core.metrics import METRICS, better


@dataclass(frozen=True, slots=True)
class Measured:
    """The newest measurement of one model on one KPI: nobody may try until one passes."""

    model: str
    run_id: str
    data: str
    """Reference of the data version."""
    value: float
    leaks: tuple[str, ...] = ()
    """The model's inputs that tell the answer."""


def targets(project: ProjectContext) -> list[Kpi]:
    """Return the KPIs whose metric Perijove can measure."""
    return [kpi for kpi in project.definition.kpi if kpi.metric in METRICS]


def measurements(project: ProjectContext) -> dict[Kpi, list[Measured]]:
    """Return the newest measurement of each model on each KPI."""
    kpis = targets(project)
    if not kpis:
        return {}
    seen: dict[tuple[str, str, str, str], Measured] = {}
    for node in project.chain.versions("evaluation"):  # newest first
        facts = facts_of(node, EvaluationFacts)
        name = ref_name(facts.data)
        key = (facts.metric, name, facts.split, facts.model)
        if key not in seen:
            leaks = leaks_of(project.chain, project.definition, facts.model)
            seen[key] = Measured(
                facts.model, facts.run_id, facts.data, to_float(facts.value), tuple(leaks)
            )
    return {
        kpi: [found for key, found in seen.items() if key[:3] == (kpi.metric, kpi.data, kpi.split)]
        for kpi in kpis
    }


def best(kpi: Kpi, found: list[Measured]) -> Measured | None:
    """Return the best of some measurements; NaN only when there is nothing else."""
    top: Measured | None = None
    for one in found:
        if top is None or top.value != top.value or better(one.value, top.value, kpi.direction):
            top = one
    return top


class Verdicts:
    """The models and verdicts of every run, read from the chain once."""

    def __init__(self, project: ProjectContext) -> None:
        self.measured = measurements(project)
        self._models: dict[str, list[str]] = {}
        for node in reversed(project.chain.versions("model")):
            self._models.setdefault(str(node.facts.get("run_id", "")), []).append(node.ref)

    def models(self, run_id: str) -> list[str]:
        """Return the model versions that a run made, oldest first."""
        return self._models.get(run_id, [])

    def of(self, run_id: str) -> list[KpiVerdict]:
        """Return a verdict for each KPI that a model of the run was measured on, its best."""
        found = []
        for kpi, measured in self.measured.items():
            top = best(kpi, [one for one in measured if one.run_id == run_id])
            if top is not None:
                found.append(judge(kpi, top.value, data=top.data, leaks=list(top.leaks)))
        return found
