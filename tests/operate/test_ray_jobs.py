"""Jobs on a real Ray cluster: one head on this machine, with a token.

It takes a minute and two cores, so it is asked for: ``pytest -m ray``.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.ray.cluster import Cluster
from perijove.adapters.ray.executor import RayExecutor
from perijove.adapters.workbench import Workbench
from perijove.contracts.develop import Cell
from perijove.core.context import ProjectContext
from perijove.core.errors import UnavailableError
from perijove.core.jobs import JobSpec
from perijove.core.recipes import RECIPE_FILE, Recipe, encode_recipe
from perijove.testing.executor import ExecutorSuite
from perijove.testing.ray_head import Head, ray_head


@pytest.fixture(scope="session")
def head(request: pytest.FixtureRequest) -> Iterator[Head]:
    if "ray" not in request.config.option.markexpr:
        pytest.skip("it starts a Ray head: pytest -m ray")
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is missing: pip install perijove[ray]")
    with ray_head() as started:
        yield started


@pytest.fixture
def cluster(head: Head, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(head.token))
    monkeypatch.setenv("RAY_ADDRESS", head.address)
    return head.address


@pytest.mark.ray
@pytest.mark.timeout(600)
class TestRayExecutor(ExecutorSuite):
    """It keeps the contract."""

    deadline = 90.0

    @pytest.fixture
    def executor(self, cluster: str, project: ProjectContext) -> RayExecutor:
        return RayExecutor(project)


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_two_workers_of_ray_train_fit_one_model(cluster: str, project: ProjectContext) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("ray.train")
    root = project.paths.root
    (root / "examples").mkdir()
    shutil.copy(Path(__file__).parents[2] / "examples" / "ray_train.py", root / "examples")
    cell = (
        "import json, ray\nfrom examples.ray_train import fit\n"
        "from perijove.core import jobs\nray.init(log_to_driver=False)\n"
        "seen = []\n"
        "fit(workers=2, epochs=4, log=lambda metrics, step: seen.append((step, metrics)))\n"
        "jobs.finish({'seen': seen})"
    )
    board = JobBoard(project)
    job = board.submit(
        JobSpec("train", "t", "run:x@1", [sys.executable, "-c", cell], "ada", executor="ray")
    )
    done = board.wait(job.id, 500)
    assert done.state == "finished", board.log(job.id).text[-3000:]
    assert [step for step, _ in done.result["seen"]] == [0, 1, 2, 3]
    metrics = [metrics for _, metrics in done.result["seen"]]
    assert {one["workers"] for one in metrics} == {2}
    assert metrics[-1]["loss"] < metrics[0]["loss"]


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_a_training_cell_runs_there_in_its_run(cluster: str, project: ProjectContext) -> None:
    bench = Workbench(project)
    run = bench.develop.queue_run("fit", by="ada")
    source = (
        "%%train\nimport perijove as pj\n"
        "for step in range(3):\n    pj.log({'loss': 1 / (step + 1)}, step=step)"
    )
    recipe = Recipe(name="fit", cells=[Cell(1, source)], run_id=run)
    job = bench.jobs.submit(
        JobSpec(
            "train", "fit", f"run:{run}@1", [sys.executable, "-P", "-m", "perijove.kernel.recorded"],
            "ada", executor="ray", files={RECIPE_FILE: encode_recipe(recipe)},
        )
    )  # fmt: skip
    bench.develop.assign_job(run, job.id)
    done = bench.jobs.wait(job.id, 300)
    assert done.state == "finished", bench.jobs.log(job.id).text[-3000:]
    bench.ingester.ingest(run)
    found = bench.store.get_run(run)
    assert found.status == "FINISHED"
    assert found.metrics["loss"] == pytest.approx(1 / 3)


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_a_cluster_that_refuses_or_forgets_is_told(
    cluster: str, project: ProjectContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = JobBoard(project)
    spec = JobSpec("train", "t", "s", [sys.executable, "-c", "pass"], "ada", executor="ray")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "wrong")
    with pytest.raises(UnavailableError, match="refuses the token") as refused:
        board.submit(spec)
    assert "RAY_AUTH_TOKEN" in refused.value.hint
    (ray,) = [info for info in board.executors() if info.name == "ray"]
    assert not ray.available
    assert "refuses the token" in ray.reason
    assert board.list() == []
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    assert Cluster(cluster).details("perijove-of-yesterday") is None
