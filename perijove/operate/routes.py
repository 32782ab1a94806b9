"""Which call of operations does what."""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.base import Done, Struct
from perijove.core.call import Call
from perijove.operate.service import OperateService


def _report(service: OperateService, call: Call) -> Struct:
    return service.report()


def _stop(service: OperateService, call: Call) -> Done:
    return Done(detail=service.stop(call.body.kind, call.body.id, by=call.actor))


HANDLERS: dict[str, Callable[[OperateService, Call], Struct]] = {
    "get_operate": _report,
    "stop_activity": _stop,
}
