"""What the problem step asks at the gate: is there a target, and is it met?"""

from __future__ import annotations

from perijove.contracts.base import to_float
from perijove.contracts.deploy import GateCheck
from perijove.contracts.problem import Kpi
from perijove.core.chain import EvaluationFacts, facts_of
from perijove.core.gate import Candidate, Check
from perijove.core.metrics import METRICS, meets
from perijove.problem.service import describe_kpi


def kpi_set(candidate: Candidate) -> GateCheck:
    """A target with a number is there."""
    kpis = candidate.project.definition.kpi
    known = [kpi for kpi in kpis if kpi.metric in METRICS]
    unknown = [kpi.metric for kpi in kpis if kpi.metric not in METRICS]
    if unknown or not known:
        return GateCheck(
            id="kpi_set",
            step="problem",
            title="A KPI with a number is set",
            state="fail",
            detail="The project has no KPI." if not kpis else "A KPI's metric is unknown.",
            items=unknown,
            fix="Set a target on the Project page."
            if not kpis
            else f"Use one of {', '.join(METRICS)}.",
        )
    return GateCheck(
        id="kpi_set",
        step="problem",
        title="A KPI with a number is set",
        state="pass",
        detail="; ".join(describe_kpi(kpi) for kpi in known),
    )


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
    name = candidate.model.name
    if missed:
        state, detail = "fail", "; ".join(missed)
        fix = "Train a better model, or agree on another target with its owner."
    elif unmeasured or not kpis:
        state = "unknown" if kpis else "fail"
        detail = (
            "Not measured by Perijove: " + "; ".join(describe_kpi(kpi) for kpi in unmeasured)
            if kpis
            else "There is no KPI to meet."
        )
        first = unmeasured[0] if unmeasured else None
        fix = (
            f'Run pj.evaluate("{name}", "{first.data}", split="{first.split}").'
            if first
            else "Set a target on the Project page."
        )
    else:
        state, detail, fix = "pass", "; ".join(met), ""
    return GateCheck(
        id="kpi_met",
        step="problem",
        title="The KPI is met, measured by Perijove",
        state=state,  # type: ignore[arg-type]
        detail=detail,
        items=missed,
        fix=fix,
    )


CHECKS: tuple[Check, ...] = (kpi_set, kpi_met)
