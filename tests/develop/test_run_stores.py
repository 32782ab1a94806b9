"""Both run stores pass the suite, and stock MLflow reads and writes the same runs."""

from __future__ import annotations

import math
import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from perijove.adapters.mlflow import database
from perijove.adapters.mlflow.client_store import ClientRunStore
from perijove.adapters.mlflow.sqlite_store import SqliteRunStore
from perijove.adapters.mlflow.stores import open_run_store
from perijove.adapters.mlflow.values import allowed_key, original_key
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ForbiddenPathError,
    NotFoundError,
    ReadOnlyError,
    UnavailableError,
)
from perijove.core.paths import ProjectPaths
from perijove.develop.ports import Batch, Point
from perijove.testing.run_store import KEYS, START, RunStoreSuite


@pytest.fixture
def store(project):
    store = SqliteRunStore(project)
    yield store
    store.close()


def client_of(project):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=database.own_uri(project.paths))


class TestSqliteRunStore(RunStoreSuite):
    @pytest.fixture
    def store(self, project):
        store = SqliteRunStore(project)
        yield store
        store.close()


class TestClientRunStore(RunStoreSuite):
    @pytest.fixture
    def store(self, project, tmp_path):
        other = ProjectPaths(tmp_path / "elsewhere")
        other.root.mkdir()
        database.ensure_database(other, "another project")
        return ClientRunStore(project, f"sqlite:///{other.mlflow_db}")


def test_stock_mlflow_reads_all_back(project, store):
    values = {"auc": 0.7, "diverged": math.nan, "up": math.inf, "down": -math.inf, "🚀 loss": 1.0}
    points = [Point(k, v, START + 1, 4) for k, v in values.items()]
    run_id = store.create_run(
        "hgb-7", started=START, batch=Batch(points, {"depth": "3"}, {"perijove.seed": "7"})
    )
    store.write(run_id, Batch([Point("auc", 0.9, START + 2, 5)]))
    folder = store.artifact_folder(run_id)
    (folder / "note.txt").write_text("hello")
    store.finish(run_id, "FINISHED", START + 3)

    client = client_of(project)
    run = client.get_run(run_id)
    assert (run.info.run_name, run.info.status, run.info.user_id) == ("hgb-7", "FINISHED", "ada")
    assert (run.info.start_time, run.info.end_time) == (START, START + 3)
    assert run.data.params == {"depth": "3"}
    assert run.data.tags["perijove.seed"] == "7"
    assert run.data.metrics["auc"] == 0.9
    assert math.isnan(run.data.metrics["diverged"])
    assert run.data.metrics["up"] == -run.data.metrics["down"] == sys.float_info.max
    assert run.data.metrics["🚀 loss"] == 1.0
    assert [(m.value, m.step) for m in client.get_metric_history(run_id, "auc")] == [
        (0.7, 4),
        (0.9, 5),
    ]
    assert [f.path for f in client.list_artifacts(run_id)] == ["note.txt"]
    assert [r.info.run_id for r in client.search_runs(["0"], "metrics.auc > 0.8")] == [run_id]
    assert [e.name for e in client.search_experiments()] == ["builds"]


def test_what_stock_mlflow_writes_shows(project, store):
    counter = store.change_counter()
    client = client_of(project)
    run_id = client.create_run("0", run_name="plain", start_time=START).info.run_id
    client.log_metric(run_id, "loss", math.inf, step=2)
    client.log_metric(run_id, "loss", math.nan, step=1)
    client.log_param(run_id, "lr", 0.1)
    client.log_text(run_id, "hello", "note.txt")
    client.set_terminated(run_id, "FAILED", START + 1)
    (run,), total = store.list_runs(limit=10)
    assert total == 1
    assert (run.run_id, run.name, run.status, run.ended) == (run_id, "plain", "FAILED", START + 1)
    assert run.metrics == {"loss": math.inf}
    assert math.isnan(store.points(run_id)[0].value)
    assert run.params == {"lr": "0.1"}
    assert store.read_artifact(run_id, "note.txt") == b"hello"
    assert store.change_counter() != counter


def test_a_logged_model_lies_among_the_artifacts_of_its_run(project, store):
    client = client_of(project)
    run_id = client.create_run("0", start_time=START).info.run_id
    client.log_text(run_id, "hello", "note.txt")
    for text in ("old", "new"):
        model = client.create_logged_model("0", name="clf", source_run_id=run_id)
        folder = Path(unquote(urlsplit(model.artifact_location).path))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "MLmodel").write_text(text)
    assert [(f.path, f.folder) for f in store.list_artifacts(run_id)] == [
        ("note.txt", False),
        ("clf", True),
    ]
    assert [f.path for f in store.list_artifacts(run_id, "clf")] == ["clf/MLmodel"]
    assert store.artifact_file(run_id, "clf/MLmodel").read_text() == "new"
    with pytest.raises(ForbiddenPathError):
        store.artifact_file(run_id, "clf/../../../../perijove.toml")
    # What the run itself has of that name goes first.
    client.log_text(run_id, "own", "clf/own.txt")
    assert [f.path for f in store.list_artifacts(run_id, "clf")] == ["clf/own.txt"]


def test_a_folder_of_any_name(tmp_path):
    root = tmp_path / "a b#c%20d?'é"
    root.mkdir()
    (root / "perijove.toml").write_text("[project]\n")
    project = ProjectContext.open(root)
    store = SqliteRunStore(project)
    client = client_of(project)
    run_id = client.create_run("0").info.run_id
    client.log_text(run_id, "theirs", "a.txt")
    (store.artifact_folder(run_id) / "b.txt").write_text("ours")
    assert store.read_artifact(run_id, "a.txt") == b"theirs"
    assert sorted(f.path for f in client.list_artifacts(run_id)) == ["a.txt", "b.txt"]
    assert store.artifact_folder(run_id).is_relative_to(root)
    store.close()
    project.chain.ledger.close()


def test_deleted_runs_are_hidden(project, store):
    kept, gone = (store.create_run(name, started=START, batch=Batch()) for name in "ab")
    client_of(project).delete_run(gone)
    assert [run.run_id for run in store.list_runs(limit=9)[0]] == [kept]
    for call in (store.get_run, lambda run: store.write(run, Batch([Point("x", 1.0, 1, 1)]))):
        with pytest.raises(NotFoundError):
            call(gone)


def test_own_writes_change_the_counter(store):
    before = store.change_counter()
    run_id = store.create_run("r", started=START, batch=Batch())
    created = store.change_counter()
    assert created != before
    assert store.change_counter() == created
    store.write(run_id, Batch([Point("x", 1.0, START, 0)]))
    assert store.change_counter() != created


def _log_from_child(root: str, worker: int) -> str:
    store = SqliteRunStore(ProjectContext.open(Path(root)))
    run_id = store.create_run(f"w{worker}", started=START + worker, batch=Batch())
    for step in range(20):
        store.write(run_id, Batch([Point("x", float(step), START, step)]))
    return run_id


def test_processes_make_and_fill_one_database(project):
    root = str(project.paths.root)
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        ids = list(pool.map(_log_from_child, [root] * 4, range(4)))
    store = SqliteRunStore(project)
    assert [run.run_id for run in store.list_runs(limit=9)[0]] == ids[::-1]
    assert all(len(store.points(run_id)) == 20 for run_id in ids)
    store.close()


def test_a_forked_child_opens_its_own_connections(store):
    run_id = store.create_run("r", started=START, batch=Batch())
    pid = os.fork()
    if not pid:
        failed = 1
        try:
            store.write(run_id, Batch([Point("child", 1.0, START, 0)]))
            failed = 0
        finally:
            os._exit(failed)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    store.write(run_id, Batch([Point("parent", 2.0, START, 0)]))
    assert store.get_run(run_id).metrics == {"child": 1.0, "parent": 2.0}


def test_a_moved_project_keeps_its_artifacts(project, store):
    run_id = store.create_run("r", started=START, batch=Batch())
    (store.artifact_folder(run_id) / "a.txt").write_text("kept")
    store.close()
    project.chain.ledger.close()
    root = project.paths.root.rename(project.paths.root.with_name("moved"))
    moved = ProjectContext.open(root)
    store = SqliteRunStore(moved)
    assert store.read_artifact(run_id, "a.txt") == b"kept"
    assert store.artifact_folder(run_id).is_relative_to(root)
    assert [f.path for f in client_of(moved).list_artifacts(run_id)] == ["a.txt"]
    store.close()
    moved.chain.ledger.close()


def test_an_artifact_path_stays_inside(store):
    run_id = store.create_run("r", started=START, batch=Batch())
    store.artifact_folder(run_id)
    with pytest.raises(ForbiddenPathError):
        store.read_artifact(run_id, "../../../../perijove.toml")


def test_mlflow_makes_a_schema_that_our_sql_is_tested_with(project):
    path = database.ensure_database(project.paths)
    with closing(sqlite3.connect(path)) as db:
        assert database.schema_revision(db) in database.TESTED_REVISIONS
        assert db.execute("SELECT experiment_id, name FROM experiments").fetchall() == [
            (0, "project")
        ]


def test_an_unknown_schema_is_read_by_mlflow_itself(project, monkeypatch):
    monkeypatch.setattr(database, "TESTED_REVISIONS", frozenset())
    with pytest.raises(UnavailableError):
        SqliteRunStore(project)
    store = open_run_store(project)
    assert isinstance(store, ClientRunStore)
    run_id = store.create_run("r", started=START, batch=Batch())
    assert store.get_run(run_id).name == "r"


def test_a_wished_store_is_used(project, monkeypatch, tmp_path):
    assert isinstance(open_run_store(project), SqliteRunStore)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/.perijove/mlflow.db")
    assert isinstance(open_run_store(project), SqliteRunStore)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    store = open_run_store(project)
    assert isinstance(store, ClientRunStore)
    with pytest.raises(UnavailableError, match=r"http://127\.0\.0\.1"):
        store.list_runs(limit=1)


def test_a_damaged_database_is_told(project):
    project.paths.mlflow_db.write_bytes(b"no database at all" * 100)
    with pytest.raises(UnavailableError, match=r"mlflow\.db"):
        open_run_store(project)


def test_a_folder_without_write_access_is_told(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / ".perijove").write_text("a file in the way")
    with pytest.raises(ReadOnlyError):
        database.ensure_database(ProjectPaths(root))


def test_the_database_is_made_without_mlflow(folder):
    code = (
        "import sys; from pathlib import Path\n"
        "from perijove.core.context import ProjectContext\n"
        "from perijove.adapters.mlflow.stores import open_run_store\n"
        "open_run_store(ProjectContext.open(Path('.'))).list_runs(limit=1)\n"
        "print([m for m in ('mlflow', 'sqlalchemy', 'alembic', 'pandas') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("key", KEYS[:-2])
def test_keys_for_clients_are_reversible(key):
    from mlflow.utils.validation import _validate_metric_name

    _validate_metric_name(allowed_key(key))
    assert original_key(allowed_key(key)) == key


def test_a_copied_project_is_a_project_of_its_own(project, store):
    run_id = store.create_run("r", started=START, batch=Batch())
    store.artifact_folder(run_id)
    copy = shutil.copytree(project.paths.root, project.paths.root.with_name("copy"))
    twin = ProjectContext.open(copy)
    other = SqliteRunStore(twin)
    other.create_run("only here", started=START, batch=Batch())
    assert other.list_runs(limit=9)[1] == 2
    assert store.list_runs(limit=9)[1] == 1
    other.close()
    twin.chain.ledger.close()
