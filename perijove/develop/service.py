"""What the develop step does, room by room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from perijove.contracts.chain import StepStatus
from perijove.contracts.develop import Cell, Run, Runs, RunSeries, RunState, RunSummary
from perijove.contracts.jobs import JobState
from perijove.contracts.operate import Activity
from perijove.core.context import ProjectContext
from perijove.core.errors import NotFoundError
from perijove.core.jobs import JobRunner
from perijove.core.once import once
from perijove.develop.activities import RunActivities
from perijove.develop.ingester import Ingester
from perijove.develop.live import LiveCurve
from perijove.develop.ports import EndState, Environments, RunStore
from perijove.develop.reruns import Reruns
from perijove.develop.runs import RunKeeper
from perijove.develop.series import LIMIT
from perijove.develop.states import RunStates
from perijove.develop.views import RunViews

if TYPE_CHECKING:
    from perijove.develop.searches import Searches
    from perijove.develop.tracker import Tracker, TrackerEngines


class DevelopService:
    """The runs of one project.

    Parameters
    ----------
    project
        The open project.
    store
        Where runs are kept.
    ingester
        Moves journals into that store.
    jobs
        Runs what trains in the background.
    environments
        Locks what is installed, and makes it anew.
    fault
        Tells what is wrong with a data version's bytes; empty when nothing is.
    engines
        Makes what looks at many runs: a training process never does, and starts without it.
    """

    def __init__(
        self,
        project: ProjectContext,
        store: RunStore,
        ingester: Ingester,
        jobs: JobRunner,
        environments: Environments,
        fault: Callable[[str], str],
        engines: Callable[[], TrackerEngines],
    ) -> None:
        self.project = project
        self.store = store
        self.ingester = ingester
        self._jobs = jobs
        self.states = RunStates(store, ingester, self._job_state)
        self.runs = RunKeeper(project, store, ingester, self.states, jobs.stop)
        self.reruns = Reruns(project, store, ingester, self.runs, environments, jobs, fault)
        self.views = RunViews(project, store, ingester, self.states, self.reruns)
        self._make_engines = engines
        self._activities = RunActivities(ingester, self.states)

    @once
    def _engines(self) -> TrackerEngines:
        return self._make_engines()

    @once
    def searches(self) -> Searches:
        from perijove.develop.searches import Searches

        return Searches(self.store, self._engines.queries, self.states, self._engines.studies)

    @once
    def tracker(self) -> Tracker:
        from perijove.develop.tracker import Tracker

        return Tracker(
            self.project, self.store, self.ingester, self.states, self.views, self._engines,
            self.searches.importance,
        )  # fmt: skip

    def _job_state(self, job: str) -> JobState | None:
        try:
            return self._jobs.get(job).state
        except NotFoundError:
            return None

    def start_run(
        self,
        name: str,
        *,
        notebook: str = "",
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        seed: int | None = None,
        inputs: Sequence[str] = (),
        by: str = "",
    ) -> str:
        """See :meth:`perijove.develop.runs.RunKeeper.start`."""
        return self.runs.start(
            name, notebook=notebook, params=params, tags=tags, seed=seed, inputs=inputs, by=by
        )

    def queue_run(
        self,
        name: str,
        *,
        notebook: str = "",
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        seed: int | None = None,
        by: str = "",
    ) -> str:
        """Make a run for the process that will adopt it; name its job by :meth:`assign_job`."""
        return self.runs.start(
            name, notebook=notebook, params=params, tags=tags, seed=seed, by=by, queued=True
        )

    def assign_job(self, run_id: str, job: str) -> None:
        self.runs.assign(run_id, job)

    def adopt_run(self, run_id: str) -> None:
        self.runs.adopt(run_id)

    def record_inputs(
        self, run_id: str, inputs: Sequence[str], unregistered: Sequence[str] = ()
    ) -> None:
        self.runs.record_inputs(run_id, inputs, unregistered)

    def record_origin(
        self, run_id: str, *, cells: Sequence[Cell], environment: Mapping[str, str]
    ) -> None:
        self.runs.record_origin(run_id, cells=cells, environment=environment)

    def finish_run(
        self, run_id: str, state: EndState, error: str = "", *, at: int | None = None
    ) -> None:
        self.runs.finish(run_id, state, error, at=at)

    def stop_run(self, run_id: str, by: str) -> None:
        self.runs.stop(run_id, by)

    def list_runs(self, *, notebook: str = "", limit: int = 200) -> Runs:
        return self.views.newest(notebook=notebook, limit=limit)

    def get_run(self, run_id: str) -> Run:
        return self.searches.describe(self.views.get(run_id))

    def series(self, run_id: str, points: int = LIMIT) -> RunSeries:
        return self.views.series(run_id, points)

    def live(self, run_id: str) -> LiveCurve:
        """Follow a run's curves from its first point on."""
        return LiveCurve(self.ingester, run_id, self.tracker.queries)

    def running(self) -> list[RunSummary]:
        return self.views.running()

    def pulse(self) -> tuple[tuple[str, RunState, float | None], ...]:
        return self.views.pulse()

    def activities(self) -> list[Activity]:
        return self._activities.list()

    def status(self) -> StepStatus:
        """The sidebar's row."""
        return self.views.status()
