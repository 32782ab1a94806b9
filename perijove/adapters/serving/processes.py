"""Processes that outlive whoever starts them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from perijove.core.files import ProcessId

DROPPED: Final = ("JPY_", "JUPYTERHUB_", "JUPYTER_TOKEN", "PERIJOVE_JOB", "MPLBACKEND")
"""What names or opens the Jupyter server, where model code has no business, and what belongs to
whoever starts the process: its job, its inline plots."""


def start_detached(module: str, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Run a module of ours in a session of its own, with its output in a file.

    Neither an interrupt nor the end of this process reaches it, and it shares no pipe that could
    break: only so does it survive a kernel's restart and ``kill -9``.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(DROPPED)}
    environment["PYTHONUNBUFFERED"] = "1"
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env=environment,
            start_new_session=True,
        )


@dataclass
class Worker:
    """A worker process as its supervisor sees it, started by it or adopted."""

    revision: int
    process: ProcessId
    socket: Path
    child: subprocess.Popen[bytes] | None = None
    inode: int = 0
    """Of its socket, once that has the public name."""
    ready_at: int = 0
    since: float = field(default_factory=time.monotonic)
    """When it entered the state that it is in: starting, answering, leaving."""

    def ended(self) -> bool:
        if self.child is not None:
            return self.child.poll() is not None
        return not self.process.alive()

    @property
    def exit_code(self) -> int | None:
        """None for a process that this one did not start: only its parent is told."""
        return self.child.returncode if self.child is not None else None

    def published(self, public: Path, inode: int, at: int) -> None:
        self.socket, self.inode, self.ready_at = public, inode, at
        self.since = time.monotonic()

    def socket_gone(self, public: Path) -> None:
        """Remove its private socket; the public name may be another worker's by now."""
        if self.socket != public:
            self.socket.unlink(missing_ok=True)

    def signal(self, number: int) -> None:
        if not self.ended():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)
