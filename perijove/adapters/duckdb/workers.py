"""Data workers: one for pages, one for quick questions, and one for each long piece of work."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal

from perijove.adapters.duckdb.worker.messages import read_message, write_message
from perijove.core.errors import (
    CancelledError,
    InvalidInputError,
    PerijoveError,
    ReadOnlyError,
    UnavailableError,
    UnreadableDataError,
)
from perijove.data.ports import Table, Work

Lane = Literal["pages", "questions"]
MEMORY: dict[Lane | Literal["work"], int] = {
    # What the system lets them take; DuckDB's own limit, of 1 GB, lies below.
    "pages": 2**30,
    "questions": 3 * 2**30,
    "work": 4 * 2**30,
}


class Workers:
    """The data workers of one project.

    A lane is a worker that starts with its first question. One that reaches a limit is ended,
    the caller is told, and the next question starts another. Pages have a lane of their own: they
    are never behind a sort, and their worker stays small.

    Parameters
    ----------
    root
        The project's root. Folders outside it are opened only for files that are asked for.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lanes: dict[Lane, _Lane] = {"pages": _Lane(root, "pages")}
        self._lanes["questions"] = _Lane(root, "questions")

    def ask(
        self,
        request: dict[str, Any],
        files: Sequence[Path],
        seconds: float,
        lane: Lane = "questions",
    ) -> dict[str, Any]:
        """Have a question answered that takes a moment; one at a time in each lane.

        Parameters
        ----------
        request
            ``do`` and the arguments of the action.
        files
            What it reads and writes; the first one is named in errors.
        lane
            Who answers.

        Raises
        ------
        UnreadableDataError, InvalidInputError, ReadOnlyError
            As the worker says.
        UnavailableError
            When it reached its time or memory limit.
        """
        return self._lanes[lane].ask(request, files, seconds)

    def process(self, lane: Lane) -> int | None:
        """Return the id of a lane's process, while there is one."""
        return self._lanes[lane].process()

    def work(
        self,
        request: dict[str, Any],
        files: Sequence[Path],
        seconds: float,
        work: Work | None = None,
        *,
        scratch: Path | None = None,
    ) -> dict[str, Any]:
        """Have long work done by a worker of its own, which a cancel ends.

        Parameters
        ----------
        work
            Is told the progress.
        scratch
            A folder where it may spill what does not fit into its memory.

        Raises
        ------
        CancelledError
            When the work was cancelled.
        """
        folders = [str(self._root), *_folders_of(files, [str(self._root)])]
        if scratch is not None:
            folders.append(str(scratch))
            scratch.mkdir(parents=True, exist_ok=True)
        worker = _start(folders, MEMORY["work"], scratch)
        cancelled = threading.Event()

        def stop() -> None:
            cancelled.set()
            worker.kill()

        if work is not None:
            work.on_cancel(stop)
        try:
            return _converse(
                worker, request, files[0].name, seconds, work.report if work is not None else None
            )
        except UnavailableError:
            if cancelled.is_set():
                raise CancelledError(f"The work on {files[0].name} was cancelled.") from None
            raise
        finally:
            _end(worker)

    def close(self) -> None:
        """End the workers for pages and questions; the next one starts another."""
        for lane in self._lanes.values():
            lane.close()


class _Lane:
    """A worker that stays, and answers one question after the other."""

    def __init__(self, root: Path, name: Lane) -> None:
        self._name = name
        self._folders = [str(root)]
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any], files: Sequence[Path], seconds: float) -> dict[str, Any]:
        with self._lock:
            worker = self._ready(files)
            try:
                return _converse(worker, request, files[0].name, seconds)
            except UnavailableError:
                self._worker = None if worker.poll() is not None else worker
                raise

    def process(self) -> int | None:
        worker = self._worker
        return worker.pid if worker is not None and worker.poll() is None else None

    def _ready(self, files: Sequence[Path]) -> subprocess.Popen[bytes]:
        missing = _folders_of(files, self._folders)
        if missing and self._worker is not None:
            self._close()
        self._folders += missing
        if self._worker is None or self._worker.poll() is not None:
            self._worker = _start(self._folders, MEMORY[self._name], None)
        return self._worker

    def close(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            _end(worker)


def place_of(table: Table) -> dict[str, Any]:
    """Say in a request where a table's rows are."""
    return {
        "files": [str(file) for file in table.files],
        "partitions": str(table.partitions) if table.partitions else None,
    }


def _folders_of(files: Sequence[Path], known: Sequence[str]) -> list[str]:
    missing = [
        str(file.parent)
        for file in files
        if not any(file.is_relative_to(folder) for folder in known)
    ]
    return list(dict.fromkeys(missing))


def _start(folders: Sequence[str], memory: int, scratch: Path | None) -> subprocess.Popen[bytes]:
    options = ["--memory", str(memory)]
    if scratch is not None:
        options += ["--scratch", str(scratch)]
    return subprocess.Popen(
        [sys.executable, "-m", "perijove.adapters.duckdb.worker", *options, *folders],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        # Arrow's other pools reserve more than they use, which the memory limit would count; and
        # they keep what they once used.
        env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2"},
        # A kernel's interrupt goes to its whole process group; this is not meant by it.
        start_new_session=True,
    )


def _converse(
    worker: subprocess.Popen[bytes],
    request: dict[str, Any],
    name: str,
    seconds: float,
    report: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    late = threading.Event()
    timer = threading.Timer(seconds, _end_late, (worker, late))
    timer.start()
    reply: dict[str, Any] | None = None
    try:
        write_message(_pipe(worker.stdin), request)
        while (reply := read_message(_pipe(worker.stdout))) is not None and "progress" in reply:
            if report is not None:
                report(reply["progress"])
    except BrokenPipeError:
        reply = None
    finally:
        timer.cancel()
    if reply is None:
        worker.kill()
        worker.wait()
        raise UnavailableError(
            f"The data worker was stopped reading {name}: "
            + (
                f"it took more than {seconds:.0f} s."
                if late.is_set()
                else "it reached its memory limit or crashed."
            ),
            "A new worker starts with the next request. Try a smaller file.",
            code="data_worker_stopped",
        )
    if "error" in reply:
        raise _error(reply, name)
    return reply


def _error(reply: dict[str, Any], name: str) -> PerijoveError:
    reason = reply["error"]
    match reply["kind"]:
        case "disk":
            return ReadOnlyError(
                f"The disk is full: {reason}.", "Free some space and try again.", code="disk_full"
            )
        case "invalid":
            message, _, hint = reason.partition("\n")
            return InvalidInputError(message, hint)
        case "memory":
            return UnavailableError(
                f"{name} cannot be read: {reason}.",
                "Ask for fewer columns or rows.",
                code="data_memory",
            )
    reason, _, hint = reason.partition("\n")
    return UnreadableDataError(
        f"{name} cannot be read: {reason}.",
        hint or "Check the file in an editor: is it the format that its name says?",
    )


def _end(worker: subprocess.Popen[bytes]) -> None:
    with suppress(BrokenPipeError):  # what a worker that was killed did not take
        _pipe(worker.stdin).close()
    try:
        worker.wait(timeout=2)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()
    _pipe(worker.stdout).close()


def _end_late(worker: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    worker.kill()


def _pipe(pipe: IO[bytes] | None) -> Any:
    assert pipe is not None  # both are pipes: see Popen above
    return pipe
