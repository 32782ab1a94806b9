"""The prediction journal: every answer is written down, and none is held up by it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from perijove.core.errors import InvalidInputError
from perijove.core.journal import JournalWriter

MAX_CELLS: Final = 500_000
"""Cells of one request that are kept; of a larger one the first rows are."""


class PredictionJournal:
    """Appends predictions to ``REVISION-PID.pj``. Used from one thread."""

    def __init__(self, folder: Path, revision: int) -> None:
        self._path = folder / f"{revision}-{os.getpid()}.pj"
        self._revision = revision
        self._writer: JournalWriter | None = None

    def append(
        self,
        identifier: str,
        at: int,
        status: int,
        rows: int,
        milliseconds: float,
        inputs: dict[str, list[Any]],
        outputs: dict[str, list[Any]],
        error: str,
    ) -> bool:
        """Write one prediction down; False when the disk or the journal's limit refused it."""
        width = len(inputs) + len(outputs)
        if width and rows * width > MAX_CELLS:
            keep = max(1, MAX_CELLS // width)
            inputs = {name: values[:keep] for name, values in inputs.items()}
            outputs = {name: values[:keep] for name, values in outputs.items()}
        head = ("q", identifier, at, self._revision, status, rows, milliseconds)
        try:
            if self._writer is None:
                self._writer = JournalWriter(self._path)
            try:
                self._writer.append((*head, inputs, outputs, error))
            except (InvalidInputError, OverflowError):  # too large, or an integer above 64 bits
                self._writer.append((*head, {}, {}, error))
        except OSError:
            return False
        return True
