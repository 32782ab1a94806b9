"""Nobody passes without a token, and the authorizer is asked about every call first.

The tests walk the routes table, so that a route that is added without a guard fails here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPResponse

from perijove.contracts.routes import EVENTS_PATH, OPENAPI_PATH, ROUTES, Route
from tests.server.conftest import Recorder

Fetch = Callable[..., Any]


def _path(route: Route) -> list[str]:
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", "x")
    return ["perijove", "api", *path.split("/")]


async def _call(fetch: Fetch, route: Route, **options: Any) -> HTTPResponse:
    body = "{}" if route.method in ("POST", "PUT") else None
    reply: HTTPResponse = await fetch(
        *_path(route), method=route.method, params={"project": "p"}, body=body, **options
    )
    return reply


def test_the_table_is_what_the_server_serves(jp_serverapp: Any) -> None:
    rules = [
        rule
        for group in jp_serverapp.web_app.default_router.rules
        for rule in getattr(group.target, "rules", [])
    ]
    ours = [r.matcher.regex.pattern for r in rules if "/perijove/" in r.matcher.regex.pattern]
    assert len(ours) == len({route.path for route in ROUTES}) + 2


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.op)
async def test_a_call_without_a_token_is_refused(
    route: Route, jp_fetch: Fetch, served: Path
) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await _call(jp_fetch, route, headers={"Authorization": ""})
    assert caught.value.code == 403


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.op)
async def test_a_call_that_is_not_authorized_is_refused(
    route: Route, jp_fetch: Fetch, served: Path, recorder: type[Recorder]
) -> None:
    recorder.denied = {(route.action, route.resource)}
    with pytest.raises(HTTPClientError) as caught:
        await _call(jp_fetch, route)
    assert caught.value.code == 403
    assert b'"code":"forbidden"' in caught.value.response.body
    assert recorder.asked[-1] == (route.action, route.resource)


@pytest.mark.parametrize("path", [OPENAPI_PATH, EVENTS_PATH])
async def test_the_document_and_the_stream_are_guarded(path: str, jp_fetch: Fetch) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("perijove", "api", path, headers={"Authorization": ""})
    assert caught.value.code == 403


async def test_a_method_that_no_route_has_is_refused(jp_fetch: Fetch, served: Path) -> None:
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("perijove", "api", "runs", method="DELETE", params={"project": "p"})
    assert caught.value.code == 405
