"""What every run store must do. Subclass it and give it a store:

class TestMyStore(RunStoreSuite):
    @pytest.fixture
    def store(self, tmp_path): return MyStore(...)
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from perijove.core.errors import NotFoundError
from perijove.develop.ports import NOTEBOOK_TAG, PARENT_TAG, Batch, Point, RunStore

START = 1_790_000_000_000
KEYS = [
    "loss",
    "val/loss",
    "a b.c-d_e",
    "größe",
    "loss 🚀",
    "p@50:ms",
    "/leading",
    "..",
    "a//b",
    "ends/",
    "-x41-",
    "100 %",
    "k" * 300,
    "k" * 299 + "l",
]


def _new(store: RunStore, name: str = "run", batch: Batch | None = None, at: int = START) -> str:
    return store.create_run(name, started=at, batch=batch or Batch())


def _same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


class RunStoreSuite:
    """The contract of :class:`perijove.develop.ports.RunStore`."""

    def test_a_new_run_reads_back(self, store: RunStore) -> None:
        batch = Batch(
            [Point("auc", 0.7, START, 0)], {"depth": "3"}, {NOTEBOOK_TAG: "a.ipynb", "team": "🦊"}
        )
        run = store.get_run(_new(store, "hgb 7 'ö'", batch))
        assert (run.name, run.status, run.started, run.ended) == (
            "hgb 7 'ö'",
            "RUNNING",
            START,
            None,
        )
        assert run.params == {"depth": "3"}
        assert run.metrics == {"auc": 0.7}
        assert run.tags["team"] == "🦊"
        assert run.tags["mlflow.runName"] == "hgb 7 'ö'"
        assert run.tags["mlflow.user"]

    @pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
    def test_a_run_ends(self, store: RunStore, status: str) -> None:
        run_id = _new(store)
        store.finish(run_id, status, START + 5)  # type: ignore[arg-type]
        run = store.get_run(run_id)
        assert (run.status, run.ended) == (status, START + 5)

    def test_a_queued_run_begins_and_one_that_ended_goes_on(self, store: RunStore) -> None:
        run_id = store.create_run("q", started=START, batch=Batch(), queued=True)
        run = store.get_run(run_id)
        assert (run.status, run.ended) == ("SCHEDULED", None)
        assert store.list_runs(limit=9, status="SCHEDULED")[1] == 1
        store.begin(run_id, START + 5)
        run = store.get_run(run_id)
        assert (run.status, run.ended) == ("RUNNING", None)
        started = run.started
        assert started in (START, START + 5)
        store.finish(run_id, "FAILED", START + 9)
        store.begin(run_id, START + 20)
        run = store.get_run(run_id)
        assert (run.status, run.started, run.ended) == ("RUNNING", started, None)
        store.finish(run_id, "FINISHED", START + 30)
        assert store.get_run(run_id).ended == START + 30

    def test_children_know_their_parent(self, store: RunStore) -> None:
        parent = _new(store, "search")
        one, two = (
            _new(store, f"trial {i}", Batch(tags={PARENT_TAG: parent}), START + i) for i in (1, 2)
        )
        assert store.children(parent) == [two, one]
        assert store.children(one) == []

    @pytest.mark.parametrize(
        "value", [0.0, -0.0, 1e-300, -1e300, 5e-324, math.nan, math.inf, -math.inf]
    )
    def test_every_float_survives(self, store: RunStore, value: float) -> None:
        run_id = _new(store)
        store.write(run_id, Batch([Point("x", value, START, 3)]))
        (point,) = store.points(run_id)
        assert _same(point.value, value)
        assert (point.key, point.at, point.step) == ("x", START, 3)
        assert _same(store.get_run(run_id).metrics["x"], value)

    def test_the_newest_step_is_the_value(self, store: RunStore) -> None:
        run_id = _new(store)
        store.write(run_id, Batch([Point("x", 2.0, START + 9, 2), Point("x", 1.0, START + 10, 1)]))
        store.write(run_id, Batch([Point("x", 0.0, START + 11, 0)]))
        assert store.get_run(run_id).metrics == {"x": 2.0}
        assert [p.step for p in store.points(run_id)] == [0, 1, 2]

    def test_the_same_batch_twice_changes_nothing(self, store: RunStore) -> None:
        run_id = _new(store)
        points = [
            Point("x", math.nan, START, 1),
            Point("x", 1.5, START, 1),
            Point("y", 2, START, 0),
        ]
        batch = Batch(points, {"p": "1"}, {"t": "1"})
        store.write(run_id, batch)
        before = (store.get_run(run_id), store.points(run_id))
        store.write(run_id, batch)
        assert repr(before) == repr((store.get_run(run_id), store.points(run_id)))

    def test_points_are_taken_back_where_the_store_can(self, store: RunStore) -> None:
        first = [Point("loss", 1.0 / step, 100 + step, step) for step in (1, 2, 3)]
        run_id = store.create_run("r", started=1, batch=Batch(points=first))
        store.withdraw(run_id, [*first[1:], Point("loss", math.nan, 200, 9)])
        left = store.points(run_id)
        if len(left) == 3:
            return  # a store that deletes nothing: nothing else has changed either
        assert left == first[:1]
        assert store.get_run(run_id).metrics == {"loss": 1.0}
        store.withdraw(run_id, first[:1])
        assert store.points(run_id) == []
        assert store.get_run(run_id).metrics == {}

    def test_params_stay_and_tags_follow(self, store: RunStore) -> None:
        run_id = _new(store, batch=Batch([], {"p": "1"}, {"t": "1"}))
        store.write(run_id, Batch([], {"p": "2", "q": "3"}, {"t": "2"}))
        run = store.get_run(run_id)
        assert run.params == {"p": "1", "q": "3"}
        assert run.tags["t"] == "2"

    def test_any_text_is_a_key(self, store: RunStore) -> None:
        run_id = _new(store)
        store.write(
            run_id,
            Batch(
                [Point(key, float(i), START, 0) for i, key in enumerate(KEYS)],
                {key: str(i) for i, key in enumerate(KEYS)},
                {key: str(i) for i, key in enumerate(KEYS)},
            ),
        )
        run = store.get_run(run_id)
        assert sorted(run.metrics.values()) == [float(i) for i in range(len(KEYS))]
        assert len(run.params) == len(KEYS)
        for i, key in enumerate(KEYS[:-2]):  # the last two are cut to MLflow's limit
            assert run.metrics[key] == float(i)
            assert run.params[key] == str(i)
            assert run.tags[key] == str(i)
            assert [p.value for p in store.points(run_id, key)] == [float(i)]
        assert [p.value for p in store.points(run_id, KEYS[-1])] == [float(len(KEYS) - 1)]

    def test_long_values_are_cut_and_not_lost(self, store: RunStore) -> None:
        run_id = _new(store, batch=Batch([], {"p": "x" * 20_000}, {"t": "y" * 20_000}))
        run = store.get_run(run_id)
        assert run.params["p"].startswith("x" * 5000)
        assert run.tags["t"].startswith("y" * 5000)

    def test_many_metrics_at_once(self, store: RunStore) -> None:
        run_id = _new(store)
        store.write(run_id, Batch([Point(f"m{i}", float(i), START, 0) for i in range(2500)]))
        assert len(store.get_run(run_id).metrics) == 2500

    def test_newest_runs_first_and_counted(self, store: RunStore) -> None:
        ids = [
            _new(store, f"r{i}", Batch([], {}, {NOTEBOOK_TAG: f"n'{i % 2}.ipynb"}), START + i)
            for i in range(5)
        ]
        runs, total = store.list_runs(limit=3)
        assert ([r.run_id for r in runs], total) == (ids[:1:-1], 5)
        runs, total = store.list_runs(limit=1, notebook="n'1.ipynb")
        assert ([r.run_id for r in runs], total) == ([ids[3]], 2)
        assert store.list_runs(limit=9, notebook="none.ipynb") == ([], 0)
        store.finish(ids[1], "FAILED", START + 9)
        runs, total = store.list_runs(limit=9, status="FAILED")
        assert ([r.run_id for r in runs], total) == ([ids[1]], 1)
        assert store.list_runs(limit=9, status="RUNNING", notebook="n'1.ipynb")[1] == 1

    def test_unknown_runs_are_told(self, store: RunStore) -> None:
        for call in (
            lambda: store.get_run("0" * 32),
            lambda: store.write("0" * 32, Batch([Point("x", 1.0, START, 0)])),
            lambda: store.finish("0" * 32, "FINISHED", START),
            lambda: store.begin("0" * 32, START),
            lambda: store.artifact_folder("0" * 32),
        ):
            with pytest.raises(NotFoundError):
                call()

    def test_points_since_tells_only_what_is_new(self, store: RunStore) -> None:
        run_id = _new(store)
        store.write(run_id, Batch([Point("x", 1.0, START, 0)]))
        points, cursor = store.points_since(run_id, 0)
        assert [p.value for p in points] == [1.0]
        assert store.points_since(run_id, cursor) == ([], cursor)
        store.write(run_id, Batch([Point("x", 2.0, START + 1, 1), Point("y", 3.0, START + 1, 0)]))
        points, _ = store.points_since(run_id, cursor)
        assert sorted(p.value for p in points) == [2.0, 3.0]

    def test_artifacts(self, store: RunStore) -> None:
        run_id = _new(store)
        folder = store.artifact_folder(run_id)
        (folder / "perijove").mkdir()
        (folder / "perijove" / "cells.json").write_bytes(b"[]")
        store.finish(run_id, "FINISHED", START + 1)
        assert store.read_artifact(run_id, "perijove/cells.json") == b"[]"
        assert store.read_artifact(run_id, "perijove/none.json") is None
        assert store.read_artifact(run_id, "perijove") is None

    def test_threads_share_a_store(self, store: RunStore) -> None:
        run_id = _new(store)

        def log(worker: int) -> None:
            for step in range(5):
                store.write(run_id, Batch([Point(f"w{worker}", float(step), START + step, step)]))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(log, range(4)))
        assert len(store.points(run_id)) == 20
        assert store.get_run(run_id).metrics == {f"w{i}": 4.0 for i in range(4)}
