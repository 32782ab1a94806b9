"""Runs as they are shown: listed, one with all that made it, their curves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from perijove.contracts.base import number
from perijove.contracts.chain import StepStatus
from perijove.contracts.develop import (
    Cell,
    Disorder,
    Run,
    Runs,
    RunSeries,
    RunState,
    RunSummary,
    Usage,
)
from perijove.core.chain import make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import NotFoundError, ReadOnlyError, UnavailableError
from perijove.core.measurements import Verdicts
from perijove.develop.ingester import Ingester
from perijove.develop.ports import ERROR_TAG, NOTEBOOK_TAG, PARENT_TAG, RunStore, StoredRun
from perijove.develop.reruns import Reruns
from perijove.develop.runs import CELLS, ENVIRONMENT
from perijove.develop.series import LIMIT, to_series
from perijove.develop.states import RunStates
from perijove.develop.status import step_status
from perijove.develop.tags import (
    COMMIT_TAG,
    DIRTY_TAG,
    DISORDER_TAG,
    INPUTS_TAG,
    JOB_TAG,
    MASKED_TAG,
    NOTE_TAG,
    PROCESS_TAG,
    SEED_TAG,
    STAR_TAG,
    UNREGISTERED_TAG,
    USAGE_TAG,
    strings_of,
    value_of,
)

LISTED_METRICS: Final = 100
"""Metrics of a run in a list; the run itself has them all."""
MAX_LISTED: Final = 1000


class RunViews:
    """Shows the runs of one project.

    Parameters
    ----------
    project
        The open project.
    store
        Where runs are kept.
    ingester
        Moves journals into that store.
    states
        Tells how runs stand.
    proofs
        Tells what reruns came to.
    """

    def __init__(
        self,
        project: ProjectContext,
        store: RunStore,
        ingester: Ingester,
        states: RunStates,
        proofs: Reruns,
    ) -> None:
        self.project = project
        self.store = store
        self.ingester = ingester
        self._states = states
        self._proofs = proofs

    def newest(self, *, notebook: str = "", limit: int = 200) -> Runs:
        """Return the newest runs, of all notebooks or of one."""
        self.refresh()
        runs, total = self.store.list_runs(limit=min(max(1, limit), MAX_LISTED), notebook=notebook)
        verdicts = Verdicts(self.project)
        return Runs(
            items=[self.summary(run, verdicts, LISTED_METRICS) for run in runs], total=total
        )

    def get(self, run_id: str) -> Run:
        """Return a run with everything that is known of how it came about.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        self.refresh()
        run = self.store.get_run(run_id)
        tags = run.tags
        seed = tags.get(SEED_TAG, "")
        sources = self.project.chain.sources(make_ref("run", run_id, 1))
        inputs = [*strings_of(tags.get(INPUTS_TAG)), *(node.ref for node in sources)]
        return Run(
            summary=self.summary(run, Verdicts(self.project)),
            tags=tags,
            cells=self._artifact(run_id, CELLS, list[Cell]) or [],
            inputs=list(dict.fromkeys(inputs)),
            unregistered=strings_of(tags.get(UNREGISTERED_TAG)),
            git_commit=tags.get(COMMIT_TAG, ""),
            git_dirty=tags.get(DIRTY_TAG, "").lower() == "true",
            environment=self._artifact(run_id, ENVIRONMENT, dict[str, str]) or {},
            seed=int(seed) if seed.lstrip("-").isdecimal() else None,
            error=tags.get(ERROR_TAG, ""),
            note=tags.get(NOTE_TAG, ""),
            usage=value_of(tags.get(USAGE_TAG), Usage),
            disorder=value_of(tags.get(DISORDER_TAG), list[Disorder]) or [],
            parent=tags.get(PARENT_TAG, ""),
            children=self.store.children(run_id),
            masked=strings_of(tags.get(MASKED_TAG)),
            certificates=self._proofs.certificates(run_id),
            obstacle=self._proofs.obstacle(run),
        )

    def series(self, run_id: str, points: int = LIMIT) -> RunSeries:
        """Return the curves of a run, each with at most ``points`` points."""
        self.refresh()
        self.store.get_run(run_id)
        few = min(max(2, points), LIMIT)
        return RunSeries(run_id=run_id, series=to_series(self.store.points(run_id), few))

    def running(self) -> list[RunSummary]:
        """Return the runs whose process is at work."""
        alive = [run for run, state in self._states.at_work() if state == "running"]
        verdicts = Verdicts(self.project) if alive else None
        return [self.summary(run, verdicts, LISTED_METRICS) for run in alive if verdicts]

    def pulse(self) -> tuple[tuple[str, RunState, float | None], ...]:
        """Return what changes of a run without a write: its process's death and its progress."""
        return tuple(
            (run.run_id, state, self.ingester.state(run.run_id).progress)
            for run, state in self._states.at_work()
        )

    def status(self) -> StepStatus:
        """The sidebar's row."""
        self.refresh()
        verdicts = Verdicts(self.project)
        running, _ = self.store.list_runs(limit=20, status="RUNNING")
        newest, total = self.store.list_runs(limit=5)
        stored = {run.run_id: run for run in (*running, *newest)}
        runs = [self.summary(run, verdicts, LISTED_METRICS) for run in stored.values()]
        errors = {run.run_id: run.tags.get(ERROR_TAG, "") for run in stored.values()}
        return step_status(runs, total, verdicts, self._name, errors)

    def _name(self, run_id: str) -> str:
        """Name a run that may not be among the newest, or may be gone."""
        try:
            return self.store.get_run(run_id).name
        except NotFoundError:
            return ""

    def refresh(self) -> None:
        """Move what was logged into the store, where that can be done now."""
        # Reading goes on where writing cannot; whoever ingests for good says what is wrong.
        with contextlib.suppress(ReadOnlyError, UnavailableError):
            self.ingester.ingest()

    def summary(self, run: StoredRun, verdicts: Verdicts, metrics: int | None = None) -> RunSummary:
        """Say the most important of a run.

        Parameters
        ----------
        metrics
            How many of them, those that targets name first; all when None.
        """
        state = self._states.of(run)
        keys: Iterable[str] = run.metrics
        if metrics is not None and len(run.metrics) > metrics:
            wanted = {kpi.metric for kpi in verdicts.measured}
            keys = sorted(run.metrics, key=lambda key: (key not in wanted, key))[:metrics]
        ours = PROCESS_TAG in run.tags or JOB_TAG in run.tags
        return RunSummary(
            run_id=run.run_id,
            name=run.name,
            state=state,
            started=run.started,
            ended=run.ended,
            notebook=run.tags.get(NOTEBOOK_TAG, ""),
            params=run.params,
            metrics={key: number(run.metrics[key]) for key in keys},
            verdicts=verdicts.of(run.run_id),
            models=verdicts.models(run.run_id),
            progress=self.ingester.state(run.run_id).progress if state == "running" else None,
            tracked_by="perijove" if ours else "mlflow",
            starred=bool(run.tags.get(STAR_TAG)),
            job=run.tags.get(JOB_TAG, ""),
            proved=verdicts.proved(run.run_id),
        )

    def _artifact(self, run_id: str, path: str, kind: Any) -> Any:
        try:
            content = self.store.read_artifact(run_id, path)
        except UnavailableError:
            return None  # artifacts that lie in another store: the run itself still shows
        if content is None:
            return None
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.DecodeError:
            return None
