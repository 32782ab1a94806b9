"""The table of runs: a page of what matches, as rows or as groups, and what columns there are."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from perijove.contracts.base import number
from perijove.contracts.develop import RunState
from perijove.contracts.table import AllOf, AnyOf, Compare, Filter, SortKey
from perijove.contracts.tracker import (
    RunColumn,
    RunGroup,
    RunRow,
    RunsRequest,
    RunTable,
    Spread,
)
from perijove.core.context import ProjectContext
from perijove.core.measurements import Verdicts
from perijove.develop.columns import (
    ATTRIBUTES,
    SHOWN_TAGS,
    STATUS,
    STATUS_WORDS,
    VERDICT,
    Column,
    check_filter,
    check_sort,
    direction_of,
    read_column,
)
from perijove.develop.ingester import Ingester
from perijove.develop.judgements import Judgements
from perijove.develop.ports import (
    NOTEBOOK_TAG,
    PARENT_TAG,
    RunGroupFound,
    RunQueries,
    RunQuery,
    RunStore,
    StoredRun,
)
from perijove.develop.states import RunStates
from perijove.develop.tags import JOB_TAG, NOTE_TAG, PIN_TAG, PROCESS_TAG, STAR_TAG, USAGE_TAG
from perijove.develop.words import WordsFaultError, are_filter, parse, plain

MAX_PAGE: Final = 1000
MAX_COLUMNS: Final = 2000
"""Told of; the most frequent ones where there are more."""
MAX_BEST: Final = 8
GROUP_IDS: Final = 50

DURATION: Final = Column("attributes", "duration")


class RunTables:
    """Answers what the table of runs asks.

    Parameters
    ----------
    project
        The open project.
    store
        Where runs are kept.
    queries
        Searches among them.
    states
        Tells how runs stand.
    ingester
        Knows the progress of runs.
    refresh
        Moves what was logged into the store.
    """

    def __init__(
        self,
        project: ProjectContext,
        store: RunStore,
        queries: RunQueries,
        states: RunStates,
        ingester: Ingester,
        refresh: Callable[[], None],
    ) -> None:
        self.project = project
        self._store = store
        self._queries = queries
        self._states = states
        self._ingester = ingester
        self._refresh = refresh
        self._lock = threading.Lock()
        self._best: tuple[Any, dict[str, str]] = ((), {})
        self.judgements = Judgements(project)

    def page(self, request: RunsRequest) -> RunTable:
        """Return a page of the table.

        Raises
        ------
        InvalidInputError
            For a column or a value that cannot be; faults in search words are told in the answer.
        """
        self._refresh()
        verdicts, words = self.judgements.read()
        deleted = request.view == "deleted"
        runs = self._queries.count(deleted=deleted)
        columns = self._columns(verdicts, len(words), runs, deleted=deleted)
        try:
            query, understood = self.query(request, words)
        except WordsFaultError as error:
            return RunTable(
                rows=[], groups=[], total=0, runs=runs, columns=columns, fault=error.message
            )
        rows: list[RunRow] = []
        groups: list[RunGroup] = []
        best: dict[str, str] = {}
        if request.group_by and request.group is None:
            groups, total = self._groups(query, request)
        else:
            limit = min(max(1, request.limit), MAX_PAGE)
            found, total = self._queries.find(query, offset=max(0, request.offset), limit=limit)
            rows = self.rows(found, request.columns, words)
            best = {} if deleted else self._best_of(query, request.columns, verdicts)
        return RunTable(
            rows=rows,
            groups=groups,
            total=total,
            runs=runs,
            columns=columns,
            best=best,
            understood=understood,
        )

    def query(
        self, request: RunsRequest, verdicts: Mapping[str, str] | None = None
    ) -> tuple[RunQuery, Filter | None]:
        """Read a request; return the search, and what the words say if they are a filter.

        Raises
        ------
        WordsFaultError
            For search words that cannot be followed.
        InvalidInputError
            For a column or a value that cannot be.
        """
        understood = parse(request.search) if are_filter(request.search) else None
        parts = [part for part in (understood, request.filter) if part is not None]
        if request.group_by and request.group is not None:
            parts.append(_exactly(request.group_by, request.group))
        tree = None if not parts else parts[0] if len(parts) == 1 else AllOf(of=parts)
        mentioned = check_filter(tree) if tree is not None else set()
        mentioned |= check_sort(request.sort)
        for name in request.columns:
            read_column(name)
        if request.group_by:
            mentioned.add(read_column(request.group_by))
        given: dict[str, Mapping[str, str]] = {}
        if VERDICT in mentioned:
            if verdicts is None:
                verdicts = self.judgements.read().words
            given[str(VERDICT)] = verdicts
        if mentioned & {STATUS, DURATION}:
            given[str(STATUS)] = {
                run.run_id: STATUS_WORDS[self._states.of(run)] for run in self._queries.open_runs()
            }
        return (
            RunQuery(
                filter=tree,
                words=() if understood is not None else plain(request.search),
                sort=tuple(request.sort),
                deleted=request.view == "deleted",
                given=given,
            ),
            understood,
        )

    def rows(
        self, runs: list[StoredRun], columns: list[str], verdicts: Mapping[str, str]
    ) -> list[RunRow]:
        """Put runs on the wire, with their values in columns."""
        ids = [run.run_id for run in runs]
        values = self._queries.values(ids, columns)
        children = self._queries.children(ids)
        live = [
            (at, column)
            for at, name in enumerate(columns)
            if (column := read_column(name)) in (STATUS, VERDICT, DURATION)
        ]
        return [
            self._row(run, live, values[run.run_id], verdicts, children.get(run.run_id, 0))
            for run in runs
        ]

    def _row(
        self,
        run: StoredRun,
        live: list[tuple[int, Column]],
        values: list[float | str | None],
        verdicts: Mapping[str, str],
        children: int,
    ) -> RunRow:
        tags, state = run.tags, self._states.of(run)
        verdict = verdicts.get(run.run_id, "")
        for at, column in live:  # what the store does not know, or not as it is now
            if column == STATUS:
                values[at] = STATUS_WORDS[state]
            elif column == VERDICT:
                values[at] = verdict or None
            elif state == "lost":
                values[at] = None
        return RunRow(
            run_id=run.run_id,
            name=run.name,
            state=state,
            started=run.started,
            ended=run.ended,
            notebook=tags.get(NOTEBOOK_TAG, ""),
            values=[number(value) if type(value) is float else value for value in values],
            verdict=verdict,  # type: ignore[arg-type]
            progress=self._progress(run.run_id, state),
            starred=bool(tags.get(STAR_TAG)),
            pinned=bool(tags.get(PIN_TAG)),
            noted=bool(tags.get(NOTE_TAG)),
            children=children,
            parent=tags.get(PARENT_TAG, ""),
            tracked_by="perijove" if PROCESS_TAG in tags or JOB_TAG in tags else "mlflow",
        )

    def _progress(self, run_id: str, state: RunState) -> float | None:
        return self._ingester.state(run_id).progress if state == "running" else None

    def _best_of(self, query: RunQuery, columns: list[str], verdicts: Verdicts) -> dict[str, str]:
        """Return the best matching run of each metric whose better way is known.

        A run with a model into which the answer leaks, or that learnt the rows that it was
        measured on, is left aside: none of its numbers is one.
        """
        kpis = list(verdicts.measured)
        wanted = {
            column.key: direction
            for column in map(read_column, columns)
            if column.kind == "metrics" and (direction := direction_of(column.key, kpis))
        }
        wanted = dict(list(wanted.items())[:MAX_BEST])
        if not wanted:
            return {}
        void = {one.run_id for found in verdicts.measured.values() for one in found
                if not one.honest}  # fmt: skip
        # Sorting and turning pages changes nothing in it.
        key = (
            self._store.change_counter(), repr(query.filter), query.words,
            repr(query.given), tuple(wanted.items()), frozenset(void),
        )  # fmt: skip
        with self._lock:
            if self._best[0] == key:
                return self._best[1]
        found = self._queries.best(query, wanted, void)
        with self._lock:
            self._best = key, found
        return found

    def _groups(self, query: RunQuery, request: RunsRequest) -> tuple[list[RunGroup], int]:
        by = request.group_by
        sorted_by = [key.column for key in request.sort]
        names = list(dict.fromkeys([*request.columns, *sorted_by]))
        groups = self._queries.groups(query, by, names)
        for key in reversed(request.sort):
            groups = _sorted(groups, key, names.index(key.column), by)
        start = max(0, request.offset)
        page = groups[start : start + min(max(1, request.limit), MAX_PAGE)]
        shown = [
            RunGroup(
                value=group.value,
                runs=len(group.run_ids),
                spreads=[_spread(*group.spreads[names.index(name)]) for name in request.columns],
                newest=group.newest,
                run_ids=group.run_ids[:GROUP_IDS],
            )
            for group in page
        ]
        return shown, len(groups)

    def _columns(
        self, verdicts: Verdicts, judged: int, runs: int, *, deleted: bool
    ) -> list[RunColumn]:
        found = {column.name: column for column in self._queries.columns(deleted=deleted)}
        kpis = list(verdicts.measured)
        counts = {
            "notebook": _runs_of(found, f"tags.{NOTEBOOK_TAG}"),
            "cost": _runs_of(found, f"tags.{USAGE_TAG}"),
            "verdict": judged,
        }
        columns = [
            RunColumn(column=f"attributes.{key}", kind=holds, runs=count, telling=key not in _PLAIN)
            for key, holds in ATTRIBUTES.items()
            if (count := counts.get(key, runs))
        ]
        columns += [
            RunColumn(
                column=column.name,
                kind="number" if column.numbers else "text",
                runs=column.runs,
                telling=column.telling,
            )
            for column in found.values()
            if _shown(column.name)
        ]
        targets = {f"metrics.{kpi.metric}" for kpi in kpis}

        def place(column: RunColumn) -> tuple[bool, int, bool]:
            own = column.column.startswith("attributes.")
            return column.column not in targets, -column.runs, not own

        columns.sort(key=place)
        return columns[:MAX_COLUMNS]


_PLAIN: Final = frozenset(("user_id", "run_id", "artifact_uri"))
"""Attributes in which runs differ, or not, without a meaning."""
_OWN_TAGS: Final = tuple(f"tags.{tag}" for tag in SHOWN_TAGS if tag not in
                         (NOTEBOOK_TAG, "mlflow.user"))  # fmt: skip


def _shown(name: str) -> bool:
    if not name.startswith(("tags.mlflow.", "tags.perijove.")):
        return True
    return name in _OWN_TAGS


def _runs_of(found: Mapping[str, Any], name: str) -> int:
    column = found.get(name)
    return 0 if column is None else column.runs


def _exactly(name: str, value: str) -> Filter:
    """Write that a run has this very value, as its group has it."""
    if read_column(name).holds != "text":
        return Compare(column=name, op="=", value=value) if value else AnyOf(of=[])
    # The text itself, and not another one that says the same number.
    return Compare(column=name, op="matches", value=f"(?s)^{re.escape(value)}$")


def _spread(mean: float | None, low: float | None, high: float | None, values: int) -> Spread:
    return Spread(
        mean=None if mean is None else number(mean),
        low=None if low is None else number(low),
        high=None if high is None else number(high),
        values=values,
    )


def _sorted(
    groups: Collection[RunGroupFound], key: SortKey, at: int, by: str
) -> list[RunGroupFound]:
    """Sort groups by what they share, or by the mean of a column; those without one come last."""

    def value(group: RunGroupFound) -> Any:
        mean = group.spreads[at][0]
        if key.column != by or mean is not None:
            return mean
        return group.value

    there = [group for group in groups if value(group) is not None]
    missing = [group for group in groups if value(group) is None]
    there.sort(
        key=lambda group: (isinstance(value(group), str), value(group)), reverse=key.descending
    )
    return there + missing
