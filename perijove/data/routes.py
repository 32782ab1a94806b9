"""Which call of the data step does what."""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.base import Struct
from perijove.contracts.data import Dataset, Datasets, DataVersions, Snippet, VersionDiff
from perijove.contracts.jobs import Job
from perijove.contracts.quality import QualityHistory, RuleSet, Suggestions
from perijove.contracts.sources import SourceEntries, Sources
from perijove.contracts.table import CellValue, Found, LeakReport, Profile, Task, View
from perijove.core.call import Call
from perijove.data.refresh import parse_refresh
from perijove.data.service import DataService


def _list(service: DataService, call: Call) -> Datasets:
    return Datasets(items=service.datasets())


def _register(service: DataService, call: Call) -> Dataset:
    # From the browser only what lies in the project or in its sources; a kernel may name any
    # place that the allow-list permits.
    body = call.body
    service.sources.check_browser(body.path, body.query)
    return service.registry.register(
        body.path,
        name=body.name,
        target=body.target,
        time=body.time,
        query=body.query,
        by=call.actor,
    )


def _list_sources(service: DataService, call: Call) -> Sources:
    return service.sources.overview()


def _allow_sources(service: DataService, call: Call) -> Sources:
    return service.sources.allow(call.body.allow, by=call.actor)


def _list_entries(service: DataService, call: Call) -> SourceEntries:
    return service.sources.entries(call.query.location)


def _get(service: DataService, call: Call) -> Dataset:
    return service.describe(service.registry.get(call.path["name"], call.query.version))


def _declare(service: DataService, call: Call) -> Dataset:
    parse_refresh(call.body.refresh or "")
    return service.describe(service.registry.declare(call.path["name"], call.body, by=call.actor))


def _rows(service: DataService, call: Call) -> bytes:
    return service.views.page(call.path["name"], call.query)


def _open_view(service: DataService, call: Call) -> View:
    return service.views.open(call.path["name"], call.body)


def _view(service: DataService, call: Call) -> View:
    return service.views.view(call.path["view"])


def _cell(service: DataService, call: Call) -> CellValue:
    return service.views.cell(call.path["name"], call.query)


def _find(service: DataService, call: Call) -> Found:
    return service.views.find(call.path["name"], call.body)


def _code(service: DataService, call: Call) -> Snippet:
    return Snippet(code=service.views.code(call.path["name"], call.body))


def _export(service: DataService, call: Call) -> Task:
    return service.views.export(call.path["name"], call.body)


def _task(service: DataService, call: Call) -> Task:
    return service.tasks.get(call.path["task"])


def _cancel_task(service: DataService, call: Call) -> Task:
    return service.tasks.cancel(call.path["task"])


def _versions(service: DataService, call: Call) -> DataVersions:
    return service.history.versions(call.path["name"])


def _diff(service: DataService, call: Call) -> VersionDiff:
    query = call.query
    return service.history.diff(
        call.path["name"], query.base, query.version, query.start, query.limit
    )


def _split(service: DataService, call: Call) -> Dataset:
    return service.splits.make(call.path["name"], call.body, by=call.actor)


def _make_again(service: DataService, call: Call) -> Job:
    return service.making.make_again(call.path["name"], call.body.version, by=call.actor)


def _curate(service: DataService, call: Call) -> Job:
    return service.making.curate(call.path["name"], call.actor)


def _rules(service: DataService, call: Call) -> RuleSet:
    return service.quality.rules(call.path["name"])


def _save_rules(service: DataService, call: Call) -> RuleSet:
    body = call.body
    return service.quality.save(call.path["name"], body.rules, body.revision, by=call.actor)


def _suggest_rules(service: DataService, call: Call) -> Suggestions:
    name = call.path["name"]
    return service.quality.suggest(name, service.profiles.best(name))


def _import_rules(service: DataService, call: Call) -> Suggestions:
    return service.quality.read_schema(call.body.schema)


def _check_rules(service: DataService, call: Call) -> Task:
    return service.quality.check(call.path["name"], call.body.version, by=call.actor)


def _quality(service: DataService, call: Call) -> QualityHistory:
    return service.quality.history(call.path["name"])


def _profile(service: DataService, call: Call) -> Profile:
    return service.profiles.get(call.path["name"], call.query)


def _start_profile(service: DataService, call: Call) -> Task:
    return service.profiles.start(call.path["name"], call.body.version)


def _leaks(service: DataService, call: Call) -> LeakReport:
    return service.profiles.leaks(call.path["name"], call.query.target, call.query.version)


def _snippet(service: DataService, call: Call) -> Snippet:
    return Snippet(code=service.registry.snippet(call.path["name"], call.query.version))


HANDLERS: dict[str, Callable[[DataService, Call], Struct | bytes]] = {
    "list_datasets": _list,
    "register_dataset": _register,
    "list_sources": _list_sources,
    "allow_sources": _allow_sources,
    "list_entries": _list_entries,
    "get_dataset": _get,
    "declare_dataset": _declare,
    "get_rows": _rows,
    "open_view": _open_view,
    "get_view": _view,
    "get_cell": _cell,
    "find_cell": _find,
    "get_code": _code,
    "export_view": _export,
    "get_task": _task,
    "cancel_task": _cancel_task,
    "get_profile": _profile,
    "start_profile": _start_profile,
    "get_leaks": _leaks,
    "list_versions": _versions,
    "diff_versions": _diff,
    "split_dataset": _split,
    "make_again": _make_again,
    "curate_dataset": _curate,
    "get_rules": _rules,
    "save_rules": _save_rules,
    "suggest_rules": _suggest_rules,
    "import_rules": _import_rules,
    "check_rules": _check_rules,
    "list_quality": _quality,
    "get_snippet": _snippet,
}
