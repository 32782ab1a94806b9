"""A network that two workers of Ray Train fit together, with its loss logged while they do.

In a cell, in the background, on the cluster that ``[jobs] ray`` or RAY_ADDRESS names::

    %%train --background --executor ray
    from examples.ray_train import fit
    fit(workers=2, epochs=10, log=pj.log)

As a program, on a Ray that it starts by itself or finds in RAY_ADDRESS::

    pip install "perijove[ray]" torch
    python examples/ray_train.py --workers 2 --epochs 10 [--gpu]

Each worker has its part of the rows, and the gradients are averaged (DistributedDataParallel): by
gloo on CPUs, by NCCL on GPUs.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
import ray.train
import torch
from ray.train.torch import TorchTrainer, prepare_data_loader, prepare_model
from ray.util.queue import Empty, Queue
from torch.utils.data import DataLoader, TensorDataset

ROWS = 4_096
COLUMNS = 20


def train_one(config: dict[str, Any]) -> None:
    """Train one of the workers."""
    torch.manual_seed(0)
    rows = torch.randn(ROWS, COLUMNS)
    target = (rows[:, :3].prod(dim=1) > 0).float().unsqueeze(1)
    network = torch.nn.Sequential(
        torch.nn.Linear(COLUMNS, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
    )
    model = prepare_model(network)
    loader = prepare_data_loader(
        DataLoader(TensorDataset(rows, target), batch_size=64, shuffle=True)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
    judge = torch.nn.BCEWithLogitsLoss()
    context = ray.train.get_context()
    for epoch in range(config["epochs"]):
        if context.get_world_size() > 1:
            loader.sampler.set_epoch(epoch)
        total = 0.0
        for inputs, expected in loader:
            loss = judge(model(inputs), expected)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        metrics = {"loss": total / len(loader), "workers": context.get_world_size()}
        ray.train.report({"epoch": epoch, **metrics})
        if context.get_world_rank() == 0:
            config["told"].put((epoch, metrics))


def fit(
    workers: int = 2,
    epochs: int = 10,
    *,
    lr: float = 0.01,
    gpu: bool = False,
    log: Callable[..., Any] = lambda metrics, step: None,
) -> dict[str, Any]:
    """Train on the cluster and return the last metrics.

    Parameters
    ----------
    log
        Is given each epoch's metrics in this process, as ``pj.log`` takes them.
    """
    told = Queue()
    last: dict[str, Any] = {}
    over = threading.Event()
    follower = threading.Thread(target=_follow, args=(told, over, log, last))
    follower.start()
    trainer = TorchTrainer(
        train_one,
        train_loop_config={"epochs": epochs, "lr": lr, "told": told},
        scaling_config=ray.train.ScalingConfig(num_workers=workers, use_gpu=gpu),
        run_config=ray.train.RunConfig(storage_path=str(Path("ray_results").resolve())),
    )
    try:
        trainer.fit()
    finally:
        over.set()
        follower.join()
        told.shutdown()
    return last


def _follow(
    told: Queue, over: threading.Event, log: Callable[..., Any], last: dict[str, Any]
) -> None:
    while True:
        ended = over.is_set()
        try:
            epoch, metrics = told.get(timeout=0.2)
        except Empty:
            if ended:
                return
            continue
        last.update(metrics)
        log(metrics, step=epoch)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--gpu", action="store_true")
    options = parser.parse_args()

    def show(metrics: dict[str, Any], step: int) -> None:
        print(json.dumps({"epoch": step, **metrics}), flush=True)

    ray.init()
    last = fit(options.workers, options.epochs, gpu=options.gpu, log=show)
    print(f"the last epoch's loss: {last['loss']:.3f}")


if __name__ == "__main__":
    main()
