"""Which call of the tracker does what."""

from __future__ import annotations

import re
from collections.abc import Callable

from perijove.contracts.base import Struct
from perijove.contracts.tracker import (
    ArtifactPreview,
    Artifacts,
    Comparison,
    CurveSet,
    Importance,
    RunNames,
    RunTable,
)
from perijove.core.call import Call, Content
from perijove.develop.export import notebook
from perijove.develop.service import DevelopService


def _table(service: DevelopService, call: Call) -> RunTable:
    return service.tracker.table.page(call.body)


def _curves(service: DevelopService, call: Call) -> CurveSet:
    return service.tracker.curves.read(call.body)


def _change(service: DevelopService, call: Call) -> RunNames:
    return service.tracker.annotations.change(call.body, by=call.actor)


def _delete(service: DevelopService, call: Call) -> RunNames:
    return service.tracker.annotations.delete(call.body.run_ids, by=call.actor)


def _restore(service: DevelopService, call: Call) -> RunNames:
    return service.tracker.annotations.restore(call.body.run_ids, by=call.actor)


def _compare(service: DevelopService, call: Call) -> Comparison:
    return service.tracker.comparisons.compare(call.body.run_ids)


def _importance(service: DevelopService, call: Call) -> Importance:
    return service.tracker.importance.of(call.body)


def _export(service: DevelopService, call: Call) -> Content:
    return Content(service.tracker.exports.csv(call.body.request), "text/csv", "runs.csv")


def _artifacts(service: DevelopService, call: Call) -> Artifacts:
    return service.tracker.artifacts.list(call.path["run_id"], call.query.path)


def _preview(service: DevelopService, call: Call) -> ArtifactPreview:
    return service.tracker.artifacts.preview(call.path["run_id"], call.query.path)


def _content(service: DevelopService, call: Call) -> Content:
    return service.tracker.artifacts.content(call.path["run_id"], call.query.path)


def _notebook(service: DevelopService, call: Call) -> Content:
    run = service.get_run(call.path["run_id"])
    name = re.sub(r"[^\w.-]+", "-", run.summary.name).strip("-.") or run.summary.run_id
    return Content(notebook(run), "application/x-ipynb+json", f"{name}.ipynb")


HANDLERS: dict[str, Callable[[DevelopService, Call], Struct | Content]] = {
    "get_run_table": _table,
    "get_curves": _curves,
    "change_runs": _change,
    "delete_runs": _delete,
    "restore_runs": _restore,
    "compare_runs": _compare,
    "get_importance": _importance,
    "export_runs": _export,
    "list_artifacts": _artifacts,
    "preview_artifact": _preview,
    "get_artifact": _content,
    "get_run_notebook": _notebook,
}
