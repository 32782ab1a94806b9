"""Which call of the deploy step does what."""

from __future__ import annotations

from collections.abc import Callable

from perijove.contracts.base import Struct
from perijove.contracts.deploy import (
    DeployTargets,
    Endpoint,
    Endpoints,
    Gate,
    InvokeReply,
    Models,
)
from perijove.core.call import Call
from perijove.deploy.service import DeployService


def _models(service: DeployService, call: Call) -> Models:
    return Models(items=service.models())


def _gate(service: DeployService, call: Call) -> Gate:
    return service.gate(call.query.model, call.query.endpoint)


def _targets(service: DeployService, call: Call) -> DeployTargets:
    return DeployTargets(items=service.targets())


def _endpoints(service: DeployService, call: Call) -> Endpoints:
    return Endpoints(items=service.endpoints())


def _deploy(service: DeployService, call: Call) -> Endpoint:
    return service.deploy(call.body, by=call.actor)


def _endpoint(service: DeployService, call: Call) -> Endpoint:
    return service.endpoint(call.path["name"])


def _rollback(service: DeployService, call: Call) -> Endpoint:
    return service.rollback(call.path["name"], call.body.revision, by=call.actor)


def _start(service: DeployService, call: Call) -> Endpoint:
    return service.start(call.path["name"], by=call.actor)


def _stop(service: DeployService, call: Call) -> Endpoint:
    return service.stop(call.path["name"], by=call.actor)


def _invoke(service: DeployService, call: Call) -> InvokeReply:
    return service.invoke(call.path["name"], call.body.rows)


HANDLERS: dict[str, Callable[[DeployService, Call], Struct]] = {
    "list_models": _models,
    "get_gate": _gate,
    "list_targets": _targets,
    "list_endpoints": _endpoints,
    "deploy_model": _deploy,
    "get_endpoint": _endpoint,
    "rollback_endpoint": _rollback,
    "start_endpoint": _start,
    "stop_endpoint": _stop,
    "invoke_endpoint": _invoke,
}
