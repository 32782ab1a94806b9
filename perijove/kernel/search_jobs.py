"""Searches whose trials are shared by background jobs.

A job executes the search's cell as a worker: it asks the study for trials until as many as wanted
were made. All workers keep the search's own run alive, and the last one ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from perijove.contracts.develop import Cell
from perijove.core import jobs as own_jobs
from perijove.core.errors import InvalidInputError, NotFoundError, PerijoveError
from perijove.core.files import locked
from perijove.core.ledger import now
from perijove.develop.ports import PARENT_TAG, STOP_FILE, Batch, EndState, StoredRun
from perijove.develop.searches import Asked, SearchFacts, facts_of
from perijove.kernel import search_heads, tracking, words
from perijove.kernel.background import Wish, submit
from perijove.kernel.environment import packages
from perijove.kernel.files import unwatched
from perijove.kernel.history import Executed
from perijove.kernel.session import Session
from perijove.kernel.trials import Objective, SearchLoop, told

WORKER_TAG: Final = "perijove.worker"
"""Of a job's run: which worker of its search it is."""
LEFT: Final = "left"
"""The tag of one that is done with its trials: its run goes on for a moment."""
MOST_JOBS: Final = 64


def spread(
    session: Session,
    options: Any,
    facts: SearchFacts,
    name: str,
    head: StoredRun | None,
    cell: str,
) -> tuple[str, str]:
    """Send a search's cell to so many jobs; return its run's id, and what to say.

    Raises
    ------
    InvalidInputError
        For a number of jobs, or an executor, that there is not.
    ConflictError
        When the cells that would go along lack names.
    """
    count = options.jobs if options.jobs is not None else 1
    if not 1 <= count <= MOST_JOBS:
        raise InvalidInputError(f"{count} jobs cannot share a search.", f"Take 1 to {MOST_JOBS}.")
    develop = session.workbench.develop
    number = session.history.number if session.history is not None else 1
    with unwatched():
        session.workbench.project.trust.give()
        if head is None:
            head_id, facts = search_heads.start(session, facts, name, queued=True)
        else:
            head_id, facts = search_heads.go_on(session, facts, head)
    lines: list[str] = []
    try:
        for worker in range(count):
            wish = Wish(
                name=f"{name}-worker-{worker + 1}",
                training=Executed(number, f"%%search --worker {head_id}/{worker}\n{cell}"),
                # So that the names count as known; each trial has its own values.
                params={one.name: one.choices[0] if one.choices else one.low
                        for one in facts.space},
                seed=facts.seed,
                executor=options.executor,
                cpus=options.cpus,
                gpus=options.gpus,
            )  # fmt: skip
            sent = submit(session, wish)
            tags = {PARENT_TAG: head_id, WORKER_TAG: str(worker)}
            develop.store.write(sent.run_id, Batch(tags=tags))
            if not lines and head is None:
                develop.assign_job(head_id, sent.job.id)
            lines.append(words.sent(sent))
    except PerijoveError as error:
        if not lines:
            develop.finish_run(head_id, "failed", error.message)
        if not lines and head is None:  # nothing came of it that anybody would look for
            develop.store.delete(head_id, now())
        raise
    with unwatched():
        develop.record_origin(head_id, cells=session.cells(), environment=packages())
    report = develop.searches.report(facts, head_id)
    return head_id, "\n".join([f"{told(name, report)} · run {head_id}", *lines])


def read_worker(session: Session, worker: str) -> tuple[str, SearchFacts]:
    """Return the name of the search that a worker works for, and what it searches.

    Raises
    ------
    NotFoundError
        When it is gone.
    """
    head = session.workbench.develop.store.get_run(worker.partition("/")[0])
    facts = facts_of(head.tags)
    if facts is None:
        raise NotFoundError(f"{head.name} is no search.", "Start the search again.")
    return head.name, facts


def work(
    session: Session, worker: str, objective: Objective, cells: Callable[[Asked], list[Cell]]
) -> None:
    """Run trials of a search that several processes share, until there are enough."""
    head_id, _, number = worker.partition("/")
    name, facts = read_worker(session, worker)
    writer = tracking.ActiveRun(session.paths, head_id)
    state: EndState = "failed"
    loop: SearchLoop | None = None
    try:
        _keep(session, head_id)
        loop = SearchLoop(session, name, facts, head_id, writer, worker=int(number or 0))
        loop.run(objective, cells, lambda: _keep(session, head_id))
        state = "finished"
    except KeyboardInterrupt:
        state = "stopped"
        raise
    finally:
        with unwatched():
            _leave(session, head_id, state, loop)
        writer.close()


def _keep(session: Session, head_id: str) -> None:
    """Make the search's run this process's where the one that had it is gone."""
    develop = session.workbench.develop
    with unwatched(), locked(session.paths.state / "search.lock"):
        if develop.states.of(develop.store.get_run(head_id)) == "running":
            return
        stopped = (develop.ingester.folder(head_id) / STOP_FILE).exists()
        if stopped:
            return
        develop.adopt_run(head_id)
        folder = own_jobs.job_folder()
        if folder is not None:
            develop.assign_job(head_id, folder.name)


def _leave(session: Session, head_id: str, state: EndState, loop: SearchLoop | None) -> None:
    """End the search's run when no other worker is at it."""
    develop = session.workbench.develop
    own = session.recording.run.run_id if session.recording and session.recording.run else ""
    with locked(session.paths.state / "search.lock"):
        if own:
            develop.store.write(own, Batch(tags={WORKER_TAG: LEFT}))
        for run_id in develop.store.children(head_id):
            run = develop.store.get_run(run_id)
            if run_id == own or run.tags.get(WORKER_TAG, LEFT) == LEFT:
                continue
            if develop.states.of(run) in ("running", "queued"):
                return
        if loop is not None:
            loop.log_best()  # the others' last trials among them
        develop.finish_run(head_id, state)
