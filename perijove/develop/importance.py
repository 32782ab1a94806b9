"""Which parameters a metric depends on, as far as the runs that there are can tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from perijove.contracts.table import Missing, Not
from perijove.contracts.tracker import Importance, ImportanceRequest, ParamImportance
from perijove.develop.columns import read_number
from perijove.develop.ports import RunQueries, RunQuery

MOST_RUNS: Final = 2000
FEWEST_RUNS: Final = 10
MOST_PARAMS: Final = 100
MOST_WORDS: Final = 20
"""Different words of a parameter; with more it names the run rather than says how it trained."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a parameter tells of the metric."""

    share: float
    """Not below 0; of no scale."""
    correlation: float | None
    """Spearman's, for numbers."""


@dataclass(frozen=True, slots=True)
class ParamValues:
    """What runs had for a parameter, one value a run; NaN where it was not logged."""

    name: str
    numbers: bool
    values: list[float]
    """The number, or the place of the word among the words."""


Weigh = Callable[[Sequence[ParamValues], Sequence[float]], list[Weighed]]
"""Weighs parameters by what they tell of a metric."""
Study = Callable[[str, Sequence[str]], tuple[str, dict[str, float]] | None]
"""Returns how a search weighs its parameters, and their weights, where all runs are its trials."""


class ImportanceRoom:
    """Tells parameters that matter from those that do not.

    Parameters
    ----------
    queries
        Searches among runs.
    weigh
        Does it with runs whose parameters came as they came.
    study
        Asks the search that runs are trials of, which knows its space.
    """

    METHOD = "permutation importance of a random forest, on runs that it was not fitted to"

    def __init__(
        self,
        queries: RunQueries,
        weigh: Weigh,
        study: Study,
    ) -> None:
        self._queries = queries
        self._weigh = weigh
        self._study = study

    def of(self, request: ImportanceRequest) -> Importance:
        """Return the importance of parameters; without any, the answer says why.

        Raises
        ------
        InvalidInputError
            When nothing can be called so.
        """
        metric = f"metrics.{request.metric}"
        ids = list(dict.fromkeys(request.run_ids))[:MOST_RUNS]
        if not ids:
            there = RunQuery(filter=Not(of=Missing(column=metric)))
            ids = [r.run_id for r in self._queries.find(there, offset=0, limit=MOST_RUNS)[0]]
        names = [
            column.name
            for column in sorted(self._queries.columns(), key=lambda c: (-c.runs, c.name))
            if column.name.startswith("params.") and column.telling
        ]
        table = self._queries.values(ids, [metric, *names])
        rows = [row for row in table.values() if _finite(row[0])]
        runs = len(rows)
        if runs < FEWEST_RUNS:
            return self._nothing(
                request.metric,
                runs,
                f"{runs} run{'' if runs == 1 else 's'} with a number of {request.metric}: "
                f"at least {FEWEST_RUNS} are needed.",
            )
        target = [float(row[0]) for row in rows]  # type: ignore[arg-type]
        if min(target) == max(target):
            return self._nothing(
                request.metric, runs, f"{request.metric} is the same in all {runs} runs."
            )
        params = [
            values
            for at, name in enumerate(names, 1)
            if (values := _values(name.removeprefix("params."), [row[at] for row in rows]))
        ][:MOST_PARAMS]
        if not params:
            return self._nothing(
                request.metric, runs, "No parameter differs among these runs, or names more "
                "than single runs.",
            )  # fmt: skip
        weighed = dict(
            zip((param.name for param in params), self._weigh(params, target), strict=True)
        )
        told = self._study(request.metric, ids)
        if told is not None:
            method, shares = told
            items = {
                name: Weighed(share, weighed[name].correlation if name in weighed else None)
                for name, share in shares.items()
            }
        else:
            method, items = self.METHOD, weighed
        whole = sum(item.share for item in items.values())
        if not whole > 0:
            return self._nothing(
                request.metric, runs, f"None of {len(items)} parameters tells how "
                f"{request.metric} comes out.",
            )  # fmt: skip
        found = [
            ParamImportance(param=name, importance=item.share / whole, correlation=item.correlation)
            for name, item in items.items()
        ]
        found.sort(key=lambda item: (-item.importance, item.param))
        return Importance(metric=request.metric, items=found, runs=runs, method=method)

    def _nothing(self, metric: str, runs: int, reason: str) -> Importance:
        return Importance(metric=metric, items=[], runs=runs, method=self.METHOD, reason=reason)


def _finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _values(name: str, texts: Sequence[Any]) -> ParamValues | None:
    """Read a parameter; None where it does not differ, or names single runs."""
    there = [str(text) for text in texts if text is not None]
    words = sorted(set(there))
    if len(words) + (len(there) < len(texts)) < 2:
        return None
    numbers = {word: read_number(word) for word in words}
    if all(value is not None and math.isfinite(value) for value in numbers.values()):
        values = [math.nan if text is None else float(numbers[str(text)] or 0) for text in texts]
        return ParamValues(name, True, values)
    if len(words) > MOST_WORDS:
        return None
    places = {word: float(at) for at, word in enumerate(words)}
    return ParamValues(name, False, [math.nan if t is None else places[str(t)] for t in texts])
