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
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from perijove.contracts.jobs import Job, JobLog
from perijove.core.errors import PerijoveError
from perijove.core.files import write_atomically

JOB_VARIABLE: Final = "PERIJOVE_JOB"
"""In a job's processes: the folder of the job. A process that drops it leaves the job."""
PROGRESS_FILE: Final = "progress.json"
RESULT_FILE: Final = "result.json"
ERROR_FILE: Final = "error.json"
ACTIVE: Final = ("queued", "running")
_PAUSE = 0.1

_reported = 0.0


class JobRunner(Protocol):
    """Runs programs that outlive whoever asked for them. Safe to share by threads."""

    def submit(
        self,
        *,
        kind: str,
        title: str,
        subject: str,
        argv: Sequence[str],
        by: str,
        env: dict[str, str] | None = None,
    ) -> Job:
        """Start a program, or queue it where the runner has a queue.

        Parameters
        ----------
        kind
            What it does: ``curate``, ``make_again``.
        title
            For people.
        subject
            The reference that it is about.
        argv
            The program and its arguments; it runs in the project's root.
        env
            Added to the environment of the caller. Never kept in a file.

        Raises
        ------
        ReadOnlyError
            When the job's folder cannot be written.
        """
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

    def list(self) -> Sequence[Job]:
        """Return the jobs, newest first."""
        ...


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


def fail(error: PerijoveError) -> None:
    """Keep why this process's job failed; the process ends itself, not with exit code 0."""
    if (folder := job_folder()) is not None:
        with contextlib.suppress(OSError, PerijoveError):
            _write(folder / ERROR_FILE, error.body())


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Keep the error that ends the block, where it is the work of a job."""
    try:
        yield
    except PerijoveError as error:
        fail(error)
        raise


def _write(path: Path, content: Any, *, durable: bool = True) -> None:
    write_atomically(path, msgspec.json.encode(content), durable=durable)
