"""One tracked run: started, written to while its block runs, and ended as it ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from perijove.contracts.develop import Cell, Usage
from perijove.core.errors import PerijoveError
from perijove.core.ledger import now
from perijove.core.project_file import CostsTable
from perijove.core.recipes import Recipe
from perijove.core.secrets import mask_values
from perijove.core.secrets import masked as masked_text
from perijove.develop.ports import Batch, EndState
from perijove.develop.tags import (
    COMMIT_TAG,
    DIRTY_TAG,
    DISORDER_TAG,
    MASKED_TAG,
    USAGE_TAG,
    strings_of,
    value_of,
)
from perijove.develop.usage import together, with_cost
from perijove.kernel import tracking
from perijove.kernel.environment import git_commit, packages
from perijove.kernel.files import unwatched
from perijove.kernel.session import Inputs, Session
from perijove.kernel.system_metrics import SystemMetrics
from perijove.kernel.withheld import without_secrets

RUN_ID: Final = "MLFLOW_RUN_ID"
_MLFLOW = re.compile(r"\bmlflow\b")
_OWN_START = re.compile(r"\bstart_run\b")


@dataclass(slots=True)
class TrackedRun:
    """What is known of a run while its block runs, and how it ended."""

    run_id: str
    name: str
    writer: tracking.ActiveRun
    system: SystemMetrics
    began: float = field(default_factory=time.monotonic)
    state: EndState | None = None
    seconds: float = 0.0
    error: str = ""
    seed: int | None = None
    deterministic: bool = False
    withheld: list[str] = field(default_factory=list)
    """Parameters whose values are masked in its cells."""
    stopping: bool = False
    """Its process was told to end."""
    peak_gpu_memory: int | None = None
    """Bytes, of all GPUs; None where it used none."""


@contextlib.contextmanager
def tracked(
    session: Session,
    name: str,
    *,
    params: Mapping[str, str] | None = None,
    seed: int | None = None,
    cells: list[Cell] | None = None,
) -> Iterator[TrackedRun]:
    """Track the block as a run: finished, failed with its error, or stopped by an interrupt."""
    develop = session.workbench.develop
    with unwatched():
        session.workbench.project.trust.give()
        kept, masked = mask_values(params or {})
        run_id = develop.start_run(
            name,
            notebook=session.notebook,
            params=kept,
            tags=commit_tags(session),
            seed=seed,
            by=session.actor,
        )
    cells, withheld = without_secrets(cells or [])
    with lived(session, run_id, name, cells) as run:
        run.seed, run.withheld = seed, withheld
        run.writer.tell_masked(masked)
        tracking.activate(run.writer)
        with joined(session, run_id, cells[-1].source if cells else ""):
            yield run


def commit_tags(session: Session) -> dict[str, str]:
    """Tell the commit that the project is at, as tags of a run."""
    commit = git_commit(session.paths.root)
    return {COMMIT_TAG: commit.sha, DIRTY_TAG: str(commit.dirty).lower()} if commit.sha else {}


@contextlib.contextmanager
def lived(
    session: Session, run_id: str, name: str, cells: list[Cell], *, resumed: bool = False
) -> Iterator[TrackedRun]:
    """End a run of this process the way that the block ends.

    The block says itself when ``pj.log`` writes to the run: see :func:`tracking.activate`.
    """
    if session.workbench.store.remote:
        session.workbench.outbox.open()  # what the cell logs waits for no network
    kind = tracking.ResumedRun if resumed else tracking.ActiveRun
    writer = kind(session.paths, run_id)
    system = SystemMetrics(
        writer.append,
        quiet=not _wants_system_metrics(session),
        after=writer.folder if resumed else None,
    )
    run = TrackedRun(run_id, name, writer, system)
    outer = tracking.current()
    system.start()
    try:
        yield run
    except KeyboardInterrupt:
        run.state = "stopped"
        raise
    except BaseException as error:
        # Of what was told to stop, workers die first: what fails then is no failure of the code.
        run.state = "stopped" if run.stopping else "failed"
        run.error = "" if run.stopping else masked_text(f"{type(error).__name__}: {error}")
        raise
    else:
        run.state = "stopped" if run.writer.stopped else "finished"
    finally:
        tracking.activate(outer)
        run.seconds = time.monotonic() - run.began
        _end(session, run, cells)


def _end(session: Session, run: TrackedRun, cells: list[Cell]) -> None:
    """Write down what made the run, then its end.

    The end is in the journal before anything is asked of the run store, and written whatever else
    fails; no failure here hides what the block raised.
    """
    develop = session.workbench.develop
    state, at = run.state or "failed", now()
    with unwatched(), _uninterrupted():
        run.writer.append(("e", at, state, run.error))
        try:
            run.writer.append(("t", _tags_at_end(session, run)))
        except (PerijoveError, OSError) as error:
            _warn(f"What the run {run.name} took is not kept: {error}")
        run.writer.close()
        inputs = Inputs([], [])
        try:
            inputs = session.inputs()
            develop.record_inputs(run.run_id, inputs.refs, inputs.unregistered)
            develop.record_origin(run.run_id, cells=cells, environment=packages())
            if session.recording is None:  # else whoever sent it has looked at the notebook
                from perijove.kernel.disordered import disorder_text

                tags = {DISORDER_TAG: disorder_text(session)}
                develop.store.write(run.run_id, Batch(tags=tags))
        except (PerijoveError, OSError) as error:
            _warn(f"What made the run {run.name} is not kept whole: {error}")
        try:
            develop.finish_run(run.run_id, state, run.error, at=at)
        except (PerijoveError, OSError) as error:
            session.workbench.outbox.hurry()
            _warn(f"The run store will hear later how the run {run.name} ended: {error}")
            return
        if state == "finished":
            try:
                develop.reruns.record(run.run_id, _recipe(session, run, cells), inputs.refs)
            except (PerijoveError, OSError) as error:
                _warn(f"The run {run.name} cannot be proved later: {error}")


def _tags_at_end(session: Session, run: TrackedRun) -> dict[str, str]:
    usage, rates = run.system.stop(), CostsTable()
    if run.peak_gpu_memory is not None:  # the allocator sees what lies between two samples
        peak = max(run.peak_gpu_memory, usage.peak_gpu_memory or 0)
        usage = msgspec.structs.replace(usage, peak_gpu_memory=peak)
    with contextlib.suppress(PerijoveError):  # a store that is away, a definition that is broken
        rates = session.workbench.project.definition.costs
        if isinstance(run.writer, tracking.ResumedRun):
            tags = session.workbench.develop.store.get_run(run.run_id).tags
            if (before := value_of(tags.get(USAGE_TAG), Usage)) is not None:
                usage = together(before, usage)
    tags = {USAGE_TAG: msgspec.json.encode(with_cost(usage, rates)).decode()}
    if masked := run.writer.masked:
        with contextlib.suppress(PerijoveError):  # what MLflow's calls were given is among it
            develop = session.workbench.develop
            develop.ingester.ingest(run.run_id)
            masked.update(strings_of(develop.store.get_run(run.run_id).tags.get(MASKED_TAG)))
        tags[MASKED_TAG] = msgspec.json.encode(sorted(masked)).decode()
    return tags


def _wants_system_metrics(session: Session) -> bool:
    try:
        return session.workbench.project.definition.jobs.system_metrics
    except PerijoveError:
        return True


def _recipe(session: Session, run: TrackedRun, cells: list[Cell]) -> Recipe:
    """What it takes to run this once more: in a process that executes a recipe, that one."""
    if session.recording is not None:
        return session.recording.recipe
    return Recipe(
        name=run.name,
        cells=cells,
        notebook=session.notebook,
        folder=session.started_in,
        seed=run.seed,
        deterministic=run.deterministic,
        withheld=run.withheld,
    )


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let a second Ctrl-C wait: it would leave the run without its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=2)


@contextlib.contextmanager
def joined(session: Session, run_id: str, source: str) -> Iterator[None]:
    """Let MLflow's own calls in the block join the run, and the processes that it starts.

    A cell that starts a run itself gets ours by the variable that ``mlflow.start_run()`` reads. It
    reads it once, so that autologging, which starts a run at each fit, would get a second one:
    there our run is made MLflow's active one.
    """
    with contextlib.ExitStack() as stack:
        if (run := tracking.current()) is not None:
            stack.enter_context(tracking.shared(session.paths, run))
        used = _MLFLOW.search(source) is not None or "mlflow" in sys.modules
        if used and not _OWN_START.search(source):
            stack.enter_context(_active_in_mlflow(session, run_id))
        else:
            stack.enter_context(_named_to_mlflow(run_id))
        yield


@contextlib.contextmanager
def _named_to_mlflow(run_id: str) -> Iterator[None]:
    before = os.environ.get(RUN_ID)
    os.environ[RUN_ID] = run_id
    try:
        yield
    finally:
        os.environ.pop(RUN_ID, None)
        if before is not None:
            os.environ[RUN_ID] = before


@contextlib.contextmanager
def _active_in_mlflow(session: Session, run_id: str) -> Iterator[None]:
    import mlflow

    from perijove.adapters.mlflow.database import leads_to

    if not leads_to(session.paths, mlflow.get_tracking_uri()):
        yield  # the user logs to another store on purpose; our run is not there
        return
    try:
        mlflow.start_run(run_id=run_id, nested=True)
    except mlflow.MlflowException as error:  # a server that went away meanwhile
        _warn(f"What MLflow itself logs in this cell is not kept in the run: {error}")
        yield
        return
    status = "FINISHED"
    try:
        yield
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    except BaseException:
        status = "FAILED"
        raise
    finally:
        opened = mlflow.active_run()
        if opened is not None and opened.info.run_id == run_id:
            mlflow.end_run(status)
