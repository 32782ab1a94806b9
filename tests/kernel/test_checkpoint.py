"""Checkpoints: kept whole, two at a time, and enough to go on as if nothing had happened."""

from __future__ import annotations

import json
import os
import pickle
import random
import resource
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.core.context import ProjectContext
from perijove.core.cuts import read_cuts
from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.core.journal import JournalFolder
from perijove.kernel import checkpoints, tracking
from perijove.kernel.checkpoints import checkpoint, read_index, resume
from perijove.kernel.tracking import ActiveRun, ResumedRun
from tests.kernel.conftest import Notebook

SECONDS = 90.0


class Unpicklable:
    def __reduce__(self) -> str:
        raise TypeError("never")


@pytest.fixture
def run(project: ProjectContext) -> Iterator[ActiveRun]:
    project.paths.make_state()
    made = ActiveRun(project.paths, "r1")
    tracking.activate(made)
    yield made
    tracking.activate(None)
    made.close()


@pytest.fixture
def kept_in(project: ProjectContext, run: ActiveRun) -> Path:
    return project.paths.checkpoints / "r1"


def gone_on(project: ProjectContext) -> ResumedRun:
    """Be the process that goes on."""
    made = ResumedRun(project.paths, "r1")
    tracking.activate(made)
    return made


def losses(project: ProjectContext) -> list[tuple[int, float]]:
    records = JournalFolder(project.paths.journals / "r1").read()
    return sorted((record[2], record[3]["loss"]) for record in records if record[0] == "m")


def test_the_last_two_are_kept_each_with_its_hash(run: ActiveRun, kept_in: Path) -> None:
    paths = []
    for step in range(4):
        tracking.log(loss=step)
        paths.append(checkpoint({"epoch": step}))
    index = read_index(kept_in)
    assert [kept.step for kept in index] == [2, 3]
    assert sorted(p.name for p in kept_in.iterdir()) == sorted(
        ["index.json", "lock", *(kept.file for kept in index)]
    )
    assert paths[-1] == kept_in / index[-1].file


def test_a_run_that_starts_has_nothing_to_go_on_from(run: ActiveRun) -> None:
    checkpoint(1)
    assert resume() is None


def test_state_steps_and_random_numbers_come_back(project: ProjectContext, run: ActiveRun) -> None:
    tracking.log(loss=0.5)
    state = {"w": np.arange(3), "epoch": 1}
    random.seed(4)
    np.random.seed(4)
    checkpoint(state, step=7)
    expected = random.random(), np.random.rand(), random.gauss(0, 1), np.random.randn()
    tracking.log(loss=9, extra=1)
    tracking.log(loss=9)

    resumed = gone_on(project)
    back = resume()
    assert back["epoch"] == 1
    assert back["w"].tolist() == [0, 1, 2]
    assert (random.random(), np.random.rand(), random.gauss(0, 1), np.random.randn()) == expected
    assert losses(project) == [(0, 0.5)]
    tracking.log(loss=0.25)
    assert losses(project) == [(0, 0.5), (1, 0.25)]
    resumed.close()


def test_ranks_leave_each_others_files(run: ActiveRun, kept_in: Path) -> None:
    kept_in.mkdir(parents=True)
    young, old = kept_in / "step-1-other.new", kept_in / "step-0-dead.new"
    young.write_bytes(b"half")
    old.write_bytes(b"half")
    os.utime(old, (0, 0))
    with ThreadPoolExecutor(8) as ranks:
        paths = list(ranks.map(lambda step: checkpoint(step, step=step), range(24)))
    assert all(paths)
    assert young.exists()
    assert not old.exists()
    index = read_index(kept_in)
    assert len(index) == 2
    assert {one.file for one in index} == {path.name for path in kept_in.glob("step-*.pkl")}


def test_code_that_does_not_ask_starts_anew(project: ProjectContext, run: ActiveRun) -> None:
    tracking.log(loss=1)
    checkpoint(1)
    resumed = gone_on(project)
    tracking.log(loss=2)
    assert losses(project) == [(0, 2.0)]
    assert resume() == 1  # it asks after all: what counted then counts again
    assert losses(project) == [(0, 1.0), (0, 2.0)]
    resumed.close()


def test_a_worker_that_only_logs_takes_nothing_back(
    project: ProjectContext, run: ActiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking.log(loss=1)
    checkpoint(1)
    resumed = gone_on(project)
    with tracking.shared(project.paths, resumed):
        resume()
        tracking.activate(None)
        monkeypatch.setattr(tracking, "_inherited", None)
        worker = tracking.active()  # as a process that the cell started finds it
        assert worker is not resumed
        worker.log({"loss": 2.0}, 1)
    assert losses(project) == [(0, 1.0), (1, 2.0)]
    monkeypatch.setattr(tracking, "_inherited", None)
    worker.close()
    resumed.close()


def test_a_second_death_before_a_new_checkpoint(project: ProjectContext, run: ActiveRun) -> None:
    tracking.log(loss=1)
    checkpoint(1)
    for _ in range(3):
        resumed = gone_on(project)
        resume()
        tracking.log(loss=2)
        tracking.log(loss=3)
        resumed.close()
    assert losses(project) == [(0, 1.0), (1, 2.0), (2, 3.0)]
    assert len(read_cuts(project.paths.journals / "r1")) == 3


@pytest.mark.parametrize("what", ["flipped", "cut", "gone"])
def test_a_damaged_one_leaves_the_other(
    project: ProjectContext, run: ActiveRun, kept_in: Path, what: str
) -> None:
    checkpoint("first", step=1)
    path = checkpoint("second", step=2)
    assert path is not None
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if what == "gone":
        path.unlink()
    else:
        path.write_bytes(content if what == "flipped" else content[:-3])
    resumed = gone_on(project)
    with pytest.warns(RuntimeWarning, match="The checkpoint of step 2 cannot be used"):
        assert resume() == "first"
    for kept in read_index(kept_in):
        (kept_in / kept.file).unlink(missing_ok=True)
    with pytest.warns(RuntimeWarning), pytest.raises(NotFoundError, match="can be read"):
        resume()
    resumed.close()


def test_a_broken_index_is_like_none(
    project: ProjectContext, run: ActiveRun, kept_in: Path
) -> None:
    checkpoint(1)
    (kept_in / "index.json").write_text("{")
    resumed = gone_on(project)
    assert resume() is None
    assert checkpoint(2) is not None
    assert len(read_index(kept_in)) == 1
    assert len(list(kept_in.iterdir())) == 3
    resumed.close()


def test_what_cannot_be_kept_is_said_and_the_last_one_stays(run: ActiveRun, kept_in: Path) -> None:
    checkpoint("good")
    with pytest.raises(InvalidInputError, match="cannot be kept") as caught:
        checkpoint({"model": Unpicklable()})
    assert "state_dict" in caught.value.hint
    with pytest.raises(InvalidInputError):
        checkpoint(lambda: 1)
    assert len(read_index(kept_in)) == 1
    assert len(list(kept_in.iterdir())) == 3


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(
    run: ActiveRun, kept_in: Path
) -> None:
    checkpoint("small")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.warns(RuntimeWarning, match="This checkpoint is not kept"):
            assert checkpoint("large" * 100_000) is None
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(read_index(kept_in)) == 1
    assert len(list(kept_in.iterdir())) == 3


def test_tensors_are_written_and_read_as_weights_only(
    project: ProjectContext, run: ActiveRun, kept_in: Path
) -> None:
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    random.seed(1)
    state = {
        "net": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "more": [1, 2.5, "text", None, True, (torch.float32, {3, 4})],
    }
    path = checkpoint(state)
    assert path is not None
    expected = torch.rand(3), random.random(), np.random.rand()
    loaded = torch.load(path, weights_only=True)
    assert loaded["state"]["more"] == state["more"]

    resumed = gone_on(project)
    back = resume()
    assert torch.equal(torch.rand(3), expected[0])
    assert (random.random(), np.random.rand()) == expected[1:]
    net.load_state_dict(back["net"])
    optimizer.load_state_dict(back["optimizer"])
    assert read_index(kept_in)[-1].format == "torch"

    # What weights_only would refuse is pickled as a whole.
    assert checkpoint({"net": net.state_dict(), "array": np.ones(2)}) is not None
    assert read_index(kept_in)[-1].format == "pickle"
    expected = torch.rand(3)
    resumed.close()
    resumed = gone_on(project)
    assert torch.equal(resume()["net"]["weight"], net.weight)
    assert torch.equal(torch.rand(3), expected)
    resumed.close()


def test_without_a_run_there_is_no_checkpoint() -> None:
    with pytest.raises(NotFoundError):
        checkpoint(1)
    with pytest.raises(NotFoundError):
        resume()


def test_a_cell_that_runs_for_its_names_keeps_nothing() -> None:
    tracking.activate(tracking.SILENT)
    try:
        assert checkpoint(1) is None
        assert resume() is None
    finally:
        tracking.activate(None)


LOOP = """%%train --background --name {name} --seed 3
import os, random
{imports}
state = pj.resume()
w, start = ({init}, 0) if state is None else (state["w"], state["step"] + 1)
for step in range(start, 40):
    w = w + {noise} + random.random()
    pj.log(loss=float(w.sum()))
    if step % 10 == 9:
        pj.checkpoint({{"w": w, "step": step}})
    if step == 25 and state is None and {dies}:
        os.kill(os.getpid(), 9)
"""
KINDS = {
    "numpy": ("import numpy as np", "np.zeros(3)", "np.random.rand(3)"),
    "torch": ("import torch", "torch.zeros(3)", "torch.nn.functional.dropout(torch.ones(3))"),
}


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_a_killed_job_goes_on_to_the_same_numbers(notebook: Notebook, kind: str) -> None:
    pytest.importorskip(kind)
    imports, init, noise = KINDS[kind]
    bench = notebook.bench
    runs = []
    for dies in (False, True):
        notebook.ok(LOOP.format(name=kind, imports=imports, init=init, noise=noise, dies=dies))
        job = bench.jobs.wait(bench.jobs.list()[0].id, SECONDS)
        run_id = job.subject.removeprefix("run:").partition("@")[0]
        runs.append(run_id)
        if dies:
            assert (job.state, job.exit_code, job.resumable) == ("failed", -9, True)
            assert points(bench, run_id)[0] == list(range(26))
            job = bench.jobs.retry(job.id, by="ada", resume=True)
            job = bench.jobs.wait(job.id, SECONDS)
        assert job.state == "finished", bench.jobs.log(job.id).text
        assert bench.develop.get_run(run_id).summary.state == "finished"
    whole, mended = (points(bench, run_id) for run_id in runs)
    assert whole[0] == list(range(40))
    assert mended == whole  # bit for bit, each step once
    kept = bench.store.points(runs[1], "loss")
    assert [point.step for point in kept] == list(range(40))


def points(bench: Any, run_id: str) -> tuple[list[int], list[Any]]:
    found = next(one for one in bench.develop.series(run_id).series if one.key == "loss")
    return found.steps, found.values


def test_a_live_curve_begins_again_when_its_end_is_taken_back(
    project: ProjectContext, run: ActiveRun
) -> None:
    from perijove.adapters.workbench import Workbench
    from perijove.develop.live import LiveCurve

    curve = LiveCurve(Workbench(project).ingester, "r1")
    tracking.log(loss=1)
    checkpoint(1)
    tracking.log(loss=2)
    assert not curve.restarts()
    assert curve.read()[0][0].total == 2
    resumed = gone_on(project)
    resume()
    assert curve.restarts()
    assert not curve.restarts()
    resumed.close()


def test_the_index_is_plain_json(run: ActiveRun, kept_in: Path) -> None:
    checkpoint({"a": 1})
    (kept,) = json.loads((kept_in / "index.json").read_text())
    assert kept.keys() == {"file", "sha256", "format", "at", "step", "ends"}
    with (kept_in / kept["file"]).open("rb") as file:
        assert pickle.load(file)["state"] == {"a": 1}
    assert "torch" in sys.modules or kept["format"] == "pickle"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checkpoints.KEPT == 2
