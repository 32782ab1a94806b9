"""Aliases, promotion, model cards, and models that MLflow's own calls logged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from perijove.contracts.chain import AuditQuery
from perijove.contracts.deploy import ModelFacts
from perijove.core.chain import facts_of
from perijove.core.errors import ConflictError, InvalidInputError, NotFoundError
from perijove.deploy.models import ModelBook
from tests.kernel.conftest import Notebook


def book(notebook: Notebook) -> ModelBook:
    return notebook.bench.deploy.models


@pytest.fixture
def logged(trained: Notebook) -> Notebook:
    trained.ok('pj.log_model(honest, "builds", train[["load", "noise"]].head())')
    trained.ok('pj.log_model(leaky, "builds")')
    return trained


def test_an_alias_moves_from_version_to_version(logged: Notebook) -> None:
    models = book(logged)
    models.aliases.set("builds", "candidate", 1, by="ada")
    assert models.resolve("models:/builds@candidate").ref == "model:builds@1"
    models.aliases.set("builds", "candidate", 2, reason="a trial", by="ada")
    assert models.resolve("builds@candidate").ref == "model:builds@2"
    assert {m.version: m.aliases for m in models.all()} == {1: [], 2: ["candidate"]}
    audit = logged.bench.project.chain.ledger.read_audit(AuditQuery(action="set alias"))
    assert audit.entries[0].detail["before"] == 1
    assert audit.entries[0].detail["reason"] == "a trial"
    models.aliases.remove("builds", "candidate", by="ada")
    with pytest.raises(NotFoundError, match="candidate"):
        models.aliases.remove("builds", "candidate", by="ada")
    with pytest.raises(NotFoundError, match="latest"):
        models.resolve("builds@candidate")


def test_stock_mlflow_reads_the_alias_and_the_card(logged: Notebook) -> None:
    logged.ok('pj.evaluate("builds@1", "builds", split="test")')
    book(logged).aliases.set("builds", "champion", 1, by="ada")
    version = logged.ok(
        'import mlflow\nmlflow.MlflowClient().get_model_version_by_alias("builds", "champion")'
    )
    assert str(version.version) == "1"
    assert version.description.startswith("# builds v1")
    assert "roc_auc" in version.description


@pytest.mark.parametrize("alias", ["latest", "v2", "", "a b", "1st", "x" * 80])
def test_what_cannot_be_an_alias_is_refused(logged: Notebook, alias: str) -> None:
    with pytest.raises(InvalidInputError):
        book(logged).aliases.set("builds", alias, 1, by="ada")


def test_a_version_that_is_not_there_gets_no_alias(logged: Notebook) -> None:
    with pytest.raises(NotFoundError, match="builds@9"):
        book(logged).aliases.set("builds", "candidate", 9, by="ada")


def test_a_champion_that_somebody_named_comes_before_the_best(logged: Notebook) -> None:
    for version in (1, 2):
        logged.ok(f'pj.evaluate("builds@{version}", "builds", split="test")')
    assert book(logged).resolve("builds@champion").version == 1  # the other one leaks
    book(logged).aliases.set("builds", "champion", 2, by="ada")
    assert book(logged).resolve("builds@champion").version == 2


def test_nothing_is_promoted_that_was_made_from_unregistered_data(
    trained: Notebook, root: Path
) -> None:
    # Another process makes it: what the kernel wrote itself is no input.
    subprocess.run(["cp", "data/builds.csv", "data/other.csv"], cwd=root, check=True)
    trained.ok(
        "import pandas as pd\nother = pd.read_csv('data/other.csv')\npj.log_model(honest, 'builds')"
    )
    models = book(trained)
    with pytest.raises(ConflictError, match=r"not promoted.*other\.csv"):
        models.aliases.set("builds", "champion", 1, by="ada")
    assert models.aliases.all() == {}
    models.aliases.set("builds", "candidate", 1, by="ada")


def test_the_card_tells_what_the_chain_knows_and_what_nobody_said(logged: Notebook) -> None:
    sections = {one.title: one for one in book(logged).card("builds", 1).sections}
    assert sections["Intended use"].missing
    assert sections["Measured"].missing
    assert "not measured" in sections["Against the targets"].text
    assert "data:builds@1" in sections["Training data"].text
    assert "`load`" in sections["Inputs and answers"].text
    logged.bench.project.file.change(
        lambda document: document["project"].update(question="Will a <b>build</b> fail?")
    )
    logged.ok('pj.evaluate("builds@1", "builds", split="test")')
    card = book(logged).card("builds", 1)
    sections = {one.title: one for one in card.sections}
    assert sections["Intended use"].text == "Will a &lt;b>build&lt;/b> fail?"
    assert "met" in sections["Against the targets"].text
    assert not any(one.missing for one in card.sections)
    assert "`size` gives the answer away" in book(logged).card("builds", 2).markdown


def test_a_model_that_mlflow_logged_becomes_a_version(trained: Notebook) -> None:
    trained.ok(
        "import mlflow\n"
        "with mlflow.start_run() as opened:\n"
        "    mlflow.sklearn.log_model(honest, name='plain', input_example=train[['load', 'noise']]"
        ".head(), serialization_format='cloudpickle')\n"
        "run_id = opened.info.run_id"
    )
    node = book(trained).register(trained["run_id"], "plain", "builds", by="ada")
    facts = facts_of(node, ModelFacts)
    assert (node.ref, facts.flavor, facts.format) == ("model:builds@1", "sklearn", "pickle")
    assert facts.signature is not None
    assert [field.name for field in facts.signature.inputs] == ["load", "noise"]
    assert facts.sample is not None
    assert facts.sample.keys() == {"load", "noise"}
    assert trained.ok('pj.evaluate("builds@1", "builds")["roc_auc"]') > 0.75
    unknown = {
        check.id for check in trained.bench.deploy.gate("builds@1").checks if check.state != "pass"
    }
    assert "leakage" in unknown


def test_which_of_several_models_of_a_run_is_meant_must_be_said(trained: Notebook) -> None:
    trained.ok(
        "import mlflow\n"
        "with mlflow.start_run() as opened:\n"
        "    for name in ('first', 'second'):\n"
        "        mlflow.sklearn.log_model(honest, name=name, serialization_format='cloudpickle')\n"
        "run_id = opened.info.run_id"
    )
    with pytest.raises(NotFoundError, match="no model 'model'") as raised:
        book(trained).register(trained["run_id"], "model", "builds", by="ada")
    assert raised.value.hint == "It logged: first, second."
