"""The keeper: does the chores of the open projects, with or without a browser.

Schedules that are due, jobs that are lost, alerts, the audit's anchor, OpenLineage. Each round
runs in a thread; the server's own loop only waits for it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from perijove.core.jobs import ACTIVE
from perijove.core.paths import PROJECT_FILE

if TYPE_CHECKING:
    from logging import Logger

    from perijove.server.state import ServerState

ROUND_SECONDS = 8.0
"""A job whose supervisor died is noticed within ten seconds, looked at or not."""
ACTIVITY = "perijove"


class Keeper:
    """Keeps the projects of one server.

    Parameters
    ----------
    state
        The open projects.
    settings
        The web application's: a running job counts as activity there, so that an idle server is
        not culled under it.
    log
        The server's log.
    """

    def __init__(self, state: ServerState, settings: dict[str, Any], log: Logger) -> None:
        self._state = state
        self._settings = settings
        self._log = log
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Called on the server's loop: start now for a project at the root, else with the first."""
        loop = asyncio.get_running_loop()
        if (self._state.root / PROJECT_FILE).is_file():
            self._start(at_root=True)
        else:
            self._state.when_opened(lambda: loop.call_soon_threadsafe(self._start))

    def _start(self, *, at_root: bool = False) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(at_root))

    async def _run(self, at_root: bool) -> None:
        while True:
            if await self._state.run(self._round, at_root):
                self._settings["last_activity_times"][ACTIVITY] = datetime.now(UTC)
            await asyncio.sleep(ROUND_SECONDS)

    def _round(self, at_root: bool) -> bool:
        """Do the chores once; return whether a job runs. In a thread."""
        from perijove.core.errors import PerijoveError

        if at_root:
            try:
                self._state.workbench("")
            except PerijoveError as error:
                self._log.debug("Perijove cannot open the project at the root: %s", error)
        busy = False
        for bench in self._state.benches():
            bench.housekeeping.keep()
            busy |= any(job.state in ACTIVE for job in bench.jobs.list())
        return busy
