"""``%load_ext perijove``: follow the cells, bring the magics, send MLflow's calls to the project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perijove.core.errors import PerijoveError
from perijove.kernel import background, variables, words
from perijove.kernel.magics import PerijoveMagics
from perijove.kernel.session import current

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.kernel.session import Session


def load(shell: InteractiveShell) -> None:
    """Set up a kernel. Loading twice changes nothing; without a project it still loads."""
    session = current()
    try:
        where = connect(session, shell)
        name = session.workbench.project.name
    except PerijoveError as error:
        _say(words.usage(error))
        return
    _say(f"project {name} · {session.paths.root}{where}")


def connect(session: Session, shell: InteractiveShell) -> str:
    """Bring the magics and the comms to a shell, and MLflow's calls to the project.

    Returns what to say of where runs are kept; nothing where it is the project itself.

    Raises
    ------
    NotFoundError
        Where there is no project; all else works then.
    """
    session.attach(shell)
    shell.register_magics(PerijoveMagics(shell))
    # It brings the whole of searches, which most kernels never ask for.
    shell.magics_manager.register_lazy("search", "perijove.kernel.search")
    variables.serve(shell)
    background.serve(shell)
    # IPython asks an exception for how it wants to be shown.
    setattr(PerijoveError, "_render_traceback_", words.render_error)  # noqa: B010
    return _send_mlflow_here(session)


def _send_mlflow_here(session: Session) -> str:
    """Let ``mlflow`` code of the user, autologging too, land in the project's run store.

    Returns what to say of it: nothing, unless the user keeps runs in a store of their own.
    """
    from perijove.adapters.mlflow.database import (
        ensure_database,
        own_uri,
        tracking_environment,
        tracking_uri,
    )
    from perijove.core.secrets import mask_url

    project = session.workbench.project
    # Importing MLflow would send usage figures to its makers: nobody asked for that here.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    uri = tracking_uri(project.paths)
    for key, value in tracking_environment(project.paths, project.name).items():
        # What the user set stays; another project's store is what an earlier kernel left.
        if key == "MLFLOW_TRACKING_URI" or not os.environ.get(key):
            os.environ[key] = value
    if uri != own_uri(project.paths):
        return f" · runs in {mask_url(uri)}, as MLFLOW_TRACKING_URI says"
    ensure_database(project.paths, project.name)
    return ""


def _say(text: str) -> None:
    print(f"Perijove: {text}")  # noqa: T201 - one quiet line in the cell that loads us
