"""Views: pages of a version's rows, in its own order or as somebody filtered and sorted them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from perijove.contracts.chain import Node
from perijove.contracts.data import DataFacts
from perijove.contracts.table import (
    CellQuery,
    CellValue,
    CodeRequest,
    ExportRequest,
    FindRequest,
    Found,
    RowsQuery,
    Task,
    View,
    ViewSpec,
)
from perijove.core.chain import facts_of
from perijove.core.context import ProjectContext
from perijove.core.errors import ConflictError, InvalidInputError, UnavailableError
from perijove.data.filters import check_view
from perijove.data.ports import DataEngine, Look, Table, Work
from perijove.data.registry import Registry
from perijove.data.tasks import Tasks
from perijove.data.view_code import view_code
from perijove.data.view_copies import StoredView, ViewCopies

MAX_PAGE = 10_000
FIRST = 2_048
"""Rows of a view that are there before its copy is."""
FORMATS = ("csv", "tsv", "parquet", "arrow", "jsonl")


class Views:
    """Looks at the tables of one project."""

    def __init__(
        self, project: ProjectContext, registry: Registry, tasks: Tasks, engine: DataEngine
    ) -> None:
        self.project = project
        self._registry = registry
        self._tasks = tasks
        self._engine = engine
        self._copies = ViewCopies(project.paths)

    # Pages

    def page(self, name: str, query: RowsQuery) -> bytes:
        """Return rows as an Arrow IPC stream.

        Raises
        ------
        UnavailableError
            When the view's copy is still being built, and these rows come after its first ones.
        """
        if query.offset < 0 or not 0 <= query.limit <= MAX_PAGE:
            raise InvalidInputError(
                f"Rows {query.offset} to {query.offset + query.limit} cannot be asked for.",
                f"An offset is 0 or more, and a page has at most {MAX_PAGE:,} rows.",
            )
        table, names = self._rows_of(name, query.version, query.view, query.offset)
        columns = positions(query.columns, len(names)) if query.columns else None
        return self._engine.page(table, query.offset, query.limit, columns, names)

    def cell(self, name: str, query: CellQuery) -> CellValue:
        """Return one value whole."""
        table, names = self._rows_of(name, query.version, query.view, query.row)
        column = _place(query.column, names)
        if not 0 <= query.row < table.rows:
            raise InvalidInputError(
                f"There is no row {query.row:,}.", f"The last one is {table.rows - 1:,}."
            )
        return self._engine.cell(table, query.row, column)

    def find(self, name: str, request: FindRequest) -> Found:
        """Return the next cell that holds a text, in the view's order."""
        if not request.text:
            raise InvalidInputError("There is no text to find.", "Write what to look for.")
        table, names = self._rows_of(name, request.version, request.view, None)
        columns = [_place(column, names) for column in request.columns] or range(len(names))
        if not 0 <= request.row < max(1, table.rows):
            raise InvalidInputError(
                f"There is no row {request.row:,}.", f"The last one is {table.rows - 1:,}."
            )
        found = self._engine.find(
            Look(table, tuple(names)),
            request.text,
            columns,
            request.row,
            _place(request.column, names) if request.column else None,
            backwards=request.backwards,
            case=request.case,
        )
        return Found(row=None) if found is None else Found(row=found[0], column=names[found[1]])

    def _rows_of(
        self, name: str, version: int, view: str, row: int | None
    ) -> tuple[Table, list[str]]:
        """Return where rows are, ``row`` among them (all, when None), and the columns' names."""
        if not view:
            node = self._registry.resolve(name, version)
            return self._registry.table(node), _names(node)
        stored = self._copies.load(view)
        names = _names(self.project.chain.get(stored.ref))
        copy = self._copies.rows(view)
        if copy.is_file() and stored.rows is not None:
            return Table((copy,), view, stored.rows), names
        whole = stored.rows is not None and stored.rows <= stored.first
        if whole or (row is not None and row < stored.first):
            return Table((self._copies.first(view),), view, stored.first), names
        state = self._state(view, stored)
        if state.error is not None:
            raise UnavailableError(state.error.message, state.error.hint, code=state.error.code)
        task = self._tasks.get(state.task) if state.task else None
        raise UnavailableError(
            f"The view is still being built{f': {task.progress:.0%}' if task else ''}; its first "
            f"{stored.first:,} rows are there.",
            "Wait a moment, or cancel it.",
            code="view_building",
        )

    # Views

    def open(self, name: str, spec: ViewSpec) -> View:
        """Filter and sort a version: the first rows are there when this returns.

        Raises
        ------
        InvalidInputError
            Naming the column, its type and the value that it cannot hold.
        """
        node = self._registry.resolve(name, spec.version)
        facts = facts_of(node, DataFacts)
        check_view(spec, facts.columns)
        if spec.filter is None and not spec.sort:
            return View(
                id="", ref=node.ref, state="ready", rows=facts.rows, reachable=facts.rows
            )  # fmt: skip
        look = self._look(node, spec)
        view = self._copies.identity(look.table.key, spec.filter, spec.sort)
        stored = self._copies.find(view)
        if stored is None or not self._copies.first(view).is_file():
            first, whole = self._engine.first_rows(look, FIRST, self._copies.first(view))
            known = None if spec.filter is not None else facts.rows
            stored = StoredView(
                ref=node.ref, filter=spec.filter, sort=spec.sort,
                rows=first if whole else known, first=first,
            )  # fmt: skip
            self._copies.save(view, stored)
        # Somebody asks for it again: what failed or was cancelled may be tried again.
        return self._state(view, stored, again=True)

    def view(self, view: str) -> View:
        """Tell how far a view is."""
        return self._state(view, self._copies.load(view))

    def _state(self, view: str, stored: StoredView, *, again: bool = False) -> View:
        """Describe a view, and have its copy built where nobody does."""
        whole = stored.rows is not None and (
            stored.rows <= stored.first or self._copies.rows(view).is_file()
        )
        if whole:
            return View(
                id=view, ref=stored.ref, state="ready", rows=stored.rows,
                reachable=stored.rows or 0,
            )  # fmt: skip
        key = f"view:{view}"
        task = self._tasks.find(key)
        ended = task is not None and task.state in ("finished", "failed", "cancelled")
        if task is None or task.state == "finished" or (ended and again):
            task = self._tasks.start(
                "view", f"Copy of a view of {stored.ref}", key, lambda work: self._build(view, work)
            )
        error = task.error
        if task.state == "cancelled":
            error = UnavailableError(
                f"The view's copy was cancelled; only its first {stored.first:,} rows are there.",
                "Filter or sort again to have it built.",
                code="view_cancelled",
            ).body()
        return View(
            id=view,
            ref=stored.ref,
            state="building" if error is None else "failed",
            rows=stored.rows,
            reachable=stored.first,
            task=task.id,
            error=error,
        )

    def _build(self, view: str, work: Work) -> None:
        """Count a view's rows, and copy them: the task's work."""
        stored = self._copies.load(view)
        node = self.project.chain.get(stored.ref)
        spec = ViewSpec(filter=stored.filter, sort=stored.sort)
        look = self._look(node, spec)
        total = facts_of(node, DataFacts).rows
        if stored.rows is None:
            work.report(0.0, "counting")
            stored = msgspec.structs.replace(stored, rows=self._engine.count(look))
            self._copies.save(view, stored)
        rows = stored.rows or 0
        if rows <= stored.first:
            return
        size = sum(file.stat().st_size for file in look.table.files)
        room = self._copies.make_room(view, int(size * rows / max(1, total)))
        work.report(0.0, "sorting" if look.sort else "copying")
        copy, scratch = self._copies.rows(view), self._copies.scratch
        try:
            self._engine.copy(look, room, copy, work=work, scratch=scratch)
        except UnavailableError as error:
            raise UnavailableError(
                f"The view's {rows:,} rows could not be copied; only its first "
                f"{stored.first:,} are there. {error.message}",
                "Filter further, or sort fewer rows.",
                code=error.code,
            ) from error

    def _look(self, node: Node, spec: ViewSpec) -> Look:
        table = self._registry.table(node)
        return Look(table, tuple(_names(node)), spec.filter, tuple(spec.sort))

    # What leaves the grid

    def code(self, name: str, request: CodeRequest) -> str:
        """Write code that makes the view in a notebook."""
        node = self._registry.resolve(name, request.view.version)
        columns = facts_of(node, DataFacts).columns
        check_view(request.view, columns)
        return view_code(node.name, node.version, columns, request.view, request.library)

    def export(self, name: str, request: ExportRequest) -> Task:
        """Write the view into a file of the project, in the background.

        Raises
        ------
        ForbiddenPathError
            For a path that leads out of the project.
        ConflictError
            When the file is there and may not be replaced.
        """
        path = self.project.paths.inside(request.path)
        ending = path.suffix.lower().removeprefix(".")
        if ending not in FORMATS:
            raise InvalidInputError(
                f"{path.name} names no format that a view can be written in.",
                f"End the name with one of .{', .'.join(FORMATS)}.",
            )
        if path.is_relative_to(self.project.paths.state) or path.is_dir():
            raise InvalidInputError(
                f"{request.path} is no place for an export.", "Name another file of the project."
            )
        if path.exists() and not request.replace:
            raise ConflictError(
                f"{request.path} is there already.",
                "Name another file, or say that it may be replaced.",
                code="file_exists",
            )
        node = self._registry.resolve(name, request.view.version)
        check_view(request.view, facts_of(node, DataFacts).columns)
        look = self._look(node, request.view)
        if path in self._registry.registered_paths() or path in look.table.files:
            raise ConflictError(
                f"{request.path} is a registered file: its versions would lose their rows.",
                "Name another file.",
            )
        columns = [_place(c, look.names) for c in request.view.columns] or range(len(look.names))

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInputError(
                f"The folder of {request.path} cannot be made: {error.strerror}.",
                "Name another one.",
            ) from error

        def run(work: Work) -> None:
            work.report(0.0, "writing")
            self._engine.export(look, columns, path, work=work, scratch=self._copies.scratch)

        stored = self.project.paths.relative(path)
        return self._tasks.start("export", f"{node.ref} to {stored}", f"export:{stored}", run)


def positions(text: str, width: int) -> list[int]:
    """Read positions of columns, such as ``0-63,100``."""
    chosen: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise InvalidInputError(
                f"{text[:80]!r} names no columns.", "Write positions such as 0-63,100."
            )
        low, high = int(first), int(last or first)
        if not low <= high < width:
            raise InvalidInputError(
                f"There are no columns {part.strip()[:40]}.", f"The last one is {width - 1:,}."
            )
        chosen.extend(range(low, high + 1))
        if len(chosen) > width:
            raise InvalidInputError("Columns are asked for twice.", "Name each once.")
    return chosen


def _names(node: Node) -> list[str]:
    return [column.name for column in facts_of(node, DataFacts).columns]


def _place(name: str, names: Sequence[str]) -> int:
    try:
        return list(names).index(name)
    except ValueError:
        raise InvalidInputError(
            f"There is no column {name!r}.",
            f"The columns are {', '.join(names[:12])}{' …' if len(names) > 12 else ''}.",
            code="unknown_column",
        ) from None
