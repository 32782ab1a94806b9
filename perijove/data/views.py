"""Views: pages of a version's rows."""

from __future__ import annotations

from perijove.contracts.table import RowsQuery
from perijove.core.context import ProjectContext
from perijove.core.errors import InvalidInputError
from perijove.data.ports import DataEngine
from perijove.data.registry import Registry
from perijove.data.tasks import Tasks

MAX_PAGE = 10_000


class Views:
    """Looks at the tables of one project."""

    def __init__(
        self, project: ProjectContext, registry: Registry, tasks: Tasks, engine: DataEngine
    ) -> None:
        self.project = project
        self._registry = registry
        self._tasks = tasks
        self._engine = engine

    def page(self, name: str, query: RowsQuery) -> bytes:
        """Return rows as an Arrow IPC stream."""
        if query.offset < 0 or not 0 <= query.limit <= MAX_PAGE:
            raise InvalidInputError(
                f"Rows {query.offset} to {query.offset + query.limit} cannot be asked for.",
                f"An offset is 0 or more, and a page has at most {MAX_PAGE:,} rows.",
            )
        table = self._registry.table(self._registry.resolve(name, query.version))
        return self._engine.page(table, query.offset, query.limit)
