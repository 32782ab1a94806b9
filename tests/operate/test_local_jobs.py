"""Jobs on this machine: they outlive their starter, and nothing of them outlives them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.jobs.supervisor import born
from perijove.core.context import ProjectContext
from perijove.core.errors import NotFoundError, ReadOnlyError
from perijove.core.files import ProcessId
from perijove.testing.job_runner import DEADLINE, FOREVER, JobRunnerSuite, read_log, start

FAMILY = """
import os, subprocess, sys, time
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
here = subprocess.Popen([sys.executable, "-c", stubborn])
away = subprocess.Popen([sys.executable, "-c", stubborn], start_new_session=True)
print(os.getpid(), here.pid, away.pid, "up", flush=True)
time.sleep(600)
"""


@pytest.fixture
def runner(folder: Path) -> Iterator[JobBoard]:
    runner = JobBoard(ProjectContext.open(folder))
    yield runner
    for job in runner.list():
        runner.stop(job.id, by="the test")


class TestJobBoard(JobRunnerSuite):
    """It keeps the contract."""


def _until(check: Callable[[], Any]) -> Any:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def _supervisor(runner: JobBoard, job: str) -> int:
    state = _until(lambda: (runner.folder / job / "state.json").exists())
    state = json.loads((runner.folder / job / "state.json").read_text())
    return int(state["supervisor"]["pid"])


def _family(runner: JobBoard) -> tuple[str, list[ProcessId]]:
    job = start(runner, FAMILY)
    pids = [int(word) for word in read_log(runner, job.id, "up").split()[:3]]
    found = [ProcessId.of(pid) for pid in pids]
    return job.id, [process for process in found if process is not None]


def test_no_process_is_left_of_a_stopped_job(runner: JobBoard) -> None:
    job, family = _family(runner)
    assert len(family) == 3
    assert runner.stop(job, by="ada").state == "stopped"
    assert not [process for process in family if process.alive()]


def test_a_killed_supervisor_is_noticed_and_its_processes_end(runner: JobBoard) -> None:
    job, family = _family(runner)
    os.kill(_supervisor(runner, job), signal.SIGKILL)
    lost = runner.wait(job, 10)
    assert lost.state == "lost"
    assert lost.error is not None
    assert lost.error.code == "job_lost"
    _until(lambda: not [process for process in family if process.alive()])
    assert JobBoard(runner.project).get(job) == lost


def test_a_process_that_leaves_the_job_goes_on(runner: JobBoard) -> None:
    # As an endpoint does that a job deployed.
    leaver = (
        "import os, subprocess, sys\n"
        "env = {k: v for k, v in os.environ.items() if k != 'PERIJOVE_JOB'}\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], env=env,"
        " start_new_session=True)\nprint(p.pid, flush=True)\nos._exit(0)"
    )
    job = runner.wait(start(runner, leaver).id, DEADLINE)
    process = psutil.Process(int(runner.log(job.id).text))
    try:
        assert process.is_running()
    finally:
        process.kill()


STARTER = """
import sys
from pathlib import Path
from perijove.adapters.jobs.board import JobBoard
from perijove.core.jobs import JobSpec
from perijove.core.context import ProjectContext
runner = JobBoard(ProjectContext.open(Path(sys.argv[1])))
code = "import sys, time, pathlib\\nprint('up', flush=True)\\n" \\
       "while not pathlib.Path('go').exists(): time.sleep(0.02)\\nprint('done')"
spec = JobSpec("curate", "t", "s", [sys.executable, "-c", code], "ada")
print(runner.submit(spec).id, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_job_outlives_its_starter(runner: JobBoard, number: signal.Signals) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(runner.project.paths.root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert starter.stdout is not None
    job = starter.stdout.readline().decode().strip()
    read_log(runner, job, "up")
    os.killpg(starter.pid, number)
    starter.kill()
    starter.wait()
    assert runner.get(job).state == "running"
    (runner.project.paths.root / "go").touch()
    assert runner.wait(job, DEADLINE).state == "finished"
    assert runner.log(job).text == "up\ndone\n"


def test_a_killed_job_says_by_what(runner: JobBoard) -> None:
    job = start(runner, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    done = runner.wait(job.id, DEADLINE)
    assert (done.state, done.exit_code) == ("failed", -9)
    assert done.error is not None
    assert "SIGKILL" in done.error.message


def test_a_deleted_folder_ends_its_job(runner: JobBoard) -> None:
    job = start(runner, FOREVER)
    read_log(runner, job.id, "up")
    processes = [
        ProcessId.of(pid) for pid in (_supervisor(runner, job.id), runner.get(job.id).pid or 0)
    ]
    shutil.rmtree(runner.folder / job.id)
    with pytest.raises(NotFoundError):
        runner.get(job.id)
    assert job.id not in [j.id for j in runner.list()]
    _until(lambda: not [p for p in processes if p is not None and p.alive()])


def test_damaged_files_hide_no_other_job(runner: JobBoard) -> None:
    good = runner.wait(start(runner, "pass").id, DEADLINE)
    for name, content in (("0" * 16, b"{"), ("1" * 16, b'{"id": 3}'), ("2" * 16, b"\xff\xfe")):
        (runner.folder / name).mkdir()
        (runner.folder / name / "job.json").write_bytes(content)
    (runner.folder / ("3" * 16)).symlink_to("/etc")
    assert [job.id for job in runner.list()] == [good.id]


def test_a_supervisor_that_never_began_is_lost(runner: JobBoard) -> None:
    job = start(runner, "pass")
    runner.wait(job.id, DEADLINE)
    copy = runner.folder / ("0" * 16)
    copy.mkdir()
    spec = json.loads((runner.folder / job.id / "job.json").read_text())
    (copy / "job.json").write_text(json.dumps(spec | {"id": copy.name, "created": 0}))
    assert runner.get(copy.name).state == "lost"


def test_who_cannot_write_is_told(folder: Path) -> None:
    project = ProjectContext.open(folder)
    project.paths.make_state()
    (project.paths.state / "jobs").write_text("in the way")
    with pytest.raises(ReadOnlyError, match="cannot be started"):
        start(JobBoard(project), "pass")
    assert JobBoard(project).list() == []


def test_supervisor_and_reader_name_a_process_alike() -> None:
    me = ProcessId.here()
    assert abs(born(me.pid) - me.born) < 0.02


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_refuses_new_jobs_and_loses_no_running_one(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    (disk / "perijove.toml").touch()
    runner = JobBoard(ProjectContext.open(disk))
    fill = disk / "fill"
    try:
        code = (
            "import pathlib, time\nprint('up', flush=True)\n"
            "while not pathlib.Path('go').exists(): time.sleep(0.02)"
        )
        job = start(runner, code)
        read_log(runner, job.id, "up")
        (disk / "go.py").touch()
        _fill(fill)
        with pytest.raises(ReadOnlyError, match="cannot be started"):
            start(runner, "pass")
        os.rename(disk / "go.py", disk / "go")
        pid = _supervisor(runner, job.id)
        _until(lambda: not _children(pid))
        assert runner.get(job.id).state == "running"
        fill.unlink()
        assert runner.wait(job.id, DEADLINE).state == "finished"
        assert [j.state for j in runner.list()] == ["finished"]
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []
