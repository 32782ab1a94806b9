"""Make a project ready to work in: its definition, its stores, and the example where asked for."""

from __future__ import annotations

from pathlib import Path

from perijove.core.context import ProjectContext


def initialize_project(
    folder: Path,
    *,
    name: str = "",
    example: bool = False,
    data: Path | None = None,
    by: str = "",
) -> ProjectContext:
    """Make a project in a folder, and its run store.

    Parameters
    ----------
    example
        Fill it with the CI-builds example.
    data
        The example's data, instead of data made by its generator.

    Raises
    ------
    ConflictError
        When the folder is a project already.
    """
    from perijove.adapters.mlflow.database import ensure_database
    from perijove.problem.creation import create_project

    if example:
        from perijove.example.project import create_example

        create_example(folder, data=data)
        project = ProjectContext.open(folder)
        project.chain.ledger.audit(by or project.actor, "create example", "perijove.toml")
    else:
        project = create_project(folder, name, by=by)
    ensure_database(project.paths, project.name)
    return project
