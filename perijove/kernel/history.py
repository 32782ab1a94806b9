"""The cells that ran in this kernel, in order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from perijove.contracts.develop import Cell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.kernel.files import FileWatch


class CellHistory:
    """Keeps the cells that succeeded, and the one that runs.

    Parameters
    ----------
    shell
        The kernel's shell.
    files
        Gets the names of data files that the cells' texts hold.
    """

    def __init__(self, shell: InteractiveShell, files: FileWatch) -> None:
        self._shell = shell
        self._files = files
        self._running: list[tuple[str, float]] = []
        # What ran before the extension was loaded: the imports, most often. Which of it failed
        # is not known any more.
        inputs = list(shell.history_manager.input_hist_raw) if shell.history_manager else []
        self._cells = [
            Cell(number=number, source=source)
            for number, source in enumerate(inputs)
            if number and source.strip() and number < shell.execution_count
        ]
        shell.events.register("pre_run_cell", self._begin)
        shell.events.register("post_run_cell", self._end)

    @property
    def running(self) -> Cell | None:
        """The cell that runs now; None when none does."""
        return Cell(number=self.number, source=self._running[-1][0]) if self._running else None

    @property
    def number(self) -> int:
        """The running cell's number: the shell counts a cell before it runs it."""
        return max(self._shell.execution_count - 1, 1)

    def cells(self) -> list[Cell]:
        """Return the cells that succeeded before the running one, then that one."""
        running = self.running
        return [*self._cells, running] if running is not None else list(self._cells)

    def note_running(self) -> None:
        """Note the data files that the running cell names."""
        if self._running:
            source, began = self._running[-1]
            self._files.note_literals(source, before=began)

    def detach(self) -> None:
        self._shell.events.unregister("pre_run_cell", self._begin)
        self._shell.events.unregister("post_run_cell", self._end)

    def _begin(self, info: Any) -> None:
        self._running.append((info.raw_cell or "", time.time()))

    def _end(self, result: Any) -> None:
        # The cell that loads the extension ends here and never began.
        source, began = self._running.pop() if self._running else ("", 0.0)
        if not result.success or result.execution_count is None or not source.strip():
            return
        self._cells.append(Cell(number=result.execution_count, source=source))
        self._files.note_literals(source, before=began)
