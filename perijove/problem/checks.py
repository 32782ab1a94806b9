"""What the problem step asks at the gate: is there a target, and is it met?"""

from __future__ import annotations

from perijove.contracts.deploy import GateCheck
from perijove.contracts.problem import Kpi
from perijove.core.chain import ref_name
from perijove.core.gate import Candidate, Check, Question
from perijove.core.measurements import measurements
from perijove.core.metrics import METRICS, meets, sign
from perijove.core.targets import concerned, describe_kpi

KPI_SET = Question("kpi_set", "problem", "A KPI with a number is set")
KPI_MET = Question("kpi_met", "problem", "The KPI is met, measured by Perijove")


def kpi_set(candidate: Candidate) -> GateCheck:
    """A target with a number is there, and it is about this model."""
    kpis = candidate.project.definition.kpi
    unknown = [kpi.metric for kpi in kpis if kpi.metric not in METRICS]
    if not kpis:
        return KPI_SET.fails("The project has no KPI.", "Set a target on the Project page.")
    if unknown:
        return KPI_SET.fails(
            "A KPI's metric is unknown.", f"Use one of {', '.join(METRICS)}.", unknown
        )
    about = concerned(candidate.project, candidate.model.ref, candidate.facts)
    if not about:
        name = ref_name(candidate.facts.dataset or "")
        return KPI_SET.fails(
            f"No KPI is about a model that was trained on {name}.",
            f"Set a target on {name}, or measure the model on the data of one: "
            f'pj.evaluate("{candidate.model.ref}", "{kpis[0].data}").',
            [describe_kpi(kpi) for kpi in kpis],
        )
    others = [describe_kpi(kpi) for kpi in kpis if kpi not in about]
    return KPI_SET.passes(
        "; ".join(describe_kpi(kpi) for kpi in about)
        + (f". About other models: {'; '.join(others)}" if others else "")
    )


def kpi_met(candidate: Candidate) -> GateCheck:
    """Each target about this model is met by a number that Perijove measured on it."""
    ref = candidate.model.ref
    found = measurements(candidate.project)
    kpis = [k for k in concerned(candidate.project, ref, candidate.facts) if k.metric in METRICS]
    missed: list[str] = []
    unmeasured: list[Kpi] = []
    met: list[str] = []
    for kpi in kpis:
        own = next((one for one in found.get(kpi, []) if one.model == ref), None)
        if own is None:
            unmeasured.append(kpi)
            continue
        text = (
            f"{kpi.metric} {own.value:.4g} on {kpi.data}/{kpi.split}, "
            f"target {sign(kpi.direction)} {kpi.target:g}"
        )
        (met if meets(own.value, kpi.target, kpi.direction) else missed).append(text)
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
            f'Run pj.evaluate("{ref}", "{first.data}", split="{first.split}").',
        )
    return KPI_MET.passes("; ".join(met))


CHECKS: tuple[Check, ...] = (kpi_set, kpi_met)
