"""Curation: what a function of the user's made becomes a version in the lake."""

from __future__ import annotations

from typing import Any

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError
from perijove.core.files import sha256_text
from perijove.core.project_file import NAME, DataTable
from perijove.data.ports import DataEngine, Lake
from perijove.data.registry import Registry


class Curation:
    """Commits curated versions."""

    def __init__(
        self, project: ProjectContext, registry: Registry, engine: DataEngine, lake: Lake
    ) -> None:
        self.project = project
        self._registry = registry
        self._engine = engine
        self._lake = lake

    def commit(self, name: str, frame: Any, *, inputs: list[str], source: str, by: str) -> Node:
        """Commit what a curation made as a version.

        The same values from the same code and the same inputs are the same version.

        Parameters
        ----------
        inputs
            References of the data versions that the frame was made from.
        source
            The source of the function that made it.
        """
        if not NAME.fullmatch(name):
            raise InvalidInputError(f"{name!r} cannot be a dataset's name.")
        latest = self.project.chain.latest("data", name)
        if latest is not None and facts_of(latest, DataFacts).kind == "file":
            raise ConflictError(
                f"{name} is registered from a file; a curation cannot take its name.",
                "Curate under another name.",
            )
        table = self._engine.to_table(frame)
        fingerprint = self._engine.fingerprint(table)
        code = sha256_text(source)
        if latest is not None and self._registry.state(latest) == "current":
            facts = facts_of(latest, DataFacts)
            if (facts.fingerprint, facts.code_sha256, facts.inputs) == (fingerprint, code, inputs):
                return latest
        folder = self.project.paths.lake / name
        commit = self._lake.commit(folder, table)
        info = self._engine.info(table)
        node = self.project.chain.add(
            "data",
            name,
            DataFacts(
                path=self.project.paths.relative(folder),
                kind="curated",
                sha256=commit.sha256,
                bytes=commit.bytes,
                rows=info.rows,
                columns=info.columns,
                table=self.project.paths.relative(folder),
                delta_version=commit.version,
                inputs=inputs,
                code_sha256=code,
                source=source,
                fingerprint=fingerprint,
            ),
            by=by,
            sources=dict.fromkeys(inputs, "input"),
            action="curate dataset",
        )
        self._registry.write_table(name, DataTable())
        return node
