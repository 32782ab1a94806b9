"""``pj.log`` and its neighbours: cheap, shared by threads and forks, and hard to lose."""

from __future__ import annotations

import math
import os
import resource
import shutil
import threading
import warnings
from collections.abc import Iterator

import pytest

from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.core.journal import JournalFolder, Record
from perijove.kernel import tracking
from perijove.kernel.tracking import ActiveRun


@pytest.fixture
def run(project: ProjectContext) -> Iterator[ActiveRun]:
    project.paths.make_state()
    made = ActiveRun(project.paths, "r1")
    tracking.activate(made)
    yield made
    tracking.activate(None)
    made.close()


def records(project: ProjectContext) -> list[Record]:
    return JournalFolder(project.paths.journals / "r1").read()


def test_steps_count_on_from_the_last_one(project: ProjectContext, run: ActiveRun) -> None:
    tracking.log(loss=1)
    tracking.log(loss=2, step=10)
    tracking.log({"val/loss": 3})
    assert [record[2:] for record in records(project)] == [
        [0, {"loss": 1.0}],
        [10, {"loss": 2.0}],
        [11, {"val/loss": 3.0}],
    ]


def test_what_is_no_finite_number_is_kept(project: ProjectContext, run: ActiveRun) -> None:
    tracking.log(a=math.nan, b=-math.inf)
    values = records(project)[0][3]
    assert math.isnan(values["a"])
    assert values["b"] == -math.inf


def test_what_is_no_number_is_named(run: ActiveRun) -> None:
    with pytest.raises(InvalidInputError, match="words is no number but a str"):
        tracking.log(loss=1, words="many")


def test_without_a_run_the_way_to_one_is_said() -> None:
    with pytest.raises(NotFoundError) as caught:
        tracking.log(loss=1)
    assert "%%train" in caught.value.hint


def test_threads_share_a_run(project: ProjectContext, run: ActiveRun) -> None:
    def work(name: str) -> None:
        for step in range(300):
            tracking.log({name: step}, step=step)

    threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = {(key, record[2]) for record in records(project) for key in record[3]}
    assert len(seen) == 6 * 300


def test_a_forked_worker_writes_a_journal_of_its_own(
    project: ProjectContext, run: ActiveRun
) -> None:
    tracking.log(parent=1)
    child = os.fork()
    if child == 0:
        tracking.log(child=2)
        os._exit(0)
    os.waitpid(child, 0)
    tracking.log(parent=3)
    assert len(list((project.paths.journals / "r1").glob("*.pj"))) == 2
    assert sorted(str(record[3]) for record in records(project)) == [
        "{'child': 2.0}", "{'parent': 1.0}", "{'parent': 3.0}",
    ]  # fmt: skip


def test_a_full_disk_costs_records_and_not_the_training(
    project: ProjectContext, run: ActiveRun
) -> None:
    tracking.log(loss=1)
    journal = next((project.paths.journals / "r1").glob("*.pj"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + 5, hard))
    try:
        with pytest.warns(RuntimeWarning, match="Training goes on"):
            tracking.log(loss=2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it is said once
            tracking.log(loss=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    tracking.log(loss=4)
    assert run.lost == 0
    assert [record[3]["loss"] for record in records(project)] == [1.0, 2.0, 3.0, 4.0]


def test_a_disk_that_stays_full_loses_the_oldest_of_what_waits_and_counts_them(
    project: ProjectContext, run: ActiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perijove.core.process_journal.WAITING", 2)
    tracking.log(loss=0)
    journal = next((project.paths.journals / "r1").glob("*.pj"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size, hard))
    try:
        with pytest.warns(RuntimeWarning, match="free some disk space"):
            tracking.log(loss=1)
        tracking.log(loss=2)
        tracking.log(loss=3)
        run.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert run.lost == 3
    assert [record[3]["loss"] for record in records(project)] == [0.0]


def test_a_journal_folder_that_somebody_deletes_costs_nothing(
    project: ProjectContext, run: ActiveRun
) -> None:
    for loss in range(5):
        tracking.log(loss=loss)
    shutil.rmtree(project.paths.journals / "r1")
    tracking.log(loss=5)
    run.close()
    assert [record[3]["loss"] for record in records(project)] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_fork_while_another_thread_logs_does_not_hang(
    project: ProjectContext, run: ActiveRun
) -> None:
    done = threading.Event()

    def work() -> None:
        step = 0
        while not done.is_set():
            tracking.log({"thread": step}, step=step)
            step += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for i in range(20):
            child = os.fork()
            if child == 0:
                tracking.log({"child": i}, step=i)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        done.set()
        thread.join()
    assert {r[3]["child"] for r in records(project) if "child" in r[3]} == set(range(20))


def test_progress_and_parameters(project: ProjectContext, run: ActiveRun) -> None:
    tracking.progress(0.25)
    tracking.log_params({"a b": 1}, rate=0.5)
    kinds = {record[0]: record for record in records(project)}
    assert kinds["g"][2] == 0.25
    assert kinds["p"][1] == {"a b": "1", "rate": "0.5"}
    with pytest.raises(InvalidInputError):
        tracking.progress(40)


def test_stop_is_seen(project: ProjectContext, run: ActiveRun) -> None:
    tracking.log(loss=1)
    (project.paths.journals / "r1" / tracking.STOP_FILE).touch()
    assert tracking.should_stop()


def test_a_huge_parameter_is_cut_and_its_name_kept(project: ProjectContext, run: ActiveRun) -> None:
    tracking.log_params({"corpus": "x" * 1_000_000, "<b>🚀/n</b>": "y", "n" * 100_000: 1})
    ((_, kept),) = records(project)
    assert kept["corpus"].startswith("x" * 60_000)
    assert kept["corpus"].endswith("…")
    assert kept["<b>🚀/n</b>"] == "y"
    tracking.log_params(raw="z" * 20_000_000)  # more than a record may hold
    assert len(records(project)) == 2
