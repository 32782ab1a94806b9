"""The project's own MLflow database: made once, with MLflow's schema, and opened by SQL of ours.

MLflow makes a database by 68 migrations, which takes four seconds and an import of two. A user
needs that once for an installed MLflow: the empty database is kept beside Jupyter's data and
copied for each further project.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from perijove.adapters.mlflow.plugin import OUTBOX_VARIABLE, SCHEME, installed, plugin_uri
from perijove.core.errors import ReadOnlyError, UnavailableError
from perijove.core.files import locked, on_network
from perijove.core.ledger import now
from perijove.core.paths import ProjectPaths

TESTED_REVISIONS: Final = frozenset({"dc11669786a5"})
"""Alembic revisions that our own SQL is tested with."""
EXPERIMENT: Final = 0
"""The project's experiment is MLflow's default one: ``mlflow.start_run()`` alone lands in it."""
BUSY_MS: Final = 20_000
"""As long as MLflow's own clients wait for a lock."""

_ARTIFACT_PATHS: Final = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def own_uri(paths: ProjectPaths) -> str:
    """Return the tracking URI of the project's own database."""
    # SQLAlchemy reads what follows a "?" as options and decodes "%20" (since 2.1).
    path = str(paths.mlflow_db).replace("%", "%25").replace("?", "%3F")
    return f"sqlite:///{path}"


def artifact_location(paths: ProjectPaths) -> str:
    """Return where artifacts lie, as MLflow keeps it: a path in which it decodes "%20"."""
    return str(paths.artifacts).replace("%", "%25")


def tracking_uri(paths: ProjectPaths) -> str:
    """Return where this project's runs are kept.

    ``MLFLOW_TRACKING_URI`` decides when a person set it. A Perijove kernel sets it to its own
    project's database for the sake of ``mlflow`` code; that is no wish for another project.
    """
    wished = os.environ.get("MLFLOW_TRACKING_URI", "").strip()
    return own_uri(paths) if not wished or is_ours(wished) else wished


def leads_to(paths: ProjectPaths, uri: str) -> bool:
    """Whether runs that are logged to a tracking URI are this project's."""
    wished = tracking_uri(paths)
    return uri == wished or (wished == own_uri(paths) and uri == plugin_uri(paths))


def is_ours(uri: str) -> bool:
    """Whether a tracking URI is of some project of Perijove, by its plug-in or its database."""
    return uri.startswith(f"{SCHEME}:") or uri.endswith("/.perijove/mlflow.db")


def tracking_environment(paths: ProjectPaths, name: str) -> dict[str, str]:
    """Return the variables that send stock ``mlflow`` code to this project's runs.

    Through the journals where MLflow finds our plug-in; straight to the database elsewhere.
    """
    uri = tracking_uri(paths)
    if uri == own_uri(paths):
        return {"MLFLOW_TRACKING_URI": plugin_uri(paths) if installed() else uri}
    found = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_NAME": name}
    if uri.startswith(("http://", "https://")):
        found[OUTBOX_VARIABLE] = str(paths.root)
    return found


def ensure_database(paths: ProjectPaths, name: str = "") -> Path:
    """Make the project's database unless it is there; return its path.

    Safe to call from several processes at once: one makes it, the others wait.

    Parameters
    ----------
    name
        What the experiment is called; the folder's name when empty.

    Raises
    ------
    ReadOnlyError
        When the project's folder cannot be written.
    """
    path = paths.mlflow_db
    if path.exists() and path.stat().st_size:
        return path
    paths.make_state()
    try:
        with locked(paths.state / "mlflow.lock"):
            if not (path.exists() and path.stat().st_size):
                _make(paths, name or paths.root.name)
    except OSError as error:
        raise ReadOnlyError(
            f"{path} cannot be made: {error.strerror}.", "Check the permissions of the folder."
        ) from error
    return path


def _make(paths: ProjectPaths, name: str) -> None:
    """Build the database beside its place and move it there whole."""
    with tempfile.TemporaryDirectory(dir=paths.state, prefix=".mlflow-") as folder:
        draft = Path(folder, "mlflow.db")
        shutil.copyfile(_template(), draft)
        with closing(sqlite3.connect(draft, isolation_level=None)) as db:
            _name_experiment(db, paths, name)
            # The mode is kept in the file: MLflow's own clients use it from now on.
            if not on_network(paths.state):
                db.execute("PRAGMA journal_mode=WAL")
        os.replace(draft, paths.mlflow_db)


def _template() -> Path:
    """Return an empty database of the installed MLflow, made by the first who asks."""
    from jupyter_core.paths import jupyter_data_dir

    folder = Path(jupyter_data_dir(), "perijove")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"mlflow-{metadata.version('mlflow-skinny')}.db"
    with locked(folder / "mlflow.lock"):
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=folder, prefix=".mlflow-") as scratch:
                draft = Path(scratch, "mlflow.db")
                migrate(draft)
                os.replace(draft, path)
    return path


def _name_experiment(db: sqlite3.Connection, paths: ProjectPaths, name: str) -> None:
    at = now()
    location = f"{artifact_location(paths)}/{EXPERIMENT}"
    db.execute(
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, "
        "creation_time, last_update_time) VALUES (?1, ?2, ?3, 'active', ?4, ?4) "
        "ON CONFLICT (experiment_id) DO UPDATE SET name=?2, artifact_location=?3",
        (EXPERIMENT, name, location, at),
    )


def relocate(db: sqlite3.Connection, paths: ProjectPaths) -> None:
    """Point MLflow's absolute artifact paths to where the project lies now.

    A project that was moved, renamed or copied keeps its artifacts this way.
    """
    row = db.execute(
        "SELECT artifact_location FROM experiments WHERE experiment_id=?", (EXPERIMENT,)
    ).fetchone()
    old, mark, _ = str(row[0] if row else "").partition("/.perijove/artifacts")
    before, after = old + mark, artifact_location(paths)
    if not mark or before == after or Path(unquote(before)).exists():
        return
    db.execute("BEGIN IMMEDIATE")
    for table, column in _ARTIFACT_PATHS:
        db.execute(
            f"UPDATE {table} SET {column}=?1 || substr({column}, ?2) "
            f"WHERE substr({column}, 1, ?2 - 1)=?3",
            (after, len(before) + 1, before),
        )
    db.execute("COMMIT")


def migrate(path: Path) -> None:
    """Let the installed MLflow make its tables in a new file."""
    import logging

    from mlflow.store.tracking import sqlalchemy_store

    make: Any = sqlalchemy_store.SqlAlchemyStore
    log = logging.getLogger("mlflow.store.db.utils")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        store = make(f"sqlite:///{path}", str(path.parent / "artifacts"))
        store._dispose_engine()
    finally:
        log.setLevel(level)


def schema_revision(db: sqlite3.Connection) -> str:
    """Return the Alembic revision of an open database; empty when it has none."""
    try:
        row = db.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return ""
    except sqlite3.DatabaseError as error:
        raise UnavailableError(
            f"The project's mlflow.db is no database: {error}.",
            "Restore it from a backup, or move it away to start a new one.",
            code="runs_damaged",
        ) from error
    return str(row[0]) if row else ""
