"""What every job runner must do. Subclass it and give it a runner:

class TestMyRunner(JobRunnerSuite):
    @pytest.fixture
    def runner(self, folder): return MyRunner(...)
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from perijove.contracts.jobs import Job
from perijove.core.errors import NotFoundError
from perijove.core.jobs import JobRunner, JobSpec

DEADLINE = 30.0
TALK = """
from perijove.core import jobs
print("grüezi", flush=True)
jobs.report(0.25, "a quarter")
jobs.finish({"ref": "data:x@1"})
"""
FAIL = """
from perijove.core import jobs
from perijove.core.errors import UnreadableDataError
jobs.fail(UnreadableDataError("The file is no table.", "Look at it."))
raise SystemExit(1)
"""
FOREVER = "import time; print('up', flush=True); time.sleep(600)"


def start(runner: JobRunner, code: str, **options: Any) -> Job:
    """Start a piece of Python as a job."""
    argv = [sys.executable, "-c", code]
    spec = JobSpec(options.pop("kind", "curate"), "A test", "data:x", argv, "ada", **options)
    return runner.submit(spec)


def read_log(runner: JobRunner, job: str, until: str, seconds: float = DEADLINE) -> str:
    """Follow a log until it says something, or the job has ended."""
    import time

    text, offset, end = "", 0, time.monotonic() + seconds
    while time.monotonic() < end:
        chunk = runner.log(job, offset)
        text, offset = text + chunk.text, chunk.offset
        if until in text or chunk.ended:
            return text
        time.sleep(0.02)
    raise AssertionError(f"the log never said {until!r}, but {text!r}")


class JobRunnerSuite:
    """The contract of :class:`perijove.core.jobs.JobRunner`."""

    def test_a_job_runs_and_tells_what_it_made(self, runner: JobRunner) -> None:
        job = start(runner, TALK)
        assert job.state in ("queued", "running")
        assert (job.kind, job.title, job.subject, job.by) == ("curate", "A test", "data:x", "ada")
        done = runner.wait(job.id, DEADLINE)
        assert (done.state, done.exit_code, done.progress) == ("finished", 0, 1.0)
        assert done.result == {"ref": "data:x@1"}
        assert done.started is not None
        assert done.ended is not None
        assert done.started <= done.ended
        assert (done.pid, done.error) == (None, None)

    def test_its_log_is_read_from_anywhere(self, runner: JobRunner) -> None:
        job = start(runner, TALK)
        runner.wait(job.id, DEADLINE)
        log = runner.log(job.id)
        assert (log.text, log.offset, log.ended) == ("grüezi\n", 8, True)
        assert runner.log(job.id, -4).text == "ezi\n"
        assert runner.log(job.id, 99) == runner.log(job.id, 8)

    def test_progress_is_seen_while_it_runs(self, runner: JobRunner) -> None:
        job = start(
            runner,
            "import time\nfrom perijove.core import jobs\njobs.report(0.5, 'half')\n"
            "print('told', flush=True)\ntime.sleep(600)",
        )
        read_log(runner, job.id, "told")
        now = runner.get(job.id)
        assert (now.state, now.progress, now.detail) == ("running", 0.5, "half")
        assert now.pid
        before = runner.pulse()
        runner.stop(job.id, by="ada")
        assert runner.pulse() != before

    def test_an_error_of_ours_is_told_as_it_is(self, runner: JobRunner) -> None:
        job = runner.wait(start(runner, FAIL).id, DEADLINE)
        assert (job.state, job.exit_code) == ("failed", 1)
        assert job.error is not None
        assert (job.error.code, job.error.hint) == ("unreadable_data", "Look at it.")

    def test_another_error_is_told_by_its_last_line(self, runner: JobRunner) -> None:
        job = runner.wait(start(runner, "raise ValueError('no such column: size')").id, DEADLINE)
        assert job.state == "failed"
        assert job.error is not None
        assert "no such column: size" in job.error.message

    def test_what_cannot_be_run_fails(self, runner: JobRunner) -> None:
        job = runner.submit(JobSpec("curate", "t", "s", ["/no/such/program"], "ada"))
        done = runner.wait(job.id, DEADLINE)
        assert done.state == "failed"
        assert done.error is not None
        assert "/no/such/program" in done.error.message

    def test_a_job_is_stopped(self, runner: JobRunner) -> None:
        job = start(runner, FOREVER)
        read_log(runner, job.id, "up")
        stopped = runner.stop(job.id, by="grace")
        assert stopped.state == "stopped"
        assert "grace" in stopped.detail
        assert runner.stop(job.id, by="bob") == stopped

    def test_the_environment_is_handed_on_and_not_kept(self, runner: JobRunner) -> None:
        job = start(
            runner, "import os; print(os.environ['SECRET_WORD'])", env={"SECRET_WORD": "xyzzy"}
        )
        runner.wait(job.id, DEADLINE)
        assert runner.log(job.id).text == "xyzzy\n"

    def test_newest_first(self, runner: JobRunner) -> None:
        ids = [start(runner, "pass").id for _ in range(3)]
        for job in ids:
            runner.wait(job, DEADLINE)
        found = [job.id for job in runner.list()]
        assert sorted(found) == sorted(ids)
        created = [job.created for job in runner.list()]
        assert created == sorted(created, reverse=True)

    @pytest.mark.parametrize(
        "name", ["", "..", "../../etc", "a/b", "0" * 15, "x\0", "0" * 500, "ÄÖÜäöüÄÖÜ"]
    )
    def test_an_unknown_id_is_told(self, runner: JobRunner, name: str) -> None:
        start(runner, "pass")
        for call in (
            lambda: runner.get(name),
            lambda: runner.log(name),
            lambda: runner.stop(name, by="eve"),
            lambda: runner.wait(name, 1),
        ):
            with pytest.raises(NotFoundError):
                call()

    def test_threads_share_a_runner(self, runner: JobRunner) -> None:
        with ThreadPoolExecutor(4) as pool:
            jobs = list(pool.map(lambda n: start(runner, f"print({n})"), range(4)))
            states = list(pool.map(lambda job: runner.wait(job.id, DEADLINE).state, jobs))
        assert states == ["finished"] * 4
        assert [runner.log(job.id).text for job in jobs] == [f"{n}\n" for n in range(4)]
