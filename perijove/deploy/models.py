"""Model versions on the chain: found by what people type, told with their verdicts, aliased."""

from __future__ import annotations

import contextlib

from perijove.contracts.chain import Node
from perijove.contracts.deploy import EndpointFacts, ModelCard, ModelFacts, ModelVersion
from perijove.core.chain import Chain, WantedEndpoint, facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from perijove.core.gate import GateRegistry
from perijove.core.measurements import Verdicts, best, measurements
from perijove.core.project_file import NAME
from perijove.core.targets import concerned
from perijove.deploy.aliases import Aliases
from perijove.deploy.cards import model_card
from perijove.deploy.ports import ModelRegistry

PICKLE_WARNING = (
    "The model is a pickle: loading it runs code. It is loaded only in the endpoint's own process, "
    "and only because this project made it and its hash is unchanged."
)
CHAMPION = "champion"


class ModelBook:
    """The model versions of one project.

    Parameters
    ----------
    project
        The open project.
    registry
        Keeps them for MLflow's tools, and their aliases.
    gate
        What a version must pass to be promoted.
    """

    def __init__(
        self, project: ProjectContext, registry: ModelRegistry, gate: GateRegistry
    ) -> None:
        self.project = project
        self._registry = registry
        self.aliases = Aliases(project, registry, gate)

    def all(self) -> list[ModelVersion]:
        """Tell every model version, newest first."""
        chain, verdicts = self.project.chain, Verdicts(self.project)
        serving = served_models(chain, chain.wanted_endpoints())
        named: dict[tuple[str, int], list[str]] = {}
        # Where the registry is away, the versions are told without their aliases.
        with contextlib.suppress(UnavailableError):
            for name, found in self.aliases.all().items():
                for alias, version in found.items():
                    named.setdefault((name, version), []).append(alias)
        return [
            ModelVersion(
                ref=node.ref,
                name=node.name,
                version=node.version,
                at=node.at,
                by=node.by,
                facts=facts_of(node, ModelFacts),
                verdicts=verdicts.of_model(node.ref),
                endpoints=[name for name, model in serving.items() if model == node.ref],
                aliases=sorted(named.get((node.name, node.version), ())),
            )
            for node in chain.versions("model")
        ]

    def resolve(self, text: str) -> Node:
        """Find a model version.

        Parameters
        ----------
        text
            ``model:NAME@VERSION``, ``NAME@VERSION``, ``NAME`` for the newest version, or MLflow's
            ``models:/NAME/VERSION``, ``models:/NAME/latest`` and ``models:/NAME@ALIAS``. Where
            nobody has given the alias ``champion``, it is the version with the best value of the
            first KPI that is about it, measured by Perijove.

        Raises
        ------
        NotFoundError
            Naming the models, or the aliases, that there are.
        """
        chain = self.project.chain
        name = text.strip().removeprefix("models:/").removeprefix("model:")
        name, separator, version = name.partition("@") if "@" in name else name.partition("/")
        if not name:
            raise InvalidInputError(
                f"{text!r} names no model.", "Write NAME, NAME@VERSION or models:/NAME@champion."
            )
        if not separator or version == "latest":
            node = chain.latest("model", name)
            return node if node is not None else chain.get(make_ref("model", name, 1))
        if version.isdigit():
            return chain.get(make_ref("model", name, int(version)))
        aliases = self.aliases.all().get(name, {})
        if version in aliases:
            return chain.get(make_ref("model", name, aliases[version]))
        if version == CHAMPION:
            return _champion(self.project, name)
        known = ", ".join([*aliases, "latest", CHAMPION])
        raise NotFoundError(
            f"No version of {name} is called {version!r}.",
            f"Write a number, or one of {known}.",
            code="model_not_found",
        )

    def card(self, name: str, version: int) -> ModelCard:
        """Write a version's model card, from what the chain knows now."""
        return model_card(self.project, self.project.chain.get(make_ref("model", name, version)))

    def describe(self, node: Node) -> None:
        """Keep a version's card with it in the registry, for whoever looks there."""
        with contextlib.suppress(UnavailableError, NotFoundError):
            card = model_card(self.project, node)
            self._registry.describe(node.name, node.version, card.markdown)

    def register(self, run_id: str, path: str, name: str, *, by: str) -> Node:
        """Make a model that a run logged by MLflow's own means the next version of a name.

        It is not loaded here. What it was trained on is not known, so that the gate will ask.

        Raises
        ------
        NotFoundError
            Naming the models that the run logged.
        """
        name = name or path.strip("/").rpartition("/")[2]
        if not NAME.fullmatch(name):
            raise InvalidInputError(
                f"{name!r} cannot be a model's name.",
                "Use letters, digits, '.', '_' and '-', at most 63, a letter or digit first.",
                code="bad_name",
            )
        version, facts = self._registry.adopt(run_id, path, name)
        chain = self.project.chain
        if chain.find(make_ref("model", name, version)) is not None:
            raise ConflictError(
                f"model:{name}@{version} is on the chain already.", "Choose another name."
            )
        run = make_ref("run", run_id, 1)
        node = chain.add(
            "model", name, facts, by=by, version=version, action="register model",
            sources={run: "made"} if chain.find(run) is not None else {},
        )  # fmt: skip
        self.describe(node)
        return node


def _champion(project: ProjectContext, name: str) -> Node:
    versions = project.chain.versions("model", name)
    if not versions:
        project.chain.get(make_ref("model", name, 1))
    about = {
        kpi for node in versions for kpi in concerned(project, node.ref, facts_of(node, ModelFacts))
    }
    nodes = {node.ref: node for node in versions}
    for kpi, found in measurements(project).items():
        if kpi in about:
            numbers = [one for one in found if one.model in nodes and one.value == one.value]
            top = best(kpi, [one for one in numbers if one.honest])
            if top is not None:
                return nodes[top.model]
            break
    raise NotFoundError(
        f"No version of {name} is measured on its first KPI, so that none is the champion.",
        f'Run pj.evaluate("{name}", DATA), or name a version.',
        code="model_not_found",
    )


def served_models(chain: Chain, wanted: dict[str, WantedEndpoint]) -> dict[str, str]:
    """Tell which model version each running endpoint should serve."""
    serving: dict[str, str] = {}
    for name, want in wanted.items():
        node = chain.find(make_ref("endpoint", name, want.revision))
        if want.running and node is not None:
            serving[name] = facts_of(node, EndpointFacts).model
    return serving
