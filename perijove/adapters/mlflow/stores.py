"""Which run store a project has."""

from __future__ import annotations

from perijove.adapters.mlflow import database
from perijove.core.context import ProjectContext
from perijove.core.errors import UnavailableError
from perijove.develop.ports import RunQueries, RunStore


def open_run_store(project: ProjectContext, *, own: bool = False) -> RunStore:
    """Open the project's run store; with ``own`` the project's database, whatever is wished.

    Our own SQL on the project's database; MLflow's client where ``MLFLOW_TRACKING_URI`` names
    another store, or where the database has a schema that our SQL is not tested with.
    """
    from perijove.adapters.mlflow.sqlite_store import SqliteRunStore

    uri = database.own_uri(project.paths) if own else database.tracking_uri(project.paths)
    if uri == database.own_uri(project.paths):
        try:
            return SqliteRunStore(project)
        except UnavailableError as error:
            if error.code != "unknown_schema":
                raise
    from perijove.adapters.mlflow.client_store import ClientRunStore

    return ClientRunStore(project, uri)


def open_run_queries(store: RunStore) -> RunQueries:
    """Return what searches among a store's runs."""
    from perijove.adapters.mlflow.run_file import RunFile
    from perijove.adapters.mlflow.run_queries import SqlRunQueries
    from perijove.adapters.mlflow.sqlite_store import SqliteRunStore

    if isinstance(store, SqliteRunStore):
        return SqlRunQueries(RunFile(store))
    from perijove.adapters.mlflow.client_store import ClientRunStore
    from perijove.adapters.mlflow.run_mirror import RunMirror

    assert isinstance(store, ClientRunStore)
    return SqlRunQueries(RunMirror(store))
