"""Frameworks that log by a callback: their numbers arrive by step, and stop is obeyed."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from perijove.core.context import ProjectContext
from perijove.core.errors import UnsupportedError
from perijove.core.journal import JournalFolder
from perijove.kernel import callbacks, tracking
from perijove.kernel.tracking import ActiveRun


@pytest.fixture
def run(project: ProjectContext):
    run = ActiveRun(project.paths, "r1")
    tracking.activate(run)
    yield run
    tracking.activate(None)
    run.close()


def curves(project):
    found: dict[str, list[tuple[int, float]]] = {}
    for record in JournalFolder(project.paths.journals / "r1").read():
        if record[0] == "m":
            for key, value in record[3].items():
                found.setdefault(key, []).append((record[2], value))
    return found


def progress(project):
    records = JournalFolder(project.paths.journals / "r1").read()
    return [record[2] for record in records if record[0] == "g"]


def press_stop(project):
    (project.paths.journals / "r1").mkdir(parents=True, exist_ok=True)
    (project.paths.journals / "r1" / "stop").touch()


def test_a_loop_of_ones_own_tells_progress_and_stops(project, run):
    for epoch in callbacks.loop(range(4)):
        tracking.log(loss=1 / (1 + epoch), step=epoch)
    assert progress(project) == [0.25, 0.5, 0.75, 1.0]
    press_stop(project)
    run._asked = 0.0
    assert list(callbacks.loop(iter(range(4)), total=4)) == []


def test_lightgbm(project, run):
    lightgbm = pytest.importorskip("lightgbm")
    x = np.random.default_rng(0).normal(size=(200, 3))
    data = lightgbm.Dataset(x, (x[:, 0] > 0).astype(int))
    options = {"objective": "binary", "metric": "auc", "verbose": -1}

    def train():
        return lightgbm.train(
            options, data, 5, valid_sets=[data], valid_names=["train"],
            callbacks=[callbacks.lightgbm()],
        )  # fmt: skip

    train()
    assert [step for step, _ in curves(project)["train/auc"]] == list(range(5))
    assert progress(project)[-1] == 1.0
    press_stop(project)
    run._asked = 0.0
    assert train().current_iteration() < 5


def test_xgboost(project, run):
    xgboost = pytest.importorskip("xgboost")
    x = np.random.default_rng(0).normal(size=(200, 3))
    data = xgboost.DMatrix(x, (x[:, 0] > 0).astype(int))
    xgboost.train(
        {"objective": "binary:logistic", "eval_metric": "auc"}, data, 5, evals=[(data, "train")],
        verbose_eval=False, callbacks=[callbacks.xgboost()],
    )  # fmt: skip
    assert [step for step, _ in curves(project)["train/auc"]] == list(range(5))


@pytest.mark.slow
def test_lightning(project, run):
    lightning = pytest.importorskip("lightning")
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    class Line(lightning.LightningModule):
        def __init__(self, width=1):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 1)

        def training_step(self, batch, index):
            loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
            self.log("loss", loss, on_step=True)
            return loss

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.01)

    x = torch.arange(32.0).reshape(-1, 1) / 32
    lightning.Trainer(
        max_epochs=2, accelerator="cpu", logger=callbacks.lightning(), log_every_n_steps=1,
        enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False,
    ).fit(Line(), DataLoader(TensorDataset(x, 2 * x), batch_size=8))  # fmt: skip
    assert [step for step, _ in curves(project)["loss"]] == list(range(8))
    records = JournalFolder(project.paths.journals / "r1").read()
    assert ["p", {"width": "1"}] in records


@pytest.mark.slow
def test_keras(project, run, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    x = np.random.default_rng(0).normal(size=(64, 2))
    model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[callbacks.keras(every=1)])
    assert [step for step, _ in curves(project)["loss"]] == [0, 1, 2]
    assert len(curves(project)["batch/loss"]) == 6
    assert progress(project)[-1] == 1.0


@pytest.mark.slow
def test_hugging_faces_trainer(project, run, tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    import torch

    class Line(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def forward(self, x, labels):
            return {"loss": torch.nn.functional.mse_loss(self.layer(x), labels)}

    rows = [{"x": torch.tensor([i / 8]), "labels": torch.tensor([i / 4])} for i in range(16)]
    transformers.Trainer(
        Line(),
        transformers.TrainingArguments(
            str(tmp_path), max_steps=4, logging_steps=1, report_to=[], save_strategy="no",
            disable_tqdm=True, use_cpu=True, per_device_train_batch_size=4,
        ),
        train_dataset=rows, callbacks=[callbacks.transformers()],
    ).train()  # fmt: skip
    assert [step for step, _ in curves(project)["loss"]] == [1, 2, 3, 4]
    assert progress(project)[-1] == 1.0


def test_what_is_missing_is_named(monkeypatch):
    real = builtins.__import__
    monkeypatch.setattr("importlib.import_module", lambda name: real(f"no_such_{name}"))
    for make in (callbacks.keras, callbacks.transformers, callbacks.lightning):
        with pytest.raises(UnsupportedError, match="not installed"):
            make()
