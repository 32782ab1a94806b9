"""Operations tell what jobs take, all of their processes together, and try them again."""

from __future__ import annotations

import os
import sys

import pytest

from perijove.adapters.jobs import usage
from perijove.adapters.workbench import Workbench
from perijove.contracts.jobs import JobResources
from perijove.core.context import ProjectContext
from perijove.core.jobs import JobSpec
from perijove.testing.executor import until
from perijove.testing.job_runner import DEADLINE, FOREVER, read_log, start

BUSY = """
import subprocess, sys
work = "x = bytearray(50_000_000)\\nprint('up', flush=True)\\nwhile True: x[0] ^= 1"
apart = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]], " \\
    "start_new_session=True)"
subprocess.run([sys.executable, "-c", apart, work])
import time; time.sleep(600)
"""


@pytest.fixture
def bench(project: ProjectContext) -> Workbench:
    return Workbench(project)


def test_all_processes_of_a_job_count(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated, as for the GPU: its driver's list names every process of this machine."""
    job = start(bench.jobs, BUSY)
    read_log(bench.jobs, job.id, "up")
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    monkeypatch.setattr(usage, "gpu_processes", lambda: [(pid, 2**20) for pid in pids])
    (first,) = bench.operate.activities()
    assert first.memory is not None
    assert first.memory > 50_000_000
    assert until(lambda: bench.operate.activities()[0].cpu_percent, "work")
    (activity,) = bench.operate.activities()
    # The supervisor too: it is what the job costs.
    assert activity.gpu_memory == 3 * 2**20
    bench.jobs.stop(job.id, by="ada")
    assert bench.operate.activities() == []


def test_a_waiting_job_says_for_what(bench: Workbench) -> None:
    (local,) = [info for info in bench.jobs.executors() if info.name == "local"]
    everything = JobResources(cpus=local.cpus or 1)
    argv = [sys.executable, "-c", FOREVER]
    first = bench.jobs.submit(JobSpec("train", "First", "", argv, "ada", resources=everything))
    read_log(bench.jobs, first.id, "up")
    second = bench.jobs.submit(JobSpec("train", "Second", "", argv, "ada", resources=everything))
    until(lambda: bench.jobs.get(second.id).waiting, "the wait")
    details = {activity.name: activity.detail for activity in bench.operate.activities()}
    assert details["First"] == "running"
    assert details["Second"].startswith("waits for ")
    assert "CPU" in details["Second"]
    for job in (second, first):
        bench.operate.stop("job", job.id, by="ada")


def test_who_retries_is_in_the_audit(bench: Workbench) -> None:
    failed = bench.jobs.wait(start(bench.jobs, "raise SystemExit(3)").id, DEADLINE)
    again = bench.operate.retry_job(failed.id, by="grace")
    assert bench.jobs.wait(again.id, DEADLINE).exit_code == 3
    rows = bench.project.chain.ledger.rows("SELECT actor, action FROM audit ORDER BY seq DESC")
    assert tuple(next(iter(rows))) == ("grace", "retry job")
