"""Stock MLflow code through the plug-in store: journalled, and equal to what MLflow itself keeps."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from perijove.adapters.mlflow import database, plugin
from perijove.adapters.mlflow.journal_store import JournalStore
from perijove.develop.ingester import Ingester

STEPS = 50


@pytest.fixture
def client(project):
    database.ensure_database(project.paths, project.name)
    return MlflowClient(tracking_uri=plugin.plugin_uri(project.paths))


@pytest.fixture
def stock(project, client):
    return MlflowClient(tracking_uri=database.own_uri(project.paths))


def environment(project):
    return {
        **os.environ,
        "MLFLOW_TRACKING_URI": plugin.plugin_uri(project.paths),
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def run_code(project, code, *, returns=0):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment(project), cwd=project.paths.root, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == returns, done.stderr
    return done


def points(client, run_id, key):
    return [(m.step, m.timestamp, repr(m.value)) for m in client.get_metric_history(run_id, key)]


def test_mlflow_finds_the_plug_in_by_its_scheme(project, client):
    assert plugin.installed()
    assert database.tracking_environment(project.paths, "x") == {
        "MLFLOW_TRACKING_URI": plugin.plugin_uri(project.paths)
    }
    store = mlflow.tracking._tracking_service.utils._get_store(plugin.plugin_uri(project.paths))
    assert isinstance(store, JournalStore)


def test_points_are_journalled_and_read_back_by_mlflow_at_once(project, client, stock):
    run_id = client.create_run("0").info.run_id
    values = [0.1, math.nan, math.inf, -math.inf, 5e-324]
    for step, value in enumerate(values):
        client.log_metric(run_id, "x", value, timestamp=1000 + step, step=step)
    client.log_metric(run_id, "x", 7.0, timestamp=1000, step=0)  # a second value of one step
    journals = list((project.paths.journals / run_id).glob("*.pj"))
    assert len(journals) == 1
    assert stock.get_metric_history(run_id, "x") == []
    found = points(client, run_id, "x")
    assert found == points(stock, run_id, "x")
    assert sorted(text for _, _, text in found) == sorted(
        repr(v) if math.isfinite(v) else "nan" if math.isnan(v) else repr(math.copysign(1.7976931348623157e308, v))
        for v in [*values, 7.0]
    )  # fmt: skip
    assert client.get_run(run_id).data.metrics["x"] == 5e-324


def test_what_both_ways_keep_is_the_same(project, client, stock):
    batch = [Metric(f"m{i % 7}", math.sin(i), 5000 + i // 3, i // 7) for i in range(700)]
    batch += [Metric("odd/name x.y-z", math.nan, 1, 0), Metric("inf", math.inf, 1, 0)]
    ids = []
    for one in (client, stock):
        run_id = one.create_run("0").info.run_id
        ids.append(run_id)
        one.log_batch(run_id, batch, [Param("p", "1")], [RunTag("t", "v")])
        one.log_batch(run_id, batch)  # a retry
        one.set_terminated(run_id)
    ours, theirs = (stock.get_run(run_id) for run_id in ids)
    assert repr(ours.data.metrics) == repr(theirs.data.metrics)
    assert ours.data.params == theirs.data.params
    for key in ours.data.metrics:
        assert points(stock, ids[0], key) == points(stock, ids[1], key)


def test_searches_see_what_was_logged_a_moment_ago(client):
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "auc", 0.9)
    (found,) = client.search_runs(["0"], "metrics.auc > 0.8")
    assert found.info.run_id == run_id


def test_mlflow_says_what_is_wrong_as_ever(client):
    run_id = client.create_run("0").info.run_id
    with pytest.raises(MlflowException, match="nvalid"):
        client.log_metric(run_id, "bad:name;", 1)
    with pytest.raises(MlflowException):
        client.log_batch(run_id, [Metric("x", "word", 1, 0)])
    with pytest.raises(MlflowException):
        client.log_metric("0" * 32, "x", 1)
    client.log_param(run_id, "p", 1)
    with pytest.raises(MlflowException, match="p"):
        client.log_param(run_id, "p", 2)
    client.delete_run(run_id)
    with pytest.raises(MlflowException, match="active"):
        client.log_metric(run_id, "x", 1)


def test_a_killed_process_loses_nothing(project, client, stock):
    done = run_code(
        project,
        f"""
        import os, mlflow
        run = mlflow.start_run()
        for step in range({STEPS}):
            mlflow.log_metric("loss", step / 7, step=step)
        print(run.info.run_id, flush=True)
        os._exit(9)
        """,
        returns=9,
    )
    run_id = done.stdout.strip()
    assert stock.get_metric_history(run_id, "loss") == []
    JournalStore(project.paths.root)  # the next process opens the project
    history = stock.get_metric_history(run_id, "loss")
    assert [(m.step, m.value) for m in history] == [(s, s / 7) for s in range(STEPS)]


def test_forked_workers_log_into_the_run(project, stock, client):
    done = run_code(
        project,
        """
        import os, mlflow
        with mlflow.start_run() as run:
            mlflow.log_metric("w0", 1)
            children = []
            for i in (1, 2, 3):
                child = os.fork()
                if child == 0:
                    client = mlflow.MlflowClient()
                    client.log_metric(run.info.run_id, f"w{i}", i)
                    assert client.get_run(run.info.run_id).data.metrics[f"w{i}"] == i
                    os._exit(0)
                children.append(child)
            assert all(os.waitpid(child, 0)[1] == 0 for child in children)
            mlflow.log_metric("w4", 4)
        print(run.info.run_id)
        """,
    )
    run = stock.get_run(done.stdout.strip())
    assert run.data.metrics == {"w0": 1, "w1": 1, "w2": 2, "w3": 3, "w4": 4}
    assert run.info.status == "FINISHED"


@pytest.mark.slow
def test_sklearn_autologging_with_its_model(project, client, stock):
    run_code(
        project,
        """
        import numpy as np, mlflow
        from sklearn.linear_model import LogisticRegression
        mlflow.sklearn.autolog()
        X = np.arange(40.0).reshape(-1, 2)
        model = LogisticRegression(C=0.5).fit(X, X[:, 0] > 19)
        assert model.score(X, X[:, 0] > 19) > 0.5
        """,
    )
    (run,) = stock.search_runs(["0"])
    assert run.data.params["C"] == "0.5"
    assert {"training_accuracy_score", "training_f1_score"} <= run.data.metrics.keys()
    (model,) = stock.search_logged_models(["0"])
    assert str(model.status) == "READY"
    assert {metric.key for metric in model.metrics} <= run.data.metrics.keys()
    assert not (project.paths.root / "mlruns").exists()
    assert list((project.paths.journals / run.info.run_id).glob("*.pj"))


@pytest.mark.slow
def test_lightgbm_autologging(project, client, stock):
    pytest.importorskip("lightgbm")
    run_code(
        project,
        """
        import numpy as np, lightgbm, mlflow
        mlflow.lightgbm.autolog(log_models=False, log_datasets=False)
        random = np.random.default_rng(0)
        X = random.normal(size=(400, 3))
        data = lightgbm.Dataset(X, (X[:, 0] > 0).astype(int))
        lightgbm.train({"objective": "binary", "metric": "auc", "verbose": -1}, data, 12,
                       valid_sets=[data], valid_names=["train"])
        """,
    )
    (run,) = stock.search_runs(["0"])
    (key,) = [key for key in run.data.metrics if "auc" in key]
    assert [m.step for m in stock.get_metric_history(run.info.run_id, key)] == list(range(12))
    assert run.data.params["objective"] == "binary"


@pytest.mark.slow
def test_lightning_autologging(project, client, stock):
    pytest.importorskip("lightning")
    run_code(
        project,
        """
        import lightning, mlflow, torch
        from torch.utils.data import DataLoader, TensorDataset
        class Line(lightning.LightningModule):
            def __init__(self):
                super().__init__()
                self.layer = torch.nn.Linear(1, 1)
            def training_step(self, batch, index):
                loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
                self.log("loss", loss, on_epoch=True)
                return loss
            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), 0.01)
        x = torch.arange(32.0).reshape(-1, 1) / 32
        mlflow.pytorch.autolog(log_models=False)
        lightning.Trainer(max_epochs=3, accelerator="cpu", logger=False, enable_progress_bar=False,
                          enable_checkpointing=False, enable_model_summary=False,
                          ).fit(Line(), DataLoader(TensorDataset(x, 2 * x), batch_size=8))
        """,
    )
    (run,) = stock.search_runs(["0"])
    (key,) = [key for key in run.data.metrics if key == "loss_epoch"]
    assert len(stock.get_metric_history(run.info.run_id, key)) == 3
    assert run.data.params["epochs"] == "3"


def test_models_are_registered_beside_the_runs(project, client, stock):
    client.create_registered_model("m")
    assert client.create_model_version("m", source="/x", run_id=None).version == 1
    assert [model.name for model in stock.search_registered_models()] == ["m"]


def test_a_server_moves_what_a_process_logs_while_it_runs(project, client, store):
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "x", 1.0, step=3)
    assert Ingester(project, store).ingest() == {run_id}
    assert [p.step for p in store.points(run_id)] == [3]


def test_parameters_that_look_like_secrets_are_masked(project, client, stock):
    run_id = client.create_run("0").info.run_id
    with pytest.warns(UserWarning, match="password looks like a secret"):
        client.log_param(run_id, "password", "hunter2")
    client.log_param(run_id, "password", "hunter2")  # as autologging may
    with pytest.warns(UserWarning, match="url looks"):
        client.log_batch(run_id, [], [Param("url", "mysql://a:b@c/d"), Param("max_tokens", "3")])
    run = client.get_run(run_id)
    assert run.data.params == {"password": "***", "url": "mysql://***@c/d", "max_tokens": "3"}
    assert run.data.tags["perijove.masked"] == '["params.password", "params.url"]'


def test_odd_input_arrives_whole(project, client, stock):
    """Ten thousand names, steps out of order, a clock that jumps back, two writers."""
    run_id = client.create_run("0").info.run_id
    names = [f"layer.{i // 100}/unit {i % 100}" for i in range(10_000)]
    for start in range(0, len(names), 1000):
        metrics = [Metric(name, 1.0, 9_000, 5) for name in names[start : start + 1000]]
        client.log_batch(run_id, metrics)
    for step, at in ((7, 9_000), (3, 5_000), (7, 1_000), (-1, 0)):
        client.log_metric(run_id, "x", float(step), timestamp=at, step=step)
    other = JournalStore(project.paths.root)
    other.log_metric(run_id, Metric("x", 99.0, 1, 8))
    assert len(list((project.paths.journals / run_id).glob("*.pj"))) == 2
    run = client.get_run(run_id)
    assert len(run.data.metrics) == 10_001
    assert run.data.metrics["x"] == 99.0
    history = stock.get_metric_history(run_id, "x")
    assert sorted((m.step, m.timestamp) for m in history) == [
        (-1, 0), (3, 5_000), (7, 1_000), (7, 9_000), (8, 1),
    ]  # fmt: skip
