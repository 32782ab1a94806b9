"""Rows as a form sends them, and the tensors that an endpoint is sent."""

from __future__ import annotations

from typing import Any

import pytest

from perijove.contracts.deploy import Field, Signature
from perijove.deploy.rows import tensors


@pytest.mark.parametrize(
    ("kind", "value", "sent"),
    [
        ("INT64", "9223372036854775807", 9223372036854775807),
        ("UINT64", "18446744073709551615", 18446744073709551615),
        ("INT64", "-9007199254740993", -9007199254740993),
        ("INT64", "four", "four"),
        ("BYTES", "9223372036854775807", "9223372036854775807"),
        ("FP64", "NaN", "NaN"),
    ],
)
def test_integers_that_a_browser_would_round_travel_as_digits(
    kind: Any, value: str, sent: object
) -> None:
    signature = Signature(inputs=[Field(name="x", type=kind)], outputs=[])
    (tensor,) = tensors([{"x": value}], signature)
    assert tensor["data"] == [sent]
