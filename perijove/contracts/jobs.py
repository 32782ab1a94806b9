"""Jobs: detached processes that outlive the browser, the kernel and the server."""

from __future__ import annotations

from typing import Any, Literal

from perijove.contracts.base import ErrorBody, Facts, Millis, Struct

JobState = Literal["queued", "running", "finished", "failed", "stopped", "lost"]
"""``lost``: its supervisor died, and its processes were ended."""


class Job(Facts):
    id: str
    kind: str
    """What it does: ``curate``, ``make_again``."""
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
