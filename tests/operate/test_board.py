"""The board: what it refuses, what it keeps, and what it tells of folders that somebody spoiled."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from perijove.adapters.jobs import board as boards
from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.jobs.folders import RESERVED
from perijove.adapters.plugins import MissingExecutor
from perijove.contracts.develop import Cell
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UnsupportedError,
)
from perijove.core.jobs import JobSpec
from perijove.core.recipes import RECIPE_FILE, Recipe, encode_recipe, read_recipe
from perijove.testing.job_runner import DEADLINE, start

PASS = [sys.executable, "-c", "pass"]


@pytest.fixture
def board(project: ProjectContext) -> JobBoard:
    return JobBoard(project)


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "/etc/passwd", "a/b", ".hidden", "x\0", "a" * 300, *sorted(RESERVED)]
)
def test_a_file_stays_in_its_folder(board: JobBoard, name: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot be the name"):
        board.submit(JobSpec("train", "t", "s", PASS, "ada", files={name: b""}))
    assert board.list() == []


def test_an_unknown_executor_is_told_with_those_that_are_known(board: JobBoard) -> None:
    with pytest.raises(InvalidInputError, match="no executor 'slurm'") as caught:
        board.submit(JobSpec("train", "t", "s", PASS, "ada", executor="slurm"))
    assert "local" in caught.value.hint
    assert not board.folder.exists()


def test_one_that_does_not_load_is_listed_and_takes_no_job(project: ProjectContext) -> None:
    board = JobBoard(project, lambda _: {"slurm": MissingExecutor("slurm", "not available: x")})
    (info,) = board.executors()
    assert (info.name, info.available, info.reason) == ("slurm", False, "not available: x")
    with pytest.raises(UnavailableError, match="slurm is not available"):
        board.submit(JobSpec("train", "t", "s", PASS, "ada", executor="slurm"))
    assert board.list() == []


def test_a_job_whose_executor_is_gone_is_lost_and_comes_back_with_it(board: JobBoard) -> None:
    done = board.wait(start(board, "pass").id, DEADLINE)
    without = JobBoard(board.project, lambda _: {})
    lost = without.get(done.id)
    assert lost.state == "lost"
    assert lost.error is not None
    assert "not installed" in lost.error.message
    assert without.log(done.id).ended
    assert JobBoard(board.project).get(done.id) == done


def test_a_damaged_manifest_is_told(board: JobBoard) -> None:
    job = board.wait(start(board, "pass").id, DEADLINE)
    path = board.folder / job.id / "job.json"
    whole = json.loads(path.read_text())
    for content in ("{", json.dumps(whole | {"id": "0" * 16}), json.dumps(whole | {"argv": 3})):
        path.write_text(content)
        fresh = JobBoard(board.project)
        with pytest.raises(UnsupportedError) as caught:
            fresh.get(job.id)
        assert caught.value.code == "job_damaged"
        assert fresh.list() == []
    path.unlink()
    with pytest.raises(NotFoundError):
        JobBoard(board.project).get(job.id)


def test_a_retry_takes_its_environment_from_whoever_asks(
    board: JobBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os; print(os.environ['SECRET_WORD'])"
    first = board.wait(start(board, code, env={"SECRET_WORD": "one"}).id, DEADLINE)
    monkeypatch.delenv("SECRET_WORD", raising=False)
    with pytest.raises(ConflictError, match="was given SECRET_WORD") as caught:
        board.retry(first.id, by="ada")
    assert caught.value.code == "environment_missing"
    monkeypatch.setenv("SECRET_WORD", "two")
    again = board.wait(board.retry(first.id, by="ada").id, DEADLINE)
    assert board.log(again.id).text == "two\n"


@pytest.mark.parametrize("resume", [False, True])
def test_a_recipe_goes_on_in_its_run_or_begins_a_new_one(board: JobBoard, resume: bool) -> None:
    recipe = Recipe(name="r", cells=[Cell(1, "x = 1")], run_id="r1", seed=3)
    code = "from perijove.core import jobs; jobs.checkpoint({}); raise SystemExit(1)"
    files = {RECIPE_FILE: encode_recipe(recipe)}
    failed = board.wait(start(board, code, files=files).id, DEADLINE)
    again = board.retry(failed.id, by="ada", resume=resume)
    found = read_recipe(board.folder / again.id)
    assert (found.run_id, found.resume) == (("r1", True) if resume else ("", False))
    assert (found.cells, found.seed) == (recipe.cells, 3)
    board.wait(again.id, DEADLINE)


def test_two_jobs_do_not_go_on_with_the_same_run(board: JobBoard) -> None:
    code = (
        "from perijove.core import jobs; import time, pathlib\n"
        "if pathlib.Path('go').exists(): time.sleep(600)\n"
        "jobs.checkpoint({}); raise SystemExit(1)"
    )
    failed = board.wait(start(board, code).id, DEADLINE)
    (board.project.paths.root / "go").touch()
    going = board.retry(failed.id, by="ada", resume=True)
    with pytest.raises(ConflictError, match=f"{going.id} is at data:x already"):
        board.retry(failed.id, by="ada", resume=True)
    board.stop(going.id, by="ada")
    again = board.retry(going.id, by="ada", resume=True)
    assert again.attempt == 3
    board.stop(again.id, by="ada")


def test_the_oldest_are_removed_beyond_those_that_are_kept(
    board: JobBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [board.wait(start(board, "pass").id, DEADLINE) for _ in range(3)]
    monkeypatch.setattr(boards, "KEPT", 2)
    board.prune()
    assert [job.id for job in board.list()] == [jobs[2].id, jobs[1].id]
    assert sorted(os.listdir(board.folder)) == [jobs[1].id, jobs[2].id]


def test_nobody_else_reads_what_a_job_leaves(board: JobBoard, tmp_path: Path) -> None:
    job = board.wait(start(board, "pass", files={"a.txt": b"a"}).id, DEADLINE)
    folder = board.folder / job.id
    assert folder.stat().st_mode & 0o077 == 0
    assert board.folder.stat().st_mode & 0o077 == 0
