"""The base of every contract, and how numbers travel.

JSON has no NaN and no infinity, and msgspec would turn them into ``null``: a metric that
diverged must not look like a metric that is missing. They travel as words.
"""

from __future__ import annotations

import math
from typing import Literal, dataclass_transform

import msgspec

Number = float | Literal["NaN", "Infinity", "-Infinity"]
"""A float on the wire; what JSON cannot say is said in a word."""

State = Literal["ok", "attention", "running", "failed", "not_started"]
"""The state of a step, an entry or a node. The glyph is the client's, the word is ours."""

Millis = int
"""Milliseconds since the Unix epoch, UTC."""


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record on the wire. Immutable; a field that is not declared is refused."""


class Facts(Struct, frozen=True, forbid_unknown_fields=False):
    """A record that is kept: what a newer version added to it is passed over by an older one."""


def number(value: float) -> Number:
    """Put a float on the wire."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def to_float(value: Number) -> float:
    """Read a number back from the wire."""
    return float(value)


class ErrorBody(Facts):
    """What every failed call answers."""

    code: str
    """A stable word for programs, such as ``dataset_not_found``."""
    message: str
    """What happened, and why, for a person."""
    hint: str = ""
    """What to do about it."""


class Done(Struct):
    """The answer of a command that has nothing to tell but that it did what it says."""

    detail: str = ""
