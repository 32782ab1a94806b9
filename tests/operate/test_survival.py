"""A job outlives the kernel that started it and the server that shows it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from perijove.adapters.jobs.board import JobBoard
from perijove.core.context import ProjectContext
from perijove.testing.job_runner import FOREVER, read_log

TOKEN = "survival"
DEADLINE = 60
CELL = """
import sys
from pathlib import Path
from perijove.adapters.workbench import open_workbench
from perijove.core.jobs import JobSpec
job = open_workbench(Path({root!r})).jobs.submit(
    JobSpec("curate", "From a cell", "data:x", [sys.executable, "-c", {code!r}], "ada")
)
Path({root!r}, "id").write_text(job.id)
"""


def _until(check: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        try:
            if found := check():
                return found
        except OSError:
            found = None  # the server is not up yet
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {DEADLINE} s")


@contextmanager
def _server(root: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [
        sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root",
        f"--ServerApp.root_dir={root}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}", "--ServerApp.jpserver_extensions={'perijove': True}",
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield server
    finally:
        server.kill()
        server.wait()


def _ask(port: int, path: str, method: str = "GET") -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/perijove/api/{path}?project=",
        headers={"Authorization": f"token {TOKEN}"}, method=method,
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=20) as reply:
        return json.loads(reply.read())


@pytest.fixture
def runner(folder: Path) -> JobBoard:
    return JobBoard(ProjectContext.open(folder))


def test_kernel_and_server_are_killed_and_the_job_goes_on(runner: JobBoard, folder: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        with _server(folder, port) as server:
            client.execute_interactive(
                CELL.format(root=str(folder), code=FOREVER), timeout=DEADLINE
            )
            job = (folder / "id").read_text()
            read_log(runner, job, "up")
            pid = runner.get(job).pid
            first = _until(lambda: _ask(port, "jobs")["items"], "the first server's view")
            assert [item["pid"] for item in first] == [pid]
            manager.interrupt_kernel()
            manager.restart_kernel(now=True)
            manager.signal_kernel(signal.SIGKILL)
            os.kill(server.pid, signal.SIGKILL)
            server.wait()
        now = runner.get(job)
        assert (now.state, now.pid) == ("running", pid)
        with _server(folder, port):
            again = _until(lambda: _ask(port, "jobs")["items"], "the second server's view")
            assert [(item["state"], item["pid"]) for item in again] == [("running", pid)]
            assert _ask(port, f"jobs/{job}/stop", "POST")["state"] == "stopped"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        for job_ in runner.list():
            runner.stop(job_.id, by="the test")
