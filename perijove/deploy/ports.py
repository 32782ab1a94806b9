"""What a deployment target is. ``local`` is ours; others come by the entry point
``perijove.deploy_targets`` and need no TypeScript: the panel renders their settings' JSON Schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from perijove.contracts.base import Struct
from perijove.contracts.deploy import EndpointState, ModelFacts


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """What a target says of one endpoint now."""

    state: EndpointState
    detail: str
    revision: int
    """The revision that answers, 0 while none does."""
    url: str = ""
    socket: str = ""
    pid: int | None = None
    memory: int | None = None
    started: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An endpoint's HTTP answer."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


class ModelRegistry(Protocol):
    """Registered models, as MLflow keeps them. Safe to share by threads.

    Raises UnavailableError when the registry does not answer.
    """

    def aliases(self) -> dict[str, dict[str, int]]:
        """Return model to alias to version; models without aliases may be left away."""
        ...

    def set_alias(self, name: str, alias: str, version: int) -> None: ...

    def remove_alias(self, name: str, alias: str) -> None: ...

    def describe(self, name: str, version: int, markdown: str) -> None:
        """Keep a text with a version; what is longer than the registry takes is cut."""
        ...

    def adopt(self, run_id: str, path: str, name: str) -> tuple[int, ModelFacts]:
        """Register a model that a run logged by MLflow's own means; return its version and facts.

        The model is not loaded: what it is, its own files say.

        Raises
        ------
        NotFoundError
            Naming the models that the run logged.
        """
        ...


class DeployTarget(Protocol):
    """Makes the wanted state of endpoints true. The wanted state is in the chain.

    A target is made once a process with the project; its calls may come from any thread.
    """

    name: str
    title: str
    settings: type[Struct]

    def ensure(self, endpoint: str) -> None:
        """See to it that something works on the endpoint's wanted state; return at once.

        Idempotent. Finds and adopts what an earlier process left.
        """
        ...

    def status(self, endpoint: str) -> TargetStatus:
        """Tell the endpoint's state from what is on disk and what runs. Cheap."""
        ...

    def request(
        self, endpoint: str, method: str, path: str, body: bytes = b"", timeout: float = 30.0
    ) -> Answer:
        """Send one HTTP request to the endpoint.

        Raises
        ------
        UnavailableError
            When nothing answers, with the endpoint's own last error.
        """
        ...
