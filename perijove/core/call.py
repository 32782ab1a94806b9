"""One call of the REST interface, as a step sees it: no web framework in sight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks, and for what.

    ``query`` and ``body`` are the structs that the route declares, already checked, or None.
    """

    actor: str
    project: str = ""
    """How the caller names the project's folder, relative to the server's root."""
    path: dict[str, str] = field(default_factory=dict)
    query: Any = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Content:
    """An answer that is a file: it is saved, or shown as what ``media`` says, and never run."""

    body: bytes
    media: str
    name: str
