"""Targets: how one is said, and which models it is about.

A project may hold several datasets and several models. A target is about the models that were
trained on its dataset, on one that it was made from, or on one that was made from it.
"""

from __future__ import annotations

from perijove.contracts.deploy import ModelFacts
from perijove.contracts.problem import Kpi
from perijove.core.chain import Chain, EvaluationFacts, facts_of, ref_name
from perijove.core.context import ProjectContext
from perijove.core.metrics import METRICS, sign


def targets(project: ProjectContext) -> list[Kpi]:
    """Return the KPIs whose metric Perijove can measure."""
    return [kpi for kpi in project.definition.kpi if kpi.metric in METRICS]


def describe_kpi(kpi: Kpi) -> str:
    """Say a target in a few words: ``roc_auc ≥ 0.75 on builds/test, live ≥ 0.7``."""
    mark = sign(kpi.direction)
    text = f"{kpi.metric} {mark} {kpi.target:g} on {kpi.data}/{kpi.split}"
    return text if kpi.minimum is None else f"{text}, live {mark} {kpi.minimum:g}"


def concerns(chain: Chain, kpi: Kpi, facts: ModelFacts) -> bool:
    """Whether a target is about a model, by the dataset that the model was trained on.

    Of a model whose dataset is not known, every target is asked.
    """
    if not facts.dataset:
        return True
    return kpi.data == ref_name(facts.dataset) or kpi.data in relatives(chain, facts.dataset)


def concerned(project: ProjectContext, model: str, facts: ModelFacts) -> list[Kpi]:
    """Return the targets that are about a model version: see :func:`concerns`.

    Those that it was measured on are among them, whatever it was trained on.
    """
    chain, kpis = project.chain, project.definition.kpi
    found = {kpi for kpi in kpis if concerns(chain, kpi, facts)}
    if len(found) < len(kpis):
        for node in chain.results(model, "evaluation"):
            measured = facts_of(node, EvaluationFacts)
            found |= {kpi for kpi in kpis if measured.measures(kpi)}
    return [kpi for kpi in kpis if kpi in found]


def relatives(chain: Chain, dataset: str) -> set[str]:
    """Return the names of the datasets that a version was made from, and that came of it."""
    refs: set[str] = set()
    for neighbours in (chain.sources, chain.results):
        seen, todo = {dataset}, [dataset]
        while todo:
            for node in neighbours(todo.pop(), "data"):
                if node.ref not in seen:
                    seen.add(node.ref)
                    todo.append(node.ref)
        refs |= seen
    return {ref_name(ref) for ref in refs}
