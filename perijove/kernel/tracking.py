"""What training code says while it runs: numbers, settings, progress. It costs microseconds.

A record is appended to the run's journal and nothing else happens: no lock of a store, no message
to a server, so that a busy kernel delays nobody and a dead one loses nothing.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, SupportsFloat

import msgspec

from perijove.contracts.base import Facts
from perijove.core import jobs
from perijove.core.cuts import write_cuts
from perijove.core.errors import InvalidInputError, NotFoundError
from perijove.core.journal import JournalFolder
from perijove.core.paths import ProjectPaths
from perijove.core.process_journal import WAITING, ProcessJournal
from perijove.core.secrets import mask_values
from perijove.develop.ports import STOP_FILE

RUN_VARIABLE: Final = "PERIJOVE_RUN"
"""In the processes that a training cell starts: its run."""
_STOP_INTERVAL: Final = 0.25
MAX_NAME: Final = 4096
MAX_TEXT: Final = 65_536
"""Of a parameter in the journal; the run store keeps less."""


class ActiveRun:
    """The run that this process writes to. Safe to share between threads and after a fork.

    Parameters
    ----------
    paths
        The project's paths.
    """

    def __init__(self, paths: ProjectPaths, run_id: str) -> None:
        self.run_id = run_id
        self.checkpoints: Path | None = paths.checkpoints / run_id
        """The folder of its checkpoints; None where it keeps none."""
        self._journal = ProcessJournal(paths.journals / run_id)
        self._step = 0
        self._asked = 0.0
        self._told = False
        self.stopped = False
        """The code was told to stop when it asked."""
        self.masked: set[str] = set()
        """What looked like a secret and was not kept, such as ``params.token``."""

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

    def log_params(self, texts: Mapping[str, str]) -> None:
        kept, masked = mask_values(texts)
        self.tell_masked(masked)
        self.append(("p", {key[:MAX_NAME]: _cut(text) for key, text in kept.items()}))

    def tell_masked(self, params: Iterable[str]) -> None:
        """Take note of parameters that looked like secrets, and tell the user of each once."""
        fresh = [name for name in params if f"params.{name}" not in self.masked]
        if fresh:
            self.masked.update(f"params.{name}" for name in fresh)
            warnings.warn(
                f"{', '.join(fresh)} looks like a secret: its value is not kept with the run.",
                UserWarning,
                stacklevel=4,
            )

    def log(self, metrics: dict[str, float], step: int | None) -> None:
        if step is None:
            step = self._step
        self._step = step + 1
        self.append(("m", time.time_ns() // 1_000_000, step, metrics))

    @property
    def folder(self) -> Path:
        """The folder of its journals."""
        return self._journal.folder

    @property
    def next_step(self) -> int:
        """The step of what is logged next without one."""
        return self._step

    @next_step.setter
    def next_step(self, step: int) -> None:
        self._step = step

    def should_stop(self) -> bool:
        now = time.monotonic()
        if not self.stopped and now - self._asked >= _STOP_INTERVAL:
            self._asked = now
            self.stopped = (self._journal.folder / STOP_FILE).exists()
        return self.stopped

    def close(self) -> None:
        self._journal.close()


class ResumedRun(ActiveRun):
    """A run that goes on: what was logged after its checkpoint is logged again.

    Parameters
    ----------
    before
        In a process that another one started: the journals that were there when that began.
    attempt
        The word that all processes have in common that go on together.
    """

    def __init__(
        self,
        paths: ProjectPaths,
        run_id: str,
        before: Mapping[str, int] | None = None,
        attempt: str = "",
    ) -> None:
        super().__init__(paths, run_id)
        self.attempt = attempt or secrets.token_hex(8)
        self._before = JournalFolder(self.folder).sizes() if before is None else before
        self._placed = False

    @property
    def before(self) -> Mapping[str, int]:
        """The journals of those who worked on it before, and how much of each counted."""
        return self._before

    def go_on(self, ends: Mapping[str, int]) -> None:
        """Count of what was logged before only so much.

        Parameters
        ----------
        ends
            Journals that there were at the checkpoint, and how much of each counts.
        """
        self._place(ends, unless_placed=False)

    def start_anew(self) -> None:
        """Count nothing of what was logged before, unless it goes on from a checkpoint already.

        A worker process that only logs does not take back what the one that resumed has placed.
        """
        if not self._placed:
            self._place({}, unless_placed=True)

    def _place(self, ends: Mapping[str, int], *, unless_placed: bool) -> None:
        self._placed = True
        # Others may have appeared between the checkpoint and the end of their process.
        cuts = {name: min(size, ends.get(name, 0)) for name, size in self._before.items()}
        if cuts:
            write_cuts(self.folder, cuts, by=self.attempt, unless_placed=unless_placed)

    def log(self, metrics: dict[str, float], step: int | None) -> None:
        if not self._placed:  # the code did not ask for its checkpoint
            self.start_anew()
        super().log(metrics, step)


class SilentRun(ActiveRun):
    """Takes what a cell logs that runs again for its names only, and keeps nothing of it."""

    def __init__(self) -> None:
        self.run_id = ""
        self.checkpoints = None
        self.stopped = False
        self.masked = set()

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


def active() -> ActiveRun:
    """Return the run that ``pj.log`` writes to.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    if _active is not None:
        return _active
    run = _mlflow_run() or _parent_run()
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


@contextlib.contextmanager
def shared(paths: ProjectPaths, run: ActiveRun) -> Iterator[None]:
    """Let the processes that the block starts, such as those of torchrun, log to a run."""
    told = _Parent(str(paths.root), run.run_id)
    if isinstance(run, ResumedRun):
        told = _Parent(told.root, told.run_id, dict(run.before), run.attempt)
    outer = os.environ.get(RUN_VARIABLE)
    os.environ[RUN_VARIABLE] = msgspec.json.encode(told).decode()
    try:
        yield
    finally:
        os.environ.pop(RUN_VARIABLE, None)
        if outer is not None:
            os.environ[RUN_VARIABLE] = outer


class _Parent(Facts):
    """What a process tells those that it starts."""

    root: str
    run_id: str
    before: dict[str, int] | None = None
    """Of a run that goes on: what its processes had written before."""
    attempt: str = ""


_inherited: ActiveRun | None = None


def _parent_run() -> ActiveRun | None:
    """Join the run of the training cell that started this process."""
    global _inherited
    if _inherited is None and (text := os.environ.get(RUN_VARIABLE)):
        try:
            told = msgspec.json.decode(text, type=_Parent)
        except msgspec.DecodeError:
            return None
        paths = ProjectPaths(Path(told.root))
        _inherited = (
            ActiveRun(paths, told.run_id)
            if told.before is None
            else ResumedRun(paths, told.run_id, told.before, told.attempt)
        )
    return _inherited


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
    run = _active or active()
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


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def log_params(values: Mapping[str, Any] | None = None, /, **params: Any) -> None:
    """Log settings of the running training cell; the first value of a name stays."""
    texts = {str(key): str(value) for key, value in {**(values or {}), **params}.items()}
    active().log_params(texts)


def progress(share: float) -> None:
    """Tell how much of the training is done, in [0, 1]."""
    value = float(share)
    if not 0 <= value <= 1:
        raise InvalidInputError(f"Progress {share} is not in [0, 1].", "Give a share, such as 0.4.")
    run = active()
    run.append(("g", time.time_ns() // 1_000_000, value))
    if run is not SILENT:
        jobs.report(value)


def should_stop() -> bool:
    """Whether somebody pressed stop: save what you need and leave the loop. Cheap to ask."""
    return active().should_stop()
