"""Make a project in a folder."""

from __future__ import annotations

from pathlib import Path

from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, ReadOnlyError
from perijove.core.files import write_atomically
from perijove.core.paths import PROJECT_FILE

TEMPLATE = """\
# The definition of this project. Perijove follows this file; edit it by hand or in the sidebar.

[project]
name = {name}
# What should be decided better than today, and for whom?
question = ""
# Who answers for it?
owner = ""

# A KPI is a number that decides, on named data. Remove the '#' or set it in the sidebar.
# [[kpi]]
# metric = "roc_auc"
# direction = "maximize"
# data = "mydata"
# split = "test"
# target = 0.75     # reached before a model is deployed
# minimum = 0.7     # kept by the live endpoint
"""


def create_project(folder: Path, name: str = "", *, by: str = "") -> ProjectContext:
    """Write ``perijove.toml`` into a folder, which is made if it is missing.

    Raises
    ------
    ConflictError
        When the folder is a project already; it is left as it is.
    ReadOnlyError
        When the folder cannot be written.
    """
    import tomlkit

    definition = folder / PROJECT_FILE
    if definition.exists():
        raise ConflictError(
            f"{folder} is a project already.", "Open it, or choose another folder.", code="exists"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnlyError(
            f"{folder} cannot be made: {error.strerror}.", "Choose a folder that you can write."
        ) from error
    text = TEMPLATE.format(name=tomlkit.string(name or folder.resolve().name).as_string())
    write_atomically(definition, text.encode())
    project = ProjectContext.open(folder)
    project.chain.ledger.audit(by or project.actor, "create project", PROJECT_FILE)
    return project
