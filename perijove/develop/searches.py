"""Searches: trials over a space of parameters, each a run of its own below the search's run.

What a search is, its head's tag says; what a trial is, its own. So a page needs no search engine
to show one, and MLflow's own page shows the same runs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import msgspec

from perijove.contracts.base import Facts, number
from perijove.contracts.develop import Run, SearchReport, Trial
from perijove.contracts.problem import Direction
from perijove.contracts.table import Compare
from perijove.core.errors import NotFoundError, PerijoveError
from perijove.core.metrics import better
from perijove.develop.ports import PARENT_TAG, RunQueries, RunQuery, RunStore, StoredRun
from perijove.develop.spaces import Choice, Dimension
from perijove.develop.states import RunStates
from perijove.develop.tags import SEARCH_TAG, value_of

TRIAL_TAG: Final = "perijove.trial"
"""JSON: which trial of its search a run is."""
MOST_TRIALS: Final = 10_000
BEST: Final = "best/"
"""Before the metric: what the head of a search logs after each trial."""
TrialState = Literal["running", "finished", "failed", "pruned"]


class SearchFacts(Facts):
    """What the head of a search keeps of it."""

    metric: str
    direction: Direction
    study: str
    """The name in the engine's storage."""
    storage: str
    """Its file, relative to the project."""
    space: list[Dimension]
    wanted: int | None = None
    sampler: str = "tpe"
    seed: int | None = None


class TrialFacts(Facts):
    number: int
    pruned: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A trial that an engine wants to be tried."""

    number: int
    params: dict[str, Choice]


class Study(Protocol):
    """One search in its engine's storage; several processes may be at it. Not thread-safe."""

    def ask(self, wanted: int | None) -> Asked | None:
        """Return the next trial; None when so many were made already."""
        ...

    def report(self, trial: int, step: int, value: float) -> None:
        """Tell a value on the way."""
        ...

    def should_prune(self, trial: int) -> bool:
        """Whether a trial is not worth its end, by what others had at the same steps."""
        ...

    def tell(self, trial: int, value: float | None, *, pruned: bool = False) -> None:
        """End a trial: with its value, pruned, or failed where there is no value."""
        ...

    def give_up(self, alive: Collection[int]) -> None:
        """End all trials without an end but those that run: their processes are gone."""
        ...


class Studies(Protocol):
    """Keeps searches. Raises UnsupportedError where the engine is not installed."""

    @property
    def storage(self) -> str:
        """The file that holds them, relative to the project."""
        ...

    def open(self, facts: SearchFacts, *, worker: int = 0) -> Study:
        """Open a search; it is made when it is not there."""
        ...

    def importance(self, facts: SearchFacts) -> tuple[str, dict[str, float]] | None:
        """Return how each parameter's share of the result is told, and the shares; None where it
        cannot be told.
        """
        ...


class Searches:
    """Shows searches.

    Parameters
    ----------
    store
        Where runs are kept.
    queries
        Searches among them.
    states
        Tells how they stand.
    studies
        The search engine's own storage.
    """

    def __init__(
        self, store: RunStore, queries: RunQueries, states: RunStates, studies: Studies
    ) -> None:
        self.studies = studies
        self._store = store
        self._queries = queries
        self._states = states

    def find(self, name: str) -> StoredRun:
        """Return the head of a search by its name or its run's id, the newest of a name.

        Raises
        ------
        NotFoundError
            When there is none.
        """
        try:
            run = self._store.get_run(name)
            if facts_of(run.tags) is not None:
                return run
        except NotFoundError:
            pass
        for run in self._store.list_runs(limit=1000)[0]:
            if run.name == name and facts_of(run.tags) is not None:
                return run
        raise NotFoundError(
            f"There is no search {name!r} among the newest runs.",
            "See the Runs page for its name.",
            code="search_not_found",
        )

    def describe(self, run: Run) -> Run:
        """Add what a run searches, where it is the head of a search."""
        facts = facts_of(run.tags)
        if facts is None:
            return run
        return msgspec.structs.replace(run, search=self.report(facts, run.summary.run_id))

    def report(self, facts: SearchFacts, head: str) -> SearchReport:
        """Tell how far a search is."""
        trials = self.trials(facts, head)
        best, history = "", []
        top: float | None = None
        for trial in trials:
            if trial.state != "finished" or trial.value is None:
                continue
            value = float(trial.value)
            if value == value and (top is None or better(value, top, facts.direction)):
                top, best = value, trial.run_id
            history.append(number(value if top is None else top))
        return SearchReport(
            metric=facts.metric,
            direction=facts.direction,
            trials=trials,
            wanted=facts.wanted,
            best=best,
            history=history,
            study=facts.study,
            storage=facts.storage,
        )

    def trials(self, facts: SearchFacts, head: str) -> list[Trial]:
        """Return the trials of a search in their order, the newest 10,000 of them."""
        below = RunQuery(filter=Compare(column=f"tags.{PARENT_TAG}", op="=", value=head))
        names = [dimension.name for dimension in facts.space]
        columns = [f"metrics.{facts.metric}", *(f"params.{name}" for name in names)]
        runs, _ = self._queries.find(below, offset=0, limit=MOST_TRIALS)
        values = self._queries.values([run.run_id for run in runs], columns)
        found = []
        for run in runs:
            trial = trial_of(run.tags)
            if trial is None:
                continue
            value, *params = values[run.run_id]
            found.append(
                Trial(
                    number=trial.number,
                    run_id=run.run_id,
                    state=self._state(run, trial, value),
                    value=None if value is None else number(float(value)),
                    params={
                        name: str(text)
                        for name, text in zip(names, params, strict=True)
                        if text is not None
                    },
                )
            )
        return sorted(found, key=lambda trial: trial.number)

    def _state(self, run: StoredRun, trial: TrialFacts, value: object) -> TrialState:
        state = self._states.of(run)
        if state in ("running", "queued"):
            return "running"
        if state != "finished":
            return "failed"
        if trial.pruned:
            return "pruned"
        return "failed" if value is None else "finished"

    def importance(
        self, metric: str, run_ids: Sequence[str]
    ) -> tuple[str, dict[str, float]] | None:
        """Ask the search that runs are trials of; None where they are not all of one."""
        columns = [f"tags.{TRIAL_TAG}", f"tags.{PARENT_TAG}"]
        found = self._queries.values(run_ids, columns)
        heads = {str(head) for trial, head in found.values() if trial is not None and head}
        if len(heads) != 1 or any(trial is None for trial, _ in found.values()):
            return None
        try:
            facts = facts_of(self._store.get_run(heads.pop()).tags)
            if facts is None or facts.metric != metric:
                return None
            return self.studies.importance(facts)
        except PerijoveError:  # the head is gone, the engine is not installed: a forest does it
            return None


def facts_of(tags: Mapping[str, str]) -> SearchFacts | None:
    """Read what a run searches; None where it is no search's head."""
    found: SearchFacts | None = value_of(tags.get(SEARCH_TAG), SearchFacts)
    return found


def trial_of(tags: Mapping[str, str]) -> TrialFacts | None:
    """Read which trial a run is; None where it is none."""
    found: TrialFacts | None = value_of(tags.get(TRIAL_TAG), TrialFacts)
    return found


def encode(facts: Any) -> str:
    """Write facts as a tag has them."""
    return msgspec.json.encode(facts).decode()
