"""The tracker: rooms that look at many runs at once, put together."""

from __future__ import annotations

from dataclasses import dataclass

from perijove.core.context import ProjectContext
from perijove.develop.annotations import Annotations
from perijove.develop.artifacts import ArtifactRoom, ReadTable
from perijove.develop.comparison import Comparisons
from perijove.develop.curves import Curves
from perijove.develop.export import Exports
from perijove.develop.importance import ImportanceRoom, Study, Weigh
from perijove.develop.ingester import Ingester
from perijove.develop.ports import RunQueries, RunStore
from perijove.develop.searches import Studies
from perijove.develop.states import RunStates
from perijove.develop.table import RunTables
from perijove.develop.views import RunViews


@dataclass(frozen=True, slots=True)
class TrackerEngines:
    """What the tracker needs of engines."""

    queries: RunQueries
    """Searches among runs."""
    weigh: Weigh
    """Weighs parameters by what they tell of a metric."""
    read_table: ReadTable
    """Reads a file of a table, in a process of its own."""
    studies: Studies
    """Keeps searches."""


class Tracker:
    """Many runs: in one table, side by side, and what they left behind."""

    def __init__(
        self,
        project: ProjectContext,
        store: RunStore,
        ingester: Ingester,
        states: RunStates,
        views: RunViews,
        engines: TrackerEngines,
        study: Study,
    ) -> None:
        queries = engines.queries
        self.queries = queries
        self.table = RunTables(project, store, queries, states, ingester, views.refresh)
        self.annotations = Annotations(project, store, queries, states, views, ingester.ingest)
        self.curves = Curves(queries, views.refresh)
        self.comparisons = Comparisons(views.get)
        self.importance = ImportanceRoom(queries, engines.weigh, study)
        self.artifacts = ArtifactRoom(store, engines.read_table)
        self.exports = Exports(self.table, queries)
