"""What the develop step does: start, follow, end and show runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from perijove.contracts.base import number
from perijove.contracts.chain import StepStatus
from perijove.contracts.develop import Cell, Run, Runs, RunSeries, RunState, RunSummary
from perijove.contracts.operate import Activity
from perijove.core.chain import RunFacts, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import (
    ConflictError,
    NotFoundError,
    PerijoveError,
    ReadOnlyError,
    UnavailableError,
)
from perijove.core.files import ProcessId, write_atomically
from perijove.core.ledger import now
from perijove.core.measurements import Verdicts
from perijove.develop.ingester import Ingester
from perijove.develop.ports import (
    ERROR_TAG,
    NOTEBOOK_TAG,
    STATUSES,
    STOP_FILE,
    Batch,
    EndState,
    RunStatus,
    RunStore,
    StoredRun,
)
from perijove.develop.series import LIMIT, to_series
from perijove.develop.status import step_status
from perijove.develop.tags import (
    COMMIT_TAG,
    DIRTY_TAG,
    INPUTS_TAG,
    PROCESS_TAG,
    SEED_TAG,
    UNREGISTERED_TAG,
    process_of,
    strings_of,
)

if TYPE_CHECKING:
    from psutil import Process

SILENT_MS: Final = 24 * 3600 * 1000
"""A run on another machine that logs nothing for so long counts as lost."""
CELLS: Final = "perijove/cells.json"
ENVIRONMENT: Final = "perijove/environment.json"
LISTED_METRICS: Final = 100
"""Metrics of a run in a list; the run itself has them all."""
MAX_LISTED: Final = 1000

_STATES: Final[dict[RunStatus, RunState]] = {
    "RUNNING": "running",
    "FINISHED": "finished",
    "FAILED": "failed",
    "KILLED": "stopped",
}


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
    """

    def __init__(self, project: ProjectContext, store: RunStore, ingester: Ingester) -> None:
        self.project = project
        self.store = store
        self.ingester = ingester
        self._watched: dict[str, Process] = {}

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
        """Make a run of this process, in the store and on the chain; return its id.

        Parameters
        ----------
        notebook
            Its path relative to the project; empty when it is not known.
        tags
            More MLflow tags, such as ``mlflow.source.git.commit``.
        inputs
            References of the data versions and splits that it reads.

        Raises
        ------
        NotFoundError
            For an input that the chain does not have; no run is made then.
        """
        for ref in inputs:
            self.project.chain.get(ref)
        by = by or self.project.actor
        own = {
            "mlflow.user": by,
            "mlflow.source.name": notebook,
            "mlflow.source.type": "NOTEBOOK" if notebook else "LOCAL",
            NOTEBOOK_TAG: notebook,
            PROCESS_TAG: msgspec.json.encode(ProcessId.here()).decode(),
            INPUTS_TAG: json.dumps(list(inputs)),
        }
        if seed is not None:
            own[SEED_TAG] = str(seed)
        run_id = self.store.create_run(
            name, started=now(), batch=Batch([], dict(params or {}), {**own, **(tags or {})})
        )
        try:
            self.project.chain.add(
                "run",
                run_id,
                RunFacts(run_id=run_id, notebook=notebook),
                by=by,
                sources=dict.fromkeys(inputs, "read"),
                version=1,
                action="start run",
            )
        except BaseException:  # nobody will ever end it
            with contextlib.suppress(PerijoveError):
                self.store.finish(run_id, "FAILED", now())
            raise
        return run_id

    def record_inputs(
        self, run_id: str, inputs: Sequence[str], unregistered: Sequence[str] = ()
    ) -> None:
        """Add what a run turned out to read, to the store and to the chain.

        Parameters
        ----------
        unregistered
            Files that no dataset names.
        """
        tags = self.store.get_run(run_id).tags
        for ref in inputs:
            self.project.chain.get(ref)
        ref = make_ref("run", run_id, 1)
        if self.project.chain.find(ref) is not None:
            for source in inputs:
                self.project.chain.link(source, ref, "read")
        merged = {
            tag: json.dumps(list(dict.fromkeys([*strings_of(tags.get(tag)), *more])))
            for tag, more in ((INPUTS_TAG, inputs), (UNREGISTERED_TAG, unregistered))
            if more
        }
        if merged:
            self.store.write(run_id, Batch(tags=merged))

    def record_origin(
        self, run_id: str, *, cells: Sequence[Cell], environment: Mapping[str, str]
    ) -> None:
        """Keep the executed cells and the environment as artifacts of the run."""
        folder = self.store.artifact_folder(run_id)
        for path, content in ((CELLS, list(cells)), (ENVIRONMENT, dict(environment))):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, msgspec.json.format(msgspec.json.encode(content), indent=1))

    def finish_run(
        self, run_id: str, state: EndState, error: str = "", *, at: int | None = None
    ) -> None:
        """End a run; everything that it logged before is in the store afterwards.

        Parameters
        ----------
        error
            Why it failed, the exception's line first.
        at
            When it ended; now when left out.
        """
        self.ingester.ingest(run_id)
        if error:
            self.store.write(run_id, Batch(tags={ERROR_TAG: error}))
        self.store.finish(run_id, STATUSES[state], now() if at is None else at)

    def stop_run(self, run_id: str, by: str) -> None:
        """Ask a running run to stop: by a file that it looks for, and by an interrupt.

        Raises
        ------
        ConflictError
            When it does not run.
        """
        run = self.store.get_run(run_id)
        state = self._state(run)
        if state != "running":
            raise ConflictError(
                f"{run.name} does not run: it is {state}.",
                "Look at the run for how it ended.",
                code="run_not_running",
            )
        self.project.chain.ledger.audit(by, "stop run", make_ref("run", run_id, 1), name=run.name)
        folder = self.ingester.folder(run_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / STOP_FILE).touch()
        except OSError as error:
            raise ReadOnlyError(
                f"{folder} cannot be written: {error.strerror}.", "Check the folder's permissions."
            ) from error
        process = process_of(run)
        if process is not None and process.alive():
            # Another user's process takes no signal of ours; it still finds the file.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGINT)

    def list_runs(self, *, notebook: str = "", limit: int = 200) -> Runs:
        """Return the newest runs, of all notebooks or of one."""
        self._refresh()
        runs, total = self.store.list_runs(limit=min(max(1, limit), MAX_LISTED), notebook=notebook)
        verdicts = Verdicts(self.project)
        return Runs(
            items=[self._summary(run, verdicts, LISTED_METRICS) for run in runs], total=total
        )

    def get_run(self, run_id: str) -> Run:
        """Return a run with everything that is known of how it came about.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        self._refresh()
        run = self.store.get_run(run_id)
        tags = run.tags
        seed = tags.get(SEED_TAG, "")
        sources = self.project.chain.sources(make_ref("run", run_id, 1))
        inputs = [*strings_of(tags.get(INPUTS_TAG)), *(node.ref for node in sources)]
        return Run(
            summary=self._summary(run, Verdicts(self.project)),
            tags=tags,
            cells=self._artifact(run_id, CELLS, list[Cell]) or [],
            inputs=list(dict.fromkeys(inputs)),
            unregistered=strings_of(tags.get(UNREGISTERED_TAG)),
            git_commit=tags.get(COMMIT_TAG, ""),
            git_dirty=tags.get(DIRTY_TAG, "").lower() == "true",
            environment=self._artifact(run_id, ENVIRONMENT, dict[str, str]) or {},
            seed=int(seed) if seed.lstrip("-").isdecimal() else None,
            error=tags.get(ERROR_TAG, ""),
        )

    def series(self, run_id: str, points: int = LIMIT) -> RunSeries:
        """Return the curves of a run, each with at most ``points`` points."""
        self._refresh()
        self.store.get_run(run_id)
        few = min(max(2, points), LIMIT)
        return RunSeries(run_id=run_id, series=to_series(self.store.points(run_id), few))

    def running(self) -> list[RunSummary]:
        """Return the runs whose process is at work."""
        runs, _ = self.store.list_runs(limit=MAX_LISTED, status="RUNNING")
        alive = [run for run in runs if self._state(run) == "running"]
        verdicts = Verdicts(self.project) if alive else None
        return [self._summary(run, verdicts, LISTED_METRICS) for run in alive if verdicts]

    def pulse(self) -> tuple[tuple[str, RunState, float | None], ...]:
        """Return what changes of a run without a write: its process's death and its progress."""
        runs, _ = self.store.list_runs(limit=MAX_LISTED, status="RUNNING")
        return tuple(
            (run.run_id, self._state(run), self.ingester.state(run.run_id).progress) for run in runs
        )

    def activities(self) -> list[Activity]:
        """Return what runs, for operations: with its process's load where it is known."""
        runs, _ = self.store.list_runs(limit=MAX_LISTED, status="RUNNING")
        alive = [run for run in runs if self._state(run) == "running"]
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
        progress = self.ingester.state(run.run_id).progress
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

    def status(self) -> StepStatus:
        """The sidebar's row."""
        self._refresh()
        verdicts = Verdicts(self.project)
        running, _ = self.store.list_runs(limit=20, status="RUNNING")
        newest, total = self.store.list_runs(limit=5)
        stored = {run.run_id: run for run in (*running, *newest)}
        runs = [self._summary(run, verdicts, LISTED_METRICS) for run in stored.values()]
        errors = {run.run_id: run.tags.get(ERROR_TAG, "") for run in stored.values()}
        return step_status(runs, total, verdicts, self._name, errors)

    def _name(self, run_id: str) -> str:
        """Name a run that may not be among the newest, or may be gone."""
        try:
            return self.store.get_run(run_id).name
        except NotFoundError:
            return ""

    def _refresh(self) -> None:
        # Reading goes on where writing cannot; whoever ingests for good says what is wrong.
        with contextlib.suppress(ReadOnlyError, UnavailableError):
            self.ingester.ingest()

    def _state(self, run: StoredRun) -> RunState:
        state = _STATES[run.status]
        process = process_of(run)
        if state != "running" or process is None:
            return state
        alive = process.alive()
        if alive is None:  # on another machine: only what it logs can be seen
            heard = max(run.started, self.ingester.heard(run.run_id))
            alive = now() - heard < SILENT_MS
        return state if alive else "lost"

    def _summary(
        self, run: StoredRun, verdicts: Verdicts, metrics: int | None = None
    ) -> RunSummary:
        state = self._state(run)
        keys: Iterable[str] = run.metrics
        if metrics is not None and len(run.metrics) > metrics:
            wanted = {kpi.metric for kpi in verdicts.measured}
            keys = sorted(run.metrics, key=lambda key: (key not in wanted, key))[:metrics]
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
            tracked_by="perijove" if PROCESS_TAG in run.tags else "mlflow",
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
