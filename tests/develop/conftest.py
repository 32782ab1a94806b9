"""A develop service on a real store, and a worker for the chain around it."""

from __future__ import annotations

import pytest

from perijove.adapters.environments import UvEnvironments
from perijove.adapters.jobs.board import JobBoard
from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
from perijove.develop.ingester import Ingester
from perijove.develop.service import DevelopService


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
def service(project, store, ingester, jobs):
    return DevelopService(project, store, ingester, jobs, UvEnvironments(), lambda ref: "")
