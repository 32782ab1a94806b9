"""REST handlers, made from the routes table: one class a path."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from tornado import web

from perijove.contracts.routes import OPENAPI_PATH, ROUTES, Route
from perijove.core.call import Call, Content
from perijove.core.errors import InvalidInputError
from perijove.server.base import GuardedHandler, JsonHandler

MAX_BODY = 8 * 1024 * 1024
PREFIX = "perijove/api"
T = TypeVar("T")


class RouteHandler(JsonHandler):
    """Answers the routes of one path."""

    routes: dict[str, Route]

    async def prepare(self, **options: Any) -> None:
        await super().prepare(**options)
        if self.request.method not in self.routes:
            raise web.HTTPError(405)
        if len(self.request.body) > MAX_BODY:
            raise web.HTTPError(413, f"A body has at most {MAX_BODY:,} bytes.")

    def access(self) -> tuple[str, str]:
        # Whoever may not read learns nothing about a path's other methods either.
        route = self.routes.get(self.request.method or "")
        if route is None:
            return "read", next(iter(self.routes.values())).resource
        return route.action, route.resource

    async def answer(self, **path: str) -> None:
        route = self.routes[self.request.method or ""]
        arguments = {name: values[-1].decode() for name, values in self.request.arguments.items()}
        project = arguments.pop("project", None)
        if route.project and project is None:
            raise InvalidInputError("The call names no project.", "Add ?project=FOLDER.")
        call = Call(
            actor=self.actor,
            project=project or "",
            path=path,
            query=_decode_query(arguments, route) if route.query else None,
            body=_decode_body(self.request.body, route.body) if route.body else None,
        )
        reply = await self.state.run(self.state.dispatch, route, call)
        if isinstance(reply, Content):
            self._finish_file(reply)
        elif isinstance(reply, bytes):
            self.finish_whole(reply, str(route.reply))
        else:
            self.finish_whole(msgspec.json.encode(reply))

    get = post = put = delete = answer

    def _finish_file(self, file: Content) -> None:
        # Whatever a user's run wrote: a browser saves it, or shows it as an image, and runs nothing.
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(file.name)}")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        self.finish_whole(file.body, file.media)


class OpenApiHandler(JsonHandler):
    """The OpenAPI document of the REST interface."""

    def access(self) -> tuple[str, str]:
        return "read", "perijove:problem"

    async def get(self) -> None:
        from perijove.contracts.openapi import document

        self.finish_whole(msgspec.json.encode(document()))


def _decode_query(arguments: dict[str, str], route: Route) -> Any:
    try:
        return msgspec.convert(arguments, route.query, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidInputError(f"The query is not right: {error}.", code="invalid_query") from None


def _decode_body(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"The body is not right: {error}.", code="invalid_body") from None


def rest_handlers() -> list[tuple[str, type[GuardedHandler]]]:
    """Return (pattern below the base URL, handler class) of every path."""
    by_path: dict[str, dict[str, Route]] = defaultdict(dict)
    for route in ROUTES:
        by_path[route.path][route.method] = route
    handlers: list[tuple[str, type[GuardedHandler]]] = [(OPENAPI_PATH, OpenApiHandler)]
    # The first pattern that matches answers: `runs/table` before `runs/{run_id}`.
    for path, routes in sorted(by_path.items(), key=lambda item: item[0].replace("{", "~")):
        pattern = path
        for name in next(iter(routes.values())).parameters:
            pattern = pattern.replace(f"{{{name}}}", rf"(?P<{name}>[^/]+)")
        handlers.append((pattern, type("RouteHandler", (RouteHandler,), {"routes": routes})))
    return handlers
