"""Data parallel with torchrun: a process for each GPU, or two on the CPU.

In a cell::

    %%train --background --gpus 2
    import subprocess, sys
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run([*torchrun, "--nproc-per-node", "2", "examples/ddp.py"], check=True)

The processes that a training cell starts log to its run. Gradients are averaged by NCCL on GPUs,
by gloo on CPUs. All read the checkpoint of a job that goes on; the first one writes it.
"""

from __future__ import annotations

import os

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

import perijove as pj

ROWS, COLUMNS, EPOCHS = 4_096, 20, 5


def main() -> None:
    gpu = torch.cuda.is_available()
    dist.init_process_group("nccl" if gpu else "gloo")
    rank, place = dist.get_rank(), int(os.environ["LOCAL_RANK"])
    device = torch.device("cuda", place) if gpu else torch.device("cpu")
    torch.manual_seed(0)  # the same rows in each process; the sampler shares them out
    rows = torch.randn(ROWS, COLUMNS)
    target = (rows[:, :3].prod(dim=1) > 0).float().unsqueeze(1)
    data = TensorDataset(rows, target)
    sampler: DistributedSampler[tuple[torch.Tensor, ...]] = DistributedSampler(data, seed=0)
    loader = DataLoader(data, batch_size=128, sampler=sampler)
    network = torch.nn.Sequential(
        torch.nn.Linear(COLUMNS, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
    )
    start = 0
    if (state := pj.resume()) is not None:
        network.load_state_dict(state["network"])
        start = state["epoch"] + 1
    model = DistributedDataParallel(network.to(device), device_ids=[place] if gpu else None)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(start, EPOCHS):
        sampler.set_epoch(epoch)
        total = torch.zeros(1, device=device)
        for inputs, expected in loader:
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                model(inputs.to(device)), expected.to(device)
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() / len(loader)
        dist.all_reduce(total)
        if rank == 0:
            pj.log(loss=total.item() / dist.get_world_size(), step=epoch)
            pj.progress((epoch + 1) / EPOCHS)
            pj.checkpoint({"network": network.state_dict(), "epoch": epoch}, step=epoch)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
