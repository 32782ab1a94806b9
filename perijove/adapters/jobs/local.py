"""Jobs on this machine: a detached supervisor each, and one queue for all projects of the user."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from perijove.adapters.jobs import folders, supervisor
from perijove.adapters.jobs.leases import Pool
from perijove.adapters.serving.processes import DROPPED
from perijove.contracts.jobs import ExecutorInfo, JobResources
from perijove.core.context import ProjectContext
from perijove.core.errors import ForbiddenPathError, InvalidInputError
from perijove.core.files import write_atomically
from perijove.core.jobs import ACTIVE, JOB_VARIABLE, JobSpec, JobStatus

QUEUE_VARIABLE: Final = "PERIJOVE_QUEUE"
"""The folder of the queue, where it shall not be the user's own."""
BASE: Final = "/tmp/perijove-{uid}"
BEGINS: Final = 10.0
"""Seconds that a supervisor has to begin, where it is to be stopped."""


class LocalExecutor:
    """Runs jobs as processes of this machine.

    A job that wants CPUs, GPUs or memory waits until the others leave it enough. The queue is the
    machine's, so that two projects do not take the same GPU.
    """

    name = "local"

    def __init__(self, project: ProjectContext) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._children: list[subprocess.Popen[bytes]] = []

    def info(self) -> ExecutorInfo:
        pool = self.pool()
        return ExecutorInfo(
            self.name, "This machine", available=True, cpus=pool.cpus, gpus=len(pool.gpus)
        )

    def pool(self) -> Pool:
        """Return what ``[jobs]`` of the project lets jobs have of this machine."""
        limits = self._project.definition.jobs
        cpus = float(_cpus())
        gpus = [g for g in _gpus() if limits.gpus is None or g in limits.gpus]
        return Pool(min(limits.cpus, cpus) if limits.cpus else cpus, tuple(gpus))

    def start(self, folder: Path, spec: JobSpec) -> None:
        if spec.resources != JobResources():
            wish = self._wish(spec.resources)
            write_atomically(folder / supervisor.WISH_FILE, msgspec.json.encode(wish))
        environment = {k: v for k, v in os.environ.items() if not k.startswith(DROPPED)}
        environment |= {"PYTHONUNBUFFERED": "1"} | dict(spec.env) | {JOB_VARIABLE: str(folder)}
        with (folder / supervisor.LOG_FILE).open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-I", supervisor.__file__, str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                start_new_session=True,
            )
        with self._lock:
            self._children.append(child)

    def _wish(self, wanted: JobResources) -> dict[str, object]:
        pool = self.pool()
        memory = _memory() if wanted.memory else 0
        if not (math.isfinite(wanted.cpus) and min(wanted.cpus, wanted.gpus, wanted.memory) >= 0):
            raise InvalidInputError("A job cannot want less than nothing.")
        for noun, want, have in (
            ("CPUs", wanted.cpus, pool.cpus),
            ("GPUs", wanted.gpus, len(pool.gpus)),
            ("GB of memory", wanted.memory / 2**30, memory / 2**30),
        ):
            if want > have:
                raise InvalidInputError(
                    f"The job wants {want:.3g} {noun}, and jobs can have {have:.3g} here.",
                    "Ask for less, or see [jobs] in perijove.toml.",
                    code="too_many_resources",
                )
        return {
            "cpus": wanted.cpus, "gpus": wanted.gpus, "memory": wanted.memory,
            "of_cpus": pool.cpus, "of_gpus": pool.gpus, "queue": str(queue_folder()),
        }  # fmt: skip

    def look(self, folder: Path) -> JobStatus:
        # A supervisor that this process started and that has ended stays a zombie until asked for.
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]
        return folders.supervised(folder, folders.read_manifest(folder).created).status()

    def log(self, folder: Path, offset: int) -> tuple[bytes, int, int]:
        return folders.read_log(folder / supervisor.LOG_FILE, offset)

    def stop(self, folder: Path) -> None:
        # Before it has begun, it has no handler that could be told.
        _until(lambda: (folder / supervisor.STATE_FILE).exists() or not self._runs(folder), BEGINS)
        state = folders.read(folder / supervisor.STATE_FILE, folders.State)
        if state is not None and state.supervisor is not None and state.supervisor.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.supervisor.pid, signal.SIGTERM)
            _until(lambda: not self._runs(folder), supervisor.GRACE + 3)

    def _runs(self, folder: Path) -> bool:
        return folder.is_dir() and self.look(folder).state in ACTIVE


def queue_folder() -> Path:
    """Return the folder of the queue, private to the user.

    It has one place, whatever the environment says, or there would be two queues for one machine.

    Raises
    ------
    ForbiddenPathError
        When it is somebody else's.
    """
    if named := os.environ.get(QUEUE_VARIABLE):
        return Path(named)
    base = Path(BASE.format(uid=os.getuid()))
    with contextlib.suppress(FileExistsError):
        base.mkdir(mode=0o700)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise ForbiddenPathError(f"{base} is open to others.", "Remove it and try again.")
    return base / "queue"


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gpus() -> list[int]:
    """List the GPUs that this process may use, by NVML's numbers."""
    from perijove.adapters.nvml import sample_gpus

    found = [gpu.index for gpu in sample_gpus()]
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return found
    words = [word.strip() for word in allowed.split(",")]
    # By name, as "GPU-8932f937", it says nothing that NVML's numbers could be held against.
    if any(word.startswith(("GPU-", "MIG-")) for word in words):
        return found
    return [gpu for gpu in found if str(gpu) in words]


def _memory() -> int:
    import psutil

    return int(psutil.virtual_memory().total)


def _until(done: Callable[[], bool], seconds: float) -> None:
    end, pause = time.monotonic() + seconds, 0.005
    while not done() and time.monotonic() < end:
        time.sleep(pause)
        pause = min(0.1, pause * 1.5)
