"""How a run stands: what its store says, its process, and the job that runs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from perijove.contracts.develop import RunState
from perijove.contracts.jobs import JobState
from perijove.core.ledger import now
from perijove.develop.ingester import Ingester
from perijove.develop.ports import RunStatus, RunStore, StoredRun
from perijove.develop.tags import JOB_TAG, process_of

SILENT_MS: Final = 24 * 3600 * 1000
"""A run on another machine that logs nothing for so long counts as lost."""
UNASSIGNED_MS: Final = 60 * 1000
"""A queued run that nobody gave a job for so long counts as lost: whoever made it is gone."""
AT_WORK: Final[tuple[RunStatus, ...]] = ("SCHEDULED", "RUNNING")
MAX_AT_WORK: Final = 1000

_STATES: Final[dict[RunStatus, RunState]] = {
    "SCHEDULED": "queued",
    "RUNNING": "running",
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "stopped",
}
_ENDED_AS: Final[dict[JobState, RunState]] = {
    "finished": "lost",  # its job ended well and did not end it
    "failed": "failed",
    "stopped": "stopped",
    "lost": "lost",
}

AskJob = Callable[[str], JobState | None]
"""Returns the state of a job; None for one that is not there any more."""


class RunStates:
    """Tells how runs stand.

    Parameters
    ----------
    store
        Where runs are kept.
    ingester
        Knows when a run was last heard of.
    ask_job
        Tells the state of a job.
    """

    def __init__(self, store: RunStore, ingester: Ingester, ask_job: AskJob) -> None:
        self._store = store
        self._ingester = ingester
        self._ask_job = ask_job

    def of(self, run: StoredRun) -> RunState:
        """Return a run's state as it is now."""
        state = _STATES[run.status]
        if run.status not in AT_WORK:
            return state
        job = run.tags.get(JOB_TAG, "")
        job_state = self._ask_job(job) if job else None
        if job_state in _ENDED_AS:
            return _ENDED_AS[job_state]
        if state == "queued":
            if job:
                return "lost" if job_state is None else "queued"
            return "lost" if now() - run.started > UNASSIGNED_MS else "queued"
        return "running" if self._breathes(run) else "lost"

    def _breathes(self, run: StoredRun) -> bool:
        process = process_of(run)
        if process is None:
            return True
        alive = process.alive()
        if alive is None:  # on another machine: only what it logs can be seen
            heard = max(run.started, self._ingester.heard(run.run_id))
            return now() - heard < SILENT_MS
        return alive

    def at_work(self) -> list[tuple[StoredRun, RunState]]:
        """Return the runs that the store takes for queued or running, with their true states."""
        found = []
        for status in AT_WORK:
            runs, _ = self._store.list_runs(limit=MAX_AT_WORK, status=status)
            found += [(run, self.of(run)) for run in runs]
        return found
