"""What the problem step asks at the gate: is there a target, and is it met?"""

from __future__ import annotations

from perijove.contracts.base import to_float
from perijove.contracts.deploy import GateCheck
from perijove.contracts.problem import Kpi
from perijove.core.chain import EvaluationFacts, facts_of
from perijove.core.gate import Candidate, Check, Question
from perijove.core.metrics import METRICS, meets
from perijove.problem.service import describe_kpi

KPI_SET = Question("kpi_set", "problem", "A KPI with a number is set")
KPI_MET = Question("kpi_met", "problem", "The KPI is met, measured by Perijove")


def kpi_set(candidate: Candidate) -> GateCheck:
    """A target with a number is there."""
    kpis = candidate.project.definition.kpi
    known = [kpi for kpi in kpis if kpi.metric in METRICS]
    unknown = [kpi.metric for kpi in kpis if kpi.metric not in METRICS]
    if not kpis:
        return KPI_SET.fails("The project has no KPI.", "Set a target on the Project page.")
    if unknown or not known:
        return KPI_SET.fails(
            "A KPI's metric is unknown.", f"Use one of {', '.join(METRICS)}.", unknown
        )
    return KPI_SET.passes("; ".join(describe_kpi(kpi) for kpi in known))


def kpi_met(candidate: Candidate) -> GateCheck:
    """Each target is met by a number that Perijove measured on this model version."""
    measured = [
        facts_of(node, EvaluationFacts)
        for node in candidate.project.chain.results(candidate.model.ref, "evaluation")
    ]
    kpis = [kpi for kpi in candidate.project.definition.kpi if kpi.metric in METRICS]
    missed: list[str] = []
    unmeasured: list[Kpi] = []
    met: list[str] = []
    for kpi in kpis:
        sign = "≥" if kpi.direction == "maximize" else "≤"
        found = [facts for facts in measured if facts.measures(kpi)]
        if not found:
            unmeasured.append(kpi)
            continue
        # The newest measurement counts: nobody may try until one passes.
        value = to_float(found[-1].value)
        text = f"{kpi.metric} {value:.4g} on {kpi.data}/{kpi.split}, target {sign} {kpi.target:g}"
        (met if meets(value, kpi.target, kpi.direction) else missed).append(text)
    if missed:
        return KPI_MET.fails(
            "; ".join(missed),
            "Train a better model, or agree on another target with its owner.",
            missed,
        )
    if not kpis:
        return KPI_MET.fails("There is no KPI to meet.", "Set a target on the Project page.")
    if unmeasured:
        first = unmeasured[0]
        return KPI_MET.unknown(
            "Not measured by Perijove: " + "; ".join(describe_kpi(kpi) for kpi in unmeasured),
            f'Run pj.evaluate("{candidate.model.name}", "{first.data}", split="{first.split}").',
        )
    return KPI_MET.passes("; ".join(met))


CHECKS: tuple[Check, ...] = (kpi_set, kpi_met)
