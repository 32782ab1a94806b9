"""Searches by Optuna, kept in a SQLite file of the project."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Collection
from contextlib import closing
from typing import Any, Final

from perijove.core.errors import UnavailableError, UnsupportedError
from perijove.core.files import locked, on_network
from perijove.core.paths import ProjectPaths
from perijove.develop.searches import Asked, SearchFacts
from perijove.develop.spaces import Dimension

FILE: Final = "optuna.db"
BUSY_SECONDS: Final = 60
FEWEST: Final = 4
"""Finished trials, for an importance."""


class OptunaStudies:
    """Implements ``perijove.develop.searches.Studies``.

    Parameters
    ----------
    paths
        The project's.
    """

    def __init__(self, paths: ProjectPaths) -> None:
        self._paths = paths

    @property
    def storage(self) -> str:
        return self._paths.relative(self._paths.state / FILE)

    def open(self, facts: SearchFacts, *, worker: int = 0) -> OptunaStudy:
        optuna = _optuna()
        storage = self._storage()
        with _errors(), locked(self._paths.state / "optuna.lock"):
            study = optuna.create_study(
                storage=storage,
                study_name=facts.study,
                direction=facts.direction,
                load_if_exists=True,
            )
        seed = facts.seed
        if seed is not None:
            # Whoever goes on, or helps, must not draw the same numbers once more.
            seed = (seed + len(study.get_trials(deepcopy=False)) + 7919 * worker) % 2**32
        if facts.sampler == "random":
            study.sampler = optuna.samplers.RandomSampler(seed=seed)
        else:
            study.sampler = optuna.samplers.TPESampler(seed=seed)
        return OptunaStudy(study, facts, self._paths)

    def _storage(self) -> Any:
        from sqlalchemy import event

        optuna = _optuna()
        self._paths.make_state()
        path = self._paths.state / FILE
        with _errors(), locked(self._paths.state / "optuna.lock"):
            if not path.exists() and not on_network(path.parent):
                with closing(sqlite3.connect(path)) as db:
                    db.execute("PRAGMA journal_mode=WAL")
            storage = optuna.storages.RDBStorage(
                f"sqlite:///{path}",
                engine_kwargs={"connect_args": {"timeout": BUSY_SECONDS}},
            )

        @event.listens_for(storage.engine, "connect")
        def connected(connection: Any, _record: Any) -> None:
            # A trial takes a dozen transactions: with WAL this loses none of them to a kill.
            connection.execute("PRAGMA synchronous=NORMAL")

        storage.engine.dispose()
        return storage

    def importance(self, facts: SearchFacts) -> tuple[str, dict[str, float]] | None:
        if not (self._paths.state / FILE).is_file():
            return None
        optuna = _optuna()
        with _errors():
            study = optuna.load_study(study_name=facts.study, storage=self._storage())
            done = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,), deepcopy=False)
            if len(done) < FEWEST or len({trial.value for trial in done}) < 2:
                return None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
                shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
        return "fANOVA of Optuna on the trials of the search", {
            name: float(share) for name, share in shares.items()
        }


class OptunaStudy:
    """Implements ``perijove.develop.searches.Study``."""

    def __init__(self, study: Any, facts: SearchFacts, paths: ProjectPaths) -> None:
        self._study = study
        self._paths = paths
        self._space = {one.name: _distribution(one) for one in facts.space}
        self._trials: dict[int, Any] = {}

    def ask(self, wanted: int | None) -> Asked | None:
        # Counted and made under one lock: several processes share the number that is wanted.
        with _errors(), locked(self._paths.state / "optuna.lock"):
            if wanted is not None and len(self._study.get_trials(deepcopy=False)) >= wanted:
                return None
            trial = self._study.ask(self._space)
        self._trials[trial.number] = trial
        return Asked(trial.number, dict(trial.params))

    def report(self, trial: int, step: int, value: float) -> None:
        with _errors(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a step that was told already
            self._trials[trial].report(value, step)

    def should_prune(self, trial: int) -> bool:
        with _errors():
            return bool(self._trials[trial].should_prune())

    def tell(self, trial: int, value: float | None, *, pruned: bool = False) -> None:
        states = _optuna().trial.TrialState
        # Optuna takes no NaN for a value; such a trial has failed for it, whatever the run says.
        failed = value is None or value != value
        state = states.PRUNED if pruned else states.FAIL if failed else states.COMPLETE
        with _errors():
            self._study.tell(
                self._trials.pop(trial, trial),
                None if pruned or failed else value,
                state=state,
                skip_if_finished=True,
            )

    def give_up(self, alive: Collection[int]) -> None:
        for trial in self._study.get_trials(deepcopy=False):
            if not trial.state.is_finished() and trial.number not in alive:
                self.tell(trial.number, None)


def _distribution(dimension: Dimension) -> Any:
    distributions = _optuna().distributions
    low, high, step = dimension.low, dimension.high, dimension.step
    match dimension.kind:
        case "choice":
            return distributions.CategoricalDistribution(dimension.choices)
        case "int":
            return distributions.IntDistribution(
                int(low), int(high), log=dimension.log, step=int(step or 1)
            )
        case _:
            return distributions.FloatDistribution(low, high, log=dimension.log, step=step)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise UnsupportedError(
            "Searches need Optuna, which is not installed.",
            'Install it: pip install "perijove[search]".',
            code="optuna_missing",
        ) from error
    import optuna.importance

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


class _errors:  # noqa: N801 - used like contextlib.suppress
    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        storage_error = _optuna().exceptions.StorageInternalError
        if isinstance(error, SQLAlchemyError | storage_error):
            raise UnavailableError(
                f"The searches' file {FILE} does not answer: {str(error).splitlines()[0]}",
                "Try again; another process may be writing. Else check the disk.",
            ) from error
