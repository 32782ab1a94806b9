"""An endpoint outlives the kernel that asked for it and the server that shows it."""

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

from perijove.adapters.workbench import Workbench
from perijove.core.context import ProjectContext
from tests.deploy import shop

TOKEN = "survival"
DEADLINE = 60


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


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


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
        if server.poll() is None:
            server.kill()
        server.wait()


def _ask(port: int, path: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/perijove/api/{path}",
        headers={"Authorization": f"token {TOKEN}"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.loads(reply.read())


def _endpoint(port: int, project: str) -> dict[str, Any] | None:
    items = _ask(port, f"endpoints?project={project}")["items"]
    return items[0] if items and items[0]["state"] == "serving" else None


DEPLOYER = """
import sys
from pathlib import Path
from perijove.adapters.workbench import Workbench
from perijove.contracts.deploy import DeployRequest, OverrideRequest
from perijove.core.context import ProjectContext
bench = Workbench(ProjectContext.open(Path(sys.argv[1])))
request = DeployRequest(
    model=sys.argv[2], endpoint="shop", override=OverrideRequest(by="ada", reason="a test of survival")
)
bench.deploy.deploy(request, by="ada")
bench.deploy.wait("shop")
print("deployed", flush=True)
sys.stdin.read()
"""


def test_kernel_and_server_are_killed_and_the_endpoint_goes_on(
    project: ProjectContext, saved: Path
) -> None:
    model, free_port = shop.log(project, saved), _free_port()
    root = project.paths.root
    deployer = subprocess.Popen(
        [sys.executable, "-c", DEPLOYER, str(root), model],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    bench = Workbench(project)
    try:
        assert deployer.stdout is not None
        assert deployer.stdout.readline() == b"deployed\n"
        with _server(root.parent, free_port) as server:
            first = _until(lambda: _endpoint(free_port, root.name), "the first server's view")
            os.kill(deployer.pid, signal.SIGKILL)
            deployer.wait()
            os.kill(server.pid, signal.SIGKILL)
            server.wait()
            assert bench.deploy.invoke("shop", [shop.SAMPLE]).status == 200
        with _server(root.parent, free_port):
            again = _until(lambda: _endpoint(free_port, root.name), "the second server's view")
            assert again["pid"] == first["pid"]
            assert bench.deploy.invoke("shop", [shop.SAMPLE]).status == 200
    finally:
        if deployer.poll() is None:
            deployer.kill()
            deployer.wait()
        bench.deploy.stop("shop", by="ada")
        _until(lambda: bench.deploy.endpoint("shop").state == "stopped", "the end")
