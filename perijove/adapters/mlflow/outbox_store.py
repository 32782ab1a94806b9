"""MLflow's own API where runs are kept on a server: what is logged goes out through the journals.

Nothing that training code logs waits for the network or fails with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param, RunStatus, RunTag
from mlflow.exceptions import MlflowException, RestException
from mlflow.utils.validation import (
    _validate_batch_log_data,
    _validate_batch_log_limits,
    _validate_metric,
    _validate_param,
    _validate_run_id,
    _validate_tag,
)

from perijove.adapters.mlflow.records import RunJournals, metric_records
from perijove.adapters.mlflow.remote import BriefRestStore
from perijove.adapters.mlflow.stores import open_run_store
from perijove.core.context import ProjectContext
from perijove.core.errors import PerijoveError
from perijove.core.ledger import now
from perijove.core.paths import ProjectPaths
from perijove.develop.ingester import Ingester

_ENDS = {RunStatus.FINISHED: "finished", RunStatus.FAILED: "failed", RunStatus.KILLED: "stopped"}


class OutboxStore(BriefRestStore):
    """The tracking store of a project whose runs are on a server.

    Parameters
    ----------
    root
        The project's folder.
    uri
        The server's URL.
    """

    def __init__(self, root: Path, uri: str) -> None:
        super().__init__(uri)
        self._root = root
        self._journals = RunJournals(ProjectPaths(root))
        self._seen: dict[str, Any] = {}
        """Runs as the server last told them: MLflow asks for one at its end."""

    @cached_property
    def _ingester(self) -> Ingester:
        # Later than this store: the run store's own client asks MLflow for a store as well.
        project = ProjectContext.open(self._root)
        return Ingester(project, open_run_store(project))

    def log_metric(self, run_id: str, metric: Metric) -> None:
        self.log_batch(run_id, [metric], [], [])

    def log_param(self, run_id: str, param: Param) -> None:
        _validate_param(param.key, param.value)
        (kept,) = self._journals.masked(run_id, [param])
        self._journals.append(run_id, ("p", {kept.key: str(kept.value)}))

    def set_tag(self, run_id: str, tag: RunTag) -> None:
        _validate_tag(tag.key, tag.value)
        self._journals.append(run_id, ("t", {tag.key: str(tag.value)}))

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        _validate_run_id(run_id)
        metrics, params, tags = _validate_batch_log_data(metrics, params, tags)
        _validate_batch_log_limits(metrics, params, tags)
        for metric in metrics:
            _validate_metric(metric.key, metric.value, metric.timestamp, metric.step)
        if params:
            kept = self._journals.masked(run_id, params)
            self._journals.append(run_id, ("p", {p.key: str(p.value) for p in kept}))
        for record in metric_records(metrics):
            self._journals.append(run_id, record)
        if tags:
            self._journals.append(run_id, ("t", {t.key: str(t.value) for t in tags}))
        if of_models := [metric for metric in metrics if metric.model_id is not None]:
            with suppress(MlflowException):  # the run has them; the model's copy is lost
                super().log_batch(run_id, of_models, [], [])

    def update_run_info(self, run_id: str, run_status: Any, end_time: Any, run_name: Any) -> Any:
        self._move(run_id)
        try:
            return super().update_run_info(run_id, run_status, end_time, run_name)
        except MlflowException as error:
            refused = isinstance(error, RestException) and error.get_http_status_code() < 500
            if refused or run_status not in _ENDS:
                raise
            # The journal ends the run when the server is back.
            self._journals.append(run_id, ("e", end_time or now(), _ENDS[run_status], ""))
            return None
        finally:
            if end_time is not None:
                self._journals.close(run_id)

    def create_run(self, *args: Any, **kwargs: Any) -> Any:
        run = super().create_run(*args, **kwargs)
        self._seen[run.info.run_id] = run
        return run

    def get_run(self, run_id: str) -> Any:
        self._move(run_id)
        try:
            run = super().get_run(run_id)
        except RestException:
            raise  # the server answers, and says no
        except MlflowException:
            if run_id not in self._seen:
                raise
            return self._seen[run_id]
        self._seen[run_id] = run
        return run

    def get_metric_history(self, run_id: str, *args: Any, **kwargs: Any) -> Any:
        self._move(run_id)
        return super().get_metric_history(run_id, *args, **kwargs)

    def _search_runs(self, *args: Any, **kwargs: Any) -> Any:
        for run_id in self._journals.written():
            self._move(run_id)
        return super()._search_runs(*args, **kwargs)

    def _move(self, run_id: str) -> None:
        with suppress(PerijoveError):  # the server is away: the outbox tries again
            self._ingester.ingest(run_id)
