"""Which call of the develop step does what."""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.base import Struct
from perijove.contracts.develop import Run, Runs, RunSeries
from perijove.contracts.jobs import Job
from perijove.core.call import Call, Content
from perijove.develop import tracker_routes
from perijove.develop.service import DevelopService


def _list(service: DevelopService, call: Call) -> Runs:
    return service.list_runs(notebook=call.query.notebook, limit=call.query.limit)


def _get(service: DevelopService, call: Call) -> Run:
    return service.get_run(call.path["run_id"])


def _series(service: DevelopService, call: Call) -> RunSeries:
    return service.series(call.path["run_id"], call.query.points)


def _rerun(service: DevelopService, call: Call) -> Job:
    return service.reruns.rerun(call.path["run_id"], call.body.tolerance, by=call.actor)


HANDLERS: dict[str, Callable[[DevelopService, Call], Struct | Content]] = {
    "list_runs": _list,
    "get_run": _get,
    "get_series": _series,
    "rerun_run": _rerun,
    **tracker_routes.HANDLERS,
}
