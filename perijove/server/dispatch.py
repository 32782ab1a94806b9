"""From a route to the step that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from perijove.adapters.initialize import initialize_project
from perijove.contracts.base import Struct
from perijove.contracts.problem import Metrics, Projects, ProjectSummary
from perijove.contracts.routes import Route
from perijove.core.call import Call, Content
from perijove.core.metrics import METRICS
from perijove.core.paths import resolve_inside
from perijove.data import routes as data
from perijove.deploy import routes as deploy
from perijove.develop import routes as develop
from perijove.monitor import routes as monitor
from perijove.operate import routes as operate
from perijove.problem import routes as problem
from perijove.problem.service import find_projects

if TYPE_CHECKING:
    from perijove.server.state import ServerState

STEPS: dict[str, dict[str, Callable[[Any, Call], Struct | bytes | Content]]] = {
    "problem": dict(problem.HANDLERS),
    "data": dict(data.HANDLERS),
    "develop": dict(develop.HANDLERS),
    "deploy": dict(deploy.HANDLERS),
    "monitor": dict(monitor.HANDLERS),
    "operate": dict(operate.HANDLERS),
}

STARTING = frozenset(
    ("make_again", "curate_dataset", "deploy_model", "rollback_endpoint", "start_endpoint")
)
"""Who asks for one of these runs the project's code: from then on it may run by itself."""


def answer(state: ServerState, route: Route, call: Call) -> Struct | bytes | Content:
    """Find what answers a route, and let it."""
    if not route.project:
        return SERVER_WIDE[route.op](state, call)
    bench = state.workbench(call.project)
    if route.op in STARTING:
        bench.project.trust.give()
    if route.op == "get_lifecycle":
        return bench.lifecycle(call.project)
    return STEPS[route.step][route.op](getattr(bench, route.step), call)


def _projects(state: ServerState, call: Call) -> Projects:
    return Projects(items=find_projects(state.root))


def _create(state: ServerState, call: Call) -> ProjectSummary:
    body = call.body
    folder = resolve_inside(state.root, body.path)
    initialize_project(folder, name=body.name, example=body.example, by=call.actor)
    name = state.workbench(body.path).project.name
    return ProjectSummary(path=body.path.strip("/"), name=name)


def _metrics(state: ServerState, call: Call) -> Metrics:
    return Metrics(items=list(METRICS.values()))


SERVER_WIDE: dict[str, Callable[[Any, Call], Struct]] = {
    "list_projects": _projects,
    "create_project": _create,
    "list_metrics": _metrics,
}
