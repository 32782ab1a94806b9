"""MLflow's store of runs with metrics in journals: a call of user code returns in microseconds.

Everything but metrics goes to the database as MLflow does it, and what reads metrics moves the
journals first, so that code of MLflow's own sees what it has just logged.
"""

from __future__ import annotations

import atexit
import os
import time
import weakref
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from mlflow.entities import Metric, Param
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils.validation import (
    _validate_batch_log_data,
    _validate_batch_log_limits,
    _validate_metric,
    _validate_run_id,
)

from perijove.adapters.mlflow.database import artifact_location, ensure_database, own_uri
from perijove.adapters.mlflow.records import RunJournals, metric_records
from perijove.adapters.mlflow.stores import open_run_store
from perijove.core.context import ProjectContext
from perijove.core.errors import PerijoveError
from perijove.develop.ingester import Ingester

KNOWN_SECONDS: Final = 2.0
"""So long a run that was active is taken for active: another process may delete it meanwhile."""

_stores: weakref.WeakSet[JournalStore] = weakref.WeakSet()


class JournalStore(SqlAlchemyStore):
    """The tracking store of one project.

    Parameters
    ----------
    root
        The project's folder.
    """

    def __init__(self, root: Path) -> None:
        self.project = ProjectContext.open(root)
        ensure_database(self.project.paths, self.project.name)
        super().__init__(own_uri(self.project.paths), artifact_location(self.project.paths))
        self._ingester = Ingester(self.project, open_run_store(self.project, own=True))
        self._journals = RunJournals(self.project.paths)
        self._active: dict[str, float] = {}
        _stores.add(self)
        # What a process that was killed has logged; its own runs nobody else would move.
        with suppress(PerijoveError):
            self._ingester.ingest()

    # Writing

    def log_metric(self, run_id: str, metric: Metric) -> None:
        if metric.model_id is not None:
            super().log_metric(run_id, metric)  # the model's own copy goes to its table
        else:
            self._log_metrics(run_id, [metric])

    def log_batch(
        self, run_id: str, metrics: Sequence[Any], params: Sequence[Any], tags: Sequence[Any]
    ) -> None:
        if params or tags or any(metric.model_id is not None for metric in metrics):
            super().log_batch(run_id, metrics, params, tags)
            return
        _validate_run_id(run_id)
        metrics, *_ = _validate_batch_log_data(metrics, params, tags)
        _validate_batch_log_limits(metrics, params, tags)
        self._log_metrics(run_id, metrics)

    def log_param(self, run_id: str, param: Param) -> None:
        super().log_param(run_id, self._journals.masked(run_id, [param])[0])

    def _log_params(self, run_id: str, params: Sequence[Param]) -> None:
        super()._log_params(run_id, self._journals.masked(run_id, params))

    def _log_metrics(self, run_id: str, metrics: Sequence[Metric]) -> None:
        for index, metric in enumerate(metrics):
            path = "" if len(metrics) == 1 else f"metrics[{index}]"
            _validate_metric(metric.key, metric.value, metric.timestamp, metric.step, path=path)
        self._require_active(run_id)
        for record in metric_records(metrics):
            self._journals.append(run_id, record)

    def _require_active(self, run_id: str) -> None:
        now = time.monotonic()
        if now - self._active.get(run_id, -KNOWN_SECONDS) < KNOWN_SECONDS:
            return
        with self.ManagedSessionMaker() as session:
            self._check_run_is_active(self._get_run(run_uuid=run_id, session=session))
        self._active[run_id] = now

    def update_run_info(self, run_id: str, run_status: Any, end_time: Any, run_name: Any) -> Any:
        if end_time is not None:
            self._journals.close(run_id)
        self._move([run_id])
        return super().update_run_info(run_id, run_status, end_time, run_name)

    def delete_run(self, run_id: str) -> None:
        self._move([run_id])
        self._active.pop(run_id, None)
        super().delete_run(run_id)

    # Reading: what was logged is there

    def _move(self, runs: Iterable[str]) -> None:
        """Bring journals into the database: what this process wrote, and what others did."""
        for run_id in runs:
            self._journals.moved(run_id)
            with suppress(PerijoveError):  # such as a full disk: the journal keeps it
                self._ingester.ingest(run_id)

    def get_run(self, run_id: str) -> Any:
        self._move([run_id])
        return super().get_run(run_id)

    def _search_runs(self, *args: Any, **kwargs: Any) -> Any:
        self._move(self._journals.written())
        with suppress(PerijoveError):
            self._ingester.ingest()
        return super()._search_runs(*args, **kwargs)

    def get_metric_history(self, run_id: str, *args: Any, **kwargs: Any) -> Any:
        self._move([run_id])
        return super().get_metric_history(run_id, *args, **kwargs)

    def get_metric_history_bulk(self, run_ids: list[str], *args: Any, **kwargs: Any) -> Any:
        self._move(run_ids)
        return super().get_metric_history_bulk(run_ids, *args, **kwargs)

    def get_metric_history_bulk_interval(
        self, run_ids: list[str], *args: Any, **kwargs: Any
    ) -> Any:
        self._move(run_ids)
        return super().get_metric_history_bulk_interval(run_ids, *args, **kwargs)

    def get_metric_history_bulk_interval_from_steps(
        self, run_id: str, *args: Any, **kwargs: Any
    ) -> Any:
        self._move([run_id])
        return super().get_metric_history_bulk_interval_from_steps(run_id, *args, **kwargs)

    def get_max_step_for_metric(self, run_id: str, metric_key: str) -> Any:
        self._move([run_id])
        return super().get_max_step_for_metric(run_id, metric_key)


def _leave_connections() -> None:
    """In a forked child: the parent's connections are not ours."""
    for store in list(_stores):
        store.engine.dispose(close=False)


def _move_all() -> None:
    """At the end of the process: what was logged after the end of its run, such as a score."""
    for store in list(_stores):
        store._move(store._journals.written())


os.register_at_fork(after_in_child=_leave_connections)
atexit.register(_move_all)
