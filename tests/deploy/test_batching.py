"""Requests that arrive together go to the model together, and spoil nothing for each other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perijove.adapters.serving.worker.engine import BATCH_ROWS, Engine, HungError
from perijove.adapters.serving.worker.model import (
    SHARES_DECIDE,
    Model,
    _last_step,
    _of_estimator,
)
from perijove.contracts.deploy import Field, Signature
from perijove.core.errors import ModelInputError, PerijoveError, UnavailableError

SIGNATURE = Signature(
    inputs=[Field(name="x", type="FP64")], outputs=[Field(name="prediction", type="FP64")]
)


class Gate:
    """A model whose every batch waits to be let through."""

    def __init__(self) -> None:
        self.began = threading.Semaphore(0)
        self.open = threading.Event()
        self.sizes: list[int] = []

    def predict(self, frame: Any) -> dict[str, Any]:
        self.sizes.append(len(frame))
        self.began.release()
        assert self.open.wait(30)
        if (frame["x"] < 0).any():
            raise ValueError("x is below 0")
        return {"prediction": frame["x"].to_numpy() * 2}


def engine_of(
    predict: Callable[[Any], dict[str, Any]], timeout: float = 30.0, batching: bool | None = True
) -> Engine:
    return Engine(Model(predict, SIGNATURE), SIGNATURE, {"x": 1.0}, timeout, batching)


async def ask_many(
    engine: Engine, gate: Gate, first: list[float], others: list[list[float]]
) -> Any:
    """Ask for the first, and for the others while the model works on it."""
    tasks = [asyncio.create_task(engine.predict({"x": first}, len(first)))]
    await asyncio.to_thread(gate.began.acquire)
    tasks += [asyncio.create_task(engine.predict({"x": v}, len(v))) for v in others]
    await asyncio.sleep(0)  # they are in the queue now
    gate.open.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_what_arrives_meanwhile_is_one_batch() -> None:
    gate = Gate()
    engine = engine_of(gate.predict)
    others = [[float(i)] * (1 + i % 3) for i in range(1, 40)]
    answers = asyncio.run(ask_many(engine, gate, [0.5], others))
    assert answers == [{"prediction": [2 * v for v in values]} for values in [[0.5], *others]]
    assert gate.sizes == [1, sum(map(len, others))]
    assert engine.batches == 2


def test_without_batching_each_request_is_a_batch() -> None:
    gate = Gate()
    engine = engine_of(gate.predict, batching=False)
    answers = asyncio.run(ask_many(engine, gate, [0.5], [[1.0], [2.0], [3.0]]))
    assert [a["prediction"] for a in answers] == [[1.0], [2.0], [4.0], [6.0]]
    assert gate.sizes == [1, 1, 1, 1]


def test_a_batch_has_its_limit_and_a_large_request_one_of_its_own() -> None:
    gate = Gate()
    engine = engine_of(gate.predict)
    half = [1.0] * (BATCH_ROWS // 2)
    large = [1.0] * (BATCH_ROWS + 1)
    answers = asyncio.run(ask_many(engine, gate, [1.0], [half, half, [1.0], large, [1.0]]))
    assert [len(a["prediction"]) for a in answers] == [
        1, len(half), len(half), 1, len(large), 1,
    ]  # fmt: skip
    assert gate.sizes == [1, BATCH_ROWS, 1, len(large), 1]


def test_a_row_that_the_model_refuses_spoils_no_other_request() -> None:
    gate = Gate()
    engine = engine_of(gate.predict)
    answers = asyncio.run(ask_many(engine, gate, [1.0], [[2.0], [3.0, -1.0], [4.0]]))
    assert answers[0] == {"prediction": [2.0]}
    assert answers[1] == {"prediction": [4.0]}
    assert answers[3] == {"prediction": [8.0]}
    assert isinstance(answers[2], ModelInputError)
    assert "row 1" in str(answers[2])


def test_a_client_that_went_away_is_not_computed_for() -> None:
    gate = Gate()
    engine = engine_of(gate.predict, batching=False)

    async def go() -> list[Any]:
        first = asyncio.create_task(engine.predict({"x": [1.0]}, 1))
        await asyncio.to_thread(gate.began.acquire)
        gone = asyncio.create_task(engine.predict({"x": [9.0]}, 1))
        last = asyncio.create_task(engine.predict({"x": [2.0]}, 1))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        gate.open.set()
        return [await first, await last]

    assert asyncio.run(go()) == [{"prediction": [2.0]}, {"prediction": [4.0]}]
    assert gate.sizes == [1, 1]


def test_a_model_that_does_not_come_back_fails_all_that_wait() -> None:
    gate = Gate()
    engine = engine_of(gate.predict, timeout=0.2)

    async def go() -> list[Any]:
        tasks = [asyncio.create_task(engine.predict({"x": [1.0]}, 1)) for _ in range(3)]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        late = await asyncio.gather(engine.predict({"x": [1.0]}, 1), return_exceptions=True)
        return [*found, *late]

    try:
        answers = asyncio.run(go())
    finally:
        gate.open.set()
    assert all(isinstance(answer, HungError) for answer in answers), answers


def test_what_waits_too_long_is_told_that_it_is_busy() -> None:
    rest = threading.Event()

    def slow(frame: Any) -> dict[str, Any]:
        rest.wait(0.15)  # within the limit itself, and two of them are beyond it
        return {"prediction": frame["x"].to_numpy()}

    engine = engine_of(slow, timeout=0.25, batching=False)

    async def go() -> list[Any]:
        tasks = [asyncio.create_task(engine.predict({"x": [float(i)]}, 1)) for i in range(6)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(go())
    assert answers[0] == {"prediction": [0.0]}
    assert isinstance(answers[-1], UnavailableError)
    assert not isinstance(answers[-1], HungError)
    assert "busy" in str(answers[-1])


@pytest.mark.parametrize(
    ("predict", "stands_alone"),
    [
        (lambda frame: {"prediction": frame["x"].to_numpy() * 2}, True),
        (lambda frame: {"prediction": (frame["x"] - frame["x"].mean()).to_numpy()}, False),
        (lambda frame: {"prediction": frame["x"].rank().to_numpy()}, False),
        (lambda frame: {"prediction": np.full(len(frame), len(frame))}, False),
        (lambda frame: {"prediction": np.array(["a"] * len(frame))}, True),
        (lambda frame: {"prediction": frame["x"].to_numpy()[:1]}, False),
    ],
)
def test_a_model_whose_rows_depend_on_each_other_gets_them_apart(
    predict: Callable[[Any], dict[str, Any]], stands_alone: bool
) -> None:
    engine = engine_of(predict, batching=None)
    engine.warm_up()
    assert engine.batching is stands_alone


def test_a_broken_model_says_so_to_each() -> None:
    def broken(frame: Any) -> dict[str, Any]:
        raise RuntimeError("no weights")

    engine = engine_of(broken)

    async def go() -> list[Any]:
        tasks = [asyncio.create_task(engine.predict({"x": [1.0]}, 1)) for _ in range(3)]
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(go())
    assert all(isinstance(a, PerijoveError) and a.code == "model_broken" for a in answers)


@pytest.mark.parametrize("depth", [1, 6])
def test_a_label_told_by_the_shares_is_the_estimators_own(depth: int) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(5)
    rows = pd.DataFrame(random.normal(size=(400, 3)).round(1), columns=["a", "b", "c"])
    target = np.where(rows["a"] > 0, "yes", np.where(rows["b"] > 0, "no", "maybe"))
    for estimator in (
        HistGradientBoostingClassifier(max_depth=depth, max_iter=5),
        RandomForestClassifier(4, max_depth=depth, random_state=1),  # with ties
        make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=2)),
    ):
        fitted = estimator.fit(rows, target)
        assert _last_step(fitted) in SHARES_DECIDE
        found = _of_estimator(fitted)(rows)
        assert found["prediction"].tolist() == fitted.predict(rows).tolist()
        assert np.array_equal(found["probability_no"], fitted.predict_proba(rows)[:, 1])
