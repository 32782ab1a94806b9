"""What supervisor, worker and target share: files, socket names, and the supervisor's state.

The state file is replaced atomically and never holds more than the supervisor knows; who reads it
checks the processes that it names.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import msgspec

from perijove.contracts.base import Facts, Millis
from perijove.contracts.deploy import EndpointState
from perijove.core.chain import WantedEndpoint
from perijove.core.files import ProcessId
from perijove.core.ledger import Ledger
from perijove.core.paths import ProjectPaths

STATE_FILE = "state.json"
LOCK_FILE = "supervisor.lock"
SUPERVISOR_LOG = "supervisor.log"
PREDICTIONS = "predictions"
MAX_SOCKET_PATH = 103
"""Bytes that ``sun_path`` holds on macOS, without the final zero; Linux has four more."""

REFUSED = 3
"""A worker's exit code when trying again would end the same way."""
HUNG = 4
"""A worker's exit code when its model did not come back from a row."""


class SupervisorState(Facts):
    """What an endpoint's supervisor last knew."""

    state: EndpointState
    detail: str
    revision: int
    """The revision that answers, 0 while none does."""
    wanted: int
    wanted_at: Millis
    """When the wanted state was set that this state answers."""
    socket: str
    """The endpoint's public socket."""
    supervisor: ProcessId
    worker: ProcessId | None
    others: list[ProcessId]
    """Workers that start or drain."""
    started: Millis | None
    """When the answering worker became ready."""
    heartbeat: Millis


def log_file(folder: Path, revision: int) -> Path:
    return folder / f"worker-{revision}.log"


def public_socket(paths: ProjectPaths, endpoint: str) -> Path:
    """Name an endpoint's socket: short, since a path above 104 bytes cannot be bound."""
    return paths.sockets() / f"{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}.sock"


def private_socket(public: Path) -> Path:
    """Name a socket that a worker binds before it is ready for the public name."""
    return public.with_name(f"{public.stem}-{secrets.token_hex(3)}.sock")


def read_state(folder: Path) -> SupervisorState | None:
    """Read the state file; None when there is none, or none that this version understands."""
    try:
        return msgspec.json.decode((folder / STATE_FILE).read_bytes(), type=SupervisorState)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return None


def read_wanted(ledger: Ledger, endpoint: str) -> tuple[WantedEndpoint, Millis] | None:
    """Return what the endpoint should be doing, and since when that is wanted."""
    rows = ledger.rows("SELECT value, at FROM wanted WHERE kind='endpoint' AND name=?", (endpoint,))
    if not rows:
        return None
    value, at = rows[0]
    return msgspec.json.decode(value, type=WantedEndpoint), at


def last_error(log: Path) -> str:
    """Return the last line of a worker's log: its own words for why it ended."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].removeprefix("perijove: ").strip() if lines else ""
