"""What training code says while it runs: numbers, progress, checkpoints. It costs microseconds.

A record is appended to the run's journal and nothing else happens: no lock of a store, no message
to a server, so that a busy kernel delays nobody and a dead one loses nothing.
"""

from __future__ import annotations

import pickle
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, SupportsFloat

from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.core.files import write_atomically
from perijove.core.paths import ProjectPaths
from perijove.core.process_journal import WAITING, ProcessJournal
from perijove.develop.ports import STOP_FILE

CHECKPOINT: Final = "checkpoints/last.pkl"
_STOP_INTERVAL: Final = 0.25


class ActiveRun:
    """The run that this process writes to. Safe to share between threads and after a fork.

    Parameters
    ----------
    paths
        The project's paths.
    artifacts
        The run's artifact folder; None when it is elsewhere.
    """

    def __init__(self, paths: ProjectPaths, run_id: str, artifacts: Path | None = None) -> None:
        self.run_id = run_id
        self.artifacts = artifacts
        self._journal = ProcessJournal(paths.journals / run_id)
        self._step = 0
        self._asked = 0.0
        self._told = False
        self.stopped = False
        """The code was told to stop when it asked."""

    @property
    def lost(self) -> int:
        """Records that a full disk did not take."""
        return self._journal.lost

    def append(self, record: tuple[Any, ...]) -> None:
        """Append a record; a full disk is told, and costs the training nothing."""
        try:
            self._journal.append(record)
        except OSError as error:
            if not self._told:
                self._told = True
                warnings.warn(
                    f"Metrics cannot be written: {error.strerror or error}. Training goes on, and "
                    f"the last {WAITING:,} records wait in memory: free some disk space.",
                    RuntimeWarning,
                    stacklevel=4,
                )

    def log(self, metrics: dict[str, float], step: int | None) -> None:
        if step is None:
            step = self._step
        self._step = step + 1
        self.append(("m", time.time_ns() // 1_000_000, step, metrics))

    def should_stop(self) -> bool:
        now = time.monotonic()
        if not self.stopped and now - self._asked >= _STOP_INTERVAL:
            self._asked = now
            self.stopped = (self._journal.folder / STOP_FILE).exists()
        return self.stopped

    def close(self) -> None:
        self._journal.close()


class SilentRun(ActiveRun):
    """Takes what a cell logs that runs again for its names only, and keeps nothing of it."""

    def __init__(self) -> None:
        self.run_id = ""
        self.artifacts = None
        self.stopped = False

    def append(self, record: tuple[Any, ...]) -> None: ...

    def log(self, metrics: dict[str, float], step: int | None) -> None: ...

    def should_stop(self) -> bool:
        return False

    def close(self) -> None: ...


SILENT: Final = SilentRun()
_active: ActiveRun | None = None
_adopted: ActiveRun | None = None


def current() -> ActiveRun | None:
    """Return the run of the ``%%train`` cell that runs now."""
    return _active


def activate(run: ActiveRun | None) -> None:
    """Make a run the one that ``pj.log`` writes to."""
    global _active
    _active = run


def _run() -> ActiveRun:
    if _active is not None:
        return _active
    run = _mlflow_run()
    if run is None:
        raise NotFoundError(
            "No run is active, so that there is nothing to log to.",
            "Put %%train on the first line of the training cell, or open a run with "
            "mlflow.start_run().",
            code="no_run",
        )
    return run


def _mlflow_run() -> ActiveRun | None:
    """Join the run that user code opened with MLflow itself."""
    global _adopted
    fluent = sys.modules.get("mlflow.tracking.fluent")
    opened = fluent.active_run() if fluent is not None else None
    if opened is None:
        return None
    if _adopted is None or _adopted.run_id != opened.info.run_id:
        from perijove.kernel.session import current as session

        bench = session().workbench
        _adopted = ActiveRun(bench.project.paths, opened.info.run_id)
    return _adopted


def log(
    values: Mapping[str, SupportsFloat] | None = None,
    /,
    *,
    step: int | None = None,
    **metrics: SupportsFloat,
) -> None:
    """Log numbers of the running training cell; they show at once, wherever its curve is drawn.

    Parameters
    ----------
    values
        Metrics whose names are no Python names: ``pj.log({"val/loss": 0.1})``.
    step
        The step; one after the last one when left out.

    Raises
    ------
    NotFoundError
        When no run is active.
    """
    run = _active or _run()
    if values:
        metrics = {**values, **metrics}
    try:
        numbers = {key: float(value) for key, value in metrics.items()}
    except (TypeError, ValueError) as error:
        key = next(k for k, v in metrics.items() if not _is_number(v))
        raise InvalidInputError(
            f"{key} is no number but a {type(metrics[key]).__name__}.",
            "Log one number a name; pj.log_params takes words.",
        ) from error
    run.log(numbers, step if step is None else int(step))


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def log_params(values: Mapping[str, Any] | None = None, /, **params: Any) -> None:
    """Log settings of the running training cell; the first value of a name stays."""
    texts = {str(key): str(value) for key, value in {**(values or {}), **params}.items()}
    _run().append(("p", texts))


def progress(share: float) -> None:
    """Tell how much of the training is done, in [0, 1]."""
    value = float(share)
    if not 0 <= value <= 1:
        raise InvalidInputError(f"Progress {share} is not in [0, 1].", "Give a share, such as 0.4.")
    _run().append(("g", time.time_ns() // 1_000_000, value))


def checkpoint(state: Any) -> Path:
    """Keep a picklable state with the run; it replaces the last one, whole or not at all."""
    run = _run()
    if run.artifacts is None:
        raise NotFoundError(
            "This run has no folder here for a checkpoint.", "Use %%train for the training cell."
        )
    path = run.artifacts / CHECKPOINT
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, pickle.dumps(state, protocol=pickle.HIGHEST_PROTOCOL))
    return path


def should_stop() -> bool:
    """Whether somebody pressed stop: save what you need and leave the loop. Cheap to ask."""
    return _run().should_stop()
