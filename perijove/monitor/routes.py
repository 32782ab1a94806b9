"""Which call of the monitor step does what."""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.alerts import Alerts
from perijove.contracts.base import Done, Struct
from perijove.contracts.monitor import MonitorReport
from perijove.core.call import Call
from perijove.monitor.service import MonitorService


def _report(service: MonitorService, call: Call) -> MonitorReport:
    return service.report(call.path["name"], call.query.minutes)


def _record(service: MonitorService, call: Call) -> Done:
    said = service.record_outcomes(
        call.path["name"], call.body.ids, call.body.outcomes, by=call.actor
    )
    return Done(detail=said)


def _alerts(service: MonitorService, call: Call) -> Alerts:
    return Alerts(items=service.alerts.standing())


def _acknowledge(service: MonitorService, call: Call) -> Alerts:
    service.alerts.acknowledge(call.path["alert"], call.body.note, by=call.actor)
    return _alerts(service, call)


HANDLERS: dict[str, Callable[[MonitorService, Call], Struct]] = {
    "get_monitor": _report,
    "record_outcomes": _record,
    "list_alerts": _alerts,
    "acknowledge_alert": _acknowledge,
}
