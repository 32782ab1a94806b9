"""Load the server extension: routes in, nothing heavy."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.utils import url_path_join

from perijove.contracts.routes import EVENTS_PATH
from perijove.server.base import STATE
from perijove.server.events import EventsHandler
from perijove.server.handlers import PREFIX, rest_handlers
from perijove.server.keeper import Keeper
from perijove.server.state import ServerState

if TYPE_CHECKING:
    from logging import Logger

    from jupyter_server.serverapp import ServerApp


def load(app: ServerApp) -> None:
    """Add the routes, and find again what an earlier server left running."""
    state = ServerState(Path(app.root_dir))
    app.web_app.settings[STATE] = state
    base = url_path_join(app.web_app.settings["base_url"], PREFIX)
    handlers = [
        (url_path_join(base, pattern), handler)
        for pattern, handler in [*rest_handlers(), (EVENTS_PATH, EventsHandler)]
    ]
    app.web_app.add_handlers(".*$", handlers)  # type: ignore[no-untyped-call]
    keeper = Keeper(state, app.web_app.settings, app.log)
    app.io_loop.add_callback(keeper.begin)
    threading.Thread(
        target=resume_endpoints, args=(state, app.log), name="perijove-resume", daemon=True
    ).start()


def resume_endpoints(state: ServerState, log: Logger) -> None:
    """Start supervisors for endpoints that should run and have none, say after a reboot.

    Those of projects that the user does not trust wait; the sidebar says so.
    """
    from perijove.core.errors import PerijoveError
    from perijove.problem.service import find_projects

    for project in find_projects(state.root):
        if not (state.root / project.path / ".perijove" / "endpoints").is_dir():
            continue
        try:
            state.workbench(project.path).resume()
        except (PerijoveError, OSError) as error:
            log.warning("Perijove could not resume the endpoints of %s: %s", project.name, error)
