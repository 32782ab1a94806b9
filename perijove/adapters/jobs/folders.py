"""A job's folder: what lies in it, and how a supervisor's last word is read.

job.json        the manifest: what was submitted, and the hash of each file beside it
state.json      how it stands; its time is the supervisor's heartbeat
log.txt         what it printed
progress.json, result.json, error.json, checkpoint.json    the program's own words
stop.json       who had it stopped
wish.json       what it waits for
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from perijove.adapters.jobs import supervisor
from perijove.adapters.jobs.supervisor import LOG_FILE, SPEC_FILE, STATE_FILE, end_members
from perijove.contracts.base import Facts, Millis
from perijove.contracts.jobs import JobResources, JobState
from perijove.core import jobs
from perijove.core.errors import ConflictError, InvalidInputError, NotFoundError, UnsupportedError
from perijove.core.files import ProcessId, locked, write_atomically
from perijove.core.jobs import ACTIVE, JobSpec, JobStatus
from perijove.core.ledger import now

SILENT_MS: Final = 8_000
"""A supervisor that began no file, or beats no more on another machine, is taken for dead."""
EXECUTOR_FILE: Final = "executor.json"
"""What an executor has to remember of a job."""
CHUNK: Final = 256 * 1024
RESERVED: Final = frozenset(
    (
        SPEC_FILE, STATE_FILE, LOG_FILE, supervisor.STOP_FILE, supervisor.LOCK_FILE,
        supervisor.WISH_FILE, EXECUTOR_FILE, jobs.PROGRESS_FILE, jobs.RESULT_FILE, jobs.ERROR_FILE,
    )
)  # fmt: skip
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
T = TypeVar("T")


class Manifest(Facts):
    """What was submitted. Values of the environment are kept nowhere, their names are."""

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
    env: list[str] = []
    files: dict[str, str] = {}
    """Name to SHA-256."""
    python: str = ""
    """The submitter's interpreter: where there is none at that place, the supervisor's stands in."""

    @staticmethod
    def of(spec: JobSpec, identifier: str, created: Millis, cwd: Path) -> Manifest:
        return Manifest(
            id=identifier, kind=spec.kind, title=spec.title, subject=spec.subject,
            argv=list(spec.argv), by=spec.by, created=created, cwd=str(cwd),
            executor=spec.executor, resources=spec.resources, notebook=spec.notebook,
            retry_of=spec.retry_of, attempt=spec.attempt, env=sorted(spec.env),
            python=sys.executable,
            files={name: sha256(content).hexdigest() for name, content in spec.files.items()},
        )  # fmt: skip


class State(msgspec.Struct):
    """What the supervisor last wrote; unknown fields are a later version's."""

    state: JobState
    host: str = ""
    supervisor: ProcessId | None = None
    child: ProcessId | None = None
    started: Millis | None = None
    ended: Millis | None = None
    exit_code: int | None = None
    waiting: str = ""
    devices: list[int] = []

    def status(self) -> JobStatus:
        running = self.child is not None and self.ended is None
        return JobStatus(
            state=self.state, started=self.started, ended=self.ended, exit_code=self.exit_code,
            pid=self.child.pid if self.child is not None and running else None,
            devices=self.devices, waiting=self.waiting,
        )  # fmt: skip


def fill(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Write what was submitted; the manifest comes last, so that what it names is there."""
    for name, content in files.items():
        write_atomically(folder / name, content)
    write_atomically(folder / SPEC_FILE, msgspec.json.encode(manifest))


def check_names(files: Mapping[str, bytes]) -> None:
    """Refuse names that lead out of the folder, or are the supervisor's.

    Raises
    ------
    InvalidInputError
        Naming the first one.
    """
    for name in files:
        if name in RESERVED or not _FILE.fullmatch(name):
            raise InvalidInputError(
                f"{name[:100]!r} cannot be the name of a job's file.",
                "Use letters, digits, '.', '_' and '-', and none of a job's own names.",
            )


def read_manifest(folder: Path) -> Manifest:
    """Read what was submitted.

    Raises
    ------
    NotFoundError
        When it is not there, or not yet.
    UnsupportedError
        When somebody damaged it.
    """
    try:
        manifest = msgspec.json.decode((folder / SPEC_FILE).read_bytes(), type=Manifest)
    except OSError:
        raise unknown(folder.name) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnsupportedError(
            f"The manifest of the job {folder.name} is damaged: {error}.",
            f"Submit the job again; what it left lies in {folder}.",
            code="job_damaged",
        ) from error
    if manifest.id != folder.name:
        raise UnsupportedError(
            f"The manifest in {folder} is that of another job, {manifest.id[:40]}.",
            "Remove the folder, or give it back its own.",
            code="job_damaged",
        )
    return manifest


def read_files(folder: Path, manifest: Manifest) -> dict[str, bytes]:
    """Read the files that were submitted.

    Raises
    ------
    ConflictError
        When one of them is not what it was.
    """
    files = {}
    for name, expected in manifest.files.items():
        try:
            files[name] = (folder / name).read_bytes()
        except OSError:
            files[name] = b""
        if sha256(files[name]).hexdigest() != expected:
            raise ConflictError(
                f"{name} of the job {manifest.id} is not what was submitted: it is gone, or its "
                "hash differs.",
                "Submit the job anew from where it came.",
                code="job_tampered",
            )
    return files


def unknown(identifier: str) -> NotFoundError:
    return NotFoundError(
        f"There is no job {identifier[:40]!r}.",
        "`perijove jobs list` shows the jobs of this project.",
        code="job_not_found",
    )


def read(path: Path, kind: type[T]) -> T | None:
    """Read one of a job's files; None when it is not there, or was damaged by somebody."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def supervised(folder: Path, created: Millis) -> State:
    """Return what the supervisor says, or that it is dead; what it left is then ended."""
    state = read(folder / STATE_FILE, State)
    if not silent(folder, created, state):
        return state or State("queued")
    with contextlib.suppress(OSError), locked(folder / supervisor.LOCK_FILE):
        state = read(folder / STATE_FILE, State)
        if not silent(folder, created, state):  # another one was quicker, or it began after all
            return state or State("queued")
        if state is None or state.host in ("", os.uname().nodename):
            end_members(str(folder))
        return end(folder, state, "lost")
    # Where nobody can write, it is lost all the same.
    return _ended(state, "lost")


def end(folder: Path, state: State | None, how: JobState) -> State:
    """Write the last word in place of a supervisor that cannot."""
    state = _ended(state, how)
    write_atomically(folder / STATE_FILE, msgspec.json.encode(state))
    return state


def _ended(state: State | None, how: JobState) -> State:
    state = state or State("running")
    state.state, state.ended, state.waiting = how, state.ended or now(), ""
    return state


def silent(folder: Path, created: Millis, state: State | None) -> bool:
    """Whether a job that has not ended has no supervisor any more."""
    if state is None:
        return now() - created > SILENT_MS
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


def read_log(path: Path, offset: int) -> tuple[bytes, int, int]:
    """Return what a log holds from a byte on, where that begins, and the log's size."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = max(0, size + offset) if offset < 0 else min(offset, size)
            file.seek(start)
            return file.read(CHUNK), start, size
    except FileNotFoundError:
        return b"", 0, 0


def last_line(content: bytes) -> str:
    """Return the last line that says something."""
    said = [line.strip() for line in content.decode(errors="replace").split("\n") if line.strip()]
    return said[-1][:300] if said else ""


def whole_characters(content: bytes) -> bytes:
    """Cut a character off the end whose other bytes are still to come."""
    for back in range(1, min(4, len(content)) + 1):
        byte = content[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return content[:-back] if needed > back else content
    return content
