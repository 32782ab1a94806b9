"""The trials of a search, one after the other in this process, each a run of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from perijove.contracts.develop import Cell, SearchReport
from perijove.core.metrics import better
from perijove.develop.ports import PARENT_TAG, STOP_FILE
from perijove.develop.searches import (
    BEST,
    TRIAL_TAG,
    Asked,
    SearchFacts,
    Study,
    TrialFacts,
    encode,
)
from perijove.develop.spaces import Choice
from perijove.kernel import tracking
from perijove.kernel.environment import set_seed
from perijove.kernel.files import unwatched
from perijove.kernel.run import TrackedRun, tracked
from perijove.kernel.session import Session

SHOWN_PARAMS: Final = 6
Objective = Callable[[dict[str, Choice]], object]


class TrialRun(tracking.ActiveRun):
    """A trial's run: what it logs of the metric is what the study hears when the code asks."""

    def __init__(self, session: Session, run_id: str, number: int, study: Study, metric: str):
        super().__init__(session.paths, run_id)
        self.pruned = False
        self._number = number
        self._study = study
        self._metric = metric
        self._fresh: dict[int, float] = {}

    def log(self, metrics: dict[str, float], step: int | None) -> None:
        super().log(metrics, step)
        if self._metric in metrics:
            self._fresh[self.next_step - 1] = metrics[self._metric]

    def should_stop(self) -> bool:
        if super().should_stop() or self.pruned:
            return True
        if self._fresh:
            for step, value in self._fresh.items():
                self._study.report(self._number, step, value)
            self._fresh.clear()
            self.pruned = self._study.should_prune(self._number)
        return self.pruned


class SearchLoop:
    """Runs the trials of one search, one after the other, in this process.

    Parameters
    ----------
    name
        What the search is called; trials are called after it.
    facts
        What it searches.
    head
        Its run's id.
    writer
        Takes the best value after each trial.
    worker
        Which one this is, where several processes share the trials.
    """

    def __init__(
        self, session: Session, name: str, facts: SearchFacts, head: str,
        writer: tracking.ActiveRun, worker: int = 0,
    ) -> None:  # fmt: skip
        self.session = session
        self.name = name
        self.facts = facts
        self.head = head
        self.best: float | None = None
        self.params: dict[str, Choice] = {}
        self.failures = 0
        self._writer = writer
        with unwatched():
            self._study = session.workbench.develop.searches.studies.open(facts, worker=worker)
            history = self.report().history
        if history:
            self.best = float(history[-1])

    def run(
        self,
        objective: Objective,
        cells: Callable[[Asked], list[Cell]],
        after: Callable[[], None] = lambda: None,
    ) -> None:
        """Try until as many trials as wanted were made, or somebody stops the search.

        Parameters
        ----------
        objective
            Trains; a number that it returns is logged as the metric.
        cells
            What makes a trial, as its run keeps it.
        after
            Called after each trial.

        Raises
        ------
        KeyboardInterrupt
            When the search was stopped; a trial that was stopped alone counts as failed.
        """
        while not self._writer.should_stop():
            with unwatched():
                asked = self._study.ask(self.facts.wanted)
            if asked is None:
                return
            self._try(asked, objective, cells(asked))
            after()
        raise KeyboardInterrupt

    def _try(self, asked: Asked, objective: Objective, cells: list[Cell]) -> None:
        run: TrackedRun | None = None
        trial: TrialRun | None = None
        try:
            name = f"{self.name}-{asked.number}"
            texts = {key: str(value) for key, value in asked.params.items()}
            with (
                self._recorded(name, cells),
                tracked(self.session, name, params=texts, seed=self.facts.seed, cells=cells) as run,
            ):
                trial = self._begun(asked, run)
                tracking.activate(trial)
                try:
                    value = objective(dict(asked.params))
                    if isinstance(value, int | float) and not isinstance(value, bool):
                        trial.log({self.facts.metric: float(value)}, None)
                finally:
                    self._ended(asked, run, trial)
        except KeyboardInterrupt:
            self._study.tell(asked.number, None)
            alone = trial is not None and (trial.folder / STOP_FILE).exists()
            if not alone or self._writer.should_stop():
                raise
        except Exception as error:  # noqa: BLE001 - the boundary to the user's code
            self._study.tell(asked.number, None)
            self.failures += 1
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            print(  # noqa: T201 - a failed trial is told where it ran
                f"Perijove: trial {asked.number} failed: {said}", file=sys.stderr
            )
        else:
            assert run is not None
            assert trial is not None
            self._told(asked, run, trial)

    @contextlib.contextmanager
    def _recorded(self, name: str, cells: list[Cell]) -> Iterator[None]:
        """In a process that executes a recipe, let a trial be recorded as one of its own."""
        outer = self.session.recording
        if outer is not None:
            recipe = msgspec.structs.replace(
                outer.recipe, name=name, cells=cells, params={}, run_id="", resume=False,
                seed=self.facts.seed,
            )  # fmt: skip
            self.session.recording = dataclasses.replace(outer, recipe=recipe)
        try:
            yield
        finally:
            self.session.recording = outer

    def _begun(self, asked: Asked, run: TrackedRun) -> TrialRun:
        # By its journal: that is there before the store, and when the store is away.
        tags = {PARENT_TAG: self.head, TRIAL_TAG: encode(TrialFacts(number=asked.number))}
        run.writer.append(("t", tags))
        run.system.quiet = True  # the search's own run has the machine's figures
        if self.facts.seed is not None:
            set_seed(self.facts.seed)
        metric = self.facts.metric
        return TrialRun(self.session, run.run_id, asked.number, self._study, metric)

    @staticmethod
    def _ended(asked: Asked, run: TrackedRun, trial: TrialRun) -> None:
        trial.close()
        run.writer.masked |= trial.masked
        run.writer.stopped |= trial.stopped
        if trial.pruned:
            facts = TrialFacts(number=asked.number, pruned=True)
            run.writer.append(("t", {TRIAL_TAG: encode(facts)}))

    def _told(self, asked: Asked, run: TrackedRun, trial: TrialRun) -> None:
        with unwatched():
            if run.state == "stopped" and not trial.pruned:
                self._study.tell(asked.number, None)
                return
            value = self._value(run.run_id)
            self._study.tell(asked.number, value, pruned=trial.pruned)
            if trial.pruned or value is None or value != value:
                if value is None and not trial.pruned:
                    print(  # noqa: T201 - as a failed trial is told
                        f"Perijove: trial {asked.number} logged no {self.facts.metric}",
                        file=sys.stderr,
                    )
                return
            if self.best is None or better(value, self.best, self.facts.direction):
                self.best, self.params = value, asked.params
            self.log_best()

    def log_best(self) -> None:
        """Log the best value to the search's run: over the trials of all who share them."""
        history = self.report().history
        found = [] if self.best is None else [self.best]
        found += [float(value) for value in history[-1:] if value != "NaN"]
        if not found:
            return
        top = max(found) if self.facts.direction == "maximize" else min(found)
        # By how many there are: numbers of trials that run side by side end in any order.
        self._writer.log({f"{BEST}{self.facts.metric}": top}, max(0, len(history) - 1))

    def _value(self, run_id: str) -> float | None:
        develop = self.session.workbench.develop
        develop.ingester.ingest(run_id)
        return develop.store.get_run(run_id).metrics.get(self.facts.metric)

    def report(self) -> SearchReport:
        """Tell how far the search is, other processes' trials among them."""
        develop = self.session.workbench.develop
        with unwatched():
            self.session.workbench.ingester.ingest()
            return develop.searches.report(self.facts, self.head)


def told(name: str, report: SearchReport) -> str:
    """Say how far a search is, and what is best."""
    done = sum(trial.state != "running" for trial in report.trials)
    text = f"{name} · {done} of {report.wanted or '?'} trials"
    for state in ("failed", "pruned"):
        count = sum(trial.state == state for trial in report.trials)
        text += f" · {count} {state}" if count else ""
    best = next((trial for trial in report.trials if trial.run_id == report.best), None)
    if best is not None and best.value is not None:
        params = [f"{key}={value}" for key, value in list(best.params.items())[:SHOWN_PARAMS]]
        text += f" · best {report.metric} {float(best.value):.4g} ({', '.join(params)})"
    return text
