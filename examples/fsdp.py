"""Fully sharded data parallel with torchrun: each process holds a part of every parameter.

In a cell, as :mod:`examples.ddp`::

    %%train --background --gpus 2
    import subprocess, sys
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run([*torchrun, "--nproc-per-node", "2", "examples/fsdp.py"], check=True)

A checkpoint gathers the whole state, so that a job goes on with another number of GPUs too.
"""

from __future__ import annotations

import os
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    set_model_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import perijove as pj

ROWS, COLUMNS, STEPS = 4_096, 20, 40
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def main() -> None:
    gpu = torch.cuda.is_available()
    kind = "cuda" if gpu else "cpu"
    dist.init_process_group("nccl" if gpu else "gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    if gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    mesh = init_device_mesh(kind, (world,))
    torch.manual_seed(0)
    rows = torch.randn(ROWS, COLUMNS)[rank::world].to(kind)
    target = (rows[:, :3].prod(dim=1) > 0).float().unsqueeze(1)
    model: Any = torch.nn.Sequential(
        torch.nn.Linear(COLUMNS, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
    ).to(kind)
    for layer in model:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    start = 0
    if (state := pj.resume()) is not None:
        whole = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True)
        set_model_state_dict(model, state["network"], options=whole)
        start = state["step"] + 1
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(start, STEPS):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(rows), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total = loss.detach().clone()
        dist.all_reduce(total)
        network = get_model_state_dict(model, options=WHOLE) if step % 10 == 9 else None
        if rank == 0:
            pj.log(loss=total.item() / world, step=step)
            pj.progress((step + 1) / STEPS)
            if network is not None:
                pj.checkpoint({"network": network, "step": step}, step=step)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
