"""How each target stands on the problem page: as the gate sees it."""

from __future__ import annotations

import math

import pytest

from perijove.adapters.mlflow.registry import MlflowRegistry
from perijove.contracts.base import number
from perijove.contracts.deploy import FeatureLeak, Field, ModelFacts, Signature
from perijove.core.chain import EvaluationFacts, LiveValue, OutcomesFacts
from perijove.core.context import ProjectContext
from perijove.core.gate import GateRegistry
from perijove.core.measurements import Verdicts
from perijove.deploy.models import ModelBook
from perijove.problem.service import ProblemService

SECOND = """
[[kpi]]
metric = "roc_auc"
data = "prices"
target = 0.5
"""


class Bench:
    """Logs models and measures them, without either."""

    def __init__(self, project: ProjectContext) -> None:
        self.project = project
        self.problem = ProblemService(project)
        self.models = ModelBook(project, MlflowRegistry(project), GateRegistry())

    def model(self, name: str = "builds", data: str = "builds", leaks: float = 0.0) -> str:
        facts = ModelFacts(
            run_id=f"run-{len(self.project.chain.versions('model'))}", uri="", folder="",
            flavor="sklearn", format="skops", manifest={}, dataset=f"data:{data}@1",
            signature=Signature(inputs=[Field(name="size", type="FP64")], outputs=[]),
            leaks=[FeatureLeak(feature="size", score=leaks)],
        )  # fmt: skip
        return self.project.chain.add("model", name, facts, by="ada").ref

    def measure(self, model: str, value: float, data: str = "builds@1") -> None:
        node = self.project.chain.get(model)
        facts = EvaluationFacts(
            model=model, run_id=node.facts["run_id"], data=f"data:{data}", split="test",
            metric="roc_auc", value=number(value), rows=9, direction="maximize",
        )  # fmt: skip
        sources = {model: "measured"}
        self.project.chain.add("evaluation", node.name, facts, by="ada", sources=sources)


@pytest.fixture
def bench(project: ProjectContext) -> Bench:
    return Bench(project)


@pytest.fixture
def two(bench: Bench) -> Bench:
    """A project with a second dataset, that has a target of its own."""
    definition = bench.project.paths.definition
    definition.write_text(definition.read_text() + SECOND)
    return bench


def test_a_superseded_number_does_not_count(bench: Bench) -> None:
    model = bench.model()
    bench.measure(model, 0.9)
    assert bench.problem.kpis()[0].verdict == "met"
    bench.measure(model, 0.6)
    (status,) = bench.problem.kpis()
    assert (status.verdict, status.best, status.best_model) == ("missed", 0.6, model)


def test_nan_is_the_best_only_of_nothing_else(bench: Bench) -> None:
    bench.measure(bench.model(), math.nan)
    assert bench.problem.kpis()[0].best == "NaN"
    good = bench.model()
    bench.measure(good, 0.8)
    bench.measure(bench.model(), math.nan)
    assert bench.problem.kpis()[0].best_model == good


def test_a_leaky_number_is_no_best(bench: Bench) -> None:
    bench.measure(bench.model(leaks=0.99), 0.99)
    assert bench.problem.kpis()[0].verdict == "unmeasured"


def test_live_values_belong_to_the_target_on_their_data(two: Bench) -> None:
    facts = OutcomesFacts(
        endpoint="endpoint:prices@1", count=3, metric="roc_auc", value=0.4,
        values=[LiveValue(metric="roc_auc", data="prices", value=0.4)],
    )  # fmt: skip
    two.project.chain.add("outcomes", "prices", facts, by="ada")
    builds, prices = two.problem.kpis()
    assert builds.live is None
    assert (prices.live, prices.live_verdict) == (0.4, "missed")


def test_outcomes_of_an_older_version_are_read_by_their_metric(bench: Bench) -> None:
    facts = {"endpoint": "endpoint:builds@1", "count": 3, "metric": "roc_auc", "value": 0.72}
    old = OutcomesFacts(**facts)  # type: ignore[arg-type]
    bench.project.chain.add("outcomes", "builds", old, by="ada")
    (status,) = bench.problem.kpis()
    assert (status.live, status.live_verdict) == (0.72, "met")


def test_a_run_lacks_only_the_targets_on_its_own_data(two: Bench) -> None:
    builds, prices = two.model(), two.model("prices", "prices")
    two.measure(builds, 0.8)
    verdicts = Verdicts(two.project)
    assert verdicts.missing("run-0") == []
    assert [kpi.data for kpi in verdicts.missing("run-1")] == ["prices"]
    two.measure(prices, 0.6, "prices@1")
    assert Verdicts(two.project).missing("run-1") == []
    assert {m.ref: [v.data for v in m.verdicts] for m in two.models.all()} == {
        builds: ["data:builds@1"], prices: ["data:prices@1"],
    }  # fmt: skip


def test_the_champion_is_the_best_on_its_own_target(two: Bench) -> None:
    first, second = two.model("prices", "prices"), two.model("prices", "prices")
    two.measure(first, 0.7, "prices@1")
    two.measure(second, 0.6, "prices@1")
    assert two.models.resolve("models:/prices@champion").ref == first
