"""The generated builds hold what the notebook says of them, whatever the seed."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from perijove.example.builds import COLUMNS, WEEK, generate_builds, to_csv
from tests.example.notebook import AFTER, BEFORE, curate

SEEDS = range(0, 21, 4)


@pytest.fixture(scope="module", params=SEEDS)
def table(request: pytest.FixtureRequest) -> pd.DataFrame:
    text = to_csv(generate_builds(seed=request.param), seed=request.param)
    return curate(pd.read_csv(io.StringIO(text)))


def area(table: pd.DataFrame, columns: list[str]) -> float:
    """ROC AUC with a time split, as the notebook's evaluation has it."""
    cut = round(len(table) * 0.7)
    past, future = table[:cut], table[cut:]
    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.05, max_leaf_nodes=8, early_stopping=False, random_state=0
    ).fit(past[columns], past["failed"])
    return float(roc_auc_score(future["failed"], model.predict_proba(future[columns])[:, 1]))


def test_the_table_has_the_shape_of_real_builds() -> None:
    builds = generate_builds(seed=7)
    rows = list(csv.reader(io.StringIO(to_csv(builds, seed=7))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 1501
    ids = [int(row[0]) for row in rows[1:]]
    assert len(set(ids)) == len(ids)
    assert all(2**53 < build < 2**63 for build in ids)
    assert {row[1] for row in rows[1:]} == {"SUCCESS", "FAILURE"}
    assert all(int(row[4]) > int(row[3]) and int(row[2]) > 0 for row in rows[1:])
    assert ids != sorted(ids), "an export is in no order"


def test_a_seed_always_makes_the_same_builds() -> None:
    assert to_csv(generate_builds(seed=3), seed=3) == to_csv(generate_builds(seed=3), seed=3)
    assert generate_builds(seed=3) != generate_builds(seed=4)


def test_count_and_weeks_are_kept() -> None:
    builds = generate_builds(40, weeks=2, seed=1)
    assert len(builds) == 40
    assert builds[-1].start - builds[0].start < 2 * WEEK


def test_the_last_weeks_drift(table: pd.DataFrame) -> None:
    week = (table["start"] - table["start"].min()) // WEEK
    early, late = table[week < 6], table[week >= 6]
    assert late["failed"].mean() > early["failed"].mean() + 0.08
    green = [part.loc[part["failed"] == 0, "size"].median() for part in (early, late)]
    red = [part.loc[part["failed"] == 1, "size"].median() for part in (early, late)]
    assert green[1] < green[0] / 2
    assert red[1] > red[0]


def test_size_and_duration_give_the_result_away(table: pd.DataFrame) -> None:
    assert area(table, BEFORE + AFTER) > 0.95


def test_an_honest_model_reaches_the_target(table: pd.DataFrame) -> None:
    assert area(table, BEFORE) >= 0.75


def test_no_single_feature_known_before_gives_the_result_away(table: pd.DataFrame) -> None:
    def alone(column: str) -> float:
        score = float(roc_auc_score(table["failed"], table[column]))
        return max(score, 1 - score)

    assert max(alone(column) for column in BEFORE) < 0.9


def test_no_feature_looks_ahead(table: pd.DataFrame) -> None:
    """Change what happens after a moment: nothing known before it changes."""
    raw = pd.read_csv(io.StringIO(to_csv(generate_builds(seed=0), seed=0)))
    moment = int(raw["start"].quantile(0.6))
    other: Any = raw.copy()
    ahead = other["end"] >= moment
    other.loc[ahead, "result"] = np.where(other.loc[ahead, "size"] % 2 == 0, "SUCCESS", "FAILURE")
    other.loc[ahead, "size"] = 1
    before, after = curate(raw), curate(other)
    past = before["start"] <= moment
    pd.testing.assert_frame_equal(before.loc[past, BEFORE], after.loc[past, BEFORE])
