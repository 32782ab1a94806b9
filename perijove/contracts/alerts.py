"""Alerts: what needs a person, and stays until it is mended or acknowledged."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Facts, Millis, Struct


class Alert(Facts):
    id: str
    """Stable for the same matter, such as ``freshness:builds_raw``: raised twice, it is one."""
    step: Literal["problem", "data", "develop", "deploy", "monitor", "operate"]
    level: Literal["attention", "failed"]
    subject: str
    """The reference that it is about."""
    title: str
    detail: str
    fix: str
    since: Millis
    acknowledged_by: str = ""
    acknowledged_at: Millis | None = None
    note: str = ""


class Alerts(Struct):
    items: list[Alert]
    """Open ones, newest first."""


class AlertAcknowledge(Struct):
    note: str = ""
