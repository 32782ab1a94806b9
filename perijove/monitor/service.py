"""What the monitor step does: read an endpoint's journals and compare with what was promised."""

from __future__ import annotations

import math
import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from perijove.contracts.alerts import Alert
from perijove.contracts.base import Number, number, to_float
from perijove.contracts.chain import StepEntry, StepStatus
from perijove.contracts.deploy import EndpointFacts, FeatureProfile, ModelFacts
from perijove.contracts.monitor import (
    FeatureDrift,
    Finding,
    LiveKpi,
    MinutePoint,
    MonitorReport,
)
from perijove.contracts.problem import Kpi
from perijove.core.alerts import AlertBook
from perijove.core.chain import LiveValue, OutcomesFacts, facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, NotFoundError, PerijoveError, ReadOnlyError
from perijove.core.journal import JournalWriter
from perijove.core.ledger import now
from perijove.core.metrics import meets
from perijove.core.targets import concerned
from perijove.monitor import drift
from perijove.monitor.findings import finding, matters, undecided
from perijove.monitor.latency import Latencies
from perijove.monitor.traffic import KEPT_MINUTES, MINUTE, Traffic

Measure = Callable[[str, Sequence[Any], Mapping[str, Sequence[Any]]], float]
"""Metric, truths and outputs by column to a value; raises PerijoveError when it cannot."""

WINDOW_MINUTES: Final = 60
"""What the sidebar and the alerts look back on."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """A live KPI, and how many records of each kind it was made from."""

    made_from: tuple[int, int]
    value: Number | None
    outcomes: int
    detail: str


class _Endpoint:
    """What is kept of one endpoint. Its lock is held while its journals are read: a long history
    of one endpoint keeps no other waiting.
    """

    def __init__(self, traffic: Traffic) -> None:
        self.lock = threading.RLock()
        self.traffic = traffic
        self.measured: dict[tuple[str, str], _Measured] = {}
        """By metric and model."""
        self.writer: JournalWriter | None = None


class MonitorService:
    """Traffic, drift, live KPIs and outcomes of the project's endpoints. Thread-safe.

    Parameters
    ----------
    project
        The open project.
    measure
        Computes a KPI's metric.
    """

    def __init__(self, project: ProjectContext, measure: Measure) -> None:
        self.project = project
        self.alerts = AlertBook(project.chain.ledger)
        self._measure = measure
        self._lock = threading.Lock()
        self._endpoints: dict[str, _Endpoint] = {}
        self._models: dict[str, tuple[str, ModelFacts]] = {}

    def report(self, name: str, minutes: int = WINDOW_MINUTES) -> MonitorReport:
        """Tell how an endpoint did in the last minutes, at most a day of them.

        Raises
        ------
        NotFoundError
            When there is no such endpoint.
        """
        return self._look(name, minutes)[0]

    def _look(self, name: str, minutes: int = WINDOW_MINUTES) -> tuple[MonitorReport, list[Alert]]:
        minutes = max(1, min(minutes, KEPT_MINUTES))
        revision = self._revision(name)
        model, facts = self._model(name, revision)
        endpoint = self._endpoint(name)
        with endpoint.lock:
            traffic = endpoint.traffic
            traffic.update()
            last = now() // MINUTE
            first = last - minutes + 1
            window = {at: minute for at, minute in traffic.minutes.items() if at >= first}
            total = Latencies(minute.latencies for minute in window.values())
            requests = sum(minute.requests for minute in window.values())
            errors = sum(minute.errors for minute in window.values())
            drifts = [
                drift.measure(p, traffic.observed(model, p.feature, first) or _none(p))
                for p in facts.profile
            ]
            targets = concerned(self.project, model, facts)
            kpis = [self._kpi(endpoint, kpi, model) for kpi in targets]
            ref = make_ref("endpoint", name, revision)
            alerts = matters(name, ref, requests, errors, drifts, zip(targets, kpis, strict=True))
            report = MonitorReport(
                endpoint=name,
                revision=revision,
                model=model,
                since=first * MINUTE,
                requests=requests,
                errors=errors,
                p50=total.quantile(0.5),
                p95=total.quantile(0.95),
                p99=total.quantile(0.99),
                minutes=[_point(at, window) for at in range(first, last + 1)],
                drift=drifts,
                drift_detail=_drift_detail(facts, model, drifts),
                kpis=kpis,
                findings=[finding(alert) for alert in alerts],
                recent=traffic.recent,
            )
        return report, alerts

    def watch(self) -> list[Alert]:
        """Return the alerts that should stand now, of the endpoints that should run.

        One that stands stays while there is too little traffic to say that it is mended.
        """
        alerts: list[Alert] = []
        standing = self.alerts.standing("monitor")
        for name, wanted in self.project.chain.wanted_endpoints().items():
            if not wanted.running:
                continue
            before = {alert.id: alert for alert in standing if alert.id.split(":")[1:2] == [name]}
            try:
                report, found = self._look(name)
            except PerijoveError:  # told where it is looked at; not seen is not mended
                alerts += before.values()
                continue
            alerts += found
            subject, kinds = make_ref("endpoint", name, report.revision), undecided(report)
            alerts += [
                alert
                for alert in before.values()
                if alert.subject == subject
                and alert.id.partition(":")[0] in kinds
                and alert.id not in {one.id for one in found}
            ]
        return alerts

    def record_outcomes(
        self, name: str, ids: Sequence[str], outcomes: Sequence[Any], *, by: str
    ) -> str:
        """Write down what turned out to be true; return a sentence about it.

        Parameters
        ----------
        ids
            The prediction's id where it had one row, else ``ID:ROW``.

        Raises
        ------
        InvalidInputError
            Naming an id that the endpoint did not answer with; nothing is written then.
        """
        if len(ids) != len(outcomes):
            raise InvalidInputError(
                f"There are {len(ids)} ids and {len(outcomes)} outcomes.", "Send one for each."
            )
        if not ids:
            raise InvalidInputError("There are no outcomes.", "Send at least one.")
        model, facts = self._model(name, self._revision(name))
        endpoint = self._endpoint(name)
        with endpoint.lock:
            traffic = endpoint.traffic
            traffic.update()
            located = [traffic.locate(identifier) for identifier in ids]
            revisions = {traffic.predictions[identifier].revision for identifier, _ in located}
            at = now()
            try:
                writer = self._writer(name, endpoint)
                for (identifier, row), value in zip(located, outcomes, strict=True):
                    writer.append(("o", f"{identifier}:{row}", at, value))
            except OSError as error:
                raise ReadOnlyError(
                    f"The outcomes cannot be written: {error}.",
                    "Check the permissions and the free space of the project's folder.",
                ) from error
            traffic.update()
            newest = make_ref("endpoint", name, max(revisions))
            values = [
                LiveValue(metric=kpi.metric, data=kpi.data, value=live.value)
                for kpi in concerned(self.project, model, facts)
                if (live := self._kpi(endpoint, kpi, model)).value is not None
            ]
            first = values[0] if values else None
            self.project.chain.add(
                "outcomes",
                name,
                OutcomesFacts(
                    endpoint=newest,
                    count=len(ids),
                    metric=first.metric if first else "",
                    value=first.value if first else None,
                    values=values,
                ),
                by=by,
                sources={make_ref("endpoint", name, r): "answered" for r in revisions},
                action="record outcomes",
            )
        said = f"{len(ids)} outcomes recorded"
        figures = ", ".join(f"{one.metric} {to_float(one.value):.4g}" for one in values)
        return f"{said}; live {figures}" if figures else said

    def status(self) -> StepStatus:
        """The sidebar's row: what is wrong first."""
        wanted = self.project.chain.wanted_endpoints()
        if not wanted:
            return StepStatus(step="monitor", state="not_started", fact="", next="Deploy a model")
        reports = [self.report(name) for name, want in sorted(wanted.items()) if want.running]
        if not reports:
            return StepStatus(
                step="monitor",
                state="not_started",
                fact="all endpoints are stopped",
                next="Start an endpoint",
            )
        findings = [finding for report in reports for finding in report.findings]
        if not any(self._endpoint(report.endpoint).traffic.total for report in reports):
            return StepStatus(
                step="monitor",
                state="not_started",
                fact="no predictions yet",
                next="Ask for a prediction",
            )
        entries = [
            StepEntry(
                ref=f"endpoint:{report.endpoint}",
                label=report.endpoint,
                state=_worst(report.findings),
                detail=_fact(report),
            )
            for report in sorted(reports, key=lambda r: not r.findings)[:5]
        ]
        worst = sorted(findings, key=lambda finding: finding.severity != "failed")[:1]
        return StepStatus(
            step="monitor",
            state=_worst(findings),
            fact=worst[0].title if worst else entries[0].detail,
            entries=entries,
        )

    def _revision(self, name: str) -> int:
        wanted = self.project.chain.wanted_endpoints()
        if name not in wanted:
            raise NotFoundError(
                f"The project has no endpoint {name}.",
                f"It has: {', '.join(sorted(wanted)[:8])}." if wanted else "It has none yet.",
                code="endpoint_not_found",
            )
        return wanted[name].revision

    def _model(self, name: str, revision: int) -> tuple[str, ModelFacts]:
        ref = make_ref("endpoint", name, revision)
        if ref not in self._models:
            served = facts_of(self.project.chain.get(ref), EndpointFacts).model
            self._models[ref] = served, facts_of(self.project.chain.get(served), ModelFacts)
        return self._models[ref]

    def _endpoint(self, name: str) -> _Endpoint:
        with self._lock:
            if name in self._endpoints:
                return self._endpoints[name]

            def model_of(revision: int) -> tuple[str, list[FeatureProfile]]:
                try:
                    model, facts = self._model(name, revision)
                except NotFoundError:  # a journal of another project, copied in
                    return "", []
                return model, facts.profile

            made = _Endpoint(Traffic(self.project.paths.endpoint(name), model_of))
            self._endpoints[name] = made
            return made

    def _writer(self, name: str, endpoint: _Endpoint) -> JournalWriter:
        if endpoint.writer is None:
            folder = self.project.paths.endpoint(name) / "outcomes"
            file = f"{os.getpid()}-{secrets.token_hex(4)}.pj"
            endpoint.writer = JournalWriter(folder / file)
        return endpoint.writer

    def _kpi(self, endpoint: _Endpoint, kpi: Kpi, model: str) -> LiveKpi:
        """Measure a KPI on the outcomes of what the model had answered."""
        traffic = endpoint.traffic
        key = (kpi.metric, model)
        made_from = (traffic.reads["q"], traffic.reads["o"])
        cached = endpoint.measured.get(key)
        if cached is None or cached.made_from != made_from:
            truths, outputs = traffic.answered(model)
            value: Number | None = None
            detail = ""
            if not truths:
                detail = "No outcome of this model's predictions is recorded yet."
            else:
                try:
                    measured = self._measure(kpi.metric, truths, outputs)
                    value = number(measured)
                    detail = "" if math.isfinite(measured) else "The value is not a number."
                except PerijoveError as error:
                    detail = error.message
            cached = endpoint.measured[key] = _Measured(made_from, value, len(truths), detail)
        value, detail = cached.value, cached.detail
        bound = kpi.target if kpi.minimum is None else kpi.minimum
        met = value is not None and meets(to_float(value), bound, kpi.direction)
        return LiveKpi(
            metric=kpi.metric,
            value=value,
            minimum=kpi.minimum,
            outcomes=cached.outcomes,
            state="unmeasured" if value is None else "met" if met else "missed",
            detail=detail or f"{'minimum' if kpi.minimum is not None else 'target'} {bound:g}",
        )


def _none(profile: FeatureProfile) -> list[int]:
    return [0] * (len(profile.counts) + 1)


def _point(at: int, window: Mapping[int, Any]) -> MinutePoint:
    minute = window.get(at)
    if minute is None:
        return MinutePoint(at=at * MINUTE, requests=0, errors=0, p50=None, p95=None, p99=None)
    return MinutePoint(
        at=at * MINUTE,
        requests=minute.requests,
        errors=minute.errors,
        p50=minute.latencies.quantile(0.5),
        p95=minute.latencies.quantile(0.95),
        p99=minute.latencies.quantile(0.99),
    )


def _drift_detail(facts: ModelFacts, model: str, drifts: list[FeatureDrift]) -> str:
    if not facts.profile:
        why = facts.unprofiled or "the model was logged without its training data"
        return f"No drift can be measured: {why}."
    against = facts.dataset or "the rows that it was trained on"
    rows = max((d.rows for d in drifts), default=0)
    text = f"Against the training rows of {model}, {against}: {rows:,} row{'' if rows == 1 else 's'} seen."
    if rows < drift.MIN_ROWS:
        return f"{text} Figures need {drift.MIN_ROWS} rows."
    return f"{text} What chance explains counts as stable."


def _worst(findings: list[Finding]) -> Any:
    if any(finding.severity == "failed" for finding in findings):
        return "failed"
    return "attention" if findings else "ok"


def _fact(report: MonitorReport) -> str:
    if report.findings:
        return report.findings[0].title.removeprefix(f"{report.endpoint}: ")
    if not report.requests:
        return f"no requests in the last {len(report.minutes)} min"
    fact = f"{report.requests:,} request{'' if report.requests == 1 else 's'} · p95 {report.p95:.3g} ms"
    live = [k for k in report.kpis if k.value is not None]
    if live and live[0].value is not None:
        fact += f" · live {live[0].metric} {to_float(live[0].value):.3g}"
    return fact
