"""The board: the jobs of a project, wherever they run. Implements ``perijove.core.jobs``."""

from __future__ import annotations

import builtins
import contextlib
import os
import re
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from perijove.adapters.jobs import folders
from perijove.adapters.jobs.folders import Manifest, read, unknown
from perijove.adapters.jobs.supervisor import STOP_FILE
from perijove.adapters.plugins import load_executors
from perijove.contracts.base import ErrorBody
from perijove.contracts.jobs import ExecutorInfo, Job, JobLog
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    PerijoveError,
    ReadOnlyError,
)
from perijove.core.files import locked, write_atomically
from perijove.core.jobs import (
    ACTIVE,
    CHECKPOINT_FILE,
    ERROR_FILE,
    PROGRESS_FILE,
    RESULT_FILE,
    Executor,
    JobSpec,
    JobStatus,
)
from perijove.core.ledger import now
from perijove.core.recipes import again

ID: Final = re.compile(r"[0-9a-z]{8,32}")
KEPT: Final = 1000
PULSE: Final = 50
RETRY_LOCK: Final = ".retry.lock"
LOST: Final = "job_lost"


class _Progress(msgspec.Struct):
    progress: float | None = None
    detail: str = ""


class JobBoard:
    """The jobs of one project, a folder each in ``.perijove/jobs``.

    Parameters
    ----------
    project
        The open project.
    executors
        Makes the places where jobs run, by name; those that are installed when left out.
    """

    def __init__(
        self,
        project: ProjectContext,
        executors: Callable[[ProjectContext], Mapping[str, Executor]] = load_executors,
    ) -> None:
        self.project = project
        self.folder = project.paths.state / "jobs"
        self._load = executors
        self._executors: Mapping[str, Executor] | None = None
        self._lock = threading.Lock()
        self._ended: dict[str, Job] = {}

    # Submitting

    def submit(self, spec: JobSpec) -> Job:
        return self._submit(spec, {})

    def _submit(self, spec: JobSpec, kept: Mapping[str, bytes]) -> Job:
        """Start a job; ``kept`` are files that an earlier one's program left."""
        if not spec.argv:
            raise InvalidInputError("A job needs a program to run.")
        folders.check_names(spec.files)
        executor = self._executor(spec.executor)
        created = now()
        identifier = f"{created:012x}{secrets.token_hex(3)}"
        folder = self.folder / identifier
        manifest = Manifest.of(spec, identifier, created, self.project.paths.root)
        try:
            self.project.paths.make_state()
            self.folder.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700)
            for name, content in kept.items():
                write_atomically(folder / name, content)
            folders.fill(folder, manifest, spec.files)
            executor.start(folder, spec)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise ReadOnlyError(
                f"The job cannot be started: {error.strerror or error}.",
                "Check the permissions and the free space of the project's folder.",
            ) from error
        except PerijoveError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return self.get(identifier)

    def retry(self, id: str, *, by: str, resume: bool = False) -> Job:  # noqa: A002
        job, folder = self.get(id), self._folder(id)
        manifest = folders.read_manifest(folder)
        if job.state in ACTIVE:
            raise ConflictError(
                f"The job {id} is still {job.state}.", "Stop it first.", code="job_active"
            )
        if resume and not job.resumable:
            raise ConflictError(
                f"The job {id} has nothing to go on from.",
                "It keeps something by pj.checkpoint. Retry it from the start.",
                code="no_checkpoint",
            )
        try:
            with locked(self.folder / RETRY_LOCK):  # two that ask at once must see each other
                return self._again(job, folder, manifest, by=by, resume=resume)
        except OSError as error:
            raise ReadOnlyError(
                f"{self.folder} cannot be written: {error.strerror or error}.",
                "Check the permissions and the free space of the project's folder.",
            ) from error

    def _again(self, job: Job, folder: Path, manifest: Manifest, *, by: str, resume: bool) -> Job:
        if resume:
            self._refuse_two(job)
        files = again(folders.read_files(folder, manifest), resume=resume)
        spec = JobSpec(
            kind=manifest.kind, title=manifest.title, subject=manifest.subject,
            argv=manifest.argv, by=by, env=_environment(manifest), executor=manifest.executor,
            resources=manifest.resources, notebook=manifest.notebook, files=files, retry_of=job.id,
            attempt=manifest.attempt + 1,
        )  # fmt: skip
        kept = {}
        if resume:
            # It can be gone on with from there even when it ends before it keeps another one.
            with contextlib.suppress(OSError):
                kept[CHECKPOINT_FILE] = (folder / CHECKPOINT_FILE).read_bytes()
        return self._submit(spec, kept)

    def _refuse_two(self, job: Job) -> None:
        """Two processes must not go on with the same run."""
        for other in self.list():
            same = (job.subject and other.subject == job.subject) or other.retry_of == job.id
            if same and other.state in ACTIVE:
                raise ConflictError(
                    f"The job {other.id} is at {job.subject or job.title} already.",
                    "Wait until it has ended, or stop it.",
                    code="job_active",
                )

    def executors(self) -> Sequence[ExecutorInfo]:
        return [executor.info() for executor in self._installed().values()]

    def _installed(self) -> Mapping[str, Executor]:
        with self._lock:
            if self._executors is None:
                self._executors = self._load(self.project)
            return self._executors

    def _executor(self, name: str) -> Executor:
        installed = self._installed()
        if name not in installed:
            raise InvalidInputError(
                f"There is no executor {name[:40]!r}.",
                f"Those that are installed: {', '.join(installed)}.",
                code="unknown_executor",
            )
        return installed[name]

    # Looking

    def get(self, id: str) -> Job:  # noqa: A002 - the contract's word
        folder = self._folder(id)
        known = self._ended.get(id)
        if known is not None:
            return known
        manifest = folders.read_manifest(folder)
        executor = self._installed().get(manifest.executor)
        if executor is None:
            status = JobStatus("lost", error=_gone(manifest.executor))
        else:
            status = executor.look(folder)
        job = _describe(folder, manifest, status)
        if job.state in ACTIVE:
            return job
        job = msgspec.structs.replace(job, **self._outcome(folder, job, status))
        if executor is not None:
            with self._lock:
                self._ended[id] = job
        return job

    def log(self, id: str, offset: int = 0) -> JobLog:  # noqa: A002
        job = self.get(id)
        executor = self._installed().get(job.executor)
        if executor is None:
            return JobLog(text="", offset=0, ended=True)
        content, start, size = executor.log(self._folder(id), offset)
        ended = job.state not in ACTIVE
        end = start + len(content)
        if end < size or not ended:
            content = folders.whole_characters(content)
            end = start + len(content)
        return JobLog(
            text=content.decode(errors="replace"), offset=end, ended=ended and end >= size
        )

    def pulse(self) -> object:
        return [
            (job.id, job.state, job.progress, job.detail, job.waiting) for job in self.list(PULSE)
        ]

    def wait(self, id: str, seconds: float | None = None) -> Job:  # noqa: A002
        end = None if seconds is None else time.monotonic() + seconds
        pause = 0.005
        while True:
            job = self.get(id)
            if job.state not in ACTIVE or (end is not None and time.monotonic() >= end):
                return job
            time.sleep(pause)
            pause = min(0.1, pause * 1.5)

    # Ending

    def stop(self, id: str, *, by: str) -> Job:  # noqa: A002
        job = self.get(id)
        if job.state not in ACTIVE:
            return job
        folder = self._folder(id)
        with contextlib.suppress(OSError):  # on a full disk it is stopped, and nobody knows by whom
            write_atomically(
                folder / STOP_FILE, msgspec.json.encode({"by": by, "at": now()}), durable=False
            )
        self._executor(job.executor).stop(folder)
        return self.get(id)

    def prune(self) -> None:
        """Remove the folders of the oldest jobs, beyond the thousand that are kept."""
        for identifier in self._ids()[KEPT:]:
            with contextlib.suppress(PerijoveError):
                if self.get(identifier).state not in ACTIVE:
                    shutil.rmtree(self.folder / identifier, ignore_errors=True)
                    self._ended.pop(identifier, None)

    def list(self, limit: int = 500) -> Sequence[Job]:
        jobs = []
        for identifier in self._ids()[:limit]:
            # Just being made, or just deleted, or damaged: it hides no other.
            with contextlib.suppress(PerijoveError):
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
            raise unknown(identifier)
        return folder

    def _outcome(self, folder: Path, job: Job, status: JobStatus) -> dict[str, Any]:
        """Tell what an ended job has made, or why it failed."""
        if job.state == "finished":
            result = read(folder / RESULT_FILE, dict[str, Any]) or {}
            return {"result": result, "progress": 1.0, "detail": ""}
        if job.state == "stopped":
            stop = read(folder / STOP_FILE, dict[str, Any]) or {}
            by = stop.get("by")
            return {"detail": f"stopped by {by}" if by else "ended by the system"}
        said = status.error or read(folder / ERROR_FILE, ErrorBody)
        if job.state == "lost" and (said is None or said.code != LOST):
            # What the program itself said last is not why it is lost.
            said = ErrorBody(
                code=LOST,
                message="Its supervisor died, and its processes were ended.",
                hint="The machine may have been restarted or short of memory: start it again.",
            )
        if said is None:
            said = ErrorBody(
                code="job_failed",
                message=f"{_how(job.exit_code)} {self._last_line(folder, job)}".strip(),
                hint="Its log has the details.",
            )
        return {"error": said}

    def _last_line(self, folder: Path, job: Job) -> str:
        with contextlib.suppress(PerijoveError):
            return folders.last_line(self._executor(job.executor).log(folder, -4096)[0])
        return ""


def _describe(folder: Path, manifest: Manifest, status: JobStatus) -> Job:
    progress = read(folder / PROGRESS_FILE, _Progress) or _Progress()
    ended = status.state not in ACTIVE
    kept = ended and status.state != "finished" and (folder / CHECKPOINT_FILE).exists()
    return Job(
        id=manifest.id, kind=manifest.kind, title=manifest.title, subject=manifest.subject,
        by=manifest.by, created=manifest.created, state=status.state, started=status.started,
        ended=status.ended, pid=status.pid, progress=progress.progress, detail=progress.detail,
        exit_code=status.exit_code, executor=manifest.executor, resources=manifest.resources,
        devices=status.devices, waiting=status.waiting, attempt=manifest.attempt,
        retry_of=manifest.retry_of, retryable=ended, resumable=kept, notebook=manifest.notebook,
    )  # fmt: skip


def _environment(manifest: Manifest) -> dict[str, str]:
    """Find again what was handed to a job, in the environment of whoever retries it."""
    missing = [name for name in manifest.env if name not in os.environ]
    if missing:
        raise ConflictError(
            f"The job {manifest.id} was given {', '.join(missing)}, whose values are kept nowhere.",
            "Set them where Perijove runs and retry, or submit the job anew.",
            code="environment_missing",
        )
    return {name: os.environ[name] for name in manifest.env}


def _gone(executor: str) -> ErrorBody:
    return ErrorBody(
        code=LOST,
        message=f"It was run by {executor}, which is not installed here.",
        hint="Install the package that brings it, and look again.",
    )


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            name = signal.Signals(-code).name
            short = " The machine may be short of memory." if name == "SIGKILL" else ""
            return f"It was ended by {name}.{short}"
    return f"It ended with exit code {code}."
