"""The gate's questions about a model version itself."""

from __future__ import annotations

import pytest

from perijove.contracts.base import number
from perijove.contracts.deploy import FeatureLeak, Field, ModelFacts, Signature
from perijove.core.chain import EvaluationFacts, RunFacts, facts_of
from perijove.core.gate import Candidate
from perijove.develop.checks import CHECKS, better_run, signature, unseen_rows
from perijove.problem.checks import kpi_met, kpi_set

SIGNATURE = Signature(
    inputs=[Field(name="age", type="FP64"), Field(name="size", type="FP64")],
    outputs=[Field(name="y", type="INT64")],
)


@pytest.fixture
def model(project, measure):
    """Make a model version and measure it on the KPI."""

    def make(value=None, name="builds", data="data:builds@1", split="test", **facts):
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
        own = Candidate(project, node, facts_of(node, ModelFacts), "builds")
        return own if value is None else measure(own, value, data, split)

    return make


@pytest.fixture
def measure(project):
    """Measure a model version on the KPI once more."""

    def measure(own, value, data="data:builds@1", split="test"):
        measured = EvaluationFacts(
            model=own.model.ref, run_id="1", data=data, split=split, metric="roc_auc",
            value=number(value), rows=9, direction="maximize",
        )  # fmt: skip
        project.chain.add(
            "evaluation", own.model.name, measured, by="ada", sources={own.model.ref: "measured"}
        )
        return own

    return measure


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


def test_numbers_on_other_rows_are_named_and_not_passed_over(model):
    other = model(0.9)
    model(0.7)
    own = model(0.95, data="data:builds@2")
    check = better_run(own)
    assert check.state == "unknown"
    assert f"{other.model.ref} on data:builds@1" in check.detail
    assert f'pj.evaluate("{own.model.ref}", "builds@1", split="test")' in check.fix
    assert "model:builds@2" not in check.detail, "the best of those rows stands for all"


def test_two_are_compared_on_the_rows_that_both_know(model, measure):
    measure(model(0.7), 0.9)
    own = measure(model(0.95, data="data:builds@2"), 0.91)
    assert better_run(own).state == "pass"
    assert better_run(measure(own, 0.89)).state == "fail"
    measure(own, 0.99, data="data:builds@2")
    assert better_run(own).state == "fail", "the newest number on the shared rows counts"


def test_a_number_on_older_rows_replaces_none_on_newer(model, measure):
    own = measure(model(0.6, data="data:builds@2"), 0.99)
    assert kpi_met(own).state == "fail"
    assert kpi_met(measure(own, 0.8, data="data:builds@2")).state == "pass"


def test_nan_beats_nothing_and_is_beaten(model):
    nan = model(float("nan"))
    assert better_run(nan).state == "pass"
    honest = model(0.8)
    assert better_run(honest).state == "pass"
    assert better_run(nan).state == "fail"


@pytest.fixture
def trained(project, model):
    """Make a measured model whose run read some versions and splits."""

    def make(reads, value=0.8, data="data:builds@1", **facts):
        run_id = f"r{len(project.chain.versions('run'))}"
        run = project.chain.add("run", run_id, RunFacts(run_id=run_id), by="ada", version=1)
        for ref in reads:
            kind, name = ref.partition("@")[0].split(":")
            version = int(ref.partition("@")[2])
            if project.chain.find(ref) is None:
                project.chain.add(kind, name, RunFacts(run_id=""), by="ada", version=version)
            project.chain.link(ref, run.ref, "read")
        own = model(value, data=data, **facts)
        project.chain.link(run.ref, own.model.ref, "made")
        return own

    return make


PARTS = ["data:builds@1", "split:builds@1"]


def test_rows_that_it_learnt_say_nothing(trained):
    assert unseen_rows(trained(PARTS)).state == "pass"
    check = unseen_rows(trained(["data:builds@1"]))
    assert check.state == "fail"
    assert "data:builds@1" in check.detail
    assert 'split="train"' in check.fix


def test_the_whole_of_an_older_version_may_hold_the_rows(trained):
    check = unseen_rows(trained(["data:builds@1"], data="data:builds@2"))
    assert check.state == "unknown"
    assert "data:builds@1" in check.detail
    assert unseen_rows(trained(PARTS, data="data:builds@2")).state == "pass"


def test_what_is_not_known_does_not_pass(model, trained):
    assert unseen_rows(model()).state == "unknown"
    assert unseen_rows(model(0.8)).state == "unknown", "no run says what it read"
    assert unseen_rows(trained([], dataset=None)).state == "unknown"


def test_a_target_on_the_train_part_is_refused(trained, project):
    text = project.paths.definition.read_text().replace('split = "test"', 'split = "train"')
    project.paths.definition.write_text(text)
    check = unseen_rows(trained(PARTS, split="train"))
    assert check.state == "fail"
    assert "another part" in check.fix


def test_a_model_that_learnt_the_rows_is_no_better_one(trained):
    cheat = trained(["data:builds@1"], value=0.99)
    check = better_run(trained(PARTS))
    assert check.state == "pass"
    assert f"{cheat.model.ref} learnt these rows and does not count" in check.detail


def test_a_model_answers_for_the_targets_on_its_own_data(model, project):
    text = project.paths.definition.read_text()
    project.paths.definition.write_text(
        text + '\n[[kpi]]\nmetric = "rmse"\ndata = "prices"\ndirection = "minimize"\ntarget = 3\n'
    )
    own = model(0.8)
    assert (kpi_set(own).state, kpi_met(own).state) == ("pass", "pass")
    assert "About other models: rmse ≤ 3 on prices/test" in kpi_set(own).detail
    assert better_run(own).state == "pass"
    unknown = model(0.8, dataset=None)
    assert kpi_met(unknown).state == "unknown", "who does not say its data answers for all"
    strange = model(dataset="data:weather@1")
    assert (kpi_set(strange).state, kpi_met(strange).state) == ("fail", "fail")
    assert "weather" in kpi_set(strange).detail


def test_targets_on_what_the_data_was_made_from_count(model, project):
    for name in ("builds", "features"):
        project.chain.add("data", name, RunFacts(run_id=""), by="ada")
    project.chain.link("data:builds@1", "data:features@1", "made")
    check = kpi_met(model(dataset="data:features@1"))
    assert check.state == "unknown"
    assert "builds/test" in check.detail


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
    assert len(CHECKS) == 3
