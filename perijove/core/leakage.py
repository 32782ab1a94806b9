"""Which inputs of a model tell the answer, and what a number is worth in the light of that.

Asked by the gate, and wherever a model's number stands beside its target.
"""

from __future__ import annotations

from perijove.contracts.base import number
from perijove.contracts.deploy import ModelFacts
from perijove.contracts.develop import KpiVerdict
from perijove.contracts.problem import Kpi
from perijove.core.chain import Chain, facts_of, ref_name
from perijove.core.metrics import meets
from perijove.core.project_file import DataTable, Definition

LEAK_SCORE = 0.95
"""A single feature that predicts the target this well is an answer, not a hint."""


def leaking_inputs(definition: Definition, facts: ModelFacts) -> dict[str, str]:
    """Return the inputs that tell the answer, each with the reason.

    Two sources: columns declared ``known = "after"`` in the dataset that the model was trained
    on, and features that alone predict the target.
    """
    name = ref_name(facts.dataset or "")
    declared = definition.data.get(name, DataTable()).columns
    scores = {leak.feature: leak.score for leak in facts.leaks if leak.score >= LEAK_SCORE}
    reasons: dict[str, str] = {}
    for field in facts.signature.inputs if facts.signature else ():
        column = field.name
        reason = []
        if column in declared and declared[column].known == "after":
            reason.append("known only after the prediction")
        if column in scores:
            reason.append(f"alone scores {scores[column]:.3f}")
        if reason:
            reasons[column] = ", ".join(reason)
    return reasons


def leaks_of(chain: Chain, definition: Definition, model: str) -> list[str]:
    """Return the inputs of a model version that tell the answer."""
    node = chain.find(model)
    return [] if node is None else list(leaking_inputs(definition, facts_of(node, ModelFacts)))


def judge(kpi: Kpi, value: float, *, data: str, leaks: list[str]) -> KpiVerdict:
    """Hold a measured number against its target.

    Parameters
    ----------
    data
        Reference of the data version that it was measured on.
    leaks
        The model's inputs that tell the answer; with any, no target is met.
    """
    return KpiVerdict(
        metric=kpi.metric,
        data=data,
        split=kpi.split,
        value=number(value),
        target=kpi.target,
        direction=kpi.direction,
        met=not leaks and meets(value, kpi.target, kpi.direction),
        leaks=leaks,
    )
