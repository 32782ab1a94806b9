"""Curves of several runs in one window, few enough points to draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from perijove.contracts.develop import Series
from perijove.contracts.tracker import CurveSet, CurvesRequest, RunCurve
from perijove.core.errors import InvalidInputError
from perijove.develop.ports import RunQueries, Window
from perijove.develop.series import LIMIT, series_of

MAX_RUNS: Final = 50
MAX_SERIES: Final = 1000
"""Of all runs together: more charts than anybody looks at."""
MOST_POINTS: Final = 4 * LIMIT


class Curves:
    """Reads curves for charts.

    Parameters
    ----------
    queries
        Searches among runs.
    refresh
        Moves what was logged into the store.
    """

    def __init__(self, queries: RunQueries, refresh: Callable[[], None]) -> None:
        self._queries = queries
        self._refresh = refresh

    def read(self, request: CurvesRequest) -> CurveSet:
        """Return the curves that a request names; a run without a metric has no series of it.

        Raises
        ------
        InvalidInputError
            For too many runs, or too many curves.
        """
        ids = list(dict.fromkeys(request.run_ids))
        if len(ids) > MAX_RUNS:
            raise InvalidInputError(
                f"Curves of {len(ids):,} runs at once are too many.",
                f"Choose at most {MAX_RUNS}.",
                code="too_many_runs",
            )
        self._refresh()
        keys = list(dict.fromkeys(request.keys))
        wanted = dict.fromkeys(ids, keys) if keys else self._queries.metric_keys(ids)
        count = sum(map(len, wanted.values()))
        if count > MAX_SERIES:
            raise InvalidInputError(
                f"{count:,} curves at once are too many.",
                f"Name the metrics: at most {MAX_SERIES:,} curves of all runs together.",
                code="too_many_curves",
            )
        window = Window(
            points=min(max(4, request.points), MOST_POINTS),
            by=request.by,
            start=request.start,
            end=request.end,
        )
        return CurveSet(
            items=[
                RunCurve(run_id=run_id, series=self._series(run_id, wanted[run_id], window))
                for run_id in ids
            ]
        )

    def _series(self, run_id: str, keys: Sequence[str], window: Window) -> list[Series]:
        found = []
        for key in keys:
            points, total = self._queries.curve(run_id, key, window)
            if points:
                found.append(series_of(key, points, total))
        return found
