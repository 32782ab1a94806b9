"""The OpenAPI document, written from the routes table and the structs."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from perijove.contracts import background, develop, events, variables
from perijove.contracts.base import ErrorBody, Struct
from perijove.contracts.routes import ROUTES, Route

REF = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """Write the OpenAPI 3.1 document of the REST interface."""
    types: list[type[Struct]] = [ErrorBody, events.Watch, *get_args(events.ServerEvent)]
    types += [
        develop.RunCard,
        develop.BackgroundReview,
        background.BackgroundRequest,
        background.BackgroundReply,
        variables.VariablesRequest,
        variables.VariablesReply,
    ]
    for route in ROUTES:
        types += [t for t in (route.query, route.body) if t is not None]
        if not isinstance(route.reply, str):
            types.append(route.reply)
    unique = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(unique, ref_template=REF)
    refs = dict(zip(unique, schemas, strict=True))
    for schema in components.values():
        schema.pop("title", None)
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault("/" + route.path, {})[route.method.lower()] = _operation(
            route, refs, components
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Perijove",
            "version": "1",
            "description": "Calls below <base_url>perijove/api. Jupyter's token or cookie "
            "authenticates; a call without one is answered 403.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"}
            },
        },
        "security": [{"token": []}],
    }


def _operation(route: Route, refs: dict[type, Any], components: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in route.parameters
    ]
    if route.project:
        parameters.append(
            {
                "name": "project",
                "in": "query",
                "required": True,
                "description": "The project's folder, relative to the server's root.",
                "schema": {"type": "string"},
            }
        )
    if route.query is not None:
        schema = components[route.query.__name__]
        parameters += [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", []),
                "schema": kind,
            }
            for name, kind in schema["properties"].items()
        ]
    ok: dict[str, Any] = (
        {route.reply: {"schema": {"type": "string", "format": "binary"}}}
        if isinstance(route.reply, str)
        else {"application/json": {"schema": refs[route.reply]}}
    )
    operation: dict[str, Any] = {
        "operationId": route.op,
        "summary": route.summary,
        "tags": [route.step],
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", "content": ok},
            "4XX": {
                "description": "Refused, and why",
                "content": {"application/json": {"schema": refs[ErrorBody]}},
            },
        },
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[route.body]}},
        }
    return operation
