"""MLflow's own API on the project's run store: the URI scheme ``perijove:///PROJECT``.

MLflow loads its plug-ins while it is imported itself, so that nothing of it may be imported here:
both functions load what they need when a store is first asked for.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from perijove.core.paths import ProjectPaths

SCHEME: Final = "perijove"


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


def open_registry_store(store_uri: str, tracking_uri: str | None = None) -> Any:
    """Make MLflow's model registry; the entry point ``mlflow.model_registry_store``."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    from perijove.adapters.mlflow.database import ensure_database, own_uri

    paths = ProjectPaths(project_of(store_uri))
    ensure_database(paths)
    return SqlAlchemyStore(own_uri(paths))
