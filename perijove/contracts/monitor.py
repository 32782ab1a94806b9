"""Step 5: what an endpoint does, and how far its inputs are from its training data."""

from __future__ import annotations

from typing import Literal

from perijove.contracts.base import Millis, Number, Struct


class MinutePoint(Struct):
    at: Millis
    requests: int
    errors: int
    p50: float | None
    p95: float | None
    p99: float | None
    """Latency in milliseconds at the endpoint; None without requests."""


class FeatureDrift(Struct):
    """Population stability index of one feature against the training data."""

    feature: str
    psi: float | None
    """None below 30 rows: no figure is better than a wrong one."""
    state: Literal["stable", "moderate", "drifted", "too_few"]
    rows: int
    expected: list[float]
    """Share of each bin in the training data."""
    observed: list[float]
    bins: list[str]
    """The label of each bin."""


class PredictionRecord(Struct):
    id: str
    at: Millis
    revision: int
    status: int
    rows: int
    milliseconds: float
    inputs: str
    """JSON of the first row, shortened."""
    output: str
    error: str = ""


class LiveKpi(Struct):
    metric: str
    value: Number | None
    """None until both classes, or any outcome, have been seen."""
    minimum: float | None
    outcomes: int
    state: Literal["met", "missed", "unmeasured"]
    detail: str = ""


class Finding(Struct):
    """What is wrong with an endpoint now."""

    id: str
    severity: Literal["attention", "failed"]
    title: str
    detail: str


class MonitorReport(Struct):
    endpoint: str
    revision: int
    model: str
    since: Millis
    requests: int
    errors: int
    p50: float | None
    p95: float | None
    p99: float | None
    minutes: list[MinutePoint]
    drift: list[FeatureDrift]
    drift_detail: str
    """What the drift is measured against, or why there is none."""
    kpis: list[LiveKpi]
    findings: list[Finding]
    recent: list[PredictionRecord]


class OutcomesRequest(Struct):
    """What turned out to be true, by prediction."""

    ids: list[str]
    outcomes: list[str | float | int | bool]
