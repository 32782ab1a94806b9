"""What every handler of ours does first: authenticate, then ask the authorizer.

Each request states one (action, resource); the check runs in ``prepare``, before a method
is chosen. ``@authorized`` is not used: on inherited methods it caches the first caller's resource.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from jupyter_core.utils import ensure_async
from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado import web

from perijove.contracts.base import ErrorBody
from perijove.core.errors import PerijoveError

if TYPE_CHECKING:
    from perijove.server.state import ServerState

STATE = "perijove_state"
FORBIDDEN = ErrorBody(
    code="forbidden",
    message="This call needs to be authenticated and authorized.",
    hint="Send the server's token in the header `Authorization: token …`.",
)


class GuardedHandler(JupyterHandler):
    """Refuses with 403 who is not logged in, or not authorized."""

    def access(self) -> tuple[str, str]:
        """Return the (action, resource) that this request needs."""
        raise web.HTTPError(403)  # a handler that states nothing lets nobody in

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        user = self.current_user
        if user is None or not await ensure_async(
            self.authorizer.is_authorized(self, user, *self.access())
        ):
            raise web.HTTPError(403)

    async def may_read(self, step: str) -> bool:
        """Whether the one who asks may read what a step shows."""
        user = self.current_user
        return user is not None and bool(
            await ensure_async(
                self.authorizer.is_authorized(self, user, "read", f"perijove:{step}")
            )
        )

    @property
    def state(self) -> ServerState:
        state: ServerState = self.settings[STATE]
        return state

    @property
    def actor(self) -> str:
        """Who acts. A token names nobody, so that it is the server's own user who does."""
        if type(self.identity_provider) in (IdentityProvider, PasswordIdentityProvider):
            return self.state.user
        return str(self.current_user.username)


class JsonHandler(GuardedHandler, APIHandler):
    """A guarded handler whose every answer is JSON, errors too."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, PerijoveError):
            body = error.body()
            self.set_status(error.status)
        elif status_code == 403:
            body = FORBIDDEN
        elif isinstance(error, web.HTTPError):
            body = ErrorBody(
                code=f"http_{status_code}", message=error.log_message or error.reason or "Refused."
            )
        else:
            body = ErrorBody(
                code="internal",
                message="The server failed; its log has the details.",
                hint="Try again. If it happens again, report it with the log.",
            )
        self.finish_whole(msgspec.json.encode(body))

    def finish_whole(self, body: bytes, media: str = "application/json") -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish(body, set_content_type=media)

    def compute_etag(self) -> str | None:
        """None: nothing is kept by a client, and hashing a large answer would hold up the loop."""
        return None

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        if isinstance(value, PerijoveError) and value.status < 500:
            self.log.debug("%s: %s", value.code, value)
        else:
            super().log_exception(typ, value, tb)
