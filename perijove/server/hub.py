"""The event hub: one loop that looks at the watched projects and tells every tab.

Each look runs in a thread, so that the server's own loop never waits for a disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec
from tornado.websocket import WebSocketClosedError

from perijove.contracts.events import (
    Changed,
    Ended,
    Failed,
    Load,
    Points,
    Progress,
    ServerEvent,
    Watch,
)
from perijove.core.errors import PerijoveError

if TYPE_CHECKING:
    from logging import Logger

    from perijove.contracts.operate import Resources
    from perijove.develop.live import LiveCurve
    from perijove.server.state import ServerState
    from perijove.server.watch import ProjectWatch, Topic

LOOK_SECONDS = 0.4
LOAD_SECONDS = 1.0


class Tab(Protocol):
    """A browser tab's end of the stream."""

    async def send(self, message: bytes) -> None: ...


@dataclass(slots=True)
class Subscription:
    """What one tab watches, and how far it has been told."""

    watch: Watch
    allowed: frozenset[Topic]
    """The steps that whoever sits there may read."""
    curves: dict[str, LiveCurve] = field(default_factory=dict)
    failed: str = ""


class EventHub:
    """Looks at what tabs watch, while there are tabs.

    Parameters
    ----------
    state
        The open projects.
    log
        The server's log.
    """

    def __init__(self, state: ServerState, log: Logger) -> None:
        self._state = state
        self._log = log
        self._tabs: dict[Tab, Subscription] = {}
        self._watches: dict[str, ProjectWatch] = {}
        self._loop: asyncio.Task[None] | None = None
        self._last_load = 0.0
        self._wake = asyncio.Event()

    def watch(self, tab: Tab, watch: Watch, allowed: frozenset[Topic]) -> None:
        """Set what a tab watches, and of which steps it is told; the first tab starts the loop."""
        before = self._tabs.get(tab)
        curves = before.curves if before and before.watch.project == watch.project else {}
        self._tabs[tab] = Subscription(
            watch, allowed, {run: curve for run, curve in curves.items() if run in watch.runs}
        )
        self._wake.set()
        if self._loop is None or self._loop.done():
            self._loop = asyncio.create_task(self._run())

    def leave(self, tab: Tab) -> None:
        """Forget a tab; after the last one the loop ends."""
        self._tabs.pop(tab, None)
        self._wake.set()

    async def _run(self) -> None:
        while self._tabs:
            started = time.monotonic()
            self._wake.clear()
            try:
                await self._look()
            except Exception:  # noqa: BLE001 - the loop's boundary: one bad look must not end the stream
                self._log.exception("Perijove could not look at a project")
            rest = LOOK_SECONDS - (time.monotonic() - started)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.05, rest))
        self._watches.clear()

    async def _look(self) -> None:
        load = time.monotonic() - self._last_load >= LOAD_SECONDS
        if load:
            self._last_load = time.monotonic()
        for project in {subscription.watch.project for subscription in self._tabs.values()}:
            tabs = {t: s for t, s in self._tabs.items() if s.watch.project == project}
            events = await self._state.run(self._events, project, dict(tabs), load)
            for tab, event in events:
                with contextlib.suppress(WebSocketClosedError):
                    await tab.send(msgspec.json.encode(event))

    def _events(
        self, project: str, tabs: dict[Tab, Subscription], load: bool
    ) -> list[tuple[Tab, ServerEvent]]:
        """Look at one project; runs in a thread."""
        from perijove.server.watch import STEPS, ProjectWatch

        events: list[tuple[Tab, ServerEvent]] = []
        try:
            bench = self._state.workbench(project)
            watch = self._watches.get(project)
            if watch is None or watch.bench is not bench:
                watch = self._watches[project] = ProjectWatch(bench)
            topics = watch.look()
            moved, ended = watch.moved(), watch.ended()
            bench.project.file.read()  # a broken definition is told to every tab, once
        except PerijoveError as error:
            for tab, subscription in tabs.items():
                if subscription.failed != error.message:
                    subscription.failed = error.message
                    body = error.body()
                    events.append((tab, Failed(project, body.code, body.message, body.hint)))
            return events
        wanted = load and any(s.watch.resources for s in tabs.values())
        resources = self._resources(project) if wanted else None
        for tab, subscription in tabs.items():
            told = topics
            if subscription.failed:
                subscription.failed = ""
                told = set(STEPS)
            told = told & subscription.allowed
            if told:
                events.append((tab, Changed(project, sorted(told))))
            if "data" in subscription.allowed:
                events += [(tab, Progress(project, task)) for task in moved]
            if "operate" in subscription.allowed:
                events += [(tab, Ended(project, job)) for job in ended]
            if "develop" in subscription.allowed:
                for run_id in subscription.watch.runs:
                    events += [(tab, e) for e in self._points(project, run_id, subscription)]
            asked = subscription.watch.resources and "operate" in subscription.allowed
            if resources is not None and asked:
                events.append((tab, Load(project, resources)))
        return events

    def _resources(self, project: str) -> Resources | None:
        try:
            return self._state.workbench(project).operate.resources()
        except (PerijoveError, OSError) as error:  # a disk that is away: the rest is told
            self._log.debug("Perijove cannot measure the machine: %s", error)
            return None

    def _points(self, project: str, run_id: str, subscription: Subscription) -> list[Points]:
        curve = subscription.curves.get(run_id)
        try:
            reset = curve is None or curve.restarts()
            if curve is None or reset:
                develop = self._state.workbench(project).develop
                curve = subscription.curves[run_id] = develop.live(run_id)
            series, progress = curve.read()
        except (PerijoveError, OSError) as error:  # of this run: the others are told
            self._log.debug("Perijove cannot follow the run %s: %s", run_id, error)
            return []
        if not series and progress is None and not reset:
            return []
        return [Points(project, run_id, series, reset, progress)]
