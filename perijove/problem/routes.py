"""Which call of the problem step does what."""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.base import Struct
from perijove.contracts.chain import Audit, Lineage
from perijove.contracts.problem import KpiStatuses, Project
from perijove.core.call import Call
from perijove.problem.service import ProblemService


def _get(service: ProblemService, call: Call) -> Project:
    return service.get(call.project)


def _update(service: ProblemService, call: Call) -> Project:
    service.update(call.body, by=call.actor)
    return service.get(call.project)


def _sign_off(service: ProblemService, call: Call) -> Project:
    service.sign_off(call.body.note, by=call.actor)
    return service.get(call.project)


def _kpis(service: ProblemService, call: Call) -> KpiStatuses:
    return KpiStatuses(items=service.kpis())


def _lineage(service: ProblemService, call: Call) -> Lineage:
    return service.lineage(call.query.ref)


def _audit(service: ProblemService, call: Call) -> Audit:
    return service.audit(call.query)


def _anchor(service: ProblemService, call: Call) -> Audit:
    return service.anchor_audit(by=call.actor)


HANDLERS: dict[str, Callable[[ProblemService, Call], Struct]] = {
    "get_project": _get,
    "update_project": _update,
    "sign_off": _sign_off,
    "list_kpis": _kpis,
    "get_lineage": _lineage,
    "get_audit": _audit,
    "anchor_audit": _anchor,
}
