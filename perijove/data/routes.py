"""Which call of the data step does what."""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.base import Struct
from perijove.contracts.data import Dataset, Datasets, Snippet
from perijove.core.call import Call
from perijove.data.service import DataService


def _list(service: DataService, call: Call) -> Datasets:
    return Datasets(items=service.registry.datasets())


def _register(service: DataService, call: Call) -> Dataset:
    # From the browser only what lies in the project; a kernel may name any file it can read.
    body = call.body
    service.project.paths.inside(body.path)
    return service.registry.register(
        body.path, name=body.name, target=body.target, time=body.time, by=call.actor
    )


def _get(service: DataService, call: Call) -> Dataset:
    return service.registry.get(call.path["name"], call.query.version)


def _declare(service: DataService, call: Call) -> Dataset:
    return service.registry.declare(call.path["name"], call.body, by=call.actor)


def _rows(service: DataService, call: Call) -> bytes:
    return service.views.page(call.path["name"], call.query)


def _snippet(service: DataService, call: Call) -> Snippet:
    return Snippet(code=service.registry.snippet(call.path["name"]))


HANDLERS: dict[str, Callable[[DataService, Call], Struct | bytes]] = {
    "list_datasets": _list,
    "register_dataset": _register,
    "get_dataset": _get,
    "declare_dataset": _declare,
    "get_rows": _rows,
    "get_snippet": _snippet,
}
