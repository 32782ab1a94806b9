"""What Perijove measured of models on the targets: which number counts, and which is the best.

The gate, the pages and the sidebar all ask here, so that they say the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from perijove.contracts.base import to_float
from perijove.contracts.chain import Node
from perijove.contracts.deploy import ModelFacts
from perijove.contracts.develop import KpiVerdict
from perijove.contracts.problem import Kpi
from perijove.core.chain import EvaluationFacts, facts_of
from perijove.core.context import ProjectContext
from perijove.core.leakage import judge, leaking_inputs, learnt
from perijove.core.metrics import better
from perijove.core.targets import concerned, targets


@dataclass(frozen=True, slots=True)
class Measured:
    """The newest measurement of one model on one KPI and one version of its data."""

    model: str
    run_id: str
    data: str
    """Reference of the data version."""
    split: str
    value: float
    leaks: tuple[str, ...] = ()
    """The model's inputs that tell the answer."""
    learnt: bool = False
    """The model was trained on these very rows."""

    @property
    def version(self) -> int:
        """The data version's number."""
        return int(self.data.rpartition("@")[2])

    @property
    def honest(self) -> bool:
        """Whether the number is worth something: no answer leaks, and the rows are new to it."""
        return not self.leaks and not self.learnt


def by_rows(project: ProjectContext) -> dict[Kpi, list[Measured]]:
    """Return the newest measurement of each model on each KPI and each version of its data.

    The newest counts, not the best: nobody may try until one passes.
    """
    chain, definition = project.chain, project.definition
    found: dict[Kpi, dict[tuple[str, str], Measured]] = {kpi: {} for kpi in targets(project)}
    if not found:
        return {}
    models: dict[str, tuple[ModelFacts | None, tuple[str, ...]]] = {}
    for node in chain.versions("evaluation"):  # newest first
        facts = facts_of(node, EvaluationFacts)
        key = (facts.model, facts.data)
        kpis = [kpi for kpi, one in found.items() if facts.measures(kpi) and key not in one]
        if not kpis:
            continue
        if facts.model not in models:
            model = chain.find(facts.model)
            known = None if model is None else facts_of(model, ModelFacts)
            leaks = tuple(leaking_inputs(definition, known)) if known else ()
            models[facts.model] = known, leaks
        known, leaks = models[facts.model]
        reason = learnt(chain, facts.model, known, facts.data, facts.split) if known else None
        one = Measured(
            facts.model, facts.run_id, facts.data, facts.split, to_float(facts.value), leaks,
            reason is not None and reason.certain,
        )  # fmt: skip
        for kpi in kpis:
            found[kpi][key] = one
    return {kpi: list(one.values()) for kpi, one in found.items()}


def current(found: Iterable[Measured]) -> list[Measured]:
    """Return the measurement of each model that counts: that on the newest version of the data.

    So a number on older rows, measured to compare, replaces none on newer ones.
    """
    kept: dict[str, Measured] = {}
    for one in found:
        if one.model not in kept or one.version > kept[one.model].version:
            kept[one.model] = one
    return list(kept.values())


def measurements(project: ProjectContext) -> dict[Kpi, list[Measured]]:
    """Return the measurement of each model on each KPI that counts."""
    return {kpi: current(found) for kpi, found in by_rows(project).items()}


def ahead(one: Measured, other: Measured, kpi: Kpi) -> bool:
    """Whether a measurement is better than another; any number is better than NaN."""
    if other.value != other.value:
        return one.value == one.value
    return better(one.value, other.value, kpi.direction)


def best(kpi: Kpi, found: Iterable[Measured]) -> Measured | None:
    """Return the best of some measurements; NaN only when there is nothing else."""
    top: Measured | None = None
    for one in found:
        if top is None or ahead(one, top, kpi):
            top = one
    return top


class Verdicts:
    """The models of every run and the verdicts on them, read from the chain once."""

    def __init__(self, project: ProjectContext) -> None:
        self.project = project
        self.measured = measurements(project)
        self._by_run: dict[str, dict[Kpi, list[Measured]]] = {}
        for kpi, measured in self.measured.items():
            for one in measured:
                self._by_run.setdefault(one.run_id, {}).setdefault(kpi, []).append(one)
        self._proved: dict[str, bool] | None = None
        self._models: dict[str, list[Node]] = {}
        for node in reversed(project.chain.versions("model")):
            self._models.setdefault(str(node.facts.get("run_id", "")), []).append(node)

    def models(self, run_id: str) -> list[str]:
        """Return the model versions that a run made, oldest first."""
        return [node.ref for node in self._models.get(run_id, [])]

    def of(self, run_id: str) -> list[KpiVerdict]:
        """Return a verdict for each KPI that a model of the run was measured on, its best."""
        tops = [(kpi, best(kpi, own)) for kpi, own in self._by_run.get(run_id, {}).items()]
        return [
            judge(kpi, top.value, data=top.data, leaks=list(top.leaks))
            for kpi, top in tops
            if top is not None
        ]

    def of_model(self, model: str) -> list[KpiVerdict]:
        """Return a verdict for each KPI that a model version was measured on."""
        return [
            judge(kpi, one.value, data=one.data, leaks=list(one.leaks))
            for kpi, measured in self.measured.items()
            for one in measured
            if one.model == model
        ]

    def proved(self, run_id: str) -> bool | None:
        """Tell what the newest certificate of a run says; None where it has none."""
        if self._proved is None:
            nodes = self.project.chain.newest("certificate")
            self._proved = {node.name: bool(node.facts.get("ok")) for node in nodes}
        return self._proved.get(run_id)

    def missing(self, run_id: str) -> list[Kpi]:
        """Return the KPIs that are about a model of the run and were not measured on any."""
        own, made = self._by_run.get(run_id, {}), self._models.get(run_id, [])
        missing = [kpi for kpi in self.measured if kpi not in own]
        if not missing or not made:
            return missing
        about = {
            kpi
            for node in made
            for kpi in concerned(self.project, node.ref, facts_of(node, ModelFacts))
        }
        return [kpi for kpi in missing if kpi in about]
