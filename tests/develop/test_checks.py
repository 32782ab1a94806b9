"""The gate's questions about a model version itself."""

from __future__ import annotations

import pytest

from perijove.contracts.base import number
from perijove.contracts.deploy import FeatureLeak, Field, ModelFacts, Signature
from perijove.core.chain import EvaluationFacts, facts_of
from perijove.core.gate import Candidate
from perijove.develop.checks import CHECKS, better_run, signature

SIGNATURE = Signature(
    inputs=[Field(name="age", type="FP64"), Field(name="size", type="FP64")],
    outputs=[Field(name="y", type="INT64")],
)


@pytest.fixture
def model(project):
    """Make a model version and measure it on the KPI."""

    def make(value=None, name="builds", data="data:builds@1", **facts):
        folder = project.paths.state / "models" / "m"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.skops").write_text("x")
        values = {
            "run_id": "1", "uri": "", "folder": project.paths.relative(folder),
            "flavor": "sklearn", "format": "skops", "manifest": {"model.skops": ""},
            "signature": SIGNATURE, "sample": {"age": 1.0, "size": 2.0},
            "dataset": "data:builds@1", **facts,
        }  # fmt: skip
        node = project.chain.add("model", name, ModelFacts(**values), by="ada")
        if value is not None:
            measured = EvaluationFacts(
                model=node.ref, run_id="1", data=data, split="test", metric="roc_auc",
                value=number(value), rows=9, direction="maximize",
            )  # fmt: skip
            project.chain.add("evaluation", node.ref[6:], measured, by="ada")
        return Candidate(project, node, facts_of(node, ModelFacts), "builds")

    return make


def test_a_whole_model_passes(model):
    check = signature(model())
    assert (check.id, check.step, check.state) == ("signature", "develop", "pass")
    assert check.detail == "2 inputs, 1 outputs, 1 files."


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"signature": None}, "no signature"),
        ({"sample": None}, "no sample row"),
        ({"manifest": {}}, "no files"),
        ({"manifest": {"model.skops": "", "gone.bin": ""}}, "1 of 2 files are gone"),
    ],
)
def test_what_lacks_is_named(model, facts, word):
    check = signature(model(**facts))
    assert check.state == "fail"
    assert word in check.detail
    assert check.fix


def test_the_best_model_passes(model):
    model(0.7)
    model(0.8, name="others")
    check = better_run(model(0.8))
    assert check.state == "pass"
    assert "2 other versions" in check.detail


def test_a_better_model_is_named(model):
    better = model(0.9, name="others")
    check = better_run(model(0.8))
    assert check.state == "fail"
    assert better.model.ref in check.items[0]
    assert better.model.ref in check.fix


def test_an_unmeasured_model_is_unknown(model):
    model(0.9)
    check = better_run(model())
    assert check.state == "unknown"
    assert "pj.evaluate" in check.fix


def test_other_rows_do_not_compare(model):
    model(0.9, data="data:builds@1")
    assert better_run(model(0.8, data="data:builds@2")).state == "pass"


def test_nan_beats_nothing_and_is_beaten(model):
    nan = model(float("nan"))
    honest = model(0.8)
    assert better_run(honest).state == "pass"
    assert better_run(nan).state in ("fail", "pass")


def test_a_leaky_model_is_no_better_one(model, project):
    leaky = model(0.99, leaks=[FeatureLeak(feature="size", score=0.97)])
    check = better_run(model(0.8, leaks=[FeatureLeak(feature="size", score=0.6)]))
    assert check.state == "pass"
    assert f"{leaky.model.ref} leaks and does not count" in check.detail


def test_a_model_on_late_columns_is_no_better_one(model, project):
    declared = '\n[data.builds.columns.size]\nknown = "after"\n'
    text = project.paths.definition.read_text()
    project.paths.definition.write_text(text + declared)
    inputs = Signature(inputs=SIGNATURE.inputs[:1], outputs=SIGNATURE.outputs)
    model(0.99)
    assert better_run(model(0.8, signature=inputs)).state == "pass"


def test_no_kpi_is_unknown(model, project):
    project.paths.definition.write_text('[project]\nname = "x"\n')
    assert better_run(model(0.8)).state == "unknown"
    assert len(CHECKS) == 2
