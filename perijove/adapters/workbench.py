"""One open project with everything that can be done to it.

This is where services meet engines, and the only place. The server, the kernel and the command
line each open one. An engine is imported when its step is first used.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from perijove.contracts.base import State
from perijove.contracts.chain import Lifecycle, StepStatus
from perijove.contracts.operate import Activity
from perijove.core.context import ProjectContext
from perijove.core.errors import NotFoundError, PerijoveError
from perijove.core.gate import GateRegistry
from perijove.core.ledger import now
from perijove.core.once import once
from perijove.problem.service import ProblemService

if TYPE_CHECKING:
    from collections.abc import Callable

    from perijove.adapters.duckdb.engine import DuckDbEngine
    from perijove.adapters.duckdb.workers import Workers
    from perijove.adapters.housekeeping import Housekeeping
    from perijove.adapters.jobs.board import JobBoard
    from perijove.core.alerts import AlertBook
    from perijove.data.ports import DataSource
    from perijove.data.service import DataService
    from perijove.deploy.ports import DeployTarget
    from perijove.deploy.service import DeployService
    from perijove.develop.ingester import Ingester
    from perijove.develop.outbox import Outbox
    from perijove.develop.ports import RunStore
    from perijove.develop.service import DevelopService
    from perijove.develop.tracker import TrackerEngines
    from perijove.monitor.service import MonitorService
    from perijove.operate.service import OperateService


class Workbench:
    """The services of one project, each made when it is first asked for."""

    def __init__(self, project: ProjectContext) -> None:
        self.project = project

    @once
    def problem(self) -> ProblemService:
        return ProblemService(self.project)

    @once
    def _workers(self) -> Workers:
        from perijove.adapters.duckdb.workers import Workers

        return Workers(self.project.paths.root)

    @once
    def _engine(self) -> DuckDbEngine:
        from perijove.adapters.duckdb.engine import DuckDbEngine

        return DuckDbEngine(self._workers)

    @once
    def data(self) -> DataService:
        from perijove.adapters.delta import DeltaLake
        from perijove.adapters.duckdb.profiler import DuckDbProfiler
        from perijove.adapters.duckdb.rules import DuckDbRules
        from perijove.adapters.pandera import import_rules
        from perijove.adapters.programs import RecordedPrograms
        from perijove.data.service import DataService

        workers = self._workers
        return DataService(
            self.project, self._engine, DeltaLake(), self._sources, RecordedPrograms(),
            self.jobs, DuckDbRules(workers), import_rules,
            DuckDbProfiler(workers),
        )  # fmt: skip

    def _sources(self) -> list[DataSource]:
        from perijove.adapters.plugins import load_sources

        return load_sources(self.project)

    @once
    def jobs(self) -> JobBoard:
        from perijove.adapters.jobs.board import JobBoard

        return JobBoard(self.project)

    @once
    def alerts(self) -> AlertBook:
        from perijove.core.alerts import AlertBook

        return AlertBook(self.project.chain.ledger)

    @once
    def housekeeping(self) -> Housekeeping:
        from perijove.adapters.housekeeping import Chore, Housekeeping
        from perijove.core.anchor import Anchor

        anchor = Anchor(self.project.paths, self.project.chain.ledger)
        return Housekeeping(
            [
                Chore("jobs that are lost", self.jobs.list),
                Chore("schedules", self._due),
                Chore("commits that were cut off", self._finish_commits),
                Chore("alerts", self._watch, every=4),
                Chore("old jobs", self.jobs.prune, every=240),
                Chore("the audit's anchor", anchor.refresh, every=20),
                Chore("OpenLineage", self._tell_others()),
            ]
        )

    def _due(self) -> None:
        if not self.project.trust.given():
            return
        # A project without schedules does not open its data step for this.
        if "data" in self.__dict__ or any(t.refresh for t in self.project.definition.data.values()):
            self.data.schedules.look()

    def _finish_commits(self) -> None:
        # A project without any does not open its data step for this.
        if any(self.project.paths.lake.glob(".*.pending")):
            self.data.curation.recover()

    def _watch(self) -> None:
        from perijove.data.schedules import ALERT

        try:
            self.alerts.sync("data", self.data.quality.watch(), apart=(ALERT,))
        finally:
            self.alerts.sync("monitor", self.monitor.watch())

    def _tell_others(self) -> Callable[[], object]:
        from perijove.adapters.openlineage import OpenLineage

        export = OpenLineage(self.project, self._run_end).export
        # Where to, a foreign project's file says.
        return lambda: self.project.trust.given() and export()

    def _run_end(self, run_id: str) -> tuple[str, int] | None:
        try:
            run = self.store.get_run(run_id)
        except NotFoundError:  # somebody deleted it
            return "KILLED", now()
        return (run.status, run.ended) if run.ended is not None else None

    @once
    def store(self) -> RunStore:
        from perijove.adapters.mlflow.stores import open_run_store

        return open_run_store(self.project)

    @once
    def ingester(self) -> Ingester:
        from perijove.develop.ingester import Ingester

        return Ingester(self.project, self.store)

    @once
    def outbox(self) -> Outbox:
        from perijove.develop.outbox import Outbox

        return Outbox(self.ingester)

    @once
    def develop(self) -> DevelopService:
        from perijove.adapters.environments import UvEnvironments
        from perijove.develop.service import DevelopService

        return DevelopService(
            self.project, self.store, self.ingester, self.jobs, UvEnvironments(), self._data_fault,
            self._tracker_engines,
        )  # fmt: skip

    def _tracker_engines(self) -> TrackerEngines:
        from perijove.adapters.importance import weigh_by_forest
        from perijove.adapters.mlflow.stores import open_run_queries
        from perijove.adapters.optuna import OptunaStudies
        from perijove.develop.tracker import TrackerEngines

        return TrackerEngines(
            open_run_queries(self.store), weigh_by_forest, self._read_table,
            OptunaStudies(self.project.paths),
        )  # fmt: skip

    def _read_table(self, file: Path, rows: int) -> tuple[list[str], list[list[str]], int]:
        from perijove.adapters.table_preview import TablePreviews

        return TablePreviews(self._engine, self.project.paths).read(file, rows)

    def _data_fault(self, ref: str) -> str:
        """Tell what is wrong with the bytes of a data version; empty when nothing is."""
        node = self.project.chain.get(ref)
        state = self.data.registry.state(node)
        if state == "current":
            return ""
        newest = self.project.chain.latest("data", node.name)
        if newest is not None and newest.version != node.version:
            try:
                self.data.registry.table(node)
            except PerijoveError as error:
                return f"The bytes of {ref} are gone: {error.message}"
            return ""  # the source has moved on, and a copy of what it was is kept
        return f"The bytes of {ref} are {state}."

    @once
    def gate(self) -> GateRegistry:
        from perijove.data import checks as data
        from perijove.develop import checks as develop
        from perijove.monitor import checks as monitor
        from perijove.operate import checks as operate
        from perijove.problem import checks as problem

        gate = GateRegistry()
        gate.add(
            *problem.CHECKS,
            *data.checks(lambda node: self.data.registry.state(node)),
            *develop.CHECKS,
            *monitor.CHECKS,
            *operate.CHECKS,
        )
        return gate

    @once
    def targets(self) -> dict[str, DeployTarget]:
        from perijove.adapters.plugins import load_targets

        return load_targets(self.project)

    @once
    def deploy(self) -> DeployService:
        from perijove.adapters.mlflow.registry import MlflowRegistry
        from perijove.deploy.service import DeployService

        registry = MlflowRegistry(self.project)
        return DeployService(self.project, self.gate, self.targets, registry)

    @once
    def monitor(self) -> MonitorService:
        from perijove.adapters.metrics import evaluate_metric
        from perijove.monitor.service import MonitorService

        return MonitorService(self.project, evaluate_metric)

    @once
    def operate(self) -> OperateService:
        from perijove.adapters.jobs.usage import JobUsage
        from perijove.adapters.nvml import sample_gpus
        from perijove.operate.service import OperateService, Source

        return OperateService(
            self.project,
            sample_gpus,
            {
                "run": Source(self._runs, lambda run, by: self.develop.stop_run(run, by=by)),
                "endpoint": Source(
                    self._endpoints, lambda name, by: self._stop_endpoint(name, by=by)
                ),
            },
            self.jobs,
            self.held,
            JobUsage(self.jobs.folder),
        )

    def resume(self) -> list[str]:
        """Bring back the endpoints that should run; return their names.

        Those of a project that the user does not trust stay as they are: see :meth:`held`.
        """
        return self.deploy.resume() if self.project.trust.given() else []

    def held(self) -> str:
        """Tell what waits until the user trusts the project; empty where nothing does."""
        if self.project.trust.given():
            return ""
        wanted = self.project.chain.wanted_endpoints().values()
        tables = self.project.definition.data.values()
        waiting = [
            _count(sum(endpoint.running for endpoint in wanted), "endpoint"),
            _count(sum(bool(table.refresh.strip()) for table in tables), "schedule"),
            "OpenLineage" if self.project.definition.openlineage.url else "",
        ]
        return ", ".join(word for word in waiting if word)

    def _runs(self) -> list[Activity]:
        return self.develop.activities()

    def _endpoints(self) -> list[Activity]:
        return self.deploy.activities()

    def _stop_endpoint(self, name: str, *, by: str) -> None:
        self.deploy.stop(name, by=by)

    def lifecycle(self, path: str = "") -> Lifecycle:
        """The five steps and operations at a glance.

        A step that cannot tell its state shows why, and hides none of the others.
        """
        steps: list[tuple[str, Callable[[], StepStatus]]] = [
            ("problem", lambda: self.problem.status()),
            ("data", lambda: self.data.status()),
            ("develop", lambda: self.develop.status()),
            ("deploy", lambda: self.deploy.status()),
            ("monitor", lambda: self.monitor.status()),
            ("operate", lambda: self.operate.status()),
        ]
        return Lifecycle(
            path=path, name=self.project.name, steps=[_status(step, ask) for step, ask in steps]
        )

    def close(self) -> None:
        """End what this process keeps open for the project; endpoints go on."""
        if "data" in self.__dict__:
            self.data.close()
        elif "_engine" in self.__dict__:
            self._engine.close()
        if "outbox" in self.__dict__:
            self.outbox.close()
        self.project.chain.ledger.close()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number > 1)}" if number else ""


def _status(step: str, ask: Callable[[], StepStatus]) -> StepStatus:
    state: State = "failed"
    try:
        return ask()
    except PerijoveError as error:
        fact = error.message
    except Exception as error:
        logging.getLogger("perijove").exception("The step %s cannot tell how it stands", step)
        fact = f"{type(error).__name__}: {error}"
    return StepStatus(step=step, state=state, fact=fact)  # type: ignore[arg-type]


def open_workbench(start: Path | None = None) -> Workbench:
    """Open the project that a folder lies in; the current folder when none is named."""
    return Workbench(ProjectContext.find(start or Path(os.getcwd())))
