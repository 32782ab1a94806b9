"""The cells that ran in this kernel, in order."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from perijove.contracts.develop import Cell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from perijove.kernel.files import FileWatch

SKIP_TAG: Final = "perijove-skip"
"""A cell's tag in the notebook: it does not go along with a training cell."""


@dataclass(frozen=True, slots=True)
class Executed:
    """One execution of a cell."""

    number: int
    source: str
    failed: bool = False
    cell_id: str = ""
    """The cell's id in its notebook; empty where the front end did not tell."""
    skipped: bool = False
    """Tagged ``perijove-skip`` when it ran."""
    at: int = 0
    """When it began, in milliseconds since the epoch; 0 where that was not seen."""

    @property
    def cell(self) -> Cell:
        return Cell(number=self.number, source=self.source)


@dataclass(frozen=True, slots=True)
class _Begun:
    source: str
    at: float
    cell_id: str = ""
    skipped: bool = False

    def executed(self, number: int, *, failed: bool) -> Executed:
        at = int(self.at * 1000)
        return Executed(number, self.source, failed, self.cell_id, self.skipped, at)


class CellHistory:
    """Keeps the cells that ran, and the one that runs.

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
        self._running: list[_Begun] = []
        # What ran before the extension was loaded: the imports, most often. Which of it failed
        # is not known any more.
        inputs = list(shell.history_manager.input_hist_raw) if shell.history_manager else []
        self._executed = [
            Executed(number, source)
            for number, source in enumerate(inputs)
            if number and source.strip() and number < shell.execution_count
        ]
        shell.events.register("pre_run_cell", self._begin)
        shell.events.register("post_run_cell", self._end)

    @property
    def running(self) -> Executed | None:
        """The cell that runs now; None when none does."""
        if not self._running:
            return None
        begun = self._running[-1]
        return begun.executed(self.number, failed=False)

    @property
    def number(self) -> int:
        """The running cell's number: the shell counts a cell before it runs it."""
        return max(self._shell.execution_count - 1, 1)

    @property
    def executed(self) -> list[Executed]:
        """Every execution that has ended, in order, failed ones too."""
        return list(self._executed)

    def cells(self) -> list[Cell]:
        """Return the cells that succeeded before the running one, then that one."""
        running = self.running
        done = [one.cell for one in self._executed if not one.failed]
        return [*done, running.cell] if running is not None else done

    def note_running(self) -> None:
        """Note the data files that the running cell names."""
        if self._running:
            begun = self._running[-1]
            self._files.note_literals(begun.source, before=begun.at)

    def detach(self) -> None:
        self._shell.events.unregister("pre_run_cell", self._begin)
        self._shell.events.unregister("post_run_cell", self._end)

    def _begin(self, info: Any) -> None:
        meta = getattr(info, "cell_meta", None)
        tags = meta.get("tags") if isinstance(meta, dict) else None
        skipped = isinstance(tags, list) and SKIP_TAG in tags
        cell_id = getattr(info, "cell_id", None) or ""
        self._running.append(_Begun(info.raw_cell or "", time.time(), cell_id, skipped))

    def _end(self, result: Any) -> None:
        # The cell that loads the extension ends here and never began.
        begun = self._running.pop() if self._running else _Begun("", 0.0)
        if result.execution_count is None or not begun.source.strip():
            return
        failed = not result.success
        self._executed.append(begun.executed(result.execution_count, failed=failed))
        if not failed:
            self._files.note_literals(begun.source, before=begun.at)
