"""An object of the kernel and the version that it was logged as."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from perijove.core.errors import ConflictError
from perijove.kernel.logged import LoggedModels, fingerprint
from tests.kernel.conftest import Notebook

X = np.random.default_rng(1).normal(size=(80, 2))
Y = (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        RandomForestClassifier(n_estimators=5, random_state=1),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
    ids=["linear", "forest", "pipeline"],
)
def test_predicting_changes_nothing_and_fitting_does(model: LogisticRegression) -> None:
    model.fit(X, Y)
    before = fingerprint(model)
    model.predict_proba(X)
    assert before is not None
    assert fingerprint(model) == before
    model.fit(X[:40], 1 - Y[:40])
    assert fingerprint(model) != before


def test_a_function_changes_with_what_it_closes_over() -> None:
    factors = [1.0]

    def model(frame: object) -> float:
        return factors[0]

    before = fingerprint(model)
    assert fingerprint(model) == before
    factors[0] = 2.0
    assert fingerprint(model) != before


def test_torch_weights_count_and_gradients_do_not() -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(2, 1)
    before = fingerprint(model)
    model.eval()
    model(torch.ones(1, 2)).sum().backward()
    assert fingerprint(model) == before
    with torch.no_grad():
        model.weight += 1
    assert fingerprint(model) != before


def test_objects_are_let_go() -> None:
    logged = LoggedModels()
    model = LogisticRegression().fit(X, Y)
    logged.remember(model, "model:builds@1")
    assert logged.require(model) == "model:builds@1"
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
    assert logged.find(LogisticRegression()) is None


def test_what_takes_no_weak_reference_is_known_too() -> None:
    class Slim:
        __slots__ = ("factor",)

        def predict(self, frame: object) -> float:
            return float(self.factor)

    logged, model = LoggedModels(), Slim()
    model.factor = 1
    logged.remember(model, "model:slim@2")
    assert logged.require(model) == "model:slim@2"
    model.factor = 2
    with pytest.raises(ConflictError, match="model:slim@2"):
        logged.require(model)


def test_a_model_that_was_fitted_again_is_not_measured_as_the_old_one(trained: Notebook) -> None:
    trained.ok('pj.log_model(honest, "builds")\npj.evaluate(honest, "builds")')
    trained.ok('honest.fit(train[["load", "noise"]], 1 - train["failed"])')
    raised = trained.run('pj.evaluate(honest, "builds")').error_in_exec
    assert isinstance(raised, ConflictError)
    assert "model:builds@1" in raised.message
    assert "pj.log_model" in raised.hint
    assert trained.ok('pj.evaluate("builds@1", "builds")["roc_auc"]') > 0.75
    trained.ok('pj.log_model(honest, "builds")')
    assert trained.ok('pj.evaluate(honest, "builds")["roc_auc"]') < 0.5


def test_a_model_that_was_fitted_again_goes_out_as_it_is(trained: Notebook) -> None:
    trained.ok('pj.log_model(honest, "builds")\npj.evaluate(honest, "builds")')
    trained.ok(
        "from perijove.kernel.deployment import model_version\n"
        "from perijove.kernel.session import current"
    )
    assert trained.ok("model_version(current(), honest).ref") == "model:builds@1"
    trained.ok('honest.fit(train[["load", "noise"]], 1 - train["failed"])')
    assert trained.ok("model_version(current(), honest).ref") == "model:builds@2"
    assert trained.ok("model_version(current(), honest).ref") == "model:builds@2"
    checks = {check.id: check.state for check in trained.bench.deploy.gate("builds@2").checks}
    assert checks["kpi_met"] == "unknown"
