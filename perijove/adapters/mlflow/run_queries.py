"""The table of runs on MLflow's schema, by SQL of ours."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from perijove.adapters.mlflow.run_conditions import Conditions
from perijove.adapters.mlflow.run_file import Rows, RunDatabase
from perijove.adapters.mlflow.values import short_key, unpack
from perijove.contracts.problem import Direction
from perijove.core.errors import InvalidInputError
from perijove.core.ledger import now
from perijove.develop.columns import read_column, read_number
from perijove.develop.ports import (
    PARENT_TAG,
    ColumnFound,
    Point,
    RunGroupFound,
    RunQuery,
    StoredRun,
    Window,
)

VISIBLE: Final = (
    "r.lifecycle_stage='{}' AND r.experiment_id IN "
    "(SELECT experiment_id FROM experiments WHERE lifecycle_stage='active')"
)
_HEAD = "r.run_uuid, r.name, r.status, r.start_time, r.end_time"
_TABLES: Final = {"metrics": "latest_metrics", "params": "params", "tags": "tags"}
SAMPLE: Final = 200
"""Values of a column by which it is told whether they are numbers."""
COLUMNS_SECONDS: Final = 5.0
"""How old the counts of columns may be while somebody writes."""
SPREADS_A_QUERY: Final = 40


class SqlRunQueries:
    """Answers :class:`perijove.develop.ports.RunQueries` from a database.

    Parameters
    ----------
    runs
        The database.
    """

    def __init__(self, runs: RunDatabase) -> None:
        self._runs = runs
        self._lock = threading.Lock()
        self._columns: dict[bool, tuple[int, float, list[ColumnFound]]] = {}

    def look_again(self, run_ids: Sequence[str] = ()) -> None:
        with self._lock:
            self._columns.clear()  # a tag that was just written may be a column of its own
        self._runs.look_again(run_ids)

    def find(self, query: RunQuery, *, offset: int, limit: int) -> tuple[list[StoredRun], int]:
        write = self._conditions(query)
        where = _where(query, write)
        # Where nothing is asked, the count is at hand for less than a window function costs.
        narrowed = query.filter is not None or bool(query.words)
        total = "count(*) OVER ()" if narrowed else "0"
        rows = self._runs.rows(
            f"SELECT {_HEAD}, {total} FROM runs r WHERE {where} ORDER BY {write.order(query.sort)} "
            f"LIMIT {write.bind(limit)} OFFSET {write.bind(offset)}",
            write.parameters,
            query.given,
        )
        if narrowed and (rows or not offset):
            count = rows[0][-1] if rows else 0
        elif narrowed:
            count = self._matching(query)
        else:
            count = self.count(deleted=query.deleted)
        return self._with_tags(rows), count

    def _matching(self, query: RunQuery) -> int:
        write = self._conditions(query)
        sql = f"SELECT count(*) FROM runs r WHERE {_where(query, write)}"
        return int(self._runs.rows(sql, write.parameters, query.given)[0][0])

    def count(self, *, deleted: bool = False) -> int:
        return int(self._runs.rows(f"SELECT count(*) FROM runs r WHERE {_visible(deleted)}")[0][0])

    def _conditions(self, query: RunQuery) -> Conditions:
        return Conditions(
            query.given,
            lambda sql, parameters, pattern: self._matched(query, sql, parameters, pattern),
            now(),
        )

    def _matched(self, query: RunQuery, sql: str, parameters: dict[str, Any], pattern: str) -> str:
        """Return the different values of a term that a pattern of RE2 matches, as JSON."""
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = self._runs.rows(
            f"SELECT DISTINCT v FROM (SELECT {sql} AS v FROM runs r) WHERE v IS NOT NULL",
            parameters,
            query.given,
        )
        values = pa.array([row[0] for row in rows], pa.string())
        try:
            found = values.filter(pc.match_substring_regex(values, pattern))
        except pa.ArrowInvalid as error:
            raise InvalidInputError(
                f"{pattern!r} is no pattern: {str(error).partition(': ')[2] or error}",
                "Write a regular expression as RE2 knows them.",
                code="filter_value",
            ) from None
        return json.dumps(found.to_pylist())

    def _with_tags(self, heads: Rows) -> list[StoredRun]:
        runs = {
            head[0]: StoredRun(
                run_id=head[0],
                name=head[1] or head[0][:8],
                status=head[2],
                started=head[3] or 0,
                ended=None if head[2] in ("RUNNING", "SCHEDULED") else head[4],
                params={},
                metrics={},
                tags={},
            )
            for head in heads
        }
        for run_id, key, text in self._runs.rows(
            "SELECT t.run_uuid, t.key, t.value FROM json_each(?) i CROSS JOIN tags t "
            "ON t.run_uuid=i.value ORDER BY t.key",
            (json.dumps(list(runs)),),
        ):
            runs[run_id].tags[key] = text or ""
        return list(runs.values())

    def values(
        self, run_ids: Sequence[str], columns: Sequence[str]
    ) -> dict[str, list[float | str | None]]:
        found: dict[str, list[float | str | None]] = {
            run_id: [None] * len(columns) for run_id in run_ids
        }
        places: dict[str, dict[str, list[int]]] = {}
        attributes: list[int] = []
        for at, name in enumerate(columns):
            column = read_column(name)
            if column.kind == "attributes":
                attributes.append(at)
            else:
                places.setdefault(column.kind, {}).setdefault(short_key(column.key), []).append(at)
        ids = json.dumps(list(run_ids))
        for kind, keys in places.items():
            table, more = ("latest_metrics", "m.is_nan") if kind == "metrics" else (kind, "0")
            # In this order whatever the statistics say: each value by its primary key, or where
            # most are wanted all that a run has.
            each = f"FROM json_each(:ids) i CROSS JOIN {table} m ON m.run_uuid=i.value"
            if not self._most(kind, len(keys)):
                each = (
                    f"FROM json_each(:ids) i CROSS JOIN json_each(:keys) k CROSS JOIN {table} m "
                    "ON m.key=k.value AND m.run_uuid=i.value"
                )
            for run_id, key, value, is_nan in self._runs.rows(
                f"SELECT m.run_uuid, m.key, m.value, {more} {each}",
                {"ids": ids, "keys": json.dumps(list(keys))},
            ):
                if key not in keys:
                    continue
                if kind == "metrics":
                    value = unpack(value, is_nan)
                for at in keys[key]:
                    found[run_id][at] = value
        if attributes:
            write = Conditions((), lambda *_: "[]", now())
            terms = ", ".join(write.term(columns[at]).sql for at in attributes)
            for run_id, *cells in self._runs.rows(
                f"SELECT r.run_uuid, {terms} FROM json_each({write.bind(ids)}) i "
                "CROSS JOIN runs r ON r.run_uuid=i.value",
                write.parameters,
            ):
                for at, cell in zip(attributes, cells, strict=True):
                    found[run_id][at] = cell
        return found

    def _most(self, kind: str, wanted: int) -> bool:
        """Whether so many columns are a good part of those of their kind, as far as is known."""
        with self._lock:
            kept = self._columns.get(False)
        if kept is None:
            return False
        known = sum(column.name.startswith(f"{kind}.") for column in kept[2])
        return known <= 4 * wanted

    def best(
        self, query: RunQuery, wanted: Mapping[str, Direction], without: Collection[str]
    ) -> dict[str, str]:
        found = {}
        for metric, direction in wanted.items():
            write = self._conditions(query)
            where = _where(query, write)
            if without:
                apart = write.bind(json.dumps(list(without)))
                where += f" AND r.run_uuid NOT IN (SELECT value FROM json_each({apart}))"
            least = "max" if direction == "maximize" else "min"
            value = write.term(f"metrics.{metric}").sql
            # The other columns are those of the row that has the extreme value.
            rows = self._runs.rows(
                f"SELECT r.run_uuid, {least}({value}) AS v FROM runs r WHERE {where}",
                write.parameters,
                query.given,
            )
            if rows and rows[0][1] is not None:
                found[metric] = str(rows[0][0])
        return found

    def groups(self, query: RunQuery, by: str, columns: Sequence[str]) -> list[RunGroupFound]:
        write = self._conditions(query)
        where = _where(query, write)
        rows = self._runs.rows(
            f"SELECT {write.term(by).sql}, r.run_uuid, coalesce(r.start_time, 0) FROM runs r "
            f"WHERE {where} ORDER BY r.start_time DESC, r.rowid DESC",
            write.parameters,
            query.given,
        )
        runs: dict[Any, list[str]] = {}
        newest: dict[Any, int] = {}
        for value, run_id, started in rows:
            runs.setdefault(value, []).append(run_id)
            newest.setdefault(value, started)
        spreads: dict[Any, list[tuple[float | None, float | None, float | None, int]]] = {
            value: [] for value in runs
        }
        for start in range(0, len(columns), SPREADS_A_QUERY):
            part = columns[start : start + SPREADS_A_QUERY]
            for value, *cells in self._spreads(query, by, part):
                spreads[value] += [_spread(*cells[at : at + 5]) for at in range(0, len(cells), 5)]
        return [
            RunGroupFound(_group_text(value), run_ids, newest[value], spreads[value])
            for value, run_ids in runs.items()
        ]

    def _spreads(self, query: RunQuery, by: str, columns: Sequence[str]) -> Rows:
        write = self._conditions(query)
        where = _where(query, write)
        terms, numbers, sums = [f"{write.term(by).sql} AS g"], ["g"], ["g"]
        for at, name in enumerate(columns):
            term = write.term(name)
            terms.append(f"{term.sql} AS c{at}")
            number = f"c{at}" if term.holds != "text" else f"pj_number(c{at})"
            numbers += [f"c{at}", f"{number} AS n{at}"]
            sums.append(f"avg(n{at}), min(n{at}), max(n{at}), count(n{at}), count(c{at})")
        # Materialized, for each term is looked at five times and looked up once.
        return self._runs.rows(
            f"WITH t AS MATERIALIZED (SELECT {', '.join(terms)} FROM runs r WHERE {where}), "
            f"n AS MATERIALIZED (SELECT {', '.join(numbers)} FROM t) "
            f"SELECT {', '.join(sums)} FROM n GROUP BY g",
            write.parameters,
            query.given,
        )

    def columns(self, *, deleted: bool = False) -> list[ColumnFound]:
        with self._lock:
            counter = self._runs.counter()
            kept = self._columns.get(deleted)
            if kept is not None and (
                kept[0] == counter or time.monotonic() - kept[1] < COLUMNS_SECONDS
            ):
                return kept[2]
            started = time.monotonic()
            found = self._count_columns(deleted)
            # Of a big table the counts may be as old as ten times of what they cost.
            cost = time.monotonic() - started
            self._columns[deleted] = counter, time.monotonic() + 10 * cost, found
            return found

    def _count_columns(self, deleted: bool) -> list[ColumnFound]:
        apart = f"SELECT run_uuid FROM runs r WHERE NOT ({_visible(deleted)})"
        found = []
        for kind, table in _TABLES.items():
            # Along the primary key: the values themselves lie all over the file.
            for key, count in self._runs.rows(
                f"SELECT key, count(*) FROM {table} WHERE run_uuid NOT IN ({apart}) GROUP BY key"
            ):
                some = [
                    row[0]
                    for row in self._runs.rows(
                        f"SELECT value FROM {table} WHERE key=? LIMIT {SAMPLE}", (key,)
                    )
                ]
                telling = len(set(some)) > 1 or bool(
                    self._runs.rows(
                        f"SELECT 1 FROM {table} WHERE key=? AND value<>? "
                        f"AND run_uuid NOT IN ({apart}) LIMIT 1",
                        (key, some[0] if some else None),
                    )
                )
                numbers = kind == "metrics" or all(
                    read_number(str(text)) is not None for text in some
                )
                found.append(ColumnFound(f"{kind}.{key}", count, numbers, telling))
        return found

    def open_runs(self) -> list[StoredRun]:
        rows = self._runs.rows(
            f"SELECT {_HEAD} FROM runs r WHERE {_visible(False)} "
            "AND r.status IN ('RUNNING', 'SCHEDULED')"
        )
        return self._with_tags(rows)

    def children(self, run_ids: Sequence[str]) -> dict[str, int]:
        rows = self._runs.rows(
            "SELECT t.value, count(*) FROM tags t JOIN runs r USING (run_uuid) WHERE t.key=? "
            f"AND t.value IN (SELECT value FROM json_each(?)) AND {_visible(False)} GROUP BY 1",
            (PARENT_TAG, json.dumps(list(run_ids))),
        )
        return dict(rows)

    def metric_keys(self, run_ids: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {run_id: [] for run_id in run_ids}
        for run_id, key in self._runs.rows(
            "SELECT m.run_uuid, m.key FROM json_each(?) i CROSS JOIN latest_metrics m "
            "ON m.run_uuid=i.value ORDER BY m.key",
            (json.dumps(list(run_ids)),),
        ):
            found[run_id].append(key)
        return found

    def curve(self, run_id: str, key: str, window: Window) -> tuple[list[Point], int]:
        return self._runs.curve(run_id, key, window)


def _visible(deleted: bool) -> str:
    return VISIBLE.format("deleted" if deleted else "active")


def _where(query: RunQuery, write: Conditions) -> str:
    parts = [_visible(query.deleted)]
    if query.filter is not None:
        parts.append(write.filter(query.filter))
    if query.words:
        parts.append(write.words(query.words))
    return " AND ".join(parts)


def _spread(
    mean: float | None, low: float | None, high: float | None, numbers: int, values: int
) -> tuple[float | None, float | None, float | None, int]:
    if numbers != values or low is None or high is None:
        return None, None, None, values
    low, high = unpack(float(low), False), unpack(float(high), False)
    if mean is not None and (abs(low) == float("inf") or abs(high) == float("inf")):
        mean = low + high  # infinite, or NaN between the two infinities
    return mean, low, high, values


def _group_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return repr(unpack(value, False)) if isinstance(value, float) else str(value)
