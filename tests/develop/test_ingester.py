"""Journals reach the store whole and once, however they are cut, read again or shared."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perijove.adapters.mlflow.stores import open_run_queries
from perijove.core.errors import NotFoundError, UnavailableError
from perijove.core.files import locked
from perijove.core.journal import JournalWriter
from perijove.develop.ingester import CURSORS, Ingester, understand
from perijove.develop.live import LiveCurve
from perijove.develop.ports import Batch, Point
from perijove.testing.run_store import START


@pytest.fixture
def run_id(store):
    return store.create_run("r", started=START, batch=Batch())


def journal(ingester, run_id, name="1-0.pj"):
    return JournalWriter(ingester.folder(run_id) / name)


def log(ingester, run_id, *records, name="1-0.pj"):
    writer = journal(ingester, run_id, name)
    for record in records:
        writer.append(record)
    writer.close()


def test_all_kinds_arrive(ingester, store, run_id):
    log(
        ingester,
        run_id,
        ["m", START, 1, {"loss": 0.5, "nan": math.nan}],
        ["p", {"depth": "3"}],
        ["t", {"perijove.error": "first"}],
        ["g", START, 0.25],
        ["t", {"perijove.error": "second"}],
        ["g", START + 1, 0.5],
    )
    assert ingester.ingest() == {run_id}
    assert ingester.ingest() == set()
    run = store.get_run(run_id)
    assert run.metrics["loss"] == 0.5
    assert math.isnan(run.metrics["nan"])
    assert run.params == {"depth": "3"}
    assert run.tags["perijove.error"] == "second"
    assert ingester.state(run_id).progress == 0.5


# MLflow's column says the largest float for infinity: the two are one there.
FLOATS = st.floats(width=32)
MARK = st.integers(0, 3)
RECORD = st.one_of(
    st.tuples(st.just("m"), MARK, MARK, st.dictionaries(st.sampled_from("ab"), FLOATS)),
    st.tuples(st.just("p"), st.dictionaries(st.sampled_from("pq"), st.text("01", max_size=2))),
    st.tuples(st.just("t"), st.dictionaries(st.sampled_from("tu"), st.text("01", max_size=2))),
)
ACTION = st.one_of(
    st.tuples(st.just("reveal"), st.integers(0, 2), st.integers(1, 90)),
    st.tuples(st.sampled_from(["ingest", "forget", "new process"]), st.just(0), st.just(0)),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(RECORD, max_size=6), min_size=3, max_size=3), st.lists(ACTION, max_size=25)
)
def test_any_cut_and_any_repetition_ends_the_same(project, store, files, actions):
    """Files grow by some bytes at a time, torn frames included; cursors get lost in between."""
    run_id = store.create_run("r", started=START, batch=Batch())
    ingester = Ingester(project, store)
    folder = ingester.folder(run_id)
    folder.mkdir(parents=True)
    whole: list[bytes] = []
    for number, records in enumerate(files):
        # Each process has names of its own: of two that differ, the order would decide.
        owned = [
            [kind, {f"{key}{number}": text for key, text in rest[0].items()}]
            if kind in "pt"
            else [kind, *rest]
            for kind, *rest in records
        ]
        with tempfile.TemporaryDirectory() as scratch:
            writer = JournalWriter(Path(scratch, "x"))
            for record in owned:
                writer.append(record)
            writer.close()
            whole.append(Path(scratch, "x").read_bytes())
        files[number] = owned
    shown = [0, 0, 0]

    def reveal(number, count):
        with (folder / f"{number}.pj").open("ab") as file:
            file.write(whole[number][shown[number] : shown[number] + count])
        shown[number] += count

    for action, number, count in actions:
        match action:
            case "reveal":
                reveal(number, count)
            case "forget":
                (folder / CURSORS).unlink(missing_ok=True)
            case "new process":
                ingester = Ingester(project, store)
            case _:
                ingester.ingest()
    for number in range(3):
        reveal(number, len(whole[number]))
    ingester.ingest(run_id)

    points, params, tags = set(), {}, {}
    for kind, *rest in (record for records in files for record in records):
        if kind == "m":
            at, step, values = rest
            points |= {(key, repr(value + 0.0), at, step) for key, value in values.items()}
        elif kind == "p":
            params = {**rest[0], **params}
        else:
            tags |= rest[0]
    run = store.get_run(run_id)
    found = store.points(run_id)
    assert {(p.key, repr(p.value + 0.0), p.at, p.step) for p in found} == points
    assert len(found) == len(points)
    assert run.params == params
    assert {k: v for k, v in run.tags.items() if not k.startswith("mlflow.")} == tags
    newest = {p.key: p.step for p in found}
    assert set(run.metrics) == set(newest)


def test_two_writers_of_one_run(ingester, store, run_id):
    code = (
        "import sys, os; from pathlib import Path\n"
        "from perijove.core.journal import JournalWriter\n"
        "writer = JournalWriter(Path(sys.argv[1], f'{os.getpid()}-0.pj'))\n"
        "for i in range(500): writer.append(['m', i, i, {sys.argv[2]: i / 2}])\n"
    )
    folder = str(ingester.folder(run_id))
    writers = [subprocess.Popen([sys.executable, "-c", code, folder, key]) for key in "ab"]
    while any(writer.poll() is None for writer in writers):
        ingester.ingest()
    ingester.ingest(run_id)
    assert [writer.returncode for writer in writers] == [0, 0]
    for key in "ab":
        assert [p.step for p in store.points(run_id, key)] == list(range(500))


def test_one_ingests_at_a_time(project, ingester, store, run_id):
    log(ingester, run_id, ["m", START, 1, {"loss": 0.5}])
    with locked(project.paths.journals / "ingest.lock"):
        assert ingester.ingest() == set()
        assert store.points(run_id) == []
        done = threading.Event()

        def finish():
            Ingester(project, store).ingest(run_id)
            done.set()

        thread = threading.Thread(target=finish)
        thread.start()
        assert not done.wait(0.05)
    thread.join(10)
    assert done.is_set()
    assert len(store.points(run_id)) == 1


def test_a_damaged_journal_does_not_stop_the_others(ingester, store, run_id):
    other = store.create_run("other", started=START, batch=Batch())
    log(ingester, run_id, ["m", START, 1, {"loss": 1.0}], ["m", START, 2, {"loss": 2.0}])
    path = ingester.folder(run_id) / "1-0.pj"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    log(ingester, run_id, ["m", START, 1, {"acc": 1.0}], name="2-0.pj")
    log(ingester, other, ["m", START, 1, {"loss": 1.0}])
    assert ingester.ingest() == {run_id, other}
    assert ingester.ingest() == set()
    assert store.get_run(run_id).metrics == {"loss": 1.0, "acc": 1.0}


def test_journals_without_a_run_are_kept_and_passed_over(ingester, store, run_id):
    log(ingester, "0" * 32, ["m", START, 1, {"loss": 1.0}])
    log(ingester, run_id, ["m", START, 1, {"loss": 1.0}])
    assert ingester.ingest() == {run_id}
    assert (ingester.folder("0" * 32) / "1-0.pj").exists()
    for name in ("../../etc", "a/b", "", "x" * 65):
        with pytest.raises(NotFoundError):
            ingester.folder(name)


def test_a_store_that_fails_loses_nothing(project, store, run_id):
    class Failing:
        broken = True

        def write(self, run_id, batch):
            if self.broken:
                raise UnavailableError("down")
            store.write(run_id, batch)

    failing = Failing()
    ingester = Ingester(project, failing)
    log(ingester, run_id, ["m", START, 1, {"loss": 1.0}])
    with pytest.raises(UnavailableError):
        ingester.ingest()
    failing.broken = False
    assert ingester.ingest() == {run_id}
    assert store.get_run(run_id).metrics == {"loss": 1.0}


def test_unknown_records_are_passed_over():
    found = understand(
        [
            ["z", 1],
            [],
            ["m", 1],
            ["m", "x", 1, {}],
            ["m", 2**64 - 1, 0, {"a": 1.0}],
            ["m", 1, 1, {"a": "text", "b": 2, "c": True}],
            ["g", 5, math.nan],
            ["g", 4, 7],
            ["g", 3, 0.5],
        ]
    )
    assert found.batch.points == [Point("b", 2.0, 1, 1), Point("c", 1.0, 1, 1)]
    assert (found.progress, found.progress_at) == (1.0, 4)


@pytest.mark.parametrize("with_queries", [True, False])
def test_a_live_curve_tells_each_point_once(ingester, store, run_id, with_queries):
    curve = LiveCurve(ingester, run_id, open_run_queries(store) if with_queries else None)
    assert curve.read() == ([], None)
    log(ingester, run_id, ["m", 1, 1, {"loss": 1.0}], ["g", 1, 0.5])
    (series,), progress = curve.read()  # not in the store yet
    assert (series.key, series.steps, progress) == ("loss", [1], 0.5)
    ingester.ingest()
    assert curve.read() == ([], None)
    store.write(run_id, Batch([Point("autologged", 3.0, 5, 0)]))
    (series,), _ = curve.read()
    assert (series.key, series.values) == ("autologged", [3.0])
    log(ingester, run_id, ["m", 2, 2, {"loss": 2.0}])
    ingester.ingest()
    (series,), _ = curve.read()
    assert (series.key, series.steps) == ("loss", [2])
    assert curve.read() == ([], None)
    late = {series.key: series.steps for series in LiveCurve(ingester, run_id).read()[0]}
    assert late == {"autologged": [0], "loss": [1, 2]}
    assert LiveCurve(ingester, "0" * 32).read() == ([], None)


def test_a_quiet_run_is_looked_at_again(ingester, store, run_id, monkeypatch):
    log(ingester, run_id, ["m", 1, 1, {"loss": 1.0}])
    path = ingester.folder(run_id) / "1-0.pj"
    os.utime(path, (1, 1))
    ingester.ingest()
    log(ingester, run_id, ["m", 2, 2, {"loss": 2.0}])
    assert ingester.ingest() == set()
    monkeypatch.setattr("perijove.develop.ingester.FULL_SWEEP_SECONDS", 0.0)
    assert ingester.ingest() == {run_id}


def test_a_run_that_is_refused_stands_in_no_others_way(project, store):
    refused, other, last = sorted(
        store.create_run(name, started=START, batch=Batch()) for name in ("a", "b", "c")
    )

    class Refusing:
        def __getattr__(self, name):
            return getattr(store, name)

        def write(self, run_id, batch):
            if run_id == refused:
                raise UnavailableError("It is too large.")
            store.write(run_id, batch)

    ingester = Ingester(project, Refusing())
    for run in (refused, other, last):
        log(ingester, run, ["m", START, 0, {"loss": 0.5}])
    for _ in range(2):
        with pytest.raises(UnavailableError, match="too large"):
            ingester.ingest()
    assert store.get_run(other).metrics == store.get_run(last).metrics == {"loss": 0.5}
    assert store.get_run(refused).metrics == {}
    ingester.store = store
    assert ingester.ingest() == {refused}


def test_a_live_curve_goes_on_while_the_store_is_away(ingester, store, run_id, monkeypatch):
    curve = LiveCurve(ingester, run_id)
    log(ingester, run_id, ["m", START, 0, {"loss": 0.5}])

    def away():
        raise UnavailableError("away")

    monkeypatch.setattr(store, "change_counter", away)
    series, _ = curve.read()
    assert [line.values for line in series] == [[0.5]]


@pytest.mark.parametrize(
    ("state", "status"), [("finished", "FINISHED"), ("failed", "FAILED"), ("stopped", "KILLED")]
)
def test_an_end_in_the_journal_ends_the_run(ingester, store, run_id, state, status):
    log(ingester, run_id, ["m", START, 1, {"loss": 0.5}], ["e", START + 9, state, "why"])
    ingester.ingest()
    run = store.get_run(run_id)
    assert (run.status, run.ended) == (status, START + 9)
    assert run.tags["perijove.error"] == "why"
    assert run.metrics == {"loss": 0.5}


def test_an_end_waits_for_a_store_that_is_away(ingester, store, run_id, monkeypatch):
    def away(*arguments):
        raise UnavailableError("The store is away.")

    log(ingester, run_id, ["e", START + 9, "finished", ""], ["e", 1, "unheard of", ""], ["e"])
    with monkeypatch.context() as outage:
        outage.setattr(store, "finish", away)
        with pytest.raises(UnavailableError):
            ingester.ingest()
    assert store.get_run(run_id).status == "RUNNING"
    ingester.ingest()
    assert (store.get_run(run_id).status, store.get_run(run_id).ended) == ("FINISHED", START + 9)


def test_a_run_ends_after_all_that_its_other_journals_hold(project, store, ingester, run_id):
    for name, records in (
        ("1-0", [["m", START, 0, {"a": 1.0}], ["e", START + 9, "finished", ""]]),
        ("1-1", [["m", START, 0, {"b": 2.0}], ["p", {"late": "1"}]]),
    ):
        writer = JournalWriter(ingester.folder(run_id) / f"{name}.pj")
        for record in records:
            writer.append(record)
        writer.close()

    class Crashing:
        def __getattr__(self, name):
            return getattr(store, name)

        def finish(self, *arguments):
            raise UnavailableError("gone")

    with pytest.raises(UnavailableError):
        Ingester(project, Crashing()).ingest(run_id)
    assert store.get_run(run_id).metrics == {"a": 1.0, "b": 2.0}
    assert store.get_run(run_id).status == "RUNNING"
    ingester.ingest(run_id)
    assert (store.get_run(run_id).status, store.get_run(run_id).ended) == ("FINISHED", START + 9)


def test_a_live_curve_begins_with_what_the_store_has(ingester, store, run_id):
    """Few enough points to draw, every key, and then each new point once."""
    log(ingester, run_id, *(["m", START + s, s, {"loss": float(s)}] for s in range(2000)))
    ingester.ingest()
    log(ingester, run_id, ["m", START, 0, {"late": math.nan}], ["g", START, 0.25])
    curve = LiveCurve(ingester, run_id, open_run_queries(store))
    series, progress = curve.read(limit=50)
    found = {one.key: one for one in series}
    assert (found["loss"].total, found["loss"].steps[0], found["loss"].steps[-1]) == (2000, 0, 1999)
    assert len(found["loss"].steps) <= 50
    assert (found["late"].values, progress) == (["NaN"], 0.25)
    log(ingester, run_id, ["m", START, 2000, {"loss": 1.0}])
    (series,), _ = curve.read()
    assert series.steps == [2000]
    ingester.ingest()
    assert curve.read() == ([], None)
