"""``%%search`` and ``pj.search``: a cell or a function tried over a space of parameters.

The search is a run, and each trial is a run below it. A trial that fails ends no search; one that
asks ``pj.should_stop()`` between its steps is pruned when others did better at the same step.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class, no_var_expand

from perijove.contracts.develop import Cell, SearchReport
from perijove.contracts.problem import Direction
from perijove.core.errors import InvalidInputError
from perijove.develop.columns import direction_of
from perijove.develop.ports import StoredRun
from perijove.develop.searches import Asked, SearchFacts, facts_of
from perijove.develop.spaces import Choice, make_space, read_choice
from perijove.kernel import search_jobs, training
from perijove.kernel.options import Parser, parameter
from perijove.kernel.search_heads import ended_head, living
from perijove.kernel.session import Session, current
from perijove.kernel.trials import Objective, SearchLoop, told

if TYPE_CHECKING:
    from types import CodeType

    from IPython.core.interactiveshell import InteractiveShell

SEARCH = Parser("%%search")
SEARCH.add_argument("--name", default="")
SEARCH.add_argument("--trials", type=int, metavar="N")
SEARCH.add_argument("--metric", default="")
SEARCH.add_argument("--direction", default="", choices=("", "maximize", "minimize"))
SEARCH.add_argument("--param", action="append", default=[], metavar="NAME=SPACE")
SEARCH.add_argument("--sampler", default="tpe", choices=("tpe", "random"))
SEARCH.add_argument("--seed", type=int)
SEARCH.add_argument("--resume", default="", metavar="NAME")
SEARCH.add_argument("--executor", default="", metavar="local|ray")
SEARCH.add_argument("--jobs", type=int, metavar="N")
SEARCH.add_argument("--cpus", type=float, metavar="N")
SEARCH.add_argument("--gpus", type=int, default=0, metavar="N")
SEARCH.add_argument("--worker", default="", metavar="RUN")


@magics_class
class SearchMagics(Magics):
    """The magic of searches."""

    shell: InteractiveShell

    @no_var_expand
    @cell_magic
    def search(self, line: str, cell: str) -> None:
        """Run the cell once a trial, with parameters as its variables, each time as a tracked run.

        %%search --trials N --metric NAME [--direction maximize|minimize] --param NAME=SPACE ...
                 [--name NAME] [--sampler tpe|random] [--seed N] [--resume NAME]
                 [--jobs N [--executor local|ray] [--cpus N] [--gpus N]]

        --metric    what is searched for: its last logged value is the trial's
        --param     lr=1e-4..1e-1:log, depth=2..8, rate=0..1:0.1 or kind=a|b; a variable of the cell
        --trials    so many in all; what was interrupted goes on by --resume
        --seed      seeds the sampler, and random, NumPy and torch before each trial
        --resume    goes on with a search, in its space; --trials is the new number in all
        --jobs      so many background jobs share the trials, and outlive this kernel
        """
        session = current()
        with training.usage_errors():
            options = SEARCH.parse(line)
            run_magic(self.shell, session, options, cell)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search came to."""

    name: str
    run_id: str
    """The search's own run."""
    report: SearchReport

    @property
    def best_value(self) -> float | None:
        return float(self.report.history[-1]) if self.report.history else None

    @property
    def best_run(self) -> str:
        """The run of the best trial; empty where none has a value."""
        return self.report.best

    @property
    def best_params(self) -> dict[str, Any]:
        """The best trial's parameters."""
        for trial in self.report.trials:
            if trial.run_id == self.report.best:
                return {key: read_choice(text) for key, text in trial.params.items()}
        return {}

    def __repr__(self) -> str:
        return told(self.name, self.report)


def run_magic(shell: InteractiveShell, session: Session, options: Any, cell: str) -> None:
    """Do what the line of ``%%search`` says."""
    history = session.history
    code = training.compile_cell(shell, cell, history.number if history is not None else 1)
    recording = session.recording
    if recording is not None and not recording.training:
        return  # a search before the training cell: its trials were runs of their own
    if options.worker:
        name, facts = search_jobs.read_worker(session, options.worker)
        objective, cells = _body(shell, code), _cells(session, facts, name, cell)
        search_jobs.work(session, options.worker, objective, cells)
        return
    head = ended_head(session, options.resume) if options.resume else None
    name = head.name if head is not None else options.name or training.default_name(session)
    facts = _facts(session, options, head)
    if options.jobs is not None or options.executor:
        if recording is not None:
            raise UsageError("%%search: a job sends no jobs: leave --jobs away.")
        run_id, text = search_jobs.spread(session, options, facts, name, head, cell)
        training.show(shell, training.card(session, run_id, name, text), run_id)
        return
    with living(session, facts, name, head) as (run, facts):
        loop = SearchLoop(session, name, facts, run.run_id, run.writer)

        def show(*, update: bool = True) -> None:
            text = f"{told(name, loop.report())} · run {run.run_id}"
            card = training.card(session, run.run_id, name, text)
            training.show(shell, card, run.run_id, update=update)

        show(update=False)
        try:
            loop.run(_body(shell, code), _cells(session, facts, name, cell), show)
        finally:
            show()
        shell.user_ns.update(loop.params)


def search(
    objective: Callable[..., Any],
    space: Mapping[str, Any],
    *,
    trials: int = 20,
    metric: str = "value",
    direction: str = "",
    name: str = "",
    sampler: str = "tpe",
    seed: int | None = None,
    resume: str = "",
) -> Outcome:
    """Call a function with parameters out of a space, each time as a tracked run.

    Parameters
    ----------
    objective
        Trains with the parameters as its arguments. The number that it returns is logged as the
        metric; else the last value that it logged counts.
    space
        A name to a text as ``%%search`` takes it, a list of choices, or a tuple of the two ends
        and ``"log"`` or a step.
    trials
        In all, those before an interruption too.
    metric, direction
        What is searched for, and whether to ``"maximize"`` or ``"minimize"`` it; known by the
        metric's name where that tells.
    resume
        The name of a search that goes on.

    Raises
    ------
    InvalidInputError
        For a space that is none, or a metric whose better way nobody knows.
    NotFoundError
        When there is no search of the name to go on with.
    """
    session = current()
    head = ended_head(session, resume) if resume else None
    if head is not None:
        facts = facts_of(head.tags)
        assert facts is not None
        facts = msgspec.structs.replace(facts, wanted=trials)
    else:
        facts = make_facts(
            session, metric, direction, space, trials=trials, sampler=sampler, seed=seed
        )
    called = head.name if head is not None else name or training.default_name(session)
    with living(session, facts, called, head) as (run, facts):
        loop = SearchLoop(session, called, facts, run.run_id, run.writer)
        loop.run(lambda params: objective(**params), lambda asked: session.cells())
        return Outcome(called, run.run_id, loop.report())


def _body(shell: InteractiveShell, code: list[CodeType]) -> Objective:
    def body(params: dict[str, Choice]) -> None:
        shell.user_ns.update(params)
        try:
            for block in code:
                exec(block, shell.user_ns)
        except Exception as error:
            training.own_frames(shell, error, {block.co_filename for block in code})
            raise

    return body


def _cells(
    session: Session, facts: SearchFacts, name: str, cell: str
) -> Callable[[Asked], list[Cell]]:
    """Say a trial as cells that make it alone: the search's body as a training cell."""

    def cells(asked: Asked) -> list[Cell]:
        before = session.cells()
        number = before[-1].number if before else 1
        line = ["%%train", "--name", shlex.quote(f"{name}-{asked.number}")]
        line += [] if facts.seed is None else ["--seed", str(facts.seed)]
        for key, value in asked.params.items():
            # As a person writes it, where that is read back as what it is.
            plain = f"{key}={value}"
            said = plain if parameter(plain) == (key, value) else f"{key}={value!r}"
            line += ["--param", shlex.quote(said)]
        source = f"{' '.join(line)}\n{cell.rstrip()}"
        return [*before[:-1], Cell(number=number, source=source)]

    return cells


def _facts(session: Session, options: Any, head: StoredRun | None) -> SearchFacts:
    if options.trials is not None and options.trials < 1:
        raise UsageError("%%search: --trials is 1 or more.")
    if head is not None:
        facts = facts_of(head.tags)
        assert facts is not None
        if options.param:
            raise UsageError("%%search: --resume goes on in the search's own space: no --param.")
        return msgspec.structs.replace(facts, wanted=options.trials or facts.wanted)
    if not options.metric:
        raise UsageError("%%search: which --metric is searched for?")
    if options.trials is None:
        raise UsageError("%%search: how many --trials?")
    return make_facts(
        session, options.metric, options.direction, options.param,
        trials=options.trials, sampler=options.sampler, seed=options.seed,
    )  # fmt: skip


def make_facts(
    session: Session,
    metric: str,
    direction: str,
    space: Mapping[str, Any] | Sequence[str],
    *,
    trials: int | None,
    sampler: str,
    seed: int | None,
) -> SearchFacts:
    """Check what is asked for.

    Raises
    ------
    InvalidInputError
        For a space that is none, or a metric whose better way nobody knows.
    """
    dimensions = make_space(space)
    found: Direction | None = direction or direction_of(  # type: ignore[assignment]
        metric, session.workbench.project.definition.kpi
    )
    if found is None:
        raise InvalidInputError(
            f"Whether more or less of {metric} is better is not known.",
            "Say --direction maximize or minimize.",
            code="direction_unknown",
        )
    studies = session.workbench.develop.searches.studies
    return SearchFacts(
        metric=metric, direction=found, study="", storage=studies.storage, space=dimensions,
        wanted=trials, sampler=sampler, seed=seed,
    )  # fmt: skip


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Called by IPython when ``%%search`` is first used."""
    shell.register_magics(SearchMagics(shell))
