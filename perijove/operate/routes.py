"""Which call of operations does what."""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.base import Done, Struct
from perijove.contracts.jobs import Executors, Job, JobLog, Jobs
from perijove.core.call import Call
from perijove.operate.service import OperateService


def _report(service: OperateService, call: Call) -> Struct:
    return service.report()


def _stop(service: OperateService, call: Call) -> Done:
    return Done(detail=service.stop(call.body.kind, call.body.id, by=call.actor))


def _jobs(service: OperateService, call: Call) -> Jobs:
    return Jobs(items=list(service.jobs.list()))


def _job(service: OperateService, call: Call) -> Job:
    return service.jobs.get(call.path["job"])


def _log(service: OperateService, call: Call) -> JobLog:
    return service.jobs.log(call.path["job"], call.query.offset)


def _stop_job(service: OperateService, call: Call) -> Job:
    return service.stop_job(call.path["job"], by=call.actor)


def _retry_job(service: OperateService, call: Call) -> Job:
    return service.retry_job(call.path["job"], by=call.actor, resume=call.body.resume)


def _executors(service: OperateService, call: Call) -> Executors:
    return Executors(items=list(service.jobs.executors()))


HANDLERS: dict[str, Callable[[OperateService, Call], Struct]] = {
    "get_operate": _report,
    "list_jobs": _jobs,
    "get_job": _job,
    "get_job_log": _log,
    "stop_job": _stop_job,
    "retry_job": _retry_job,
    "list_executors": _executors,
    "stop_activity": _stop,
}
