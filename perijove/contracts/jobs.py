"""Jobs: detached processes that outlive the browser, the kernel and the server."""

from __future__ import annotations

from typing import Any, Literal

from perijove.contracts.base import ErrorBody, Facts, Millis, Struct

JobState = Literal["queued", "running", "finished", "failed", "stopped", "lost"]
"""``lost``: its supervisor died, and its processes were ended."""


class JobResources(Facts):
    """What a job holds while it runs."""

    cpus: float = 0
    """0 for a job that waits for nobody."""
    gpus: int = 0
    memory: int = 0
    """Bytes that it needs free to start; 0 where nobody said."""


class Job(Facts):
    id: str
    kind: str
    """What it does: ``curate``, ``make_again``, ``train``, ``search``, ``rerun``."""
    title: str
    subject: str
    """The reference that it is about."""
    state: JobState
    by: str
    created: Millis
    started: Millis | None = None
    ended: Millis | None = None
    pid: int | None = None
    progress: float | None = None
    detail: str = ""
    exit_code: int | None = None
    result: dict[str, Any] = {}
    error: ErrorBody | None = None
    executor: str = "local"
    resources: JobResources = JobResources()
    devices: list[int] = []
    """GPUs that it holds, by NVML's numbers."""
    waiting: str = ""
    """What a queued job waits for, for people."""
    attempt: int = 1
    retry_of: str = ""
    """The job whose work this one does again, or goes on with."""
    retryable: bool = False
    resumable: bool = False
    """Whether it has kept a checkpoint to go on from."""
    notebook: str = ""
    """Where it was sent from, relative to the project."""


class Jobs(Struct):
    items: list[Job]
    """Newest first."""


class JobLogQuery(Struct):
    offset: int = 0
    """Byte to read from; negative for that many before the end."""


class JobLog(Struct):
    text: str
    offset: int
    """Where to read on."""
    ended: bool


class JobRetry(Struct):
    resume: bool = False
    """Go on from the last checkpoint, in the same run."""


class ExecutorInfo(Struct):
    """A place where jobs run."""

    name: str
    title: str
    available: bool
    reason: str = ""
    """Why it is not, and what to do."""
    cpus: float | None = None
    gpus: int | None = None


class Executors(Struct):
    items: list[ExecutorInfo]
