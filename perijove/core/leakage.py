"""Which inputs of a model tell the answer, whether it learnt the rows that it is measured on, and
what a number is worth in the light of that.

Asked by the gate, and wherever a model's number stands beside its target.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from perijove.contracts.base import number
from perijove.contracts.deploy import ModelFacts
from perijove.contracts.develop import KpiVerdict
from perijove.contracts.problem import Kpi
from perijove.core.chain import Chain, make_ref, ref_name
from perijove.core.metrics import meets
from perijove.core.project_file import DataTable, Definition

LEAK_SCORE = 0.95
"""A single feature that predicts the target this well is an answer, not a hint."""
TRAIN: Final = "train"
"""The part of a split that models learn from."""


class Learnt(NamedTuple):
    """Why a model may have learnt the rows that it is measured on."""

    certain: bool
    reason: str


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


def learnt(chain: Chain, model: str, facts: ModelFacts, data: str, split: str) -> Learnt | None:
    """Tell why a model may have learnt the rows of a part of a data version.

    A run that reads a version by its parts learns from the part for that; one that reads the whole
    table has all rows. None where the model is new to the rows.
    """
    name = ref_name(data)
    trained = ref_name(facts.dataset or "") == name
    runs = chain.sources(model, "run")
    sources = [node for run in runs for node in chain.sources(run.ref)]
    # A run that the user opened with MLflow itself is on no chain; the model knows its data.
    read = {node.ref for node in (sources if runs else chain.sources(model))}
    versions = {ref for ref in read if ref.startswith("data:") and ref_name(ref) == name}
    whole = {
        ref for ref in versions if make_ref("split", name, int(ref.rpartition("@")[2])) not in read
    }
    if data in whole:
        return Learnt(True, f"The run read all of {data}, the rows of {split} among them")
    if split == TRAIN and (trained or versions):
        return Learnt(True, f"The rows of {name}/{split} are those that models learn from")
    if whole:
        return Learnt(
            False, f"The run read all of {max(whole)}; {data}/{split} may hold the same rows"
        )
    if not facts.dataset:
        return Learnt(False, "What the model was trained on is not known")
    if trained and not versions:
        return Learnt(False, f"Which rows of {name} the model was trained on is not known")
    return None


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
