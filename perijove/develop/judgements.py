"""What was measured of runs, in a word each, kept for as long as nothing changes in it."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from perijove.core.context import ProjectContext
from perijove.core.measurements import Verdicts


class Judged(NamedTuple):
    verdicts: Verdicts
    words: dict[str, str]
    """Of runs that have a verdict: ``met``, ``missed`` or ``leaks``."""


class Judgements:
    """Reads the verdicts on all runs: of thousands of models that takes longer than a page may.

    Parameters
    ----------
    project
        The open project.
    """

    def __init__(self, project: ProjectContext) -> None:
        self.project = project
        self._lock = threading.Lock()
        self._kept: tuple[Any, Judged] | None = None

    def read(self) -> Judged:
        """Return what was measured, read anew when the chain or the targets have changed."""
        key = self.project.chain.ledger.change_counter(), self.project.file.read()[1]
        with self._lock:
            if self._kept is not None and self._kept[0] == key:
                return self._kept[1]
        verdicts = Verdicts(self.project)
        found = Judged(verdicts, _words(verdicts))
        with self._lock:
            self._kept = key, found
        return found


def _words(verdicts: Verdicts) -> dict[str, str]:
    """Return the verdict of each run that has one, in a word."""
    words = {}
    for run_id in {one.run_id for found in verdicts.measured.values() for one in found}:
        told = verdicts.of(run_id)
        if told:
            words[run_id] = (
                "leaks"
                if any(verdict.leaks for verdict in told)
                else "met"
                if all(verdict.met for verdict in told)
                else "missed"
            )
    return words
