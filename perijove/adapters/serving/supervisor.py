"""The endpoint's supervisor: one small detached process that makes the wanted state true.

    python -m perijove.adapters.serving.supervisor ROOT ENDPOINT

It follows the wanted state in the ledger, starts workers, publishes the one that is ready, and
starts again what crashed. It may die at any moment: its worker goes on answering, and the next
supervisor adopts it. Nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from perijove.adapters.serving import layout
from perijove.adapters.serving.probe import ask_worker, is_private, is_ready
from perijove.adapters.serving.processes import Worker, start_detached
from perijove.contracts.deploy import EndpointState
from perijove.core.chain import WantedEndpoint
from perijove.core.errors import PerijoveError
from perijove.core.files import ProcessId, locked, write_atomically
from perijove.core.ledger import Ledger, now
from perijove.core.paths import ProjectPaths

TICK: Final = 0.1
STARTING_TICK: Final = 0.01
HEARTBEAT_MS: Final = 2000
LOOK_SECONDS: Final = 1.0
START_SECONDS: Final = 300.0
LEAVE_SECONDS: Final = 40.0
"""A worker drains for half a second and finishes requests for half a minute; then it is killed."""
FIRST_RETRY: Final = 0.2
LAST_RETRY: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""A worker that lived this long has not crashed at once: its back-off starts again."""


@dataclass
class Failure:
    """Why a revision does not run, and when it is tried again."""

    reason: str
    count: int = 0
    retry_at: float = 0.0
    refused: bool = False
    """Trying again would end the same way."""


@dataclass
class Supervisor:
    """The state of one endpoint, advanced by :meth:`step`."""

    paths: ProjectPaths
    endpoint: str
    ledger: Ledger
    public: Path
    current: Worker | None = None
    coming: Worker | None = None
    leaving: list[Worker] = field(default_factory=list)
    failures: dict[int, Failure] = field(default_factory=dict)
    me: ProcessId = field(default_factory=ProcessId.here)
    good: int = 0
    """The newest revision that was ready once: what is fallen back to."""
    wanted: WantedEndpoint | None = None
    wanted_at: int = 0
    _seen: int = -1
    _looked: float = 0.0
    _written: tuple[object, ...] = ()
    _heartbeat: int = 0

    @property
    def folder(self) -> Path:
        return self.paths.endpoint(self.endpoint)

    def adopt(self) -> None:
        """Take over what an earlier supervisor left.

        Who answers on the public socket is asked for its name: the state file may be older.
        """
        earlier = layout.read_state(self.folder)
        found = ask_worker(self.public)
        if found is None and earlier is not None and is_private(Path(earlier.socket)):
            # Another environment may name another runtime folder; who answers there stays there.
            found = ask_worker(Path(earlier.socket))
            self.public = Path(earlier.socket) if found is not None else self.public
        if found is not None and (process := ProcessId.of(found.pid)) is not None:
            started = earlier.started if earlier is not None else None
            self.current = Worker(
                found.revision, process, self.public, inode=_inode(self.public),
                ready_at=started or now(),
            )  # fmt: skip
            self.good = found.revision
        for process in [earlier.worker, *earlier.others] if earlier is not None else []:
            if process is not None and (self.current is None or process != self.current.process):
                orphan = Worker(0, process, self.public)
                if not orphan.ended():
                    self._dismiss(orphan)

    def step(self) -> bool:
        """Look, decide, act and write down. False when there is nothing left to do."""
        if not self.paths.ledger.exists():
            for worker in (self.current, self.coming, *self.leaving):
                if worker is not None:
                    worker.signal(signal.SIGTERM)
            return False
        self._follow()
        self._bury()
        running = self.wanted is not None and self.wanted.running
        if running:
            self._publish()
            self._look()
            self._start()
        else:
            self._stop()
        self._write_state()
        return running or bool(self.current or self.coming or self.leaving)

    def _follow(self) -> None:
        with contextlib.suppress(sqlite3.OperationalError):  # busy: the next step reads it
            seen = self.ledger.change_counter()
            if seen == self._seen:
                return
            found = layout.read_wanted(self.ledger, self.endpoint)
            self._seen = seen
            self.wanted, at = found if found is not None else (None, 0)
            if at != self.wanted_at:
                self.wanted_at = at
                self.failures.clear()  # somebody asked again: what was refused is tried again

    def _bury(self) -> None:
        """Note what has ended by itself."""
        if self.current is not None and self.current.ended():
            crashed, self.current = self.current, None
            self._failed(crashed, "stopped")
        if self.coming is not None and self.coming.ended():
            failed, self.coming = self.coming, None
            self._failed(failed, "did not start")
        for worker in list(self.leaving):
            if worker.ended():
                self.leaving.remove(worker)
            elif time.monotonic() - worker.since > LEAVE_SECONDS:
                worker.signal(signal.SIGKILL)

    def _failed(self, worker: Worker, what: str, reason: str = "") -> None:
        worker.socket_gone(self.public)
        code = worker.exit_code
        said = reason or layout.last_error(layout.log_file(self.folder, worker.revision))
        if code is not None and code < 0:
            said = f"It was ended by {signal.Signals(-code).name}."
        failure = self.failures.setdefault(worker.revision, Failure(""))
        failure.reason = f"Revision {worker.revision} {what}. {said}".strip()
        steady = time.monotonic() - worker.since > STEADY_SECONDS
        failure.count = 1 if worker.ready_at and steady else failure.count + 1
        failure.refused = code == layout.REFUSED
        failure.retry_at = time.monotonic() + min(
            LAST_RETRY, FIRST_RETRY * 2 ** min(failure.count - 1, 10)
        )

    def _publish(self) -> None:
        """Give the public name to the worker that is ready, and let the one before drain."""
        coming = self.coming
        if coming is None:
            return
        assert self.wanted is not None
        if coming.revision != self.wanted.revision and coming.revision != self.good:
            self.coming = None
            self._dismiss(coming)
        elif is_ready(coming.socket):
            self.coming = None
            inode = _inode(coming.socket)
            try:
                os.replace(coming.socket, self.public)
            except OSError as error:
                self._dismiss(coming)
                reason = f"{self.public} cannot be taken: {error.strerror}. Remove it."
                self._failed(coming, "is ready and cannot answer", reason)
                return
            before, self.current = self.current, coming
            coming.published(self.public, inode, now())
            self.good = coming.revision
            if failure := self.failures.get(coming.revision):
                failure.refused = False
            self._write_state()
            if before is not None:
                self._dismiss(before)
        elif time.monotonic() - coming.since > START_SECONDS:
            self.coming = None
            self._dismiss(coming)
            self._failed(coming, "did not start", f"It took more than {START_SECONDS:g} s.")

    def _look(self) -> None:
        """See that the public name still leads to the worker."""
        if self.current is None or time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        if _inode(self.public) != self.current.inode:
            lost, self.current = self.current, None
            self._failed(lost, "lost its socket", f"{self.public} was removed or replaced.")
            self._dismiss(lost)

    def _start(self) -> None:
        """Start the wanted revision, or, where that fails, the last one that answered."""
        assert self.wanted is not None
        if self.coming is not None:
            return
        for revision in (self.wanted.revision, self.good):
            if not revision or (self.current is not None and self.current.revision == revision):
                return
            failure = self.failures.get(revision)
            if failure is None or (not failure.refused and time.monotonic() >= failure.retry_at):
                self._start_worker(revision)
                return

    def _start_worker(self, revision: int) -> None:
        private = layout.private_socket(self.public)
        arguments = ["--root", str(self.paths.root), "--endpoint", self.endpoint]
        arguments += ["--revision", str(revision), "--socket", str(private)]
        arguments += ["--public", str(self.public)]
        try:
            self.public.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            child = start_detached(
                "perijove.adapters.serving.worker",
                arguments,
                layout.log_file(self.folder, revision),
            )
        except OSError as error:
            failure = self.failures.setdefault(revision, Failure(""))
            failure.reason = f"Revision {revision} cannot be started: {error}."
            failure.retry_at = time.monotonic() + LAST_RETRY
            return
        process = ProcessId.of(child.pid)
        if process is None:  # it ended at once; the next step finds out why
            process = ProcessId(pid=child.pid, born=time.time())
        self.coming = Worker(revision, process, private, child=child)
        self._write_state()

    def _stop(self) -> None:
        if self.current is not None:
            if _inode(self.public) == self.current.inode:
                self.public.unlink(missing_ok=True)
            leaving, self.current = self.current, None
            self._dismiss(leaving)
        if self.coming is not None:
            leaving, self.coming = self.coming, None
            self._dismiss(leaving)

    def _dismiss(self, worker: Worker) -> None:
        worker.socket_gone(self.public)
        worker.since = time.monotonic()
        worker.signal(signal.SIGTERM)
        self.leaving.append(worker)

    def describe(self) -> tuple[EndpointState, str]:
        """Say the state in a word and in a sentence."""
        if self.wanted is None or not self.wanted.running:
            return "stopped", "The last requests are finished." if self.leaving else ""
        wanted = self.wanted.revision
        failure = self.failures.get(wanted)
        current = self.current.revision if self.current is not None else 0
        if current == wanted:
            return "serving", f"Revision {wanted} answers."
        if failure is not None:
            again = "" if failure.refused else " It is tried again."
            if current:
                return "degraded", f"{failure.reason}{again} Revision {current} answers meanwhile."
            if self.coming is not None and self.good == wanted:
                return "starting", f"{failure.reason} It is started again."
            return "failed", f"{failure.reason}{again}"
        if current:
            return "starting", f"Revision {wanted} starts; revision {current} answers meanwhile."
        return "starting", f"Revision {wanted} starts."

    def _write_state(self) -> None:
        state, detail = self.describe()
        others = [w.process for w in (self.coming, *self.leaving) if w is not None]
        worker = self.current.process if self.current is not None else None
        written = (state, detail, worker, tuple(others), self.wanted_at)
        at = now()
        if written == self._written and at - self._heartbeat < HEARTBEAT_MS:
            return
        content = layout.SupervisorState(
            state=state,
            detail=detail,
            revision=self.current.revision if self.current is not None else 0,
            wanted=self.wanted.revision if self.wanted is not None else 0,
            wanted_at=self.wanted_at,
            socket=str(self.public),
            supervisor=self.me,
            worker=worker,
            others=others,
            started=self.current.ready_at if self.current is not None else None,
            heartbeat=at,
        )
        # A full disk must not end an endpoint: the state is then older than its heartbeat says.
        with contextlib.suppress(OSError, PerijoveError):
            write_atomically(
                self.folder / layout.STATE_FILE, msgspec.json.encode(content), durable=False
            )
            self._written, self._heartbeat = written, at


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def supervise(root: Path, endpoint: str) -> None:
    """Work on an endpoint until it is stopped; return at once when another supervisor does."""
    paths = ProjectPaths(root)
    folder = paths.endpoint(endpoint)
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(paths)
    while True:
        with locked(folder / layout.LOCK_FILE, wait=False) as mine:
            if not mine:
                return
            supervisor = Supervisor(paths, endpoint, ledger, layout.public_socket(paths, endpoint))
            supervisor.adopt()
            while supervisor.step():
                time.sleep(STARTING_TICK if supervisor.coming is not None else TICK)
        # Who asked for a start while the lock was still held has started nobody: look once more.
        if not paths.ledger.exists():
            return
        found = layout.read_wanted(ledger, endpoint)
        if found is None or not found[0].running:
            return


if __name__ == "__main__":
    supervise(Path(sys.argv[1]), sys.argv[2])
