"""Contracts: each is declared once, travels whole, and refuses what it does not know."""

from __future__ import annotations

import math
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.contracts import base, events
from perijove.contracts.openapi import document
from perijove.contracts.problem import Kpi
from perijove.contracts.routes import ROUTES


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_float_travels_whole(value: float) -> None:
    wire = msgspec.json.decode(msgspec.json.encode(base.number(value)), type=base.Number)
    back = base.to_float(wire)
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_operations_and_paths_are_unique() -> None:
    assert len({route.op for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_the_document_describes_every_route() -> None:
    paths = document()["paths"]
    for route in ROUTES:
        operation = paths["/" + route.path][route.method.lower()]
        assert operation["operationId"] == route.op
        assert {p["name"] for p in operation["parameters"]} >= set(route.parameters)


def test_the_document_holds_no_dangling_reference() -> None:
    whole = document()
    text = msgspec.json.encode(whole).decode()
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(whole["components"]["schemas"])
    assert {t.__name__ for t in get_args(events.ServerEvent)} <= set(whole["components"]["schemas"])


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="colour"):
        msgspec.json.decode(b'{"metric":"f1","data":"d","target":1,"colour":2}', type=Kpi)
