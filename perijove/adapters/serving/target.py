"""The ``local`` target: endpoints as processes on this machine, behind Unix sockets."""

from __future__ import annotations

import http.client
import socket
import subprocess
import threading
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec

from perijove.adapters.serving import layout
from perijove.adapters.serving.processes import start_detached
from perijove.contracts.base import Struct
from perijove.core.context import ProjectContext
from perijove.core.errors import ReadOnlyError, UnavailableError
from perijove.core.files import ProcessId, locked
from perijove.deploy.ports import Answer, TargetStatus


class LocalSettings(Struct):
    """Settings of a local endpoint."""

    timeout_seconds: Annotated[
        float,
        msgspec.Meta(
            gt=0,
            le=3600,
            title="Time limit",
            description="Seconds that one request may take before it is answered 503.",
        ),
    ] = 30.0
    batching: Annotated[
        Literal["auto", "on", "off"],
        msgspec.Meta(
            title="Batching",
            description="Whether requests that arrive together go to the model together; auto: "
            "where the model answers each row the same whatever comes with it.",
        ),
    ] = "auto"


class LocalTarget:
    """Starts a detached supervisor for each endpoint, and talks to what it started."""

    name = "local"
    title = "This machine"
    settings = LocalSettings

    def __init__(self, project: ProjectContext) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def ensure(self, endpoint: str) -> None:
        """Start a supervisor where none works and there is something to do.

        Raises
        ------
        ReadOnlyError
            When the project's folder cannot be written.
        """
        with self._lock:
            self._starts(endpoint)
            folder = self._project.paths.endpoint(endpoint)
            wanted = layout.read_wanted(self._project.chain.ledger, endpoint)
            running = wanted is not None and wanted[0].running
            state = layout.read_state(folder)
            if not running and (state is None or not _alive(state.worker, *state.others)):
                return
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with locked(folder / layout.LOCK_FILE, wait=False) as free:
                    pass
                if not free:
                    return
                child = start_detached(
                    "perijove.adapters.serving.supervisor",
                    [str(self._project.paths.root), endpoint],
                    folder / layout.SUPERVISOR_LOG,
                )
            except OSError as error:
                raise ReadOnlyError(
                    f"The endpoint {endpoint} cannot be started: {error}.",
                    "Check the permissions and the free space of the project's folder.",
                ) from error
            self._children[endpoint] = child

    def _starts(self, endpoint: str) -> bool:
        """Whether the supervisor that this process started runs; asking also buries its zombie."""
        child = self._children.get(endpoint)
        return child is not None and child.poll() is None

    def status(self, endpoint: str) -> TargetStatus:
        """Read what the supervisor wrote, and check that the processes it names are there."""
        folder = self._project.paths.endpoint(endpoint)
        wanted = layout.read_wanted(self._project.chain.ledger, endpoint)
        running = wanted is not None and wanted[0].running
        state = layout.read_state(folder)
        if state is None:
            return TargetStatus("starting" if running else "stopped", "", 0)
        answering = _alive(state.worker)
        supervised = _alive(state.supervisor)
        revision = state.revision if answering else 0
        name, detail = state.state, state.detail
        if wanted is not None and state.wanted_at != wanted[1]:
            # The supervisor has not seen yet what is wanted now.
            name = "starting" if running else "stopped"
            detail = f"Revision {wanted[0].revision} starts." if running else "It stops."
        elif running and not supervised and self._starts(endpoint):
            name = "serving" if revision == state.wanted else "starting"
        elif running and not supervised:
            said = layout.last_error(folder / layout.SUPERVISOR_LOG)
            if answering:
                name = "degraded"
                detail = f"Revision {revision} answers, and its supervisor is gone. {said}".strip()
            else:
                name = "failed"
                detail = f"Its processes are gone, as after a restart. {said}".strip()
        elif running and not answering and name in ("serving", "degraded"):
            name, detail = "starting", f"Revision {state.revision} has ended and is started again."
        pid = state.worker.pid if state.worker is not None and answering else None
        processes = [state.supervisor, state.worker, *state.others]
        return TargetStatus(
            state=name,
            detail=detail,
            revision=revision,
            url=f"http+unix://{quote(state.socket, safe='')}/v2/models/{endpoint}/infer",
            socket=state.socket,
            pid=pid,
            memory=_memory(processes) if answering or supervised else None,
            started=state.started if answering else None,
        )

    def request(
        self, endpoint: str, method: str, path: str, body: bytes = b"", timeout: float = 30.0
    ) -> Answer:
        """Send one HTTP request over the endpoint's socket.

        Raises
        ------
        UnavailableError
            When nothing answers, with what the endpoint says of itself.
        """
        status = self.status(endpoint)
        connection = _UnixConnection(status.socket, timeout)
        try:
            if not status.socket:
                raise FileNotFoundError("it has no socket yet")
            headers = {"Content-Type": "application/json"} if body else {}
            connection.request(method, path, body=body or None, headers=headers)
            reply = connection.getresponse()
            return Answer(
                reply.status,
                {name.lower(): value for name, value in reply.getheaders()},
                reply.read(),
            )
        except TimeoutError as error:
            raise UnavailableError(
                f"The endpoint {endpoint} did not answer within {timeout:g} s.",
                "Send fewer rows, or look at its log.",
                code="endpoint_timeout",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(
                f"The endpoint {endpoint} does not answer: it is {status.state}. "
                f"{status.detail}".strip(),
                f"Start it again, or see {self._log(endpoint, status.revision)}.",
                code="endpoint_unavailable",
            ) from error
        finally:
            connection.close()

    def _log(self, endpoint: str, revision: int) -> str:
        paths = self._project.paths
        folder = paths.endpoint(endpoint)
        return paths.relative(layout.log_file(folder, revision) if revision else folder)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _alive(*processes: ProcessId | None) -> bool:
    return any(process is not None and process.alive() for process in processes)


def _memory(processes: list[ProcessId | None]) -> int:
    import psutil

    total = 0
    for process in processes:
        if process is not None and process.alive():
            try:
                total += psutil.Process(process.pid).memory_info().rss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
    return total
