"""Server configuration for the browser tests. Never use it elsewhere: it asks for no token."""

import os
import tempfile

from jupyterlab.galata import configure_jupyter_server

c = get_config()  # noqa: F821

configure_jupyter_server(c)

c.ServerApp.port = int(os.environ["PERIJOVE_UI_PORT"])
c.ServerApp.port_retries = 0
c.ServerApp.allow_root = True
c.ServerApp.root_dir = os.environ.get("PERIJOVE_UI_ROOT") or tempfile.mkdtemp(prefix="perijove-ui-")
c.ServerApp.jpserver_extensions = {"jupyterlab": True, "perijove": True}
