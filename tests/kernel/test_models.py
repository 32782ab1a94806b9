"""Logging and measuring models: what the chain gets to know, and what is refused."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from perijove.contracts.base import to_float
from perijove.contracts.deploy import ModelFacts
from perijove.core.chain import EvaluationFacts, facts_of
from perijove.core.errors import (
    InvalidInputError,
    ModelInputError,
    NotFoundError,
    PerijoveError,
    UnreadableDataError,
    UnsupportedError,
)
from tests.kernel.conftest import Notebook


def facts(notebook: Notebook, ref: str) -> ModelFacts:
    return facts_of(notebook.bench.project.chain.get(ref), ModelFacts)


def error(notebook: Notebook, source: str) -> PerijoveError:
    raised = notebook.run(source).error_in_exec
    assert isinstance(raised, PerijoveError), raised
    return raised


def test_a_logged_model_knows_what_the_gate_asks(trained: Notebook, root: Path) -> None:
    ref = trained.ok(
        '%%train --name log\npj.log_model(honest, "builds", train[["load", "noise"]].head())'
    )
    known = facts(trained, ref)
    assert ref == "model:builds@1"
    assert known.uri == "models:/builds/1"
    assert known.format == "skops"
    assert known.signature is not None
    assert [(f.name, f.type) for f in known.signature.inputs] == [
        ("load", "FP64"), ("noise", "FP64"),
    ]  # fmt: skip
    assert [(f.name, f.type) for f in known.signature.outputs] == [
        ("prediction", "INT64"), ("probability_0", "FP64"), ("probability_1", "FP64"),
    ]  # fmt: skip
    assert known.sample is not None
    assert known.sample.keys() == {"load", "noise"}
    assert known.dataset == "data:builds@1"
    assert known.target == "failed"
    assert [sum(p.counts) for p in known.profile] == [420, 420]
    assert [leak.feature for leak in known.leaks] == ["load", "noise"]
    assert 0.75 < known.leaks[0].score < 0.95
    for name in known.manifest:
        assert (root / known.folder / name).is_file()
    chain = trained.bench.project.chain
    run = f"run:{known.run_id}@1"
    assert {node.ref for node in chain.sources(ref)} == {run, "split:builds@1", "data:builds@1"}
    assert trained.last_run().summary.models == [ref]


def test_its_requirements_are_what_is_installed(trained: Notebook, root: Path) -> None:
    ref = trained.ok('pj.log_model(honest, "builds", train[["load", "noise"]].head())')
    pins = (root / facts(trained, ref).folder / "requirements.txt").read_text().split()
    assert any(pin.startswith("scikit-learn==") for pin in pins)
    for name, version in (pin.split("==") for pin in pins):
        assert metadata.version(name) == version


def test_stock_mlflow_loads_it_by_its_name(trained: Notebook) -> None:
    trained.ok('pj.log_model(honest, "builds", train[["load", "noise"]].head())')
    trained.ok('import mlflow\nloaded = mlflow.pyfunc.load_model("models:/builds/1")')
    same = trained.ok(
        '(loaded.predict(train[["load", "noise"]]) == honest.predict(train[["load", "noise"]])).all()'
    )
    assert same


def test_without_a_run_it_gets_one_of_its_own(trained: Notebook) -> None:
    ref = trained.ok('pj.log_model(honest, "builds", train[["load", "noise"]].head())')
    run = trained.last_run()
    assert run.summary.run_id == facts(trained, ref).run_id
    assert run.summary.state == "finished"
    assert run.inputs == ["data:builds@1", "split:builds@1"]


def test_versions_count_up_and_the_sample_can_be_left_out(trained: Notebook) -> None:
    assert trained.ok('pj.log_model(honest, "builds")') == "model:builds@1"
    assert trained.ok('pj.log_model(leaky, "builds")') == "model:builds@2"
    leaks = {leak.feature: leak.score for leak in facts(trained, "model:builds@2").leaks}
    assert leaks["size"] > 0.99


def test_what_skops_cannot_keep_is_pickled(trained: Notebook) -> None:
    trained.ok(
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import FunctionTransformer\n"
        "piped = make_pipeline(FunctionTransformer(lambda frame: frame * 2), LogisticRegression())\n"
        'piped.fit(train[["load"]], train["failed"])'
    )
    ref = trained.ok('pj.log_model(piped, "piped", train[["load"]].head())')
    known = facts(trained, ref)
    assert (known.flavor, known.format) == ("sklearn", "pickle")
    assert trained.ok('pj.evaluate("piped", "builds")["roc_auc"]') > 0.8


def test_a_function_is_a_model(trained: Notebook) -> None:
    ref = trained.ok(
        'pj.log_model(lambda frame: frame["load"] * 2.0, "double", train[["load"]].head())'
    )
    known = facts(trained, ref)
    assert known.flavor == "python_function"
    assert known.signature is not None
    assert [(f.name, f.type) for f in known.signature.outputs] == [("prediction", "FP64")]


def test_words_and_gaps_are_in_the_signature(notebook: Notebook) -> None:
    notebook.ok(
        "import pandas as pd\n"
        'sample = pd.DataFrame({"branch": ["main", None], "n": [1, 2], "on": [True, False]})\n'
        'ref = pj.log_model(lambda frame: frame["n"] * 1.0, "words", sample)'
    )
    known = facts(notebook, notebook["ref"])
    assert known.signature is not None
    assert [(f.name, f.type, f.required) for f in known.signature.inputs] == [
        ("branch", "BYTES", False), ("n", "INT64", True), ("on", "BOOL", True),
    ]  # fmt: skip
    assert known.dataset is None
    assert "no dataset was read" in known.unprofiled


def test_modules_of_the_project_travel_with_the_model(trained: Notebook, root: Path) -> None:
    (root / "scaling.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n\n\n"
        "class Scaled(LogisticRegression):\n    pass\n"
    )
    trained.ok(
        "import sys\nsys.path.insert(0, '.')\nfrom scaling import Scaled\n"
        'scaled = Scaled().fit(train[["load"]], train["failed"])'
    )
    ref = trained.ok('pj.log_model(scaled, "scaled")')
    assert any(name.endswith("scaling.py") for name in facts(trained, ref).manifest)


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        ('pj.log_model(honest, "no good")', InvalidInputError, "no good"),
        ('pj.log_model(honest, "b", train[["load"]].head())', InvalidInputError, "sample"),
        ('pj.log_model(3, "b", train[["load"]].head())', UnsupportedError, "predict"),
        ('pj.log_model(honest, "b", train[["load"]].head(0))', InvalidInputError, "no rows"),
        ('pj.log_model(honest, "b", code="gone.py")', NotFoundError, "gone.py"),
        ('pj.log_model(honest, "b", data="other")', NotFoundError, "other"),
    ],
)
def test_what_cannot_be_logged_is_refused(
    trained: Notebook, call: str, kind: type[PerijoveError], said: str
) -> None:
    raised = error(trained, call)
    assert isinstance(raised, kind)
    assert said in str(raised)
    assert trained.bench.deploy.models.all() == []


def test_a_time_is_no_input(notebook: Notebook) -> None:
    raised = error(
        notebook,
        "import pandas as pd\n"
        'when = pd.DataFrame({"at": pd.to_datetime(["2026-01-01"])})\n'
        'pj.log_model(lambda frame: frame["at"], "when", when)',
    )
    assert "'at'" in raised.message


def test_an_evaluation_is_scikit_learns_number_on_the_chain(trained: Notebook) -> None:
    trained.ok('pj.log_model(honest, "builds")')
    measured = trained.ok('pj.evaluate(honest, "builds", split="test")')
    test = trained.ok('pj.dataset("builds").read(split="test")')
    expected = roc_auc_score(
        test["failed"], trained["honest"].predict_proba(test[["load", "noise"]])[:, 1]
    )
    assert measured["roc_auc"] == pytest.approx(expected)
    assert measured.rows == 180
    assert measured.verdicts[0].met
    assert "target ≥ 0.75: ✓ met" in repr(measured)

    chain = trained.bench.project.chain
    nodes = chain.results("model:builds@1", "evaluation")
    stored = {f.metric: f for f in (facts_of(node, EvaluationFacts) for node in nodes)}
    assert to_float(stored["roc_auc"].value) == pytest.approx(expected)
    assert stored["roc_auc"].data == "data:builds@1"
    assert {n.ref for n in chain.sources(nodes[0].ref)} == {"model:builds@1", "split:builds@1"}
    metrics = trained.last_run().summary.metrics
    assert metrics["test_roc_auc"] == pytest.approx(expected)
    assert not measured.notes


@pytest.mark.parametrize("name", ["builds", "builds@1", "model:builds@1", "models:/builds/1"])
def test_a_model_goes_by_many_names(trained: Notebook, name: str) -> None:
    trained.ok('pj.log_model(honest, "builds")')
    assert trained.ok(f'pj.evaluate("{name}", "builds").model') == "model:builds@1"


def test_a_run_that_read_all_rows_is_told_on(notebook: Notebook) -> None:
    measured = notebook.ok(
        "from sklearn.linear_model import LogisticRegression\n"
        'rows = pj.dataset("builds").read()\n'
        'model = LogisticRegression().fit(rows[["load"]], rows["failed"])\n'
        'pj.log_model(model, "builds")\n'
        'pj.evaluate(model, "builds")'
    )
    assert "may know the answers" in repr(measured)
    checks = {check.id: check.state for check in notebook.bench.deploy.gate("builds").checks}
    assert checks["unseen_rows"] == "fail"


def test_an_evaluation_that_cannot_be_is_refused(trained: Notebook, root: Path) -> None:
    assert isinstance(error(trained, 'pj.evaluate(honest, "builds")'), NotFoundError)
    trained.ok('pj.log_model(honest, "builds")')
    trained.ok('pj.dataset("builds").read(columns=["load", "failed"]).to_csv("narrow.csv")')
    trained.ok('pj.register("narrow.csv")')
    raised = error(trained, 'pj.evaluate(honest, "narrow")')
    assert isinstance(raised, ModelInputError)
    assert "'noise'" in raised.message
    assert "part" in error(trained, 'pj.evaluate(honest, "builds", split="holdout")').message
    assert trained.bench.project.chain.versions("evaluation") == []


def test_a_file_that_was_changed_since_is_not_measured(trained: Notebook, root: Path) -> None:
    ref = trained.ok('pj.log_model(honest, "builds")')
    (root / facts(trained, ref).folder / "model.skops").write_bytes(b"something else")
    assert isinstance(error(trained, 'pj.evaluate("builds", "builds")'), UnreadableDataError)
