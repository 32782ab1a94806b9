"""Work in the background of this process: progress, cancel, one at a time for the same matter."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import msgspec

from perijove.contracts.table import Task
from perijove.core.errors import CancelledError, NotFoundError, PerijoveError
from perijove.core.ledger import now

THREADS = 2
KEPT = 100
"""Ended tasks that can still be asked about."""
Kind = Literal["view", "profile", "export", "check", "register"]


class _Work:
    """One task: implements ``perijove.data.ports.Work``."""

    def __init__(self, key: str, task: Task) -> None:
        self.key = key
        self.task = task
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] = []
        self._cancelled = False

    def report(self, progress: float, detail: str = "") -> None:
        with self._lock:
            if self._cancelled:
                raise CancelledError(f"{self.task.title} was cancelled.")
            self.task = msgspec.structs.replace(
                self.task, progress=min(1.0, max(0.0, progress)), detail=detail
            )

    def on_cancel(self, stop: Callable[[], None]) -> None:
        with self._lock:
            self._stops.append(stop)
            cancelled = self._cancelled
        if cancelled:
            stop()

    def begin(self) -> bool:
        with self._lock:
            if self._cancelled:
                return False
            self.task = msgspec.structs.replace(self.task, state="running")
            return True

    def end(
        self,
        state: Literal["finished", "failed", "cancelled"],
        error: PerijoveError | None = None,
    ) -> None:
        with self._lock:
            self.task = msgspec.structs.replace(
                self.task,
                state=state,
                progress=1.0 if state == "finished" else self.task.progress,
                error=error.body() if error is not None else None,
            )
        self.ended.set()

    def cancel(self) -> None:
        with self._lock:
            if self._cancelled or self.ended.is_set():
                return
            self._cancelled = True
            waiting = self.task.state == "waiting"
            stops = list(self._stops)
        for stop in stops:
            stop()
        if waiting:
            self.end("cancelled")


class Tasks:
    """The background work of one open project. Safe to share by threads."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="perijove-task")
        self._lock = threading.Lock()
        self._works: dict[str, _Work] = {}

    def start(self, kind: Kind, title: str, key: str, run: Callable[[_Work], object]) -> Task:
        """Have ``run`` done; where the same ``key`` is being done already, return that.

        Parameters
        ----------
        run
            Called in a thread. A PerijoveError that it raises becomes the task's error.
        """
        with self._lock:
            for work in self._works.values():
                if work.key == key and not work.ended.is_set():
                    return work.task
            task = Task(
                id=uuid.uuid4().hex[:12], kind=kind, title=title, state="waiting",
                progress=0.0, since=now(),
            )  # fmt: skip
            work = self._works[task.id] = _Work(key, task)
            ended = [i for i, w in self._works.items() if w.ended.is_set()]
            for old in ended[: max(0, len(ended) - KEPT)]:
                del self._works[old]
        self._threads.submit(_run, work, run)
        return task

    def find(self, key: str) -> Task | None:
        """Return the newest task of a matter."""
        with self._lock:
            found = [work.task for work in self._works.values() if work.key == key]
        return found[-1] if found else None

    def get(self, task: str) -> Task:
        return self._get(task).task

    def wait(self, task: str, seconds: float | None = None) -> Task:
        """Return the task when it has ended, or as it is after some seconds."""
        work = self._get(task)
        work.ended.wait(seconds)
        return work.task

    def cancel(self, task: str) -> Task:
        """Stop a task; what it was making is not kept."""
        work = self._get(task)
        work.cancel()
        work.ended.wait(5)
        return work.task

    def all(self) -> list[Task]:
        """Return what is going on, and what has ended lately."""
        with self._lock:
            return [work.task for work in self._works.values()]

    def close(self) -> None:
        """Stop everything."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            works = list(self._works.values())
        for work in works:
            work.cancel()

    def _get(self, task: str) -> _Work:
        with self._lock:
            work = self._works.get(task)
        if work is None:
            raise NotFoundError(
                "That work in the background is not known any more.",
                "It ended with the server that did it: start it again.",
                code="task_not_found",
            )
        return work


def _run(work: _Work, run: Callable[[_Work], object]) -> None:
    if not work.begin():
        return
    try:
        run(work)
    except CancelledError:
        work.end("cancelled")
    except PerijoveError as error:
        work.end("failed", error)
    except Exception as error:  # noqa: BLE001 - the thread's boundary: whoever waits must hear of it
        work.end("failed", PerijoveError(f"{type(error).__name__}: {error}"))
    else:
        work.end("finished")
