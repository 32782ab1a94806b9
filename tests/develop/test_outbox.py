"""Runs on a tracking server that goes away: training goes on, and everything arrives later."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from mlflow import MlflowClient

from perijove.adapters.mlflow import database
from perijove.adapters.mlflow.client_store import ClientRunStore
from perijove.adapters.mlflow.plugin import open_remote_store
from perijove.adapters.mlflow.stores import open_run_store
from perijove.core.errors import UnavailableError
from perijove.core.paths import ProjectPaths
from perijove.core.process_journal import ProcessJournal
from perijove.develop.ingester import Ingester
from perijove.develop.outbox import Outbox
from perijove.develop.ports import Batch
from perijove.testing.run_store import START, RunStoreSuite

PROGRAM = Path(__file__).with_name("tracking_server.py")
REAL = os.environ.get("PERIJOVE_TEST_MLFLOW", "")
"""The ``mlflow`` command of an environment with the full package: its server is taken instead."""


class Server:
    """A tracking server in a process of its own, on one port whenever it runs."""

    def __init__(self, folder):
        self.paths = ProjectPaths(folder)
        folder.mkdir()
        database.ensure_database(self.paths, "elsewhere")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        if REAL:
            self.process = subprocess.Popen(
                [REAL, "server", "--backend-store-uri", database.own_uri(self.paths), "--port",
                 str(self.port), "--workers", "1", "--artifacts-destination", self.paths.artifacts],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            until(self._answers, "MLflow's server answers", 90)
            return
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, self.paths.mlflow_db, str(self.port), self.paths.artifacts],
            stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self.process.stdout.readline() == b"ready\n"

    def _answers(self):
        try:
            place = f"{self.uri}/api/2.0/mlflow/experiments/get?experiment_id=0"
            return urllib.request.urlopen(place, timeout=60).status == 200
        except OSError:
            return False

    def kill(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)  # MLflow's has workers
            self.process.communicate()
            self.process = None

    @property
    def stock(self):
        return MlflowClient(tracking_uri=database.own_uri(self.paths))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server") / "s")
    yield server
    server.kill()


@pytest.fixture
def server(running, project, monkeypatch):
    if running.process is None:
        running.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", running.uri)
    for key, value in database.tracking_environment(project.paths, project.name).items():
        monkeypatch.setenv(key, value)
    return running


def until(ask, what, seconds=30):
    end = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < end, what
        time.sleep(0.05)


class TestRunStoreOnAServer(RunStoreSuite):
    @pytest.fixture
    def store(self, server, project, request):
        # Each test has an experiment of its own.
        project.file.change(
            lambda text: text["project"].update(name=request.node.name.encode().hex()[:200])
        )
        return ClientRunStore(project, server.uri)


def test_what_is_logged_while_the_server_is_away_arrives(server, project):
    store = open_run_store(project)
    assert isinstance(store, ClientRunStore)
    run_id = store.create_run("r", started=START, batch=Batch())
    ingester = Ingester(project, store)
    outbox = Outbox(ingester)
    outbox.open()
    journal = ProcessJournal(ingester.folder(run_id))
    values = [0.5, math.nan, math.inf, -math.inf]
    try:
        for step in range(100):
            if step == 20:
                until(lambda: server.stock.get_metric_history(run_id, "x"), "the first points")
                server.kill()
            journal.append(("m", START + step, step, {"x": values[step % 4], "y/z": step / 3}))
        journal.append(("p", {"late": "1"}))
        journal.append(("e", START + 500, "finished", ""))
        until(lambda: outbox.trouble, "somebody noticed")
        assert "does not answer" in outbox.trouble
        server.start()
        outbox.hurry()
        until(lambda: server.stock.get_run(run_id).info.status == "FINISHED", "the run's end")
    finally:
        outbox.close()
    run = server.stock.get_run(run_id)
    assert (run.info.end_time, run.data.params) == (START + 500, {"late": "1"})
    history = server.stock.get_metric_history(run_id, "x")
    assert [m.step for m in history] == list(range(100))
    assert sum(math.isnan(m.value) for m in history) == 25
    assert [m.value for m in server.stock.get_metric_history(run_id, "y/z")] == [
        s / 3 for s in range(100)
    ]


def test_mlflows_own_calls_neither_wait_nor_raise(server, project):
    code = f"""
import os, signal, sys, time
import mlflow
run = mlflow.start_run(experiment_id="0")
mlflow.log_metric("loss", 1.0, step=0)
os.killpg({server.process.pid}, signal.SIGKILL)
began = time.monotonic()
for step in range(1, 40):
    mlflow.log_metric("loss", 1 / step, step=step)
mlflow.log_param("lr", 0.1)
mlflow.log_params({{"a": 1, "b": 2}})
mlflow.set_tag("team", "x")
mlflow.log_metrics({{"m": float("nan"), "n": 2}}, step=4)
mlflow.end_run()
print(run.info.run_id, time.monotonic() - began)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=dict(os.environ), capture_output=True, text=True,
        cwd=project.paths.root,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run_id, seconds = done.stdout.splitlines()[-1].split()
    assert float(seconds) < 60  # MLflow itself tries for four minutes, and then raises
    server.kill()
    assert [m.step for m in server.stock.get_metric_history(run_id, "loss")] in ([], [0])
    server.start()
    Ingester(project, open_run_store(project)).ingest()  # whoever opens the project next
    run = server.stock.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"lr": "0.1", "a": "1", "b": "2"}
    assert run.data.tags["team"] == "x"
    history = server.stock.get_metric_history(run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(0, 1.0), *((s, 1 / s) for s in range(1, 40))]
    assert math.isnan(run.data.metrics["m"])


def test_a_server_that_is_away_is_told_at_once_and_in_plain_words(server, project):
    server.kill()
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        open_run_store(project).create_run("r", started=START, batch=Batch())
    assert "MLFLOW_TRACKING_URI" in caught.value.hint
    assert time.monotonic() - began < 30


def test_without_a_project_the_store_is_mlflows_own(monkeypatch):
    from mlflow.store.tracking.rest_store import RestStore

    monkeypatch.delenv("PERIJOVE_OUTBOX", raising=False)
    assert type(open_remote_store("http://127.0.0.1:1")) is RestStore


def test_a_folder_of_files_is_opened_as_it_is(project, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    store = open_run_store(project)
    run_id = store.create_run("r", started=START, batch=Batch(params={"p": "1"}))
    assert not store.remote
    assert store.get_run(run_id).params == {"p": "1"}
    assert list((tmp_path / "mlruns").glob(f"*/{run_id}"))
