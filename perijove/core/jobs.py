"""Jobs: who runs them, and what a job's own process says of itself.

A runner starts a program as a detached process that outlives the browser, the kernel and the
server. The program finds its job by the environment, and tells how far it is through files: no
pipe that could break, no server that must be there.

    from perijove.core import jobs

    jobs.report(0.5, "half of the rows")
    jobs.finish({"ref": "data:builds_clean@4"})
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from perijove.contracts.base import ErrorBody, Facts, Millis
from perijove.contracts.jobs import ExecutorInfo, Job, JobLog, JobResources, JobState
from perijove.core.errors import PerijoveError
from perijove.core.files import write_atomically

JOB_VARIABLE: Final = "PERIJOVE_JOB"
"""In a job's processes: the folder of the job. A process that drops it leaves the job."""
PROGRESS_FILE: Final = "progress.json"
RESULT_FILE: Final = "result.json"
ERROR_FILE: Final = "error.json"
CHECKPOINT_FILE: Final = "checkpoint.json"
"""That a checkpoint was kept, and where."""
COMMANDS: Final = {
    "make_again": ("data", "make-again"),
    "curate": ("data", "curate"),
    "rerun": ("rerun",),
}
"""The kinds of jobs that the command line does, and by which words."""
ACTIVE: Final = ("queued", "running")
_PAUSE = 0.1

_reported = 0.0


class JobSpec(Facts):
    """What somebody wants to be run."""

    kind: str
    """What it does: ``curate``, ``make_again``, ``train``."""
    title: str
    """For people."""
    subject: str
    """The reference that it is about."""
    argv: Sequence[str]
    """The program and its arguments; it runs in the project's root."""
    by: str
    env: Mapping[str, str] = {}
    """Added to the environment of whoever submits. Never kept in a file, so a retry needs what is
    named here in its own environment."""
    executor: str = "local"
    resources: JobResources = JobResources()
    notebook: str = ""
    """Where it was sent from, relative to the project."""
    files: Mapping[str, bytes] = {}
    """Name to content: written into the job's folder, where the program finds them."""
    retry_of: str = ""
    attempt: int = 1


class JobStatus(Facts):
    """How a job stands, as its executor sees it."""

    state: JobState
    started: Millis | None = None
    ended: Millis | None = None
    pid: int | None = None
    """Of the program while it runs, where this machine sees it."""
    exit_code: int | None = None
    devices: list[int] = []
    waiting: str = ""
    error: ErrorBody | None = None
    """Why it could not be run, where the program itself could not say."""


class Executor(Protocol):
    """A place where jobs run. It is given folders, and keeps in them what it must know.

    A folder holds the manifest in ``job.json`` and the files of the spec. The executor puts there
    what the program prints; the program puts there how far it is and what it has made.
    """

    name: str

    def info(self) -> ExecutorInfo:
        """Tell whether jobs can run there, and what of."""
        ...

    def start(self, folder: Path, spec: JobSpec) -> None:
        """Have the program run, now or when it is its turn; return at once.

        Raises
        ------
        InvalidInputError
            When it asks for more than the place can ever give.
        UnavailableError
            When the place does not answer.
        """
        ...

    def look(self, folder: Path) -> JobStatus:
        """Tell how a job stands. What is left of one whose supervisor died is ended."""
        ...

    def log(self, folder: Path, offset: int) -> tuple[bytes, int, int]:
        """Return what was printed from a byte on, where that begins, and how much there is."""
        ...

    def stop(self, folder: Path) -> None:
        """Have its processes ended, gently first; return when they are, or soon after the grace."""
        ...


class JobRunner(Protocol):
    """Runs programs that outlive whoever asked for them. Safe to share by threads."""

    def submit(self, spec: JobSpec) -> Job:
        """Start a program, or queue it.

        Raises
        ------
        InvalidInputError
            When it asks for what its executor does not have.
        ReadOnlyError
            When the job's folder cannot be written.
        UnavailableError
            When its executor cannot run anything now.
        """
        ...

    def retry(self, id: str, *, by: str, resume: bool = False) -> Job:  # noqa: A002
        """Do the work of a job that has ended once more, in a job of its own.

        Parameters
        ----------
        resume
            Go on from its last checkpoint, in the same run.

        Raises
        ------
        ConflictError
            When it still runs, has no checkpoint, or is not what it was when it was submitted.
        """
        ...

    def executors(self) -> Sequence[ExecutorInfo]:
        """Return the places where jobs can run, those that are not available included."""
        ...

    def get(self, id: str) -> Job:  # noqa: A002 - the contract's word
        """Return a job as it is now.

        Raises
        ------
        NotFoundError
            For an id that no job has.
        """
        ...

    def log(self, id: str, offset: int = 0) -> JobLog:  # noqa: A002
        """Return what a job printed from a byte on; negative for that many before the end."""
        ...

    def stop(self, id: str, *, by: str) -> Job:  # noqa: A002
        """Have a job's processes ended, gently first; nothing happens to one that has ended."""
        ...

    def wait(self, id: str, seconds: float | None = None) -> Job:  # noqa: A002
        """Return the job when it has ended, or as it is after some seconds."""
        ...

    def pulse(self) -> object:
        """A value that differs when a job has moved on since."""
        ...

    def list(self, limit: int = 500) -> Sequence[Job]:
        """Return the newest jobs, newest first."""
        ...


def command(kind: str, *words: str, by: str = "") -> list[str]:
    """Return the program of a job whose work the command line can do.

    Parameters
    ----------
    kind
        One of ``COMMANDS``.
    words
        What the command line takes beside: what it is about, options.
    """
    asked = ["--by", by] if by else []
    return [sys.executable, "-m", "perijove", *COMMANDS[kind], *words, *asked]


def job_folder() -> Path | None:
    """Return the folder of the job that this process belongs to."""
    found = os.environ.get(JOB_VARIABLE)
    return Path(found) if found else None


def report(progress: float | None, detail: str = "") -> None:
    """Tell how far this process's job is; cheap, and nothing outside a job.

    Parameters
    ----------
    progress
        In [0, 1]; None where nobody can tell.
    """
    global _reported
    folder = job_folder()
    if folder is None or time.monotonic() - _reported < _PAUSE:
        return
    _reported = time.monotonic()
    share = None if progress is None else min(1.0, max(0.0, progress))
    # How far it is does no harm when it is lost, on a full disk say: the work goes on.
    with contextlib.suppress(OSError, PerijoveError):
        _write(folder / PROGRESS_FILE, {"progress": share, "detail": detail}, durable=False)


def finish(result: dict[str, Any]) -> None:
    """Keep what this process's job has made; it counts when the process ends with exit code 0."""
    if (folder := job_folder()) is not None:
        _write(folder / RESULT_FILE, result)


def checkpoint(kept: dict[str, Any]) -> None:
    """Tell that this process's job can go on from here, should it end early.

    Parameters
    ----------
    kept
        Where the checkpoint lies, for whoever goes on.
    """
    if (folder := job_folder()) is not None:
        _write(folder / CHECKPOINT_FILE, kept)


def fail(error: PerijoveError) -> None:
    """Keep why this process's job failed; the process ends itself, not with exit code 0."""
    if (folder := job_folder()) is not None:
        with contextlib.suppress(OSError, PerijoveError):
            _write(folder / ERROR_FILE, error.body())


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Keep the error that ends the block, where it is the work of a job.

    A job that is stopped leaves the block as by ``sys.exit``: what it made for a while is removed.
    """
    before: Any = None
    told = job_folder() is not None and threading.current_thread() is threading.main_thread()
    if told:
        before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    except PerijoveError as error:
        fail(error)
        raise
    finally:
        if told:
            signal.signal(signal.SIGTERM, before)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _write(path: Path, content: Any, *, durable: bool = True) -> None:
    write_atomically(path, msgspec.json.encode(content), durable=durable)
