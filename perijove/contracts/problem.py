"""Step 1: the question, its owner and the numbers that decide."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Millis, Number, Struct

Direction = Literal["maximize", "minimize"]


class Metric(Struct):
    """A metric that Perijove can measure itself."""

    name: str
    title: str
    direction: Direction
    task: Literal["classification", "regression"]


class Metrics(Struct):
    items: list[Metric]


class Kpi(Struct):
    """One target: a metric, on named data, with the value that counts as good enough."""

    metric: str
    data: str
    """The dataset's name."""
    target: float
    """What a model must reach before it is deployed."""
    split: str = "test"
    direction: Direction = "maximize"
    minimum: float | None = None
    """What the live endpoint must not fall below (above, when minimizing)."""


class SignOff(Struct):
    """Somebody with a name said yes to these targets."""

    by: str
    at: Millis
    note: str = ""


class Project(Struct):
    """A project's definition, as it stands in ``perijove.toml``."""

    path: str
    """The folder, relative to the server's root; empty for the root itself."""
    name: str
    question: str
    owner: str
    kpis: list[Kpi]
    revision: str
    """Hash of the file's text. An update names the revision that it changes."""
    sign_offs: list[SignOff]
    """Sign-offs of the targets as they stand now; changed targets need new ones."""


class ProjectUpdate(Struct):
    """New values for the definition; what is left out stays as it is."""

    revision: str
    name: str | None = None
    question: str | None = None
    owner: str | None = None
    kpis: list[Kpi] | None = None


class ProjectSummary(Struct):
    path: str
    name: str


class Projects(Struct):
    items: list[ProjectSummary]


class ProjectCreate(Struct):
    """Make a project in a folder, which is made if it is missing."""

    path: str
    name: str = ""
    example: bool = False
    """Fill it with the CI-builds example: data, notebook and targets."""


class SignOffRequest(Struct):
    note: str = ""


class KpiStatus(Struct):
    """How one target stands: the best measured model and the live endpoint."""

    kpi: Kpi
    verdict: Literal["met", "missed", "unmeasured", "unknown_metric"]
    best: Number | None = None
    best_model: str | None = None
    best_run: str | None = None
    live: Number | None = None
    live_endpoint: str | None = None
    live_verdict: Literal["met", "missed", "unmeasured"] = "unmeasured"
    detail: str = ""


class KpiStatuses(Struct):
    items: list[KpiStatus]
