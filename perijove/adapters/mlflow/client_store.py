"""The run store on any MLflow tracking URI, through MLflow's own client."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from perijove.adapters.mlflow.artifact_files import found_file, listed
from perijove.adapters.mlflow.values import (
    MAX_PARAM,
    MAX_TAG,
    allowed_key,
    original_key,
    short,
    unpack,
)
from perijove.core.context import ProjectContext
from perijove.core.errors import NotFoundError, PerijoveError, ReadOnlyError, UnavailableError
from perijove.core.ledger import now
from perijove.core.paths import resolve_inside
from perijove.develop.ports import (
    NOTEBOOK_TAG,
    PARENT_TAG,
    Batch,
    Point,
    RunStatus,
    StoredArtifact,
    StoredRun,
)

METRICS_A_CALL = 1000
ENTITIES_A_CALL = 100
"""MLflow's limits of one ``log_batch``."""
PAGE = 1000


class ClientRunStore:
    """Runs of the experiment that is named after the project, in the store at ``uri``.

    Parameters
    ----------
    project
        The open project.
    uri
        MLflow's tracking URI. Its credentials are MLflow's own: its environment variables.
    """

    def __init__(self, project: ProjectContext, uri: str) -> None:
        self.project = project
        self.uri = uri
        self.remote = uri.startswith(("http://", "https://"))
        self._lock = threading.Lock()
        self._experiment = ""
        with client_errors(uri):
            self._client = self._open()

    def _open(self) -> Any:
        if self.remote:
            from perijove.adapters.mlflow.remote import BriefClient

            return BriefClient(self.uri)
        from mlflow import MlflowClient

        if urlsplit(self.uri).scheme in ("", "file"):
            # MLflow advises against folders of files; this one is there and in use.
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        return MlflowClient(tracking_uri=self.uri)

    @property
    def experiment(self) -> str:
        """The experiment's id; it is made when it is missing."""
        from mlflow.exceptions import MlflowException

        with self._lock:
            if self._experiment:
                return self._experiment
            with client_errors(self.uri):
                found = self._client.get_experiment_by_name(self.project.name)
                if found is None:
                    try:
                        self._experiment = self._client.create_experiment(self.project.name)
                    except MlflowException as error:
                        if error.error_code != "RESOURCE_ALREADY_EXISTS":
                            raise
                        found = self._client.get_experiment_by_name(self.project.name)
                if found is not None:
                    if found.lifecycle_stage == "deleted":
                        self._client.restore_experiment(found.experiment_id)
                    self._experiment = found.experiment_id
            return self._experiment

    def create_run(self, name: str, *, started: int, batch: Batch, queued: bool = False) -> str:
        tags = {"mlflow.user": self.project.actor, **batch.tags}
        experiment = self.experiment
        with client_errors(self.uri):
            run = self._client.create_run(
                experiment, start_time=started, tags=_tags(tags), run_name=short(name, 250)
            )
            run_id = str(run.info.run_id)
            if queued:
                self._client.update_run(run_id, status="SCHEDULED")
        self.write(run_id, Batch(batch.points, batch.params))
        return run_id

    def write(self, run_id: str, batch: Batch) -> None:
        from mlflow.entities import Metric, Param, RunTag

        with client_errors(self.uri, run_id):
            params = {allowed_key(k): short(v, MAX_PARAM) for k, v in batch.params.items()}
            if params or not (batch.points or batch.tags):
                # MLflow refuses another value for a parameter; here what is there stays.
                there = self._active(run_id).data.params
                params = {key: text for key, text in params.items() if key not in there}
            metrics = [Metric(allowed_key(p.key), p.value, p.at, p.step) for p in batch.points]
            self._send(run_id, metrics, METRICS_A_CALL, "metrics")
            self._send(run_id, [Param(k, v) for k, v in params.items()], ENTITIES_A_CALL, "params")
            tags = [RunTag(k, v) for k, v in _tags(batch.tags).items()]
            self._send(run_id, tags, ENTITIES_A_CALL, "tags")

    def _send(self, run_id: str, items: list[Any], size: int, kind: str) -> None:
        for start in range(0, len(items), size):
            self._client.log_batch(run_id, **{kind: items[start : start + size]})

    def _active(self, run_id: str) -> Any:
        with client_errors(self.uri, run_id):
            run = self._client.get_run(run_id)
        if run.info.lifecycle_stage != "active":
            raise _unknown(run_id)
        return run

    def withdraw(self, run_id: str, points: Sequence[Point]) -> None:
        """MLflow's server deletes no point of a run: the later ones of a step count."""

    def begin(self, run_id: str, at: int) -> None:
        # MLflow's client moves no time of start; the time of an earlier end goes with the next one.
        self._active(run_id)
        with client_errors(self.uri, run_id):
            self._client.update_run(run_id, status="RUNNING")

    def finish(self, run_id: str, status: RunStatus, at: int) -> None:
        self._active(run_id)
        staging = self._staging(run_id)
        with client_errors(self.uri, run_id):
            if staging.is_dir():
                self._client.log_artifacts(run_id, str(staging))
            self._client.set_terminated(run_id, status=status, end_time=at)

    def list_runs(
        self, *, limit: int, notebook: str = "", status: RunStatus | None = None
    ) -> tuple[list[StoredRun], int]:
        wanted = [_equals(f"tags.`{NOTEBOOK_TAG}`", notebook)] if notebook else []
        if status:
            wanted.append(f"attributes.status = '{status}'")
        runs: list[StoredRun] = []
        total, token = 0, None
        experiment = self.experiment
        while True:
            with client_errors(self.uri):
                page = self._client.search_runs(
                    [experiment],
                    filter_string=" AND ".join(wanted),
                    max_results=PAGE if total else max(1, min(limit, PAGE)),
                    order_by=["attributes.start_time DESC"],
                    page_token=token,
                )
            total += len(page)
            runs += [_stored(run) for run in page[: limit - len(runs)]]
            token = page.token
            if not token:
                return runs, total

    def children(self, run_id: str) -> list[str]:
        experiment = self.experiment
        with client_errors(self.uri):
            page = self._client.search_runs(
                [experiment],
                filter_string=_equals(f"tags.`{PARENT_TAG}`", run_id),
                max_results=PAGE,
                order_by=["attributes.start_time DESC"],
            )
        return [run.info.run_id for run in page]

    def get_run(self, run_id: str) -> StoredRun:
        return _stored(self._active(run_id))

    def points(self, run_id: str, key: str = "") -> list[Point]:
        keys = [allowed_key(key)] if key else sorted(self._active(run_id).data.metrics)
        points: list[Point] = []
        for name in keys:
            with client_errors(self.uri, run_id):
                history = self._client.get_metric_history(run_id, name)
            points += [
                Point(original_key(m.key), unpack(m.value, False), m.timestamp, m.step)
                for m in history
            ]
        return sorted(points, key=lambda p: (p.key, p.step, p.at))

    def point_cursor(self) -> int:
        return now()

    def points_since(self, run_id: str, cursor: int) -> tuple[list[Point], int]:
        # MLflow has no cursor: the newest time does, and get_series has the whole truth.
        points = [p for p in self.points(run_id) if p.at > cursor]
        return points, max((p.at for p in points), default=cursor)

    def artifact_folder(self, run_id: str) -> Path:
        try:
            folder = self._local(run_id) or self._staging(run_id)
        except UnavailableError:  # what is put there now is sent when the run ends
            folder = self._staging(run_id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReadOnlyError(
                f"{folder} cannot be made: {error.strerror}.", "Check the folder's permissions."
            ) from error
        return folder

    def _staging(self, run_id: str) -> Path:
        return self.project.paths.artifacts / "outgoing" / run_id

    def _local(self, run_id: str) -> Path | None:
        uri = str(self._active(run_id).info.artifact_uri)
        parts = urlsplit(uri)
        if not parts.scheme:
            return Path(unquote(uri))
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    def untag(self, run_id: str, keys: Sequence[str]) -> None:
        there = self._active(run_id).data.tags
        for key in keys:
            if allowed_key(key) in there:
                with client_errors(self.uri, run_id):
                    self._client.delete_tag(run_id, allowed_key(key))

    def delete(self, run_id: str, at: int) -> None:
        self._active(run_id)
        with client_errors(self.uri, run_id):
            self._client.delete_run(run_id)

    def restore(self, run_id: str) -> None:
        with client_errors(self.uri, run_id):
            if self._client.get_run(run_id).info.lifecycle_stage != "active":
                self._client.restore_run(run_id)

    def artifact_place(self, run_id: str) -> str:
        with client_errors(self.uri, run_id):
            return str(self._client.get_run(run_id).info.artifact_uri)

    def list_artifacts(self, run_id: str, path: str = "") -> list[StoredArtifact]:
        local = self._local(run_id)
        if local is not None:
            return listed(local, path)
        resolve_inside(self._staging(run_id).resolve(), path)  # refuses what leads out
        with client_errors(self.uri, run_id):
            found = self._client.list_artifacts(run_id, path or None)
        return [StoredArtifact(file.path, file.is_dir, file.file_size) for file in found]

    def artifact_file(self, run_id: str, path: str) -> Path:
        local = self._local(run_id)
        if local is not None:
            return found_file(local, path)
        copies = self.project.paths.cache / "artifacts" / run_id
        copy = resolve_inside(copies.resolve(), path)
        if not copy.is_file():
            copies.mkdir(parents=True, exist_ok=True)
            with client_errors(self.uri, run_id):
                self._client.download_artifacts(run_id, path, str(copies))
        return found_file(copies, path)

    def read_artifact(self, run_id: str, path: str) -> bytes | None:
        import tempfile

        from mlflow.exceptions import MlflowException

        folder = self._local(run_id)
        for place in (folder, self._staging(run_id)):
            if place is not None:
                file = resolve_inside(place.resolve(), path)
                if file.is_file():
                    return file.read_bytes()
        if folder is not None:
            return None
        with tempfile.TemporaryDirectory() as scratch:
            try:
                return Path(self._client.download_artifacts(run_id, path, scratch)).read_bytes()
            except (MlflowException, OSError):
                return None

    def change_counter(self) -> int:
        # A remote store tells no change: look again every two seconds.
        return int(time.monotonic() // 2)


def _tags(tags: dict[str, str]) -> dict[str, str]:
    return {allowed_key(key): short(text, MAX_TAG) for key, text in tags.items()}


def _equals(field: str, text: str) -> str:
    quote = '"' if "'" in text else "'"
    return f"{field} = {quote}{text}{quote}"


def _stored(run: Any) -> StoredRun:
    info, data = run.info, run.data
    return StoredRun(
        run_id=info.run_id,
        name=info.run_name or info.run_id[:8],
        status=info.status,
        started=info.start_time or 0,
        ended=None if info.status in ("RUNNING", "SCHEDULED") else info.end_time,
        params={original_key(k): v for k, v in data.params.items()},
        metrics={original_key(k): unpack(v, False) for k, v in data.metrics.items()},
        tags={original_key(k): v for k, v in data.tags.items()},
    )


def _unknown(run_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no run {run_id} in this project.",
        "See the Runs page for the runs that there are; a deleted run is gone.",
        code="run_not_found",
    )


@contextmanager
def client_errors(uri: str, run_id: str = "") -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except PerijoveError:
        raise
    except (MlflowException, OSError) as error:
        code = getattr(error, "error_code", "")
        if run_id and (
            code == "RESOURCE_DOES_NOT_EXIST" or "must be in the 'active'" in str(error)
        ):
            raise _unknown(run_id) from error
        host = urlsplit(uri)
        place = f"{host.scheme}://{host.hostname or ''}{host.path}"
        raise UnavailableError(
            f"The MLflow store {place} does not answer: {str(error).splitlines()[0]}",
            "Check MLFLOW_TRACKING_URI and its credentials, and that the server runs.",
        ) from error
