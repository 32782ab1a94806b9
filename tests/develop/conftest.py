"""A develop service on a real store, and a worker for the chain around it."""

from __future__ import annotations

import pytest

from perijove.adapters.duckdb.engine import DuckDbEngine
from perijove.adapters.duckdb.workers import Workers
from perijove.adapters.environments import UvEnvironments
from perijove.adapters.importance import weigh_by_forest
from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
from perijove.adapters.mlflow.stores import open_run_queries
from perijove.adapters.optuna import OptunaStudies
from perijove.adapters.table_preview import TablePreviews
from perijove.develop.ingester import Ingester
from perijove.develop.service import DevelopService
from perijove.develop.tracker import TrackerEngines


@pytest.fixture
def store(project):
    store = SqliteRunStore(project)
    yield store
    store.close()


@pytest.fixture
def ingester(project, store):
    return Ingester(project, store)


@pytest.fixture
def jobs(project):
    return JobBoard(project)


@pytest.fixture
def engines(project, store):
    workers = Workers(project.paths.root)
    previews = TablePreviews(DuckDbEngine(workers), project.paths)
    yield TrackerEngines(
        open_run_queries(store), weigh_by_forest, previews.read, OptunaStudies(project.paths)
    )
    workers.close()


@pytest.fixture
def service(project, store, ingester, jobs, engines):
    return DevelopService(
        project, store, ingester, jobs, UvEnvironments(), lambda ref: "", lambda: engines
    )
