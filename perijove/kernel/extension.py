"""``%load_ext perijove``: follow the cells, bring the magics, send MLflow's calls to the project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perijove.core.errors import PerijoveError
from perijove.kernel import variables, words
from perijove.kernel.magics import PerijoveMagics
from perijove.kernel.session import current

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.kernel.session import Session


def load(shell: InteractiveShell) -> None:
    """Set up a kernel. Loading twice changes nothing; without a project it still loads."""
    session = current()
    session.attach(shell)
    shell.register_magics(PerijoveMagics(shell))
    variables.serve(shell)
    # IPython asks an exception for how it wants to be shown.
    setattr(PerijoveError, "_render_traceback_", words.render_error)  # noqa: B010
    try:
        _send_mlflow_here(session)
        name = session.workbench.project.name
    except PerijoveError as error:
        _say(words.usage(error))
        return
    _say(f"project {name} · {session.paths.root}")


def _send_mlflow_here(session: Session) -> None:
    """Let ``mlflow`` code of the user, autologging too, land in the project's run store."""
    from perijove.adapters.mlflow.database import ensure_database, own_uri, tracking_environment

    project = session.workbench.project
    # Importing MLflow would send usage figures to its makers: nobody asked for that here.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    for key, value in tracking_environment(project.paths, project.name).items():
        # What the user set stays; another project's store is what an earlier kernel left.
        if key == "MLFLOW_TRACKING_URI" or not os.environ.get(key):
            os.environ[key] = value
    if os.environ["MLFLOW_TRACKING_URI"] == own_uri(project.paths):
        ensure_database(project.paths, project.name)


def _say(text: str) -> None:
    print(f"Perijove: {text}")  # noqa: T201 - one quiet line in the cell that loads us
