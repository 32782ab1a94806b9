"""The process that talks to a source: it may hang, crash or eat memory, and nobody else does.

One process a question: ``python -m perijove.adapters.sources.worker``. It is ended when it says
nothing for a while, at the time limit, at its memory limit, and when whoever asked is gone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any, Final

from perijove.adapters.duckdb.worker.messages import read_message, write_message
from perijove.core.errors import (
    CancelledError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PerijoveError,
    ReadOnlyError,
    UnavailableError,
    UnreadableDataError,
    UnsupportedError,
)
from perijove.data.ports import Work

PATIENCE: Final = 30.0
"""Seconds that a source may say nothing."""
LIMIT: Final = 3600.0
"""Seconds that a copy may take."""
MEMORY: Final = 2 * 2**30

_ERRORS: Final[Mapping[str, tuple[type[PerijoveError], str, str]]] = {
    "missing": (NotFoundError, "source_not_found", "Check the name; has it been moved or dropped?"),
    "refused": (UnavailableError, "source_refused", ""),
    "unreachable": (UnavailableError, "source_unreachable", "Is it up, and can it be reached?"),
    "unreadable": (UnreadableDataError, "unreadable_data", "Check the data at the source."),
    "unsupported": (
        UnsupportedError,
        "unsupported",
        "Copy the data into the project, and register that.",
    ),
    "invalid": (InvalidInputError, "invalid_input", "Check the location and the query."),
    "changed": (ConflictError, "changed_while_read", "Try again when whoever writes it is done."),
    "disk": (ReadOnlyError, "disk_full", "Free some space and try again."),
    "memory": (UnavailableError, "data_memory", "Ask for fewer columns or shorter values."),
}


class SourceProcess:
    """Asks one question at a time, in a process of its own.

    Parameters
    ----------
    patience
        Seconds that the source may be silent; ``PERIJOVE_SOURCE_PATIENCE`` when None, or 30.
    """

    def __init__(self, patience: float | None = None) -> None:
        self._patience = patience

    def ask(
        self,
        request: dict[str, Any],
        place: str,
        work: Work | None = None,
        *,
        access: str = "",
    ) -> dict[str, Any]:
        """Return the answer.

        Parameters
        ----------
        place
            How errors call the source.
        access
            What to do where the source lets nobody in.

        Raises
        ------
        UnavailableError
            When the source did not answer in time, or refused.
        CancelledError
            When the work was cancelled.
        """
        patience = self._patience or float(os.environ.get("PERIJOVE_SOURCE_PATIENCE", PATIENCE))
        worker = subprocess.Popen(
            [sys.executable, "-m", "perijove.adapters.sources.worker", str(MEMORY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2"},
            # A kernel's interrupt goes to its whole process group; this is not meant by it.
            start_new_session=True,
        )
        watch = _Watch(worker, patience)
        if work is not None:
            work.on_cancel(watch.cancel)
        try:
            reply = self._converse(worker, request, work, watch)
        finally:
            watch.end()
        if reply is None:
            raise _ended(watch, place, patience)
        if "error" in reply:
            raise _error(reply, place, access)
        return reply

    def _converse(
        self,
        worker: subprocess.Popen[bytes],
        request: dict[str, Any],
        work: Work | None,
        watch: _Watch,
    ) -> dict[str, Any] | None:
        with suppress(BrokenPipeError):
            write_message(_pipe(worker.stdin), request)
            while (reply := read_message(_pipe(worker.stdout))) is not None:
                if "progress" not in reply:
                    return reply
                watch.heard()
                if work is not None:
                    work.report(reply["progress"], reply.get("detail", ""))
        return None


class _Watch:
    """Ends the process when it is silent for too long."""

    def __init__(self, worker: subprocess.Popen[bytes], patience: float) -> None:
        self.why = ""
        self._worker = worker
        self._patience = patience
        self._began = self._heard = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def heard(self) -> None:
        self._heard = time.monotonic()

    def cancel(self) -> None:
        self._stop("cancelled")

    def end(self) -> None:
        self._done.set()
        with suppress(BrokenPipeError):
            _pipe(self._worker.stdin).close()
        try:
            self._worker.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()
        _pipe(self._worker.stdout).close()
        self._thread.join()

    def _look(self) -> None:
        while True:
            now = time.monotonic()
            left = min(self._heard + self._patience, self._began + LIMIT) - now
            if left <= 0:
                self._stop("silent" if now < self._began + LIMIT else "late")
                return
            if self._done.wait(left):
                return

    def _stop(self, why: str) -> None:
        if not self._done.is_set():
            self.why = self.why or why
            self._worker.kill()


def _pipe(pipe: IO[bytes] | None) -> Any:
    assert pipe is not None  # both are pipes: see Popen above
    return pipe


def _ended(watch: _Watch, place: str, patience: float) -> PerijoveError:
    match watch.why:
        case "cancelled":
            return CancelledError(f"Reading {place} was cancelled.")
        case "silent":
            return UnavailableError(
                f"{place} did not answer for {patience:.0f} s.",
                "Is it up, and can it be reached from here? Nothing was registered.",
                code="source_silent",
            )
        case "late":
            return UnavailableError(
                f"Reading {place} took more than {LIMIT / 60:.0f} minutes.",
                "Register a part of it.",
                code="source_late",
            )
    return UnavailableError(
        f"The process that read {place} reached its memory limit or crashed.",
        "Try again, or register a part of it.",
        code="source_process_stopped",
    )


def _error(reply: dict[str, Any], place: str, access: str) -> PerijoveError:
    kind, code, hint = _ERRORS[reply["kind"]]
    reason, _, own = str(reply["error"]).partition("\n")
    if reply["kind"] == "refused":
        hint = access
    return kind(f"{place}: {reason.rstrip('.')}.", own or hint, code=code)
