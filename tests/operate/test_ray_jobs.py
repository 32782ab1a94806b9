"""Jobs on a real Ray cluster: one head on this machine, with a token."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from perijove.adapters.ray.executor import RayExecutor
from perijove.core.context import ProjectContext
from perijove.testing.executor import ExecutorSuite

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is missing: pip install perijove[ray]"
)


def _ports(count: int) -> list[int]:
    """Find free ports above those that Ray gives its workers."""
    found: list[int] = []
    while len(found) < count:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found


@pytest.fixture(scope="session")
def ray_head() -> Iterator[tuple[str, str]]:
    """Start a head that listens on loopback only; return its address and its token's file."""
    # Ray's sockets lie there, and their paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="pj-ray-", dir="/tmp"))
    token = folder / "token"
    token.write_text(secrets.token_hex(32))
    token.chmod(0o600)
    dashboard, agent, client = _ports(3)
    environment = os.environ | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        # Ray names a node by an address that others reach, unless there can be no others.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
    command = [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
        "--node-ip-address=127.0.0.1", "--port=0", "--dashboard-host=127.0.0.1",
        f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}",
        f"--ray-client-server-port={client}", "--num-cpus=2", f"--temp-dir={folder / 't'}",
        "--object-store-memory=100000000", "--disable-usage-stats",
    ]  # fmt: skip
    with (folder / "head.log").open("wb") as log:
        head = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, cwd=folder, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{dashboard}"
        _await(head, address, token.read_text(), folder / "head.log")
        yield address, str(token)
    finally:
        _end(head)
        shutil.rmtree(folder, ignore_errors=True)


def _await(head: subprocess.Popen[bytes], address: str, token: str, log: Path) -> None:
    request = urllib.request.Request(f"{address}/api/version")
    request.add_header("Authorization", f"Bearer {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + 60
    while time.monotonic() < end and head.poll() is None:
        with contextlib.suppress(OSError), opener.open(request, timeout=2):
            return
        time.sleep(0.1)
    raise AssertionError(f"Ray did not start: {log.read_text()[-2000:]}")


def _end(head: subprocess.Popen[bytes]) -> None:
    """End the head and all that it started, and nobody else's Ray."""
    import psutil

    family = psutil.Process(head.pid).children(recursive=True) if head.poll() is None else []
    head.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        head.wait(10)
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(head.pid, signal.SIGKILL)
    head.wait(10)


@pytest.fixture
def cluster(ray_head: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    address, token = ray_head
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", token)
    monkeypatch.setenv("RAY_ADDRESS", address)
    return address


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(180)
class TestRayExecutor(ExecutorSuite):
    """It keeps the contract."""

    deadline = 90.0

    @pytest.fixture
    def executor(self, cluster: str, project: ProjectContext) -> RayExecutor:
        return RayExecutor(project)
