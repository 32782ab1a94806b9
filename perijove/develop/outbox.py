"""Journals on their way to a run store on another machine, while the caller goes on."""

from __future__ import annotations

import os
import threading
from typing import Final

from perijove.develop.ingester import Ingester

LOOK_SECONDS: Final = 1.0
MAX_PAUSE: Final = 15.0
"""Between two tries while the store is away."""


class Outbox:
    """Moves journals in a thread of its own, for as long as this process lives.

    What is not out when it ends, whoever opens the project next moves.

    Parameters
    ----------
    ingester
        Moves journals into the store.
    """

    def __init__(self, ingester: Ingester) -> None:
        self._ingester = ingester
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._wake = threading.Event()
        self._closed = False
        self.trouble = ""
        """Why the last try failed; empty while the store answers."""

    def open(self) -> None:
        """Have the thread run in this process."""
        with self._lock:
            if self._pid == os.getpid() or self._closed:
                return
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name="perijove-outbox", daemon=True)
            self._thread.start()

    def hurry(self) -> None:
        """Look now, say because a run has ended."""
        self._wake.set()

    def close(self) -> None:
        """End the thread after what it is at."""
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        pause = LOOK_SECONDS
        while not self._closed:
            self._wake.wait(pause)
            self._wake.clear()
            try:
                self._ingester.ingest()
            except Exception as error:  # noqa: BLE001 - the thread is all that moves journals out
                self.trouble = str(error)
                pause = min(pause * 2, MAX_PAUSE)
            else:
                self.trouble = ""
                pause = LOOK_SECONDS
