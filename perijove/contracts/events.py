"""The one event stream: a WebSocket a browser tab.

The server tells what changed, and the client asks again for what it shows; only the points of
a live curve and the machine's load, which come every second, travel in the event itself.
"""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Struct
from perijove.contracts.develop import Series
from perijove.contracts.jobs import Job
from perijove.contracts.operate import Resources
from perijove.contracts.table import Task


class Watch(Struct, tag="watch"):
    """Client to server: what this tab shows. Each one replaces the one before."""

    project: str
    runs: list[str] = []
    """Runs whose new points are wanted."""
    resources: bool = False


class Changed(Struct, tag="changed"):
    """Something of these steps is not as it was."""

    project: str
    topics: list[Literal["problem", "data", "develop", "deploy", "monitor", "operate"]]


class Points(Struct, tag="points"):
    """New points of a watched run; ``reset`` when the series are whole, not additions."""

    project: str
    run_id: str
    series: list[Series]
    reset: bool
    progress: float | None = None


class Load(Struct, tag="load"):
    project: str
    resources: Resources


class Progress(Struct, tag="progress"):
    """Work in the server's background has moved on, or ended."""

    project: str
    task: Task


class Ended(Struct, tag="ended"):
    """A job that ran while this stream was open has ended: somebody may be waiting for it."""

    project: str
    job: Job


class Failed(Struct, tag="failed"):
    """The watch cannot be served, say because the project file is broken."""

    project: str
    code: str
    message: str
    hint: str = ""


ServerEvent = Changed | Points | Load | Progress | Ended | Failed
