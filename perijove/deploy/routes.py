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
    ModelCard,
    Models,
    ModelVersion,
)
from perijove.core.call import Call
from perijove.core.errors import InvalidInputError
from perijove.deploy.service import DeployService


def _models(service: DeployService, call: Call) -> Models:
    return Models(items=service.models.all())


def _register(service: DeployService, call: Call) -> ModelVersion:
    body = call.body
    node = service.models.register(body.run_id, body.path, body.name, by=call.actor)
    return next(one for one in service.models.all() if one.ref == node.ref)


def _card(service: DeployService, call: Call) -> ModelCard:
    name, version = call.path["name"], call.path["version"]
    if not version.isdigit():
        raise InvalidInputError(f"{version!r} is no version.", "Versions are numbers, from 1 on.")
    return service.models.card(name, int(version))


def _set_alias(service: DeployService, call: Call) -> Models:
    service.models.aliases.set(
        call.path["name"], call.path["alias"], call.body.version, reason=call.body.reason,
        by=call.actor,
    )  # fmt: skip
    return _models(service, call)


def _remove_alias(service: DeployService, call: Call) -> Models:
    service.models.aliases.remove(call.path["name"], call.path["alias"], by=call.actor)
    return _models(service, call)


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
    "register_model": _register,
    "get_model_card": _card,
    "set_alias": _set_alias,
    "remove_alias": _remove_alias,
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
