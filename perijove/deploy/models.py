"""Model versions on the chain: found by what people type, and told with their verdicts."""

from __future__ import annotations

from perijove.contracts.chain import Node
from perijove.contracts.deploy import EndpointFacts, ModelFacts, ModelVersion
from perijove.core.chain import Chain, WantedEndpoint, facts_of, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.core.measurements import Verdicts, best, measurements
from perijove.core.targets import concerned

PICKLE_WARNING = (
    "The model is a pickle: loading it runs code. It is loaded only in the endpoint's own process, "
    "and only because this project made it and its hash is unchanged."
)


def resolve_model(project: ProjectContext, text: str) -> Node:
    """Find a model version.

    Parameters
    ----------
    text
        ``model:NAME@VERSION``, ``NAME@VERSION``, ``NAME`` for the newest version, or MLflow's
        ``models:/NAME/VERSION``, ``models:/NAME/latest`` and ``models:/NAME@champion``. The
        champion is the version with the best value of the first KPI that is about it, measured
        by Perijove.

    Raises
    ------
    NotFoundError
        Naming the models that there are.
    """
    name = text.strip().removeprefix("models:/").removeprefix("model:")
    name, separator, version = name.partition("@") if "@" in name else name.partition("/")
    if not name:
        raise InvalidInputError(
            f"{text!r} names no model.", "Write NAME, NAME@VERSION or models:/NAME@champion."
        )
    if not separator or version == "latest":
        node = project.chain.latest("model", name)
        return node if node is not None else project.chain.get(make_ref("model", name, 1))
    if version.isdigit():
        return project.chain.get(make_ref("model", name, int(version)))
    if version == "champion":
        return _champion(project, name)
    raise NotFoundError(
        f"No version of {name} is called {version!r}.",
        "Write a number, `latest` or `champion`.",
        code="model_not_found",
    )


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


def list_models(project: ProjectContext) -> list[ModelVersion]:
    """Tell every model version, newest first."""
    chain, verdicts = project.chain, Verdicts(project)
    serving = served_models(chain, chain.wanted_endpoints())
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
        )
        for node in chain.versions("model")
    ]


def served_models(chain: Chain, wanted: dict[str, WantedEndpoint]) -> dict[str, str]:
    """Tell which model version each running endpoint should serve."""
    serving: dict[str, str] = {}
    for name, want in wanted.items():
        node = chain.find(make_ref("endpoint", name, want.revision))
        if want.running and node is not None:
            serving[name] = facts_of(node, EndpointFacts).model
    return serving
