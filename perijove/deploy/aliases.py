"""Aliases of model versions: names such as ``champion`` that move from version to version."""

from __future__ import annotations

import re
from typing import Final

from perijove.contracts.chain import Node
from perijove.core.chain import make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError, NotFoundError
from perijove.core.gate import GateRegistry
from perijove.deploy.ports import ModelRegistry

ALIAS: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
RESERVED: Final = ("latest",)
INPUTS: Final = "inputs_registered"
"""The gate's check of what a model was trained on."""
PROMOTING: Final = ("champion", "production")
"""Whoever deploys by one of these trusts that somebody looked."""


class Aliases:
    """The aliases of one project's models.

    Parameters
    ----------
    project
        The open project.
    registry
        Where they are kept.
    gate
        A version is promoted only if the checks of its data pass.
    """

    def __init__(
        self, project: ProjectContext, registry: ModelRegistry, gate: GateRegistry
    ) -> None:
        self.project = project
        self._registry = registry
        self._gate = gate

    def all(self) -> dict[str, dict[str, int]]:
        """Return model to alias to version."""
        return self._registry.aliases()

    def set(self, name: str, alias: str, version: int, *, reason: str = "", by: str) -> Node:
        """Let an alias stand for a version, whichever it stood for before.

        Raises
        ------
        ConflictError
            When the alias promotes (see ``PROMOTING``) and what it was trained on is not registered and hashed.
        NotFoundError
            When there is no such version.
        """
        if not ALIAS.fullmatch(alias) or alias.lower() in RESERVED or re.fullmatch(r"v\d+", alias):
            raise InvalidInputError(
                f"{alias!r} cannot be an alias.",
                "Use letters, digits, '_' and '-', a letter first; not `latest` and not v1.",
                code="bad_alias",
            )
        node = self.project.chain.get(make_ref("model", name, version))
        if alias.lower() in PROMOTING:
            self._check(node)
        before = self.all().get(name, {}).get(alias)
        self._registry.set_alias(name, alias, version)
        self.project.chain.ledger.audit(
            by, "set alias", node.ref, alias=alias, before=before, reason=reason
        )
        return node

    def remove(self, name: str, alias: str, *, by: str) -> None:
        """Remove an alias.

        Raises
        ------
        NotFoundError
            When the model has none of that name.
        """
        version = self.all().get(name, {}).get(alias)
        if version is None:
            raise NotFoundError(
                f"{name} has no alias {alias!r}.", "It may have been removed already.",
                code="alias_not_found",
            )  # fmt: skip
        self._registry.remove_alias(name, alias)
        self.project.chain.ledger.audit(
            by, "remove alias", make_ref("model", name, version), alias=alias
        )

    def _check(self, node: Node) -> None:
        gate = self._gate.evaluate(self.project, node.ref)
        for check in gate.checks:
            if check.id == INPUTS and check.state != "pass":
                what = ", ".join(check.items) or check.detail
                raise ConflictError(
                    f"{node.ref} is not promoted. {check.title}: {what}", check.fix,
                    code="not_promoted",
                )  # fmt: skip
