"""What is told of a Ray cluster that waits, fails, forgets, refuses or is away.

Simulated: the cluster's Jobs API answers as Ray's does, from a dictionary.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from perijove.adapters.jobs import folders
from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.ray import executor
from perijove.adapters.ray.cluster import Cluster, read_token
from perijove.adapters.ray.executor import RayExecutor
from perijove.contracts.jobs import JobResources
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, UnavailableError
from perijove.core.jobs import JobSpec

SPEC = JobSpec("train", "t", "s", ["python", "-c", "pass"], "ada", executor="ray")


class Answers(ThreadingHTTPServer):
    """A dashboard that says what it is told to say."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.submitted: list[dict[str, Any]] = []
        self.busy = 0
        self.elsewhere = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Answers

    def log_message(self, *arguments: object) -> None:
        pass

    def _answer(self, code: int, body: object) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(code)
        if code == 302:
            self.send_header("Location", self.server.elsewhere)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self.server.asked.append(("GET", self.path, self.headers.get("Authorization")))
        name = self.path.removeprefix("/api/jobs/").removesuffix("/logs")
        if self.headers.get("Authorization") != "Bearer right":
            self._answer(401, "Unauthorized")
        elif self.server.elsewhere:
            self._answer(302, "")
        elif self.path == "/api/version":
            self._answer(200, {"ray_version": "2.60.0", "version": "4"})
        elif self.path.endswith("/logs"):
            self._answer(200, {"logs": "Runtime env is setting up.\ngrüezi\n"})
        elif name in self.server.jobs:
            self._answer(200, self.server.jobs[name])
        else:
            self._answer(404, f"Job {name} does not exist")

    def do_POST(self) -> None:
        self.server.asked.append(("POST", self.path, self.headers.get("Authorization")))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/stop"):
            self._answer(200, {"stopped": False})
        elif self.server.busy:
            self.server.busy -= 1
            self._answer(500, "No available agent to submit job, please try again later.")
        else:
            request = json.loads(body)
            self.server.submitted.append(request)
            self.server.jobs[request["submission_id"]] = {"status": "PENDING", "message": "..."}
            self._answer(200, {"submission_id": request["submission_id"]})


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    with Answers() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("RAY_ADDRESS", server.address)
        monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
        monkeypatch.setenv("RAY_AUTH_TOKEN", "right")
        monkeypatch.setattr(executor, "REMEMBERED", 0.0)
        yield server
        server.shutdown()


@pytest.fixture
def board(project: ProjectContext) -> JobBoard:
    return JobBoard(project)


def test_it_is_asked_for_what_the_job_wants(board: JobBoard, answers: Answers) -> None:
    answers.busy = 1  # it has just been started
    spec = JobSpec(
        "train", "t", "s", ["python"], "ada", {"A": "1"}, "ray", JobResources(2, 1, 2**30)
    )
    job = board.submit(spec)
    assert (job.state, job.waiting) == ("queued", "a place on the Ray cluster")
    (request,) = answers.submitted
    assert request["submission_id"] == f"perijove-{job.id}"
    assert request["runtime_env"] == {"env_vars": {"A": "1"}}
    assert [request[f"entrypoint_{key}"] for key in ("num_cpus", "num_gpus", "memory")] == [
        2, 1, 2**30,
    ]  # fmt: skip
    assert str(board.folder / job.id) in request["entrypoint"]
    assert {token for _, _, token in answers.asked} == {"Bearer right"}


def test_a_waiting_job_is_stopped_where_ray_cannot(board: JobBoard, answers: Answers) -> None:
    job = board.submit(SPEC)
    stopped = board.stop(job.id, by="grace")
    assert (stopped.state, stopped.detail) == ("stopped", "stopped by grace")
    assert ("POST", f"/api/jobs/perijove-{job.id}/stop", "Bearer right") in answers.asked


def test_what_ray_could_not_start_is_told_with_rays_own_log(
    board: JobBoard, answers: Answers
) -> None:
    job = board.submit(SPEC)
    answers.jobs[f"perijove-{job.id}"] = {
        "status": "FAILED", "message": "Job failed\n/p is not on this node: share it",
    }  # fmt: skip
    failed = board.get(job.id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error.message == "Ray could not run it: /p is not on this node: share it"
    assert board.log(job.id).text == "Runtime env is setting up.\ngrüezi\n"
    assert board.log(job.id, -3).text == "zi\n"
    assert JobBoard(board.project).get(job.id) == failed


def test_a_job_that_a_new_cluster_does_not_know_is_lost(board: JobBoard, answers: Answers) -> None:
    job = board.submit(SPEC)
    answers.jobs.clear()
    lost = board.get(job.id)
    assert lost.state == "lost"
    assert lost.error is not None
    assert "it was restarted" in lost.error.message
    assert JobBoard(board.project).get(job.id) == lost


def test_the_token_follows_no_redirect(board: JobBoard, answers: Answers) -> None:
    with Answers() as other:
        threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
        answers.elsewhere = f"{other.address}/api/version"
        with pytest.raises(UnavailableError, match="answered 302"):
            Cluster(answers.address).version()
        other.shutdown()
    assert other.asked == []


def test_a_token_is_found_where_ray_keeps_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_token() == ""
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("home\n")
    assert read_token() == "home"
    (tmp_path / "named").write_text("named")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "named"))
    assert read_token() == "named"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "given")
    assert read_token() == "given"


def test_a_wrong_token_is_told(board: JobBoard, answers: Answers, monkeypatch: Any) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "wrong")
    (ray,) = [info for info in board.executors() if info.name == "ray"]
    assert not ray.available
    assert "refuses the token" in ray.reason


def test_a_cluster_that_is_away_is_told_and_its_jobs_stay(
    project: ProjectContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:9")
    board = JobBoard(project)
    with pytest.raises(UnavailableError, match="does not answer"):
        board.submit(SPEC)
    # One that was submitted before it went away.
    folder = board.folder / "0123456789abcdef"
    folder.mkdir(parents=True)
    folders.fill(folder, folders.Manifest.of(SPEC, folder.name, 0, project.paths.root), {})
    (folder / "executor.json").write_text('{"address": "http://127.0.0.1:9", "submission": "x"}')
    job = board.get(folder.name)
    assert job.state == "queued"
    assert job.waiting == "the Ray cluster at http://127.0.0.1:9 to answer"


def test_no_token_goes_where_a_project_says_that_nobody_trusts(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    project = ProjectContext.open(folder)
    info = RayExecutor(project).info()
    assert not info.available
    assert "RAY_ADDRESS" in info.reason
    text = project.paths.definition.read_text()
    project.paths.definition.write_text(f'{text}\n[jobs]\nray = "http://127.0.0.1:9"\n')
    assert "does not answer" in RayExecutor(project).info().reason
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(folder.parent / "of-another-user"))
    assert "not trusted" in RayExecutor(ProjectContext.open(folder)).info().reason


@pytest.mark.parametrize("address", ["", "ray://h:1", "file:///etc/passwd", "http://"])
def test_what_is_no_dashboard_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError, match="not the address"):
        Cluster(address)


def test_a_cluster_that_only_the_jobs_folder_names_gets_no_token(
    board: JobBoard, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = board.submit(SPEC)
    monkeypatch.delenv("RAY_ADDRESS")  # as in the hands of somebody who was given the project
    answers.asked.clear()
    found = board.get(job.id)
    assert (found.state, answers.address in found.waiting) == ("queued", True)
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:1")
    with pytest.raises(UnavailableError, match="was given to the Ray cluster"):
        board.stop(job.id, by="eve")
    assert answers.asked == []
    monkeypatch.setenv("RAY_ADDRESS", f"{answers.address}/")  # the same, as some write it
    board.stop(job.id, by="ada")
    assert ("POST", f"/api/jobs/perijove-{job.id}/stop", "Bearer right") in answers.asked
