"""uvicorn on a Unix socket, that drains before it ends."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import uvicorn
import uvloop

from perijove.adapters.serving.layout import HUNG
from perijove.core.paths import STATE_FOLDER

if TYPE_CHECKING:
    from perijove.adapters.serving.worker.app import Application

DRAIN_SECONDS: Final = 0.5
"""How long clients are told ``Connection: close`` before their idle connections are closed."""
FINISH_SECONDS: Final = 30
"""How long requests in flight may take after that."""
WATCH_SECONDS: Final = 1.0


class WorkerServer:
    """Owns the socket, the event loop and the process's end."""

    def __init__(self) -> None:
        self._app: Application | None = None
        self._socket: socket.socket | None = None
        self._inode = 0

    def use(self, app: Application) -> None:
        """Take the application that answers."""
        self._app = app

    def listen(self, path: Path) -> None:
        """Bind the private socket; connections are taken when :meth:`run` starts."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            sock.bind(str(path))
        finally:
            os.umask(before)
        self._inode = path.stat().st_ino
        self._socket = sock

    def run(self, root: Path, public: Path, parent: int) -> None:
        """Answer until a signal, then drain.

        Parameters
        ----------
        root, public, parent
            The worker ends by itself when the project is gone, or when its socket does not have
            the public name and the process that could give it that name has died.
        """
        assert self._app is not None
        assert self._socket is not None
        config = uvicorn.Config(
            self._app,
            http="httptools",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            backlog=1024,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=FINISH_SECONDS,
        )
        server = _DrainingServer(config, self._app)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(server, self._socket, root, public, parent))

    async def _serve(
        self, server: _DrainingServer, sock: socket.socket, root: Path, public: Path, parent: int
    ) -> None:
        watch = asyncio.create_task(self._watch(server, root / STATE_FOLDER, public, parent))
        await server.serve(sockets=[sock])
        watch.cancel()

    async def _watch(self, server: _DrainingServer, state: Path, public: Path, parent: int) -> None:
        while not server.draining:
            await asyncio.sleep(WATCH_SECONDS)
            if reason := self._reason_to_end(state, public, parent):
                print_line(reason)
                server.drain()

    def _reason_to_end(self, state: Path, public: Path, parent: int) -> str:
        if not state.is_dir():
            return "The project is gone: the worker ends."
        if os.getppid() != parent and not self._published(public):
            return "Another worker answers and the supervisor is gone: the worker ends."
        return ""

    def _published(self, public: Path) -> bool:
        try:
            return public.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def on_hang(self) -> None:
        """End the process soon: a thread that does not come back cannot be ended alone."""
        print_line("The model did not come back from a row: the worker ends and is started again.")
        asyncio.get_running_loop().call_later(0.2, os._exit, HUNG)


class _DrainingServer(uvicorn.Server):
    """At the signal, first tells clients to go elsewhere, then stops."""

    def __init__(self, config: uvicorn.Config, app: Application) -> None:
        super().__init__(config)
        self._app = app
        self._since = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.drain()

    @property
    def draining(self) -> bool:
        return self._app.draining

    def drain(self) -> None:
        if not self._app.draining:
            self._since = time.monotonic()
            self._app.draining = True

    async def on_tick(self, counter: int) -> bool:
        if self._app.draining:
            waited = time.monotonic() - self._since
            idle = waited > 0.1 and not self.server_state.connections
            self.should_exit = self.should_exit or idle or waited > DRAIN_SECONDS
        return await super().on_tick(counter)


def print_line(text: str) -> None:
    """Write a line to the worker's log; the last one says why it ended."""
    sys.stdout.write(f"perijove: {' '.join(text.split())}\n")
    sys.stdout.flush()
