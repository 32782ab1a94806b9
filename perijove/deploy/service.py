"""What the deploy step does: ask the gate, put a revision on the chain, and say how it stands."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from perijove.contracts.base import State, Struct
from perijove.contracts.chain import Node, StepEntry, StepStatus
from perijove.contracts.deploy import (
    DeployRequest,
    DeployTargetInfo,
    Endpoint,
    EndpointFacts,
    EndpointState,
    Gate,
    InvokeReply,
    ModelFacts,
    Override,
    OverrideRequest,
    Revision,
)
from perijove.contracts.operate import Activity
from perijove.core.chain import WantedEndpoint, facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    GateBlockedError,
    InvalidInputError,
    NotFoundError,
    PerijoveError,
    UnavailableError,
)
from perijove.core.gate import GateRegistry
from perijove.core.ledger import now
from perijove.core.project_file import NAME
from perijove.deploy.models import PICKLE_WARNING, ModelBook
from perijove.deploy.ports import DeployTarget, ModelRegistry, TargetStatus
from perijove.deploy.rows import infer_body, snippets

MIN_REASON = 8
"""Characters of a reason that says something to who reads the audit next year."""

_STATES: dict[EndpointState, State] = {
    "starting": "running",
    "serving": "ok",
    "degraded": "attention",
    "failed": "failed",
    "stopped": "not_started",
}


class DeployService:
    """Models, the gate, endpoints and their revisions.

    Parameters
    ----------
    project
        The open project.
    gate
        The checks of all steps.
    targets
        Name of a deployment target to the target.
    registry
        Keeps models for MLflow's tools.
    """

    def __init__(
        self,
        project: ProjectContext,
        gate: GateRegistry,
        targets: dict[str, DeployTarget],
        registry: ModelRegistry,
    ) -> None:
        self.project = project
        self.models = ModelBook(project, registry, gate)
        self._gate = gate
        self._targets = targets

    def resolve_model(self, text: str) -> Node:
        """Find a model version by what people type; see :meth:`ModelBook.resolve`."""
        return self.models.resolve(text)

    def gate(self, model: str, endpoint: str = "") -> Gate:
        """Ask every check about a model version."""
        return self._gate.evaluate(self.project, self.resolve_model(model).ref, endpoint)

    def targets(self) -> list[DeployTargetInfo]:
        """Tell where a model can be deployed, and what can be set there."""
        return [
            DeployTargetInfo(name=target.name, title=target.title, schema=_schema(target.settings))
            for target in self._targets.values()
        ]

    def deploy(self, request: DeployRequest, *, by: str) -> Endpoint:
        """Put a new revision on the chain and see to it that it answers; return at once.

        Raises
        ------
        InvalidInputError
            For a name, a setting or an override that cannot be.
        GateBlockedError
            When a check does not pass and nobody signs for it.
        """
        if not NAME.fullmatch(request.endpoint):
            raise InvalidInputError(
                f"{request.endpoint!r} cannot be an endpoint's name.",
                "Use letters, digits, '.', '_' and '-'; begin with a letter or a digit.",
                code="bad_name",
            )
        target = self._target(request.target)
        settings = _settings(target, request.settings)
        model = self.resolve_model(request.model)
        gate = self._gate.evaluate(self.project, model.ref, request.endpoint)
        override = None
        if not gate.passed:
            if request.override is None:
                raise GateBlockedError(gate)
            override = _signed(request.override, gate, actor=by)
        facts = EndpointFacts(
            model=model.ref, target=target.name, settings=settings, gate=gate, override=override
        )
        chain = self.project.chain
        node = chain.add(
            "endpoint",
            request.endpoint,
            facts,
            by=by,
            sources={model.ref: "serves"},
            action="deploy",
        )
        if override is not None:
            chain.ledger.audit(
                by,
                "override gate",
                node.ref,
                signed=override.by,
                reason=override.reason,
                failed=override.failed,
                model=model.ref,
            )
        self._want(request.endpoint, node.version, running=True, by=by, action="want revision")
        return self.endpoint(request.endpoint)

    def rollback(self, name: str, revision: int, *, by: str) -> Endpoint:
        """Let an earlier revision answer. It passed its gate, or was signed for, when it went out.

        Raises
        ------
        ConflictError
            When that revision is the wanted one already.
        """
        self.project.chain.get(make_ref("endpoint", name, revision))
        wanted = self.project.chain.wanted_endpoints().get(name)
        if wanted is not None and wanted.running and wanted.revision == revision:
            raise ConflictError(
                f"Revision {revision} of {name} is the one that should answer already.",
                "Choose another revision.",
            )
        self._want(name, revision, running=True, by=by, action="rollback")
        return self.endpoint(name)

    def start(self, name: str, *, by: str) -> Endpoint:
        """Start an endpoint that was stopped, or try again one that failed."""
        revision = self._wanted(name).revision
        self._want(name, revision, running=True, by=by, action="start")
        return self.endpoint(name)

    def stop(self, name: str, *, by: str) -> Endpoint:
        """Stop an endpoint: requests in flight are finished, revisions stay."""
        revision = self._wanted(name).revision
        self._want(name, revision, running=False, by=by, action="stop")
        return self.endpoint(name)

    def resume(self) -> list[str]:
        """See to it that every endpoint that should run does; return their names.

        Called when a server or a kernel starts: after a restart of the machine this brings the
        endpoints back. One that cannot be resumed stands in no other's way.
        """
        resumed = []
        for name, wanted in self.project.chain.wanted_endpoints().items():
            if wanted.running:
                try:
                    self._target_of(name, wanted.revision).ensure(name)
                except PerijoveError:
                    continue  # its own status says why
                resumed.append(name)
        return resumed

    def endpoints(self) -> list[Endpoint]:
        """Tell every endpoint, by name."""
        return [self.endpoint(name) for name in sorted(self.project.chain.wanted_endpoints())]

    def endpoint(self, name: str) -> Endpoint:
        """Tell how an endpoint stands.

        Raises
        ------
        NotFoundError
            Naming the endpoints that there are.
        """
        wanted = self._wanted(name)
        chain = self.project.chain
        nodes = chain.versions("endpoint", name)
        facts = {node.version: facts_of(node, EndpointFacts) for node in nodes}
        if wanted.revision not in facts:
            chain.get(make_ref("endpoint", name, wanted.revision))
        mine = facts[wanted.revision]
        status = self._target(mine.target).status(name)
        model = facts_of(chain.get(mine.model), ModelFacts)
        return Endpoint(
            name=name,
            state=status.state,
            detail=status.detail,
            model=mine.model,
            revision=status.revision,
            wanted=wanted.revision,
            target=mine.target,
            url=status.url,
            socket=status.socket,
            pid=status.pid,
            memory=status.memory,
            started=status.started,
            override=mine.override,
            revisions=[
                Revision(
                    ref=node.ref,
                    number=node.version,
                    model=facts[node.version].model,
                    at=node.at,
                    by=node.by,
                    override=facts[node.version].override,
                    live=node.version == status.revision,
                )
                for node in sorted(nodes, key=lambda n: -n.version)
            ],
            signature=model.signature,
            sample=model.sample,
            snippets=snippets(name, status.socket, model.sample, model.signature),
            warning=PICKLE_WARNING if model.format == "pickle" else "",
        )

    def wait(
        self,
        name: str,
        timeout: float = 60.0,
        watch: Callable[[TargetStatus], None] | None = None,
    ) -> Endpoint:
        """Wait until the wanted revision answers, or until an endpoint that stops has stopped.

        Parameters
        ----------
        timeout
            In seconds.
        watch
            Called with each look's status.

        Raises
        ------
        UnavailableError
            When it cannot, with its own reason, or when the time is over.
        """
        deadline = time.monotonic() + timeout
        wanted = self._wanted(name)
        target = self._target_of(name, wanted.revision)
        while True:
            status = target.status(name)
            if watch is not None:
                watch(status)
            if not wanted.running:
                if status.state == "stopped" and status.pid is None and not status.memory:
                    return self.endpoint(name)
            elif status.revision == wanted.revision and status.state in ("serving", "degraded"):
                return self.endpoint(name)
            elif status.state in ("failed", "degraded"):
                raise UnavailableError(
                    f"The endpoint {name}: {status.detail}",
                    "Mend what it says and deploy again, or roll back.",
                    code="endpoint_failed",
                )
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"The endpoint {name} is {status.state} after {timeout:g} s. {status.detail}",
                    "It goes on in the background: look again later.",
                    code="endpoint_slow",
                )
            time.sleep(0.02)

    def invoke(self, name: str, rows: list[dict[str, Any]]) -> InvokeReply:
        """Ask the endpoint for predictions of rows, one mapping of column to value each.

        Raises
        ------
        UnavailableError
            When nothing answers. A row that the model cannot take is no error here: the reply
            has the endpoint's status and its words.
        """
        wanted = self._wanted(name)
        facts = self._facts(name, wanted.revision)
        model = facts_of(self.project.chain.get(facts.model), ModelFacts)
        body = infer_body(rows, model.signature)
        # The endpoint answers 503 at its own limit: wait a little longer than that.
        patience = float(facts.settings.get("timeout_seconds", 60.0)) + 10.0
        start = time.perf_counter()
        answer = self._target(facts.target).request(
            name, "POST", f"/v2/models/{name}/infer", body, patience
        )
        return InvokeReply(
            prediction_id=answer.headers.get("x-perijove-prediction-id", ""),
            status=answer.status,
            body=answer.body.decode(errors="replace"),
            milliseconds=round((time.perf_counter() - start) * 1000, 3),
        )

    def activities(self) -> list[Activity]:
        """Tell the endpoints that take the machine's resources."""
        return [
            Activity(
                id=endpoint.name,
                kind="endpoint",
                name=endpoint.name,
                detail=f"revision {endpoint.revision or endpoint.wanted}, {endpoint.state}",
                pid=endpoint.pid,
                cpu_percent=None,
                memory=endpoint.memory,
                since=endpoint.started,
                stoppable=True,
            )
            for endpoint in self.endpoints()
            if endpoint.state != "stopped"
        ]

    def status(self) -> StepStatus:
        """The sidebar's row: the endpoint that is worst off, first."""
        endpoints = sorted(self.endpoints(), key=lambda e: _URGENCY.index(e.state))
        if not endpoints:
            logged = self.project.chain.newest("model")
            return StepStatus(
                step="deploy",
                state="not_started",
                fact=f"{len(logged)} model{'' if len(logged) == 1 else 's'}, none deployed"
                if logged
                else "",
                next="Deploy a model",
            )
        serving = sum(endpoint.state == "serving" for endpoint in endpoints)
        worst = endpoints[0]
        if worst.state in ("serving", "stopped"):
            first = f"{worst.name} r{worst.revision or worst.wanted}"
            fact = f"{first} {worst.state}"
            if len(endpoints) > 1:
                fact = f"{serving} of {len(endpoints)} endpoints serve"
        else:
            fact = f"{worst.name}: {worst.detail or worst.state}"
        state = _STATES[worst.state]
        if state == "ok" and any(e.override for e in endpoints if e.state == "serving"):
            fact = f"{fact} · past a failing gate"
            state = "attention"
        return StepStatus(
            step="deploy",
            state="ok" if state == "not_started" and serving else state,
            fact=fact,
            next="Start an endpoint" if state == "not_started" and not serving else "",
            entries=[
                StepEntry(
                    ref=make_ref("endpoint", e.name, e.revision or e.wanted),
                    label=e.name,
                    state=_STATES[e.state],
                    detail=f"r{e.revision or e.wanted} {e.state}",
                )
                for e in endpoints[:5]
            ],
        )

    def _want(self, name: str, revision: int, *, running: bool, by: str, action: str) -> None:
        self.project.chain.want_endpoint(
            name, WantedEndpoint(revision=revision, running=running), by=by, action=action
        )
        self._target_of(name, revision).ensure(name)

    def _wanted(self, name: str) -> WantedEndpoint:
        wanted = self.project.chain.wanted_endpoints()
        if name not in wanted:
            known = ", ".join(sorted(wanted)[:8])
            raise NotFoundError(
                f"The project has no endpoint {name}.",
                f"It has: {known}." if known else "It has none yet: deploy a model.",
                code="endpoint_not_found",
            )
        return wanted[name]

    def _facts(self, name: str, revision: int) -> EndpointFacts:
        return facts_of(self.project.chain.get(make_ref("endpoint", name, revision)), EndpointFacts)

    def _target_of(self, name: str, revision: int) -> DeployTarget:
        return self._target(self._facts(name, revision).target)

    def _target(self, name: str) -> DeployTarget:
        if name not in self._targets:
            raise NotFoundError(
                f"There is no deployment target {name!r}.",
                f"Use one of: {', '.join(self._targets)}.",
                code="target_not_found",
            )
        return self._targets[name]


_URGENCY: tuple[EndpointState, ...] = ("failed", "degraded", "starting", "serving", "stopped")


def _signed(request: OverrideRequest, gate: Gate, *, actor: str) -> Override:
    by, reason = request.by.strip(), request.reason.strip()
    if not by:
        raise InvalidInputError(
            "An override needs a name.", "Sign with your name.", code="override_unsigned"
        )
    if len(reason) < MIN_REASON:
        raise InvalidInputError(
            f"An override needs a reason of at least {MIN_REASON} characters.",
            "Say why this model may go out although the gate is closed.",
            code="override_unsigned",
        )
    failed = [check.id for check in gate.checks if check.state != "pass"]
    return Override(by=by, reason=reason, at=now(), failed=failed, actor=actor)


def _settings(target: DeployTarget, given: dict[str, Any]) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = msgspec.to_builtins(msgspec.convert(given, target.settings))
    except msgspec.ValidationError as error:
        raise InvalidInputError(
            f"The settings for {target.title} cannot be: {error}.",
            f"It takes: {', '.join(target.settings.__struct_fields__) or 'none'}.",
            code="bad_settings",
        ) from error
    return settings


def _schema(settings: type[Struct]) -> dict[str, Any]:
    """Return a struct's JSON Schema with the object itself at the top, as form builders want it."""
    (reference,), components = msgspec.json.schema_components(
        [settings], ref_template="#/$defs/{name}"
    )
    schema = components.pop(reference["$ref"].rpartition("/")[2])
    return {**schema, "$defs": components} if components else schema
