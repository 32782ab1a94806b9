"""Both implementations of the table's searches against plain Python."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException

from perijove.adapters.mlflow import database
from perijove.adapters.mlflow.client_store import ClientRunStore
from perijove.adapters.mlflow.run_file import RunFile
from perijove.adapters.mlflow.run_mirror import RunMirror
from perijove.adapters.mlflow.run_queries import SqlRunQueries
from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
from perijove.adapters.mlflow.stores import open_run_queries
from perijove.contracts.table import AllOf, AnyOf, Compare, Missing, Not, OneOf, SortKey
from perijove.core.context import ProjectContext
from perijove.core.errors import UnavailableError
from perijove.core.paths import ProjectPaths
from perijove.develop.columns import read_column, read_number
from perijove.develop.ports import RunQuery
from perijove.testing.run_queries import (
    NAMES,
    VALUES,
    RunQueriesSuite,
    fill,
    holds,
    ordered,
)


class TestSqlRunQueries(RunQueriesSuite):
    @pytest.fixture
    def queries(self, store):
        runs = RunFile(store)
        yield SqlRunQueries(runs)
        runs.close()


class TestRunMirror(RunQueriesSuite):
    @pytest.fixture
    def store(self, project, tmp_path):
        other = ProjectPaths(tmp_path / "elsewhere")
        other.root.mkdir()
        database.ensure_database(other, "another project")
        return ClientRunStore(project, f"sqlite:///{other.mlflow_db}")

    @pytest.fixture
    def queries(self, store):
        return SqlRunQueries(RunMirror(store))

    def look_again(self, queries):
        queries.look_again()


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    (root / "perijove.toml").write_text("[project]\n")
    project = ProjectContext.open(root)
    store = SqliteRunStore(project)
    runs = [store.get_run(run_id) for run_id in reversed(fill(store))]
    yield open_run_queries(store), runs
    store.close()
    project.chain.ledger.close()


STILL = [name for name in NAMES if name != "attributes.duration"]
NUMERIC = [text for text in VALUES if read_number(text) is not None]


def leaf(name):
    texts = st.sampled_from(VALUES if read_column(name).holds == "text" else NUMERIC)
    ops = ["=", "!=", "<", "<=", ">", ">="]
    if read_column(name).holds == "text":
        ops += ["contains", "starts_with", "ends_with"]
    return st.one_of(
        st.builds(Compare, column=st.just(name), op=st.sampled_from(ops), value=texts),
        st.builds(OneOf, column=st.just(name), values=st.lists(texts, max_size=3)),
        st.just(Missing(column=name)),
    )


TREES = st.recursive(
    st.sampled_from(STILL).flatmap(leaf),
    lambda inner: st.one_of(
        st.builds(Not, of=inner),
        st.builds(AllOf, of=st.lists(inner, max_size=3)),
        st.builds(AnyOf, of=st.lists(inner, max_size=3)),
    ),
    max_leaves=8,
)
SORTS = st.lists(
    st.builds(SortKey, column=st.sampled_from(STILL), descending=st.booleans()), max_size=3
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=TREES, sort=SORTS)
def test_any_filter_and_order(filled, tree, sort):
    queries, runs = filled
    found, total = queries.find(RunQuery(filter=tree, sort=tuple(sort)), offset=0, limit=100)
    kept = [run for run in runs if holds(tree, run)]
    assert [run.run_id for run in found] == ordered(kept, tuple(sort))
    assert total == len(kept)


def test_a_store_that_went_away_leaves_what_was_copied(project, tmp_path, monkeypatch):
    other = ProjectPaths(tmp_path / "elsewhere")
    other.root.mkdir()
    database.ensure_database(other, "another project")
    store = ClientRunStore(project, f"sqlite:///{other.mlflow_db}")
    fill(store)
    mirror = RunMirror(store)
    queries = SqlRunQueries(mirror)
    assert queries.count() == 6

    def away(*arguments, **options):
        raise MlflowException("connection refused")

    monkeypatch.setattr(mirror._client, "search_runs", away)
    queries.look_again()
    assert queries.count() == 6
    fresh = RunMirror(store)
    monkeypatch.setattr(fresh._client, "search_runs", away)
    with pytest.raises(UnavailableError):
        SqlRunQueries(fresh).count()
