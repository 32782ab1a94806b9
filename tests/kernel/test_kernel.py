"""A real kernel process: its curve grows while the cell runs, and it can be stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from perijove.adapters.workbench import Workbench, open_workbench

LOOP = (
    "%%train --name long\n"
    "import time\n"
    "for step in range(10_000):\n"
    "    pj.log(loss=1 / (step + 1))\n"
    "    time.sleep(0.01)"
)


@pytest.fixture
def kernel(root: Path) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    env = {**os.environ, "JPY_SESSION_NAME": str(root / "train.ipynb")}
    manager, client = start_new_kernel(cwd=str(root), env=env)
    client.execute_interactive(
        "%load_ext perijove\nimport perijove as pj", timeout=60, output_hook=lambda _: None
    )
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def bench(root: Path) -> Iterator[Workbench]:
    opened = open_workbench(root)
    yield opened
    opened.close()


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def points(bench: Workbench) -> int:
    runs = bench.develop.list_runs().items
    return (
        sum(series.total for series in bench.develop.series(runs[0].run_id).series) if runs else 0
    )


@pytest.mark.parametrize("how", ["interrupt", "stop"])
def test_a_running_cell_is_seen_and_stopped(
    kernel: tuple[KernelManager, BlockingKernelClient], bench: Workbench, how: str
) -> None:
    manager, client = kernel
    request = client.execute(LOOP)
    until(lambda: points(bench) > 20, "the curve grows while the cell runs")
    run = bench.develop.list_runs().items[0]
    assert (run.state, run.name, run.notebook) == ("running", "long", "train.ipynb")

    if how == "interrupt":
        manager.interrupt_kernel()
    else:
        bench.develop.stop_run(run.run_id, by="operator")
    reply = client.get_shell_msg(timeout=30)
    while reply["parent_header"].get("msg_id") != request:
        reply = client.get_shell_msg(timeout=30)
    assert reply["content"]["status"] == "error"
    assert bench.develop.get_run(run.run_id).summary.state == "stopped"


def test_a_killed_kernel_leaves_its_numbers_and_reads_lost(
    kernel: tuple[KernelManager, BlockingKernelClient], bench: Workbench
) -> None:
    manager, client = kernel
    client.execute(LOOP)
    until(lambda: points(bench) > 20, "the curve grows while the cell runs")
    # A kill and no interrupt before it, which the manager's own shutdown would send: a cell that
    # is interrupted still says that it was stopped.
    os.kill(manager.provisioner.process.pid, signal.SIGKILL)  # type: ignore[union-attr]
    until(lambda: bench.develop.list_runs().items[0].state == "lost", "the run's process is gone")
    assert points(bench) > 20
