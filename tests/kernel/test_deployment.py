"""``%deploy`` and what comes after: the gate in words, predictions, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from IPython.core.error import UsageError

from perijove.core.errors import GateBlockedError, InvalidInputError, ModelInputError
from tests.deploy.conftest import end
from tests.kernel.conftest import Notebook


@pytest.fixture
def deployed(trained: Notebook) -> Iterator[Notebook]:
    """Both models logged and measured; endpoints end with the test."""
    trained.ok('pj.log_model(leaky, "leaky")\npj.evaluate(leaky, "builds")')
    trained.ok('pj.log_model(honest, "builds")\npj.evaluate(honest, "builds")')
    yield trained
    end(trained.bench.deploy)


def test_the_gate_names_the_column_and_nothing_goes_out(deployed: Notebook) -> None:
    raised = deployed.run("%deploy leaky").error_in_exec
    assert isinstance(raised, UsageError)
    text = str(raised)
    assert "CLOSED" in text
    told = next(line for line in text.splitlines() if line.strip().startswith("size ("))
    assert "known only after the prediction" in told
    assert "alone scores" in told
    assert "load (" not in text
    assert isinstance(deployed.run('pj.deploy("leaky")').error_in_exec, GateBlockedError)
    import perijove.deploy.service  # binds the step's package to the name that people call

    assert perijove.deploy.service.DeployService
    assert isinstance(deployed.run('pj.deploy("leaky")').error_in_exec, GateBlockedError)
    assert deployed.bench.deploy.endpoints() == []


def test_an_unknown_model_is_named(deployed: Notebook) -> None:
    raised = deployed.run("%deploy nothing").error_in_exec
    assert isinstance(raised, UsageError)
    assert "nothing" in str(raised)


def test_a_model_answers_and_its_outcomes_make_the_live_figure(deployed: Notebook) -> None:
    deployed.ok("%deploy builds --endpoint live")
    text = deployed.outputs[-1]["data"]["text/plain"]
    assert "open" in text
    assert "live r1 serving: model:builds@1" in text
    deployed.ok('test = pj.dataset("builds").read(split="test")\nlive = pj.endpoint("live")')
    answers = deployed.ok('live.predict(test[["load", "noise"]])')
    assert list(answers.index) == list(deployed["test"].index)
    assert list(answers.columns) == [
        "prediction", "probability_0", "probability_1", "prediction_id",
    ]  # fmt: skip
    expected = deployed["honest"].predict_proba(deployed["test"][["load", "noise"]])[:, 1]
    assert answers["probability_1"].to_numpy() == pytest.approx(expected)

    said = deployed.ok(
        'live.record_outcomes(live.predict(test[["load", "noise"]])["prediction_id"], '
        'test["failed"])'
    )
    assert "180 outcomes recorded; live roc_auc 0." in said
    one = deployed.ok('live.predict({"load": 0.5, "noise": 0.1})')
    assert len(one) == 1
    deployed.ok("live.record_outcomes({one: True})".replace("one", repr(one["prediction_id"][0])))

    refused = deployed.run('live.predict({"load": 0.5})').error_in_exec
    assert isinstance(refused, ModelInputError)
    assert "noise" in str(refused)
    unknown = deployed.run('live.record_outcomes(["no"], [1])').error_in_exec
    assert isinstance(unknown, InvalidInputError)


def test_an_override_is_signed_and_shown(deployed: Notebook) -> None:
    deployed.ok('%deploy leaky --override "for the tests of the override"')
    text = deployed.outputs[-1]["data"]["text/plain"]
    assert f"OVERRIDDEN by {deployed.session.actor}: for the tests of the override" in text
    assert "leakage" in text


def test_the_lifecycle_is_printed(deployed: Notebook, shown: Callable[[], str]) -> None:
    shown()
    deployed.ok("%lifecycle")
    text = shown()
    for step in ("1 Problem", "2 Data", "3 Develop", "4 Deploy", "5 Monitor"):
        assert step in text
