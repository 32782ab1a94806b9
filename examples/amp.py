"""Mixed precision with Lightning: bfloat16 where a GPU or a CPU has it.

In a cell::

    %%train --background --gpus 1 --seed 1
    %run examples/amp.py

On a machine without a GPU, leave ``--gpus`` away: Lightning takes the CPU, and the same precision.
A run that was stopped goes on from its last checkpoint: `perijove jobs retry --resume`.
"""

from __future__ import annotations

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

import perijove as pj

ROWS, COLUMNS, EPOCHS = 4_096, 20, 5


class Network(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(COLUMNS, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)
        )

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
        rows, target = batch
        loss = torch.nn.functional.binary_cross_entropy_with_logits(self.layers(rows), target)
        pj.log(loss=loss.item(), step=self.global_step)
        return loss

    def on_train_epoch_end(self) -> None:
        pj.progress((self.current_epoch + 1) / EPOCHS)
        pj.checkpoint({"network": self.state_dict(), "epoch": self.current_epoch})
        self.trainer.should_stop = pj.should_stop()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def main() -> None:
    rows = torch.randn(ROWS, COLUMNS)
    target = (rows[:, :3].prod(dim=1) > 0).float().unsqueeze(1)
    network, left = Network(), EPOCHS
    if (state := pj.resume()) is not None:
        network.load_state_dict(state["network"])
        left -= state["epoch"] + 1
    trainer = lightning.Trainer(
        precision="bf16-mixed", max_epochs=left, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(network, DataLoader(TensorDataset(rows, target), batch_size=256, shuffle=True))


if __name__ == "__main__":
    main()
