"""A run's curves as they grow, a moment ahead of the store."""

from __future__ import annotations

from typing import Final

from perijove.contracts.develop import Series
from perijove.core.cuts import read_cuts
from perijove.core.errors import NotFoundError, PerijoveError, UnavailableError
from perijove.core.journal import MAGIC, JournalFolder
from perijove.develop.ingester import Ingester, understand
from perijove.develop.ports import Point, RunQueries, Window
from perijove.develop.series import LIMIT, series_of, to_series

MAX_KEYS: Final = 500
"""Curves that are sent whole at first; those of a run with more come when they are asked for."""


class LiveCurve:
    """Follows one run: first what the store has, then straight from the journals.

    What other tools log into the same run without a journal comes from the store.

    Parameters
    ----------
    ingester
        Moves the run's journals into the store.
    queries
        Reads curves that are few enough to draw; without it, all comes from the journals.
    """

    def __init__(self, ingester: Ingester, run_id: str, queries: RunQueries | None = None) -> None:
        self._ingester = ingester
        self._queries = queries
        self._run_id = run_id
        self._folder = JournalFolder(ingester.folder(run_id))
        self._journaled: set[str] = set()
        self._stored = 0
        self._counter: int | None = None
        self._cuts = read_cuts(ingester.folder(run_id))
        self._begun = False

    def restarts(self) -> bool:
        """Whether points that were read no longer count: follow the run anew, from the start."""
        cuts = read_cuts(self._ingester.folder(self._run_id))
        before, self._cuts = self._cuts, cuts
        cursors = self._folder.cursors
        return cuts != before and any(cursors.get(name, 0) > end for name, end in cuts.items())

    def read(self, limit: int = LIMIT) -> tuple[list[Series], float | None]:
        """Return the points since the last call and the newest progress, None when unchanged."""
        if not self._begun:
            self._begun = True
            if (first := self._read_first(limit)) is not None:
                return first
        # The store first: whatever it has of a journal, that journal has had before.
        stored = self._read_store()
        found = understand(self._folder.read())
        self._journaled.update(point.key for point in found.batch.points)
        points = [point for point in stored if point.key not in self._journaled]
        return to_series([*points, *found.batch.points], limit), found.progress

    def _read_first(self, limit: int) -> tuple[list[Series], float | None] | None:
        """Read what there is from the store, and go on where its share of the journals ends."""
        store, queries = self._ingester.store, self._queries
        if queries is None or store.remote:
            return None
        try:
            self._ingester.ingest(self._run_id)
            state = self._ingester.state(self._run_id)
            if not state.cursors and max(self._folder.sizes().values(), default=0) > len(MAGIC):
                return None  # the store has no such run: its journals are all there is
            self._counter, self._stored = store.change_counter(), store.point_cursor()
            window = Window(points=limit)
            series = []
            for key in queries.metric_keys([self._run_id]).get(self._run_id, [])[:MAX_KEYS]:
                points, total = queries.curve(self._run_id, key, window)
                series.append(series_of(key, points, total))
        except PerijoveError:
            return None  # the journals have it too
        sizes = self._folder.sizes()
        cursors = {
            name: sizes.get(name, 0) if name in state.cuts else offset
            for name, offset in state.cursors.items()
        }
        self._folder = JournalFolder(self._ingester.folder(self._run_id), cursors)
        return series, state.progress

    def _read_store(self) -> list[Point]:
        store = self._ingester.store
        try:
            counter = store.change_counter()
            if counter == self._counter:
                return []
            points, self._stored = store.points_since(self._run_id, self._stored)
        except (NotFoundError, UnavailableError):  # the journals go on without it
            return []
        self._counter = counter
        return points
