"""The event stream's WebSocket, guarded like every other handler."""

from __future__ import annotations

import msgspec
from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketHandler

from perijove.contracts.events import Watch
from perijove.server.base import STATE, GuardedHandler
from perijove.server.hub import EventHub
from perijove.server.watch import STEPS

HUB = "perijove_hub"


class EventsHandler(WebSocketMixin, WebSocketHandler, GuardedHandler):
    """One browser tab's end of the stream."""

    def access(self) -> tuple[str, str]:
        return "read", "perijove:problem"

    @property
    def hub(self) -> EventHub:
        if HUB not in self.settings:
            self.settings[HUB] = EventHub(self.settings[STATE], self.log)
        hub: EventHub = self.settings[HUB]
        return hub

    async def on_message(self, message: str | bytes) -> None:
        try:
            watch = msgspec.json.decode(message, type=Watch)
        except msgspec.DecodeError as error:
            self.close(1003, str(error)[:120])
            return
        # The door asked for the problem step alone; each topic is a resource of its own.
        allowed = frozenset([step for step in STEPS if await self.may_read(step)])
        if self.ws_connection is not None:  # the tab may have gone meanwhile
            self.hub.watch(self, watch, allowed)

    async def send(self, message: bytes) -> None:
        await self.write_message(message.decode())

    def on_close(self) -> None:
        self.hub.leave(self)
        super().on_close()
