"""What every executor must do. Subclass it and give it one:

class TestMyExecutor(ExecutorSuite):
    @pytest.fixture
    def executor(self, project): return MyExecutor(project)

Programs of the suite run on this machine, with this Python; it has ``cpus`` to lend.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from perijove.adapters.jobs import folders
from perijove.adapters.jobs.board import JobBoard
from perijove.contracts.jobs import Job, JobResources
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, NotFoundError
from perijove.core.files import ProcessId
from perijove.core.jobs import CHECKPOINT_FILE, Executor, JobSpec
from perijove.testing.job_runner import DEADLINE, FOREVER, read_log

TELL = """
import os, pathlib
from perijove.core import jobs
folder = jobs.job_folder()
print((folder / "words.txt").read_text(), os.environ["SECRET_WORD"], flush=True)
pathlib.Path("seen").write_text(os.environ["OMP_NUM_THREADS"])
jobs.report(0.5, "half")
jobs.checkpoint({"at": 1})
jobs.finish({"ref": "data:x@1"})
"""
FAMILY = """
import os, signal, subprocess, sys, time
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
apart = "import os, subprocess, sys; p = subprocess.Popen([sys.executable, '-c', sys.argv[1]], " \\
    "stdout=2, start_new_session=True); print(p.pid, flush=True); os._exit(0)"
signal.signal(signal.SIGTERM, lambda *_: print("told to stop", flush=True))
near = subprocess.Popen([sys.executable, "-c", stubborn])
far = subprocess.run([sys.executable, "-c", apart, stubborn], stdout=subprocess.PIPE)
print(os.getpid(), near.pid, int(far.stdout), "up", flush=True)
while True:
    time.sleep(600)
"""
"""A family that will not end: a child, and one that left its session and its parent."""


def until(check: Callable[[], Any], what: str = "it") -> Any:
    """Look again and again; what is true is returned."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen")


class ExecutorSuite:
    """The contract of :class:`perijove.core.jobs.Executor`."""

    cpus = 2.0
    deadline = DEADLINE
    """Seconds that a place may need to start something."""

    @pytest.fixture
    def board(self, project: ProjectContext, executor: Executor) -> Iterator[JobBoard]:
        """The board of a project, with nothing but this executor."""
        board = JobBoard(project, lambda _: {executor.name: executor})
        yield board
        for job in board.list():
            board.stop(job.id, by="the test")

    def submit(self, board: JobBoard, code: str, *argv: str, **options: Any) -> Job:
        """Start a piece of Python."""
        (info,) = board.executors()
        return board.submit(
            JobSpec(
                "train", "A test", "run:x@1", [sys.executable, "-c", code, *argv], "ada",
                executor=info.name, **options,
            )
        )  # fmt: skip

    def family(self, board: JobBoard) -> tuple[Job, list[ProcessId]]:
        """Start a job of several processes, and say which."""
        job = self.submit(board, FAMILY)
        pids = [int(word) for word in read_log(board, job.id, "up", self.deadline).split()[:3]]
        found = [ProcessId.of(pid) for pid in pids]
        assert None not in found
        return job, [process for process in found if process is not None]

    def test_it_says_that_it_is_there(self, board: JobBoard, executor: Executor) -> None:
        info = executor.info()
        assert (info.available, info.reason) == (True, "")
        assert info.title

    def test_a_program_has_its_files_its_words_and_its_place(
        self, board: JobBoard, project: ProjectContext
    ) -> None:
        job = self.submit(
            board, TELL, files={"words.txt": "grüezi".encode()}, env={"SECRET_WORD": "xyzzy"},
            resources=JobResources(cpus=1), notebook="a.ipynb",
        )  # fmt: skip
        done = board.wait(job.id, self.deadline)
        assert (done.state, done.exit_code, done.result) == ("finished", 0, {"ref": "data:x@1"})
        assert (done.resources.cpus, done.notebook, done.waiting) == (1, "a.ipynb", "")
        assert (done.started or 0) <= (done.ended or 0)
        assert board.log(job.id).text == "grüezi xyzzy\n"
        assert (project.paths.root / "seen").read_text() == "1"
        for path in (board.folder / job.id).iterdir():
            assert b"xyzzy" not in path.read_bytes() or path.name == "log.txt"
        assert JobBoard(project, board._load).get(job.id) == done

    def test_a_failure_is_told_by_its_last_line_and_tried_again(self, board: JobBoard) -> None:
        code = (
            "import pathlib, sys\nfrom perijove.core import jobs\n"
            "if pathlib.Path('mended').exists():\n    print('well')\n    sys.exit(0)\n"
            "jobs.checkpoint({'step': 3})\nraise ValueError('no such column: size')"
        )
        failed = board.wait(self.submit(board, code, files={"a.txt": b"a"}).id, self.deadline)
        assert (failed.state, failed.exit_code, failed.resumable) == ("failed", 1, True)
        assert failed.error is not None
        assert "no such column: size" in failed.error.message
        (board.project.paths.root / "mended").touch()
        again = board.retry(failed.id, by="grace", resume=True)
        assert (again.retry_of, again.attempt, again.by) == (failed.id, 2, "grace")
        with pytest.raises(ConflictError, match="still"):
            board.retry(again.id, by="grace")
        assert board.wait(again.id, self.deadline).state == "finished"
        folder = board.folder / again.id
        assert (folder / "a.txt").read_bytes() == b"a"
        assert json.loads((folder / CHECKPOINT_FILE).read_bytes()) == {"step": 3}
        with pytest.raises(ConflictError, match="nothing to go on from"):
            board.retry(again.id, by="grace", resume=True)
        (board.folder / failed.id / "a.txt").write_bytes(b"b")
        with pytest.raises(ConflictError, match=r"a\.txt of the job") as tampered:
            board.retry(failed.id, by="grace")
        assert tampered.value.code == "job_tampered"

    def test_what_was_changed_before_it_ran_is_refused(
        self, board: JobBoard, executor: Executor, project: ProjectContext
    ) -> None:
        spec = JobSpec(
            "train", "t", "s", [sys.executable, "-c", "print('ran')"], "ada",
            executor=executor.name, files={"a.txt": b"a"},
        )  # fmt: skip
        identifier = f"{int(time.time() * 1000):012x}abcdef"
        folder = board.folder / identifier
        project.paths.make_state()
        folder.mkdir(parents=True)
        manifest = folders.Manifest.of(spec, identifier, 0, project.paths.root)
        folders.fill(folder, manifest, {"a.txt": b"changed"})
        executor.start(folder, spec)
        until((folder / "state.json").exists, "its start")
        done = board.wait(identifier, self.deadline)
        assert done.state == "failed"
        assert done.error is not None
        assert done.error.code == "job_tampered"
        assert "ran" not in board.log(identifier).text.split()

    def test_its_log_follows_and_no_process_is_left_when_it_is_stopped(
        self, board: JobBoard, executor: Executor
    ) -> None:
        job, family = self.family(board)
        now = board.get(job.id)
        assert (now.state, now.pid) == ("running", family[0].pid)
        stopped = board.stop(job.id, by="grace")
        assert (stopped.state, stopped.detail) == ("stopped", "stopped by grace")
        assert not [process for process in family if process.alive()]
        text = board.log(job.id).text
        assert "told to stop" in text
        assert board.log(job.id, -5).text == text[-5:]

    def test_whose_supervisor_is_killed_is_lost_and_its_processes_end(
        self, board: JobBoard
    ) -> None:
        job, family = self.family(board)
        state = json.loads((board.folder / job.id / "state.json").read_text())
        os.kill(state["supervisor"]["pid"], signal.SIGKILL)
        began = time.monotonic()
        lost = board.wait(job.id, self.deadline)
        assert (lost.state, time.monotonic() - began < 10) == ("lost", True)
        assert lost.error is not None
        assert lost.error.code == "job_lost"
        until(lambda: not [process for process in family if process.alive()], "their end")

    def test_who_finds_no_room_waits_and_is_stopped_at_once(self, board: JobBoard) -> None:
        everything = JobResources(cpus=self.cpus)
        first = self.submit(board, FOREVER, resources=everything)
        read_log(board, first.id, "up", self.deadline)
        second = self.submit(board, "print('second')", resources=everything)
        third = self.submit(board, "print('third')", resources=everything)
        until(lambda: board.get(second.id).waiting, "the wait")
        began = time.monotonic()
        assert board.stop(second.id, by="ada").state == "stopped"
        assert time.monotonic() - began < 2
        assert board.get(third.id).state == "queued"
        board.stop(first.id, by="ada")
        assert board.wait(third.id, self.deadline).state == "finished"
        assert board.log(second.id).text.find("second\n") < 0

    def test_a_deleted_folder_ends_its_job(self, board: JobBoard) -> None:
        job, family = self.family(board)
        shutil.rmtree(board.folder / job.id)
        with pytest.raises(NotFoundError):
            board.get(job.id)
        assert board.list() == []
        until(lambda: not [process for process in family if process.alive()], "their end")
