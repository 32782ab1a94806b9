"""Runs as activities of the machine: each with the load of its process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from perijove.contracts.operate import Activity
from perijove.develop.ingester import Ingester
from perijove.develop.ports import NOTEBOOK_TAG, StoredRun
from perijove.develop.states import RunStates
from perijove.develop.tags import process_of

if TYPE_CHECKING:
    from psutil import Process


class RunActivities:
    """Follows the processes of runs.

    Parameters
    ----------
    ingester
        Knows how far runs are.
    states
        Tells how runs stand.
    """

    def __init__(self, ingester: Ingester, states: RunStates) -> None:
        self._ingester = ingester
        self._states = states
        self._watched: dict[str, Process] = {}

    def list(self) -> list[Activity]:
        """Return what runs, for operations: with its process's load where it is known."""
        alive = [run for run, state in self._states.at_work() if state == "running"]
        for gone in self._watched.keys() - {run.run_id for run in alive}:
            self._watched.pop(gone, None)
        return [self._activity(run) for run in alive]

    def _activity(self, run: StoredRun) -> Activity:
        import psutil

        process = process_of(run)
        cpu: float | None = None
        memory: int | None = None
        if process is not None and process.alive():
            with contextlib.suppress(psutil.Error):
                # psutil measures from call to call of one object.
                watched = self._watched.setdefault(run.run_id, psutil.Process(process.pid))
                memory = watched.memory_info().rss
                cpu = watched.cpu_percent(interval=None)
        progress = self._ingester.state(run.run_id).progress
        notebook = run.tags.get(NOTEBOOK_TAG, "")
        detail = [notebook] if notebook else []
        if progress is not None:
            detail.append(f"{progress:.0%}")
        return Activity(
            id=run.run_id,
            kind="run",
            name=run.name,
            detail=" · ".join(detail),
            pid=process.pid if process else None,
            cpu_percent=cpu,
            memory=memory,
            since=run.started,
            stoppable=process is not None,
        )
