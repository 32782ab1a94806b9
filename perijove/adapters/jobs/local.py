"""Jobs on this machine: implements ``perijove.core.jobs.JobRunner``."""

from __future__ import annotations

import builtins
import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from perijove.adapters.jobs import supervisor
from perijove.adapters.jobs.supervisor import (
    LOG_FILE,
    SPEC_FILE,
    STATE_FILE,
    STOP_FILE,
    end_members,
)
from perijove.adapters.serving.processes import DROPPED
from perijove.contracts.base import ErrorBody, Millis
from perijove.contracts.jobs import ExecutorInfo, Job, JobLog, JobResources, JobState
from perijove.core.errors import ConflictError, InvalidInputError, NotFoundError, ReadOnlyError
from perijove.core.files import ProcessId, locked, write_atomically
from perijove.core.jobs import (
    ACTIVE,
    CHECKPOINT_FILE,
    ERROR_FILE,
    JOB_VARIABLE,
    PROGRESS_FILE,
    RESULT_FILE,
    JobSpec,
)
from perijove.core.ledger import now
from perijove.core.paths import ProjectPaths
from perijove.core.recipes import again

ID: Final = re.compile(r"[0-9a-z]{8,32}")
SILENT_MS: Final = 8_000
"""A supervisor that began no file, or beats no more on another machine, is taken for dead."""
CHUNK: Final = 256 * 1024
LISTED: Final = 500
KEPT: Final = 1000
PULSE: Final = 50
T = TypeVar("T")


class _Spec(msgspec.Struct):
    id: str
    kind: str
    title: str
    subject: str
    argv: list[str]
    by: str
    created: Millis
    cwd: str
    executor: str = "local"
    resources: JobResources = JobResources()
    notebook: str = ""
    retry_of: str = ""
    attempt: int = 1
    files: dict[str, str] = {}


class _State(msgspec.Struct):
    """What the supervisor last wrote; unknown fields are a later version's."""

    state: JobState
    host: str = ""
    supervisor: ProcessId | None = None
    child: ProcessId | None = None
    started: Millis | None = None
    ended: Millis | None = None
    exit_code: int | None = None


class _Progress(msgspec.Struct):
    progress: float | None = None
    detail: str = ""


class LocalRunner:
    """The jobs of one project, a folder each in ``.perijove/jobs``.

    Parameters
    ----------
    paths
        The project's paths.
    """

    def __init__(self, paths: ProjectPaths) -> None:
        self.paths = paths
        self.folder = paths.state / "jobs"
        self._lock = threading.Lock()
        self._ended: dict[str, Job] = {}
        self._children: list[subprocess.Popen[bytes]] = []

    def submit(self, spec: JobSpec) -> Job:
        if not spec.argv:
            raise InvalidInputError("A job needs a program to run.")
        created = now()
        kept = _Spec(
            id=f"{created:012x}{secrets.token_hex(3)}", kind=spec.kind, title=spec.title,
            subject=spec.subject, argv=list(spec.argv), by=spec.by, created=created,
            cwd=str(self.paths.root), executor=spec.executor, resources=spec.resources,
            notebook=spec.notebook, retry_of=spec.retry_of, attempt=spec.attempt,
            files={name: sha256(content).hexdigest() for name, content in spec.files.items()},
        )  # fmt: skip
        folder = self.folder / kept.id
        try:
            self.paths.make_state()
            self.folder.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700)
            for name, content in spec.files.items():
                write_atomically(folder / name, content)
            write_atomically(folder / SPEC_FILE, msgspec.json.encode(kept))
            self._start(folder, dict(spec.env))
        except OSError as error:
            raise ReadOnlyError(
                f"The job cannot be started: {error.strerror or error}.",
                "Check the permissions and the free space of the project's folder.",
            ) from error
        return self.get(kept.id)

    def retry(self, id: str, *, by: str, resume: bool = False) -> Job:  # noqa: A002
        job, folder = self.get(id), self._folder(id)
        kept = _read(folder / SPEC_FILE, _Spec)
        if kept is None:
            raise _unknown(id)
        if resume and not job.resumable:
            raise ConflictError(f"The job {id} has kept no checkpoint.", "Retry it from the start.")
        if not job.retryable:
            raise ConflictError(f"The job {id} is {job.state}.", "Stop it first.")
        files = {name: (folder / name).read_bytes() for name in kept.files}
        return self.submit(
            JobSpec(
                kept.kind, kept.title, kept.subject, kept.argv, by, {}, kept.executor,
                kept.resources, kept.notebook, again(files, resume=resume), id, kept.attempt + 1,
            )
        )  # fmt: skip

    def executors(self) -> Sequence[ExecutorInfo]:
        return [ExecutorInfo("local", "This machine", available=True)]

    def state(self, id: str) -> JobState | None:  # noqa: A002
        try:
            return self.get(id).state
        except NotFoundError:
            return None

    def _start(self, folder: Path, env: dict[str, str]) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(DROPPED)}
        environment |= {"PYTHONUNBUFFERED": "1"} | env | {JOB_VARIABLE: str(folder)}
        with (folder / LOG_FILE).open("ab") as output:
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

    def get(self, id: str) -> Job:  # noqa: A002 - the contract's word
        self._reap()
        known = self._ended.get(id)
        folder = self._folder(id)
        if known is not None:
            return known
        spec = _read(folder / SPEC_FILE, _Spec)
        if spec is None:
            raise _unknown(id)
        state = self._state(folder, spec)
        progress = _read(folder / PROGRESS_FILE, _Progress) or _Progress()
        job = Job(
            id=spec.id, kind=spec.kind, title=spec.title, subject=spec.subject, by=spec.by,
            created=spec.created, state=state.state, started=state.started, ended=state.ended,
            pid=state.child.pid if state.child is not None and state.ended is None else None,
            progress=progress.progress, detail=progress.detail, exit_code=state.exit_code,
            executor=spec.executor, resources=spec.resources, attempt=spec.attempt,
            retry_of=spec.retry_of, retryable=state.state not in ACTIVE, notebook=spec.notebook,
            resumable=state.state not in ACTIVE and state.state != "finished"
            and (folder / CHECKPOINT_FILE).exists(),
        )  # fmt: skip
        if job.state in ACTIVE:
            return job
        job = msgspec.structs.replace(job, **_outcome(folder, job))
        with self._lock:
            self._ended[id] = job
        return job

    def _state(self, folder: Path, spec: _Spec) -> _State:
        """Return what the supervisor says, or that it is dead."""
        state = _read(folder / STATE_FILE, _State)
        if not _lost(folder, spec, state):
            return state or _State("queued")
        with contextlib.suppress(OSError), locked(folder / supervisor.LOCK_FILE):
            state = _read(folder / STATE_FILE, _State)
            if not _lost(folder, spec, state):  # another one was quicker, or it began after all
                return state or _State("queued")
            if state is None or state.host in ("", os.uname().nodename):
                end_members(str(folder))
            state = state or _State("running")
            state.state, state.ended = "lost", now()
            write_atomically(folder / STATE_FILE, msgspec.json.encode(state))
            return state
        # Where nobody can write, it is lost all the same.
        state = state or _State("running")
        state.state, state.ended = "lost", state.ended or now()
        return state

    def log(self, id: str, offset: int = 0) -> JobLog:  # noqa: A002
        job = self.get(id)
        try:
            with (self._folder(id) / LOG_FILE).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                start = max(0, size + offset) if offset < 0 else min(offset, size)
                file.seek(start)
                content = file.read(CHUNK)
        except FileNotFoundError:
            return JobLog(text="", offset=0, ended=job.state not in ACTIVE)
        end = start + len(content)
        if (end == size and job.state in ACTIVE) or end < size:
            content = _whole_characters(content)
            end = start + len(content)
        return JobLog(
            text=content.decode(errors="replace"),
            offset=end,
            ended=job.state not in ACTIVE and end >= size,
        )

    def stop(self, id: str, *, by: str) -> Job:  # noqa: A002
        job = self.get(id)
        if job.state not in ACTIVE:
            return job
        folder = self._folder(id)
        with contextlib.suppress(OSError):  # on a full disk it is stopped, and nobody knows by whom
            write_atomically(
                folder / STOP_FILE, msgspec.json.encode({"by": by, "at": now()}), durable=False
            )
        job = _poll(lambda: self.get(id), lambda job: job.state != "queued", 10.0)
        state = _read(folder / STATE_FILE, _State)
        if job.state == "running" and state is not None and state.supervisor is not None:
            if state.supervisor.alive():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(state.supervisor.pid, signal.SIGTERM)
            job = self.wait(id, supervisor.GRACE + 3)
        return job

    def wait(self, id: str, seconds: float | None = None) -> Job:  # noqa: A002
        return _poll(lambda: self.get(id), lambda job: job.state not in ACTIVE, seconds)

    def pulse(self) -> object:
        return [(j.id, j.state, j.progress, j.detail) for j in self._newest(PULSE)]

    def prune(self) -> None:
        """Remove the folders of the oldest jobs, beyond the thousand that are kept."""
        import shutil

        for identifier in self._ids()[KEPT:]:
            with contextlib.suppress(NotFoundError):
                if self.get(identifier).state not in ACTIVE:
                    shutil.rmtree(self.folder / identifier, ignore_errors=True)
                    self._ended.pop(identifier, None)

    def list(self) -> Sequence[Job]:
        return self._newest(LISTED)

    def _newest(self, count: int) -> Sequence[Job]:
        jobs = []
        for identifier in self._ids()[:count]:
            with contextlib.suppress(NotFoundError):  # just being made, or just deleted
                jobs.append(self.get(identifier))
        return jobs

    def _ids(self) -> builtins.list[str]:
        try:
            names = os.listdir(self.folder)
        except OSError:  # no job yet, or a folder that nobody may look into
            return []
        return sorted((name for name in names if ID.fullmatch(name)), reverse=True)

    def _folder(self, identifier: str) -> Path:
        folder = self.folder / identifier
        if not ID.fullmatch(identifier) or folder.is_symlink() or not folder.is_dir():
            self._ended.pop(identifier, None)
            raise _unknown(identifier)
        return folder

    def _reap(self) -> None:
        # A supervisor that this process started and that has ended stays a zombie until asked for.
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]


def _unknown(identifier: str) -> NotFoundError:
    return NotFoundError(
        f"There is no job {identifier[:40]!r}.",
        "`perijove jobs list` shows the jobs of this project.",
        code="job_not_found",
    )


def _lost(folder: Path, spec: _Spec, state: _State | None) -> bool:
    """Whether a job that has not ended has no supervisor any more."""
    if state is None:
        return now() - spec.created > SILENT_MS
    if state.state not in ACTIVE or state.supervisor is None:
        return False
    alive = state.supervisor.alive() if state.host == os.uname().nodename else None
    if alive is not None:
        return not alive
    # On another machine, or in another container, only its heartbeat can be seen.
    try:
        beat = (folder / STATE_FILE).stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return True
    return now() - beat > SILENT_MS


def _outcome(folder: Path, job: Job) -> dict[str, Any]:
    """What an ended job has made, or why it failed."""
    if job.state == "finished":
        result = _read(folder / RESULT_FILE, dict[str, Any]) or {}
        return {"result": result, "progress": 1.0, "detail": ""}
    if job.state == "stopped":
        stop = _read(folder / STOP_FILE, dict[str, Any]) or {}
        return {"detail": f"stopped by {stop['by']}" if stop.get("by") else "ended by the system"}
    if job.state == "lost":
        return {
            "error": ErrorBody(
                code="job_lost",
                message="Its supervisor died, and its processes were ended.",
                hint="The machine may have been restarted or short of memory: start it again.",
            )
        }
    error = _read(folder / ERROR_FILE, ErrorBody)
    if error is not None:
        return {"error": error}
    return {
        "error": ErrorBody(
            code="job_failed",
            message=f"{_how(job.exit_code)} {_last_line(folder / LOG_FILE)}".strip(),
            hint="Its log has the details.",
        )
    }


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            name = signal.Signals(-code).name
            short = " The machine may be short of memory." if name == "SIGKILL" else ""
            return f"It was ended by {name}.{short}"
    return f"It ended with exit code {code}."


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][:300] if said else ""


def _whole_characters(content: bytes) -> bytes:
    """Cut a character off the end whose other bytes are still to come."""
    for back in range(1, min(4, len(content)) + 1):
        byte = content[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return content[:-back] if needed > back else content
    return content


def _read(path: Path, kind: type[T]) -> T | None:
    """Read one of a job's files; None when it is not there, or was damaged by somebody."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _poll(look: Callable[[], Job], done: Callable[[Job], bool], seconds: float | None) -> Job:
    end = None if seconds is None else time.monotonic() + seconds
    pause = 0.005
    while True:
        job = look()
        if done(job) or (end is not None and time.monotonic() >= end):
            return job
        time.sleep(pause)
        pause = min(0.1, pause * 1.5)
