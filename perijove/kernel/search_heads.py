"""The run of a search itself: made, found again, and alive while its trials run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from perijove.core.errors import ConflictError
from perijove.develop.ports import Batch, StoredRun
from perijove.develop.searches import SearchFacts, encode
from perijove.develop.tags import SEARCH_TAG
from perijove.kernel.files import unwatched
from perijove.kernel.run import TrackedRun, commit_tags, lived
from perijove.kernel.session import Session


class Head(NamedTuple):
    """A search's own run, and what it searches, with its name in the engine's storage."""

    run: TrackedRun
    facts: SearchFacts


def ended_head(session: Session, name: str) -> StoredRun:
    """Return the head of a search that goes on.

    Raises
    ------
    NotFoundError
        When there is none of that name.
    ConflictError
        When it is still at work.
    """
    develop = session.workbench.develop
    head = develop.searches.find(name)
    if develop.states.of(head) in ("running", "queued"):
        raise ConflictError(
            f"{head.name} runs still.", "Stop it first, or wait for its end.", code="search_running"
        )
    return head


@contextlib.contextmanager
def living(
    session: Session, facts: SearchFacts, name: str, head: StoredRun | None
) -> Iterator[Head]:
    """Let a search's own run live while the block runs.

    Parameters
    ----------
    head
        The run of a search that goes on; a new one is made when None.
    """
    recording = session.recording
    if recording is not None and recording.run is not None:
        # In a process that executes a recipe, the recipe's run is the search's.
        run = recording.run
        yield Head(run, _written(session, facts, name, run.run_id))
        return
    with unwatched():
        session.workbench.project.trust.give()
        if head is None:
            run_id, facts = start(session, facts, name)
        else:
            run_id, facts = go_on(session, facts, head)
    with lived(session, run_id, name, session.cells()) as run:
        run.seed = facts.seed
        yield Head(run, facts)


def start(
    session: Session, facts: SearchFacts, name: str, *, queued: bool = False
) -> tuple[str, SearchFacts]:
    """Make the run of a search; return its id, and what it searches."""
    develop = session.workbench.develop
    make = develop.queue_run if queued else develop.start_run
    run_id = make(
        name, notebook=session.notebook, tags=commit_tags(session), seed=facts.seed,
        by=session.actor,
    )  # fmt: skip
    return run_id, _written(session, facts, name, run_id)


def go_on(session: Session, facts: SearchFacts, head: StoredRun) -> tuple[str, SearchFacts]:
    """Make the run of a search that ended this process's."""
    develop = session.workbench.develop
    develop.adopt_run(head.run_id)
    facts = _written(session, facts, head.name, head.run_id)
    # Trials whose process died with them: nobody else will end them.
    session.workbench.ingester.ingest()
    trials = develop.searches.trials(facts, head.run_id)
    alive = [trial.number for trial in trials if trial.state == "running"]
    develop.searches.studies.open(facts).give_up(alive)
    return head.run_id, facts


def _written(session: Session, facts: SearchFacts, name: str, run_id: str) -> SearchFacts:
    """Keep on a run what it searches. Its study is named after it: no two have one name."""
    facts = msgspec.structs.replace(facts, study=facts.study or f"{name}-{run_id[:8]}")
    session.workbench.develop.store.write(run_id, Batch(tags={SEARCH_TAG: encode(facts)}))
    return facts
