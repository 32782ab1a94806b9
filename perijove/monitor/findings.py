"""What is wrong with an endpoint now: a finding on its page, and an alert until it is mended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from perijove.contracts.alerts import Alert
from perijove.contracts.base import to_float
from perijove.contracts.monitor import FeatureDrift, Finding, LiveKpi, MonitorReport
from perijove.contracts.problem import Kpi
from perijove.core.ledger import now

MAX_ERROR_SHARE: Final = 0.05
MIN_REQUESTS: Final = 10
"""Below this many requests a share of errors says nothing."""


def matters(
    endpoint: str,
    revision: str,
    requests: int,
    errors: int,
    drifts: Sequence[FeatureDrift],
    kpis: Iterable[tuple[Kpi, LiveKpi]],
) -> list[Alert]:
    """Tell what is wrong, the worst first.

    ``kpi:ENDPOINT:METRIC:DATA``
        A live figure misses its minimum, or its target where it has none.
    ``errors:ENDPOINT``
        More than 5 % of the requests fail.
    ``drift:ENDPOINT``
        The inputs are not what the model was trained on.

    Parameters
    ----------
    revision
        Reference of the endpoint's revision.
    """
    found = [
        _alert(
            f"kpi:{endpoint}:{kpi.metric}:{kpi.data}", "failed", revision,
            f"{endpoint}: live {live.metric} {to_float(live.value):.3g}, {live.detail}",
            f"Measured on {live.outcomes:,} outcomes.",
            "Train on newer data and deploy that version, or roll back to one that kept it.",
        )
        for kpi, live in kpis
        if live.state == "missed" and live.value is not None
    ]  # fmt: skip
    if requests >= MIN_REQUESTS and errors > MAX_ERROR_SHARE * requests:
        found.append(
            _alert(
                f"errors:{endpoint}", "failed" if errors > requests / 2 else "attention", revision,
                f"{endpoint}: {errors / requests:.0%} of requests fail",
                f"{errors:,} of {requests:,} were answered 4xx or 5xx.",
                "Look at the newest requests on the endpoint's page: each says what was wrong.",
            )
        )  # fmt: skip
    drifted = sorted((d for d in drifts if d.state == "drifted"), key=lambda d: -(d.psi or 0))
    if drifted:
        found.append(
            _alert(
                f"drift:{endpoint}", "attention", revision,
                f"{endpoint}: drift in {', '.join(d.feature for d in drifted[:3])}",
                "; ".join(f"{d.feature} PSI {d.psi:.2f}" for d in drifted),
                "Compare these features with the training rows on the endpoint's page; where the "
                "world has changed, train on newer data.",
            )
        )  # fmt: skip
    return found


def undecided(report: MonitorReport) -> set[str]:
    """Return the kinds of matters of which too little is seen to say that they are mended."""
    kinds = {"errors"} if report.requests < MIN_REQUESTS else set()
    if all(drift.psi is None for drift in report.drift):
        kinds.add("drift")
    if any(kpi.value is None for kpi in report.kpis):
        kinds.add("kpi")
    return kinds


def finding(alert: Alert) -> Finding:
    """Show an alert on its endpoint's page."""
    return Finding(id=alert.id, severity=alert.level, title=alert.title, detail=alert.detail)


def _alert(
    identifier: str, level: Literal["attention", "failed"], subject: str, title: str, detail: str,
    fix: str,
) -> Alert:  # fmt: skip
    return Alert(
        id=identifier, step="monitor", level=level, subject=subject, title=title, detail=detail,
        fix=fix, since=now(),
    )  # fmt: skip
