"""What one process writes into a folder of journals, whatever happens around it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections import deque
from pathlib import Path
from typing import Any, Final

from perijove.core.journal import JournalWriter

WAITING: Final = 20_000
"""Records that wait in memory for a disk with room; the oldest go first."""

_LOOK_SECONDS: Final = 0.25
"""So long a deleted file may be appended to before it is seen; nothing of that is lost."""

_open: weakref.WeakSet[ProcessJournal] = weakref.WeakSet()


class ProcessJournal:
    """Appends to a journal of this process's own. Safe to share by threads and after a fork.

    A journal that somebody deletes while it is written to is made again, with all that was in it.
    Where the disk is full, records wait in memory.

    Parameters
    ----------
    folder
        Of all journals of one thing; the file is ``PID-N.pj``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lost = 0
        """Records that went while the disk was full."""
        self._lock = threading.Lock()
        self._writer: JournalWriter | None = None
        self._pid = 0
        self._looked = 0.0
        self._waiting: deque[tuple[Any, ...]] = deque()
        _open.add(self)

    @property
    def waiting(self) -> int:
        """Records that are in memory only."""
        return len(self._waiting)

    def append(self, record: tuple[Any, ...]) -> None:
        """Append a record; when this returns, it outlives the process.

        Raises
        ------
        OSError
            When the disk does not take it. The record waits, and is appended before the next one.
        InvalidInputError
            For a record that no journal can hold.
        """
        with self._lock:
            if self._waiting:
                self._wait(record)
                self._drain()
                return
            try:
                self._ready().append(record)
            except OSError:
                self._wait(record)
                raise

    def _wait(self, record: tuple[Any, ...]) -> None:
        self._waiting.append(record)
        if len(self._waiting) > WAITING:
            self._waiting.popleft()
            self.lost += 1

    def _drain(self) -> None:
        while self._waiting:
            self._ready().append(self._waiting[0])
            self._waiting.popleft()

    def _ready(self, *, look: bool = False) -> JournalWriter:
        writer = self._writer
        at = time.monotonic()
        if writer is None or self._pid != os.getpid():
            # One writer a file: a forked worker gets a journal of its own.
            self._writer = writer = JournalWriter(self._claim())
            self._pid = os.getpid()
        elif look or at - self._looked > _LOOK_SECONDS:
            self._looked = at
            if writer.deleted:
                self._writer = writer.copy(self._claim())
                writer.close()
                writer = self._writer
        return writer

    def _claim(self) -> Path:
        """Make a file that no other writer has, of this process or of one in another container."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = 0
        while True:
            path = self.folder / f"{os.getpid()}-{number}.pj"
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            except FileExistsError:
                number += 1
            else:
                return path

    def close(self) -> None:
        """Write what waits, if there is room now, and let go of the file."""
        with self._lock:
            if self._pid != os.getpid():
                self._waiting.clear()
                self._writer = None
                return
            with contextlib.suppress(OSError):
                if self._writer is not None or self._waiting:
                    self._ready(look=True)
                self._drain()
            self.lost += len(self._waiting)
            self._waiting.clear()
            if self._writer is not None:
                self._writer.close()
            self._writer = None


def _forget_threads() -> None:
    """In a forked child: no other thread is left that would ever open a lock."""
    for journal in list(_open):
        journal._lock = threading.Lock()
        journal._waiting.clear()


os.register_at_fork(after_in_child=_forget_threads)
