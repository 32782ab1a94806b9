"""A run's life: made or queued, adopted by the process that runs it, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from perijove.contracts.develop import Cell
from perijove.core.chain import RunFacts, make_ref
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, PerijoveError, ReadOnlyError, UnavailableError
from perijove.core.files import ProcessId, write_atomically
from perijove.core.jobs import job_folder
from perijove.core.ledger import now
from perijove.core.process_journal import ProcessJournal
from perijove.develop.ingester import Ingester
from perijove.develop.ports import (
    ERROR_TAG,
    NOTEBOOK_TAG,
    STATUSES,
    STOP_FILE,
    Batch,
    EndState,
    RunStore,
)
from perijove.develop.states import RunStates
from perijove.develop.tags import (
    INPUTS_TAG,
    JOB_TAG,
    PROCESS_TAG,
    SEED_TAG,
    UNREGISTERED_TAG,
    process_of,
    strings_of,
)

CELLS: Final = "perijove/cells.json"
ENVIRONMENT: Final = "perijove/environment.json"


class StopJob(Protocol):
    """Has a job's processes ended, gently first."""

    def __call__(self, id: str, *, by: str) -> object: ...  # noqa: A002 - the contract's word


class RunKeeper:
    """Writes what happens to runs: to the store, the chain and the audit.

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
    stop_job
        Stops the job that a run runs in.
    """

    def __init__(
        self,
        project: ProjectContext,
        store: RunStore,
        ingester: Ingester,
        states: RunStates,
        stop_job: StopJob,
    ) -> None:
        self.project = project
        self.store = store
        self.ingester = ingester
        self._states = states
        self._stop_job = stop_job

    def start(
        self,
        name: str,
        *,
        notebook: str = "",
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        seed: int | None = None,
        inputs: Sequence[str] = (),
        by: str = "",
        queued: bool = False,
    ) -> str:
        """Make a run, in the store and on the chain; return its id.

        Parameters
        ----------
        notebook
            Its path relative to the project; empty when it is not known.
        tags
            More MLflow tags, such as ``mlflow.source.git.commit``.
        inputs
            References of the data versions and splits that it reads.
        queued
            For the process that adopts it; else it is this process's.

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
            INPUTS_TAG: json.dumps(list(inputs)),
        }
        if not queued:
            own |= _this_process()
        if seed is not None:
            own[SEED_TAG] = str(seed)
        batch = Batch([], dict(params or {}), {**own, **(tags or {})})
        run_id = self.store.create_run(name, started=now(), batch=batch, queued=queued)
        try:
            self.project.chain.add(
                "run",
                run_id,
                RunFacts(run_id=run_id, notebook=notebook),
                by=by,
                sources=dict.fromkeys(inputs, "read"),
                version=1,
                action="queue run" if queued else "start run",
            )
        except BaseException:  # nobody will ever end it
            with contextlib.suppress(PerijoveError):
                self.store.finish(run_id, "FAILED", now())
            raise
        return run_id

    def assign(self, run_id: str, job: str) -> None:
        """Name the job that runs a run; how the job stands, the run stands until it ends."""
        self.store.write(run_id, Batch(tags={JOB_TAG: job}))

    def adopt(self, run_id: str) -> None:
        """Make a queued run, or one that ended and goes on, this process's.

        Raises
        ------
        NotFoundError
            When there is no such run.
        """
        self.ingester.ingest(run_id)  # an end that it had before must not come after this
        with contextlib.suppress(FileNotFoundError):
            (self.ingester.folder(run_id) / STOP_FILE).unlink()
        # A job that ran it before says nothing of how it stands any more.
        self.store.write(run_id, Batch(tags={JOB_TAG: "", ERROR_TAG: "", **_this_process()}))
        self.store.begin(run_id, now())

    def record_inputs(
        self, run_id: str, inputs: Sequence[str], unregistered: Sequence[str] = ()
    ) -> None:
        """Add what a run turned out to read, to the store and to the chain.

        Parameters
        ----------
        unregistered
            Files that no dataset names.
        """
        for ref in inputs:
            self.project.chain.get(ref)
        ref = make_ref("run", run_id, 1)
        if self.project.chain.find(ref) is not None:
            for source in inputs:
                self.project.chain.link(source, ref, "read")
        try:
            tags = self.store.get_run(run_id).tags
            if merged := _with_inputs(tags, inputs, unregistered):
                self.store.write(run_id, Batch(tags=merged))
        except UnavailableError:
            if not self.store.remote:
                raise
            # What it read at its start is unknown here: a kernel's runs tell all at their end.
            if merged := _with_inputs({}, inputs, unregistered):
                self._journal(run_id, ("t", merged))

    def _journal(self, run_id: str, record: tuple[Any, ...]) -> None:
        """Write down what the store is told when it is back."""
        journal = ProcessJournal(self.ingester.folder(run_id))
        try:
            journal.append(record)
        except OSError as error:
            raise ReadOnlyError(
                f"{journal.folder} cannot be written: {error.strerror}.", "Free some disk space."
            ) from error
        finally:
            journal.close()

    def record_origin(
        self, run_id: str, *, cells: Sequence[Cell], environment: Mapping[str, str]
    ) -> None:
        """Keep the executed cells and the environment as artifacts of the run."""
        folder = self.store.artifact_folder(run_id)
        for path, content in ((CELLS, list(cells)), (ENVIRONMENT, dict(environment))):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, msgspec.json.format(msgspec.json.encode(content), indent=1))

    def finish(
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

    def stop(self, run_id: str, by: str) -> None:
        """Ask a run to stop: by a file that it looks for, and through its job or an interrupt.

        Raises
        ------
        ConflictError
            When it does not run.
        """
        run = self.store.get_run(run_id)
        state = self._states.of(run)
        if state not in ("running", "queued"):
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
        if job := run.tags.get(JOB_TAG, ""):
            self._stop_job(job, by=by)
            return
        process = process_of(run)
        if process is not None and process.alive():
            # Another user's process takes no signal of ours; it still finds the file.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGINT)


def _with_inputs(
    tags: Mapping[str, str], inputs: Sequence[str], unregistered: Sequence[str]
) -> dict[str, str]:
    return {
        tag: json.dumps(list(dict.fromkeys([*strings_of(tags.get(tag)), *more])))
        for tag, more in ((INPUTS_TAG, inputs), (UNREGISTERED_TAG, unregistered))
        if more
    }


def _this_process() -> dict[str, str]:
    """Name this process, and the job that it works for."""
    tags = {PROCESS_TAG: msgspec.json.encode(ProcessId.here()).decode()}
    if (folder := job_folder()) is not None:
        tags[JOB_TAG] = folder.name
    return tags
