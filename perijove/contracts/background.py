"""Sending a cell to the background from its notebook, asked over a comm while cells run.

The browser opens a comm to the target ``perijove.background`` and sends requests; each is answered
by a message with the same ``id``. The training cell is the one that ``cell_id`` or ``source``
tells; its ``%%train`` line may be there or not.
"""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import ErrorBody, Struct
from perijove.contracts.develop import BackgroundReview
from perijove.contracts.jobs import Job

TARGET = "perijove.background"


class BackgroundRequest(Struct):
    id: int
    op: Literal["review", "submit"]
    source: str = ""
    """The training cell as it stands in the notebook."""
    cell_id: str = ""
    """Of the training cell, where its text is not sent: as it was saved, or last ran."""
    numbers: list[int] | None = None
    """Of ``submit``: the executed cells that go along; the wanted ones when left out."""
    name: str = ""
    executor: str = ""
    cpus: float | None = None
    gpus: int | None = None
    seed: int | None = None
    deterministic: bool | None = None
    force: bool = False
    """Send it although names are missing."""


class BackgroundReply(Struct):
    id: int
    review: BackgroundReview | None = None
    """Of ``review``."""
    problems: list[str] = []
    """Of ``review``: names that the wanted cells use and do not define, and who defines them."""
    job: Job | None = None
    """Of ``submit``."""
    run_id: str = ""
    project: str = ""
    """Of ``submit``: the project's folder, absolute, for the run's card."""
    error: ErrorBody | None = None
