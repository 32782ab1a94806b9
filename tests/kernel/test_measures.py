"""Metrics as scikit-learn has them, and what single columns tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from perijove.adapters.metrics import evaluate_metric
from perijove.adapters.profile import leak_scores, profile
from perijove.core.errors import InvalidInputError, NotFoundError, UnsupportedError
from perijove.core.metrics import METRICS

RANDOM = np.random.default_rng(5)
TRUTH = RANDOM.integers(0, 2, 200)
SHARE = np.clip(TRUTH * 0.4 + RANDOM.random(200) * 0.6, 0.01, 0.99)
LABEL = (SHARE > 0.5).astype(int)
OUTPUTS = {"prediction": LABEL, "probability_0": 1 - SHARE, "probability_1": SHARE}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("roc_auc", sk.roc_auc_score(TRUTH, SHARE)),
        ("average_precision", sk.average_precision_score(TRUTH, SHARE)),
        ("accuracy", sk.accuracy_score(TRUTH, LABEL)),
        ("balanced_accuracy", sk.balanced_accuracy_score(TRUTH, LABEL)),
        ("f1", sk.f1_score(TRUTH, LABEL)),
        ("precision", sk.precision_score(TRUTH, LABEL)),
        ("recall", sk.recall_score(TRUTH, LABEL)),
        ("log_loss", sk.log_loss(TRUTH, SHARE)),
        ("brier", sk.brier_score_loss(TRUTH, SHARE)),
    ],
)
@pytest.mark.parametrize("as_", [int, bool, float])
def test_classes_whatever_their_type(name: str, expected: float, as_: type) -> None:
    truth = [as_(value) for value in TRUTH]
    assert evaluate_metric(name, truth, OUTPUTS) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["rmse", "mae", "mape", "r2"])
def test_numbers(name: str) -> None:
    truth, predicted = RANDOM.random(50) + 1, RANDOM.random(50) + 1
    expected = {
        "rmse": sk.root_mean_squared_error,
        "mae": sk.mean_absolute_error,
        "mape": sk.mean_absolute_percentage_error,
        "r2": sk.r2_score,
    }[name](truth, predicted)
    assert evaluate_metric(name, truth, {"prediction": predicted}) == pytest.approx(expected)


def test_every_metric_of_the_list_is_measured() -> None:
    for name, metric in METRICS.items():
        outputs = OUTPUTS if metric.task == "classification" else {"prediction": SHARE}
        assert np.isfinite(evaluate_metric(name, TRUTH, outputs))


def test_many_classes() -> None:
    truth = ["a", "b", "c", "a", "b", "c"]
    outputs = {
        "prediction": truth,
        **{f"probability_{c}": [0.8 if t == c else 0.1 for t in truth] for c in "abc"},
    }
    assert evaluate_metric("roc_auc", truth, outputs) == 1.0
    assert evaluate_metric("f1", truth, outputs) == 1.0
    assert evaluate_metric("log_loss", truth, outputs) == pytest.approx(-np.log(0.8))


def test_rows_without_an_outcome_are_left_out() -> None:
    outputs = {"prediction": [1, 0, 1]}
    assert evaluate_metric("accuracy", [1, None, float("nan")], outputs) == 1.0
    with pytest.raises(InvalidInputError, match="no row"):
        evaluate_metric("accuracy", [None], {"prediction": [1]})


def test_one_class_cannot_be_ranked() -> None:
    outputs = {"prediction": [1, 1], "probability_0": [0.1, 0.2], "probability_1": [0.9, 0.8]}
    with pytest.raises(InvalidInputError, match="all 2 rows have the outcome '1'"):
        evaluate_metric("roc_auc", [1, 1], outputs)


def test_what_a_model_does_not_answer_is_said() -> None:
    with pytest.raises(UnsupportedError, match="probabilities"):
        evaluate_metric("roc_auc", [0, 1], {"prediction": [0, 1]})
    with pytest.raises(NotFoundError, match="gini"):
        evaluate_metric("gini", [0, 1], OUTPUTS)
    with pytest.raises(InvalidInputError, match="'2' is no class"):
        evaluate_metric("roc_auc", [2] * 200, OUTPUTS)


def test_a_profile_counts_every_row_once() -> None:
    frame = pd.DataFrame(
        {
            "x": [*RANDOM.random(995), np.nan, np.nan, np.nan, np.inf, -np.inf],
            "few": RANDOM.integers(0, 3, 1000),
            "same": 7,
            "word": [f"w{i % 40}" for i in range(1000)],
            "on": RANDOM.random(1000) > 0.5,
        }
    )
    by_name = {p.feature: p for p in profile(frame, list(frame.columns))}
    assert all(sum(p.counts) + p.missing == 1000 for p in by_name.values())
    assert by_name["x"].missing == 3
    assert len(by_name["x"].counts) == len(by_name["x"].edges) + 1 == 20
    assert max(by_name["x"].counts) < 60
    assert by_name["few"].edges == [1.0, 2.0]
    assert (by_name["same"].edges, by_name["same"].counts) == ([], [1000])
    assert len(by_name["word"].labels) == 19
    assert by_name["word"].counts[-1] == 21 * 25
    assert set(by_name["on"].labels) == {"True", "False"}


def test_an_answer_scores_high_and_an_identifier_does_not() -> None:
    rows = 3000
    y = RANDOM.integers(0, 2, rows)
    frame = pd.DataFrame(
        {
            "answer": np.where(y, 5.0, 1.0) + RANDOM.normal(scale=0.1, size=rows),
            "word": np.where(y, "bad", "good"),
            "hint": y + RANDOM.normal(scale=2, size=rows),
            "id": np.arange(rows) + 2**60,
            "key": [f"build-{i}" for i in range(rows)],
            "gaps": np.where(RANDOM.random(rows) < 0.5, np.nan, 1.0),
            "y": y,
        }
    )
    scores = {s.feature: s.score for s in leak_scores(frame, list(frame.columns), "y")}
    assert "y" not in scores
    assert scores["answer"] > 0.99
    assert scores["word"] > 0.99
    assert 0.55 < scores["hint"] < 0.8
    assert all(0.42 < scores[name] < 0.58 for name in ("id", "key", "gaps"))


def test_numbers_are_scored_by_explained_variance() -> None:
    x = RANDOM.random(2000)
    frame = pd.DataFrame({"x": x, "z": RANDOM.random(2000), "y": x**2})
    scores = {s.feature: s.score for s in leak_scores(frame, ["x", "z"], "y")}
    assert scores["x"] > 0.95
    assert scores["z"] < 0.05


def test_a_target_with_one_value_tells_nothing() -> None:
    with pytest.raises(InvalidInputError, match="same value"):
        leak_scores(pd.DataFrame({"x": [1, 2], "y": [1, 1]}), ["x"], "y")


def test_the_real_builds_give_the_size_of_the_log_away(real_csv: Path) -> None:
    frame = pd.read_csv(real_csv).sort_values("start")
    frame["failed"] = frame["result"] == "FAILURE"
    scores = {
        s.feature: s.score
        for s in leak_scores(frame.head(586), ["size", "start", frame.columns[0]], "failed")
    }
    assert scores["size"] > 0.98
    assert scores["start"] < 0.7
    assert scores[frame.columns[0]] < 0.7
