"""How MLflow keeps numbers and names that its tables or its rules have no room for."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Final

MAX_FLOAT: Final = 1.7976931348623157e308
"""What MLflow stores for infinity."""
MAX_KEY: Final = 250
MAX_PARAM: Final = 6000
MAX_TAG: Final = 8000

_REFUSED = re.compile(r"[^/\w.\- ]")
_ESCAPED = re.compile(r"-x([0-9a-f]{1,6})-")


def pack(value: float) -> tuple[float, bool]:
    """Return what MLflow's ``value`` and ``is_nan`` columns hold for a number."""
    if math.isnan(value):
        return 0.0, True
    return min(max(value, -MAX_FLOAT), MAX_FLOAT), False


def unpack(value: float, is_nan: bool) -> float:
    """Read a number back, infinities included."""
    if is_nan:
        return math.nan
    return math.copysign(math.inf, value) if abs(value) == MAX_FLOAT else value


def short_key(key: str) -> str:
    """Fit a key into MLflow's columns; a cut key ends in a hash, so that it stays its own."""
    if len(key) <= MAX_KEY:
        return key
    return key[: MAX_KEY - 13] + "_" + hashlib.sha256(key.encode()).hexdigest()[:12]


def short(value: str, limit: int) -> str:
    """Cut a text to what MLflow takes, and show that it was cut."""
    return value if len(value) <= limit else value[: limit - 1] + "…"


def allowed_key(key: str) -> str:
    """Write a key with the characters that MLflow's clients accept; reversible.

    They refuse what is no letter, digit, ``/_.-`` or space, and what would be another path.
    """
    text = _ESCAPED.sub(lambda m: f"-x2d-{m[0][1:]}", key)
    text = _REFUSED.sub(_escape, text)
    if text.startswith("/") or not text:
        text = "-x2f-" + text[1:] if text else "-x0-"
    return short_key("/".join(_part(part) for part in text.split("/")))


def _part(part: str) -> str:
    if part in (".", ".."):
        return f"-x2e-{part[1:]}"
    return part or "-x0-"


def _escape(match: re.Match[str]) -> str:
    return f"-x{ord(match[0]):x}-"


def original_key(key: str) -> str:
    """Read a key back that :func:`allowed_key` wrote."""
    return _ESCAPED.sub(lambda m: chr(int(m[1], 16)) if m[1] != "0" else "", key)
