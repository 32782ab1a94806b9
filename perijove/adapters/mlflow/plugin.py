"""MLflow's own API on the project's run store: the URI scheme ``perijove:///PROJECT``.

MLflow loads its plug-ins while it is imported itself, so that nothing of it may be imported here:
the functions load what they need when a store is first asked for.

Where the user keeps runs on a server, ``MLFLOW_TRACKING_URI`` stays what it is. A kernel of a
project sets ``PERIJOVE_OUTBOX`` beside it, and MLflow's calls to that server go out through the
journals; without it, and for every other server, the store is MLflow's own.
"""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from perijove.core.paths import ProjectPaths

SCHEME: Final = "perijove"
OUTBOX_VARIABLE: Final = "PERIJOVE_OUTBOX"
"""The root of the project whose runs are on the server that ``MLFLOW_TRACKING_URI`` names."""


def plugin_uri(paths: ProjectPaths) -> str:
    """Return the tracking URI that sends MLflow's calls through the project's journals."""
    return f"{SCHEME}://{quote(str(paths.root))}"


def project_of(uri: str) -> Path:
    """Return the project's root that a tracking URI of ours names."""
    return Path(unquote(urlsplit(uri).path))


def installed() -> bool:
    """Whether MLflow in this environment finds the plug-in."""
    groups = ("mlflow.tracking_store", "mlflow.model_registry_store")
    return all(metadata.entry_points(group=group, name=SCHEME) for group in groups)


def open_tracking_store(store_uri: str, artifact_uri: str | None = None) -> Any:
    """Make MLflow's store of runs; the entry point ``mlflow.tracking_store``."""
    from perijove.adapters.mlflow.journal_store import JournalStore

    return JournalStore(project_of(store_uri))


def open_remote_store(store_uri: str, artifact_uri: str | None = None) -> Any:
    """Make MLflow's store on a server; the entry points ``http`` and ``https``."""
    root = os.environ.get(OUTBOX_VARIABLE, "")
    if root and store_uri == os.environ.get("MLFLOW_TRACKING_URI"):
        from perijove.adapters.mlflow.outbox_store import OutboxStore

        return OutboxStore(Path(root), store_uri)
    from mlflow.tracking._tracking_service.utils import _get_rest_store

    return _get_rest_store(store_uri)


def open_registry_store(store_uri: str, tracking_uri: str | None = None) -> Any:
    """Make MLflow's model registry; the entry point ``mlflow.model_registry_store``."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    from perijove.adapters.mlflow.database import ensure_database, own_uri

    paths = ProjectPaths(project_of(store_uri))
    ensure_database(paths)
    return SqlAlchemyStore(own_uri(paths))
