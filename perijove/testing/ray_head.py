"""A Ray head on this machine: with a token, on loopback only, and ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Head:
    """How to reach it."""

    address: str
    token: Path
    """The file that holds its token."""


@contextlib.contextmanager
def ray_head(cpus: int = 2) -> Iterator[Head]:
    """Start a head, and end it when the block does."""
    # Ray's sockets lie there, and their paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="pj-ray-", dir="/tmp"))
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    # Those of its agents too: for what it has to choose itself, it waits 15 seconds and dies.
    dashboard, agent, client, grpc, metrics, environments = _ports(6)
    environment = os.environ | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        # Ray gives a node an address that others reach, unless there can be no others.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # A busy machine may need longer than Ray waits for its own processes.
        "RAY_agent_register_timeout_ms": "180000",
        "RAY_health_check_failure_threshold": "60",
    }
    command = [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block",
        "--node-ip-address=127.0.0.1", "--port=0", "--dashboard-host=127.0.0.1",
        f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}",
        f"--dashboard-agent-grpc-port={grpc}", f"--metrics-export-port={metrics}",
        f"--runtime-env-agent-port={environments}", f"--ray-client-server-port={client}",
        f"--num-cpus={cpus}", "--disable-usage-stats", "--include-log-monitor=false",
        f"--temp-dir={folder / 't'}", "--object-store-memory=100000000",
    ]  # fmt: skip
    try:
        head = _start(command, environment, folder)
        try:
            yield Head(f"http://127.0.0.1:{dashboard}", token)
        finally:
            _end(head)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(
    command: list[str], environment: dict[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    """Start it until it starts: on a busy machine Ray gives up after 30 seconds."""
    log = folder / "head.log"
    for _ in range(ATTEMPTS):
        with log.open("wb") as output:
            head = subprocess.Popen(
                command, env=environment, stdout=output, stderr=output, cwd=folder,
                start_new_session=True,
            )  # fmt: skip
        try:
            while head.poll() is None:
                if b"Ray runtime started" in log.read_bytes():
                    return head
                time.sleep(0.1)
        except BaseException:
            _end(head)
            raise
        _end(head)
    raise AssertionError(f"Ray did not start: {log.read_text()[-2000:]}")


def _ports(count: int) -> list[int]:
    """Find free ports above those that Ray gives its workers."""
    found: set[int] = set()
    while len(found) < count:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)


def _end(head: subprocess.Popen[bytes]) -> None:
    """End the head and all that it started, and nobody else's Ray, as ``ray stop`` would."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family = psutil.Process(head.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(head.pid, signal.SIGKILL)
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    head.wait()
