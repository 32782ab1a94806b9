"""A curve of one run from MLflow's ``metrics`` table, thinned out by SQLite itself.

Ten thousand points made into Python objects cost five times what it takes SQLite to look at them.
So it is SQLite that picks the least and the greatest point of each stretch of steps, along the
index by run, key and step. Where steps do not spread the points, or where some are NaN, they are
all read and thinned out by ``perijove.develop.series``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from perijove.adapters.mlflow.values import unpack
from perijove.develop.ports import Point, Window
from perijove.develop.series import down_sample

Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_OF = "FROM metrics m WHERE m.run_uuid=?1 AND m.key=?2"
# Both ends of a window by time are in ?5 and ?6; by step they are the steps themselves.
_TIMED = " AND m.timestamp BETWEEN ?5 AND ?6"
# A NaN is stored as 0: as the least of all it shows that its stretch has one.
_ROW = (
    "(SELECT id FROM (SELECT m.rowid AS id, {least} " + _OF + " AND m.step >= s.first "
    "AND m.step < s.first + ?3{timed}))"
)
_LEAST: Final = "min(CASE WHEN m.is_nan THEN -1e999 ELSE m.value END)"
_GREATEST: Final = "max(m.value)"
_STRETCHES = (
    "WITH RECURSIVE s(first) AS "
    "(SELECT ?4 UNION ALL SELECT first + ?3 FROM s WHERE first + ?3 <= ?7) "
)
_FAR: Final = 2**63 - 1
ENOUGH: Final = 0.2
"""Of the stretches; where fewer hold points, steps do not spread them."""


def read_curve(ask: Ask, run_id: str, key: str, window: Window) -> tuple[list[Point], int]:
    """Return the points of a curve in a window, at most so many, and how many there are.

    Parameters
    ----------
    ask
        Runs a query.
    key
        As MLflow keeps it.
    """
    limit = max(4, window.points)
    first, last, count, timed = _extent(ask, run_id, key, window)
    if not count:
        return [], 0
    if count > limit and last - first >= limit:
        points = _thinned(ask, run_id, key, (first, last), timed, limit)
        if points is not None:
            return points, count
    where = f"{_OF} AND m.step BETWEEN ?3 AND ?4" + (_TIMED if timed else "")
    rows = ask(
        f"SELECT m.step, m.timestamp, m.value, m.is_nan {where} ORDER BY m.step, m.timestamp",
        (run_id, key, first, last, *(timed or ())),
    )
    points = [Point(key, unpack(value, nan), at, step) for step, at, value, nan in rows]
    return down_sample(points, limit), count


def _extent(
    ask: Ask, run_id: str, key: str, window: Window
) -> tuple[int, int, int, tuple[int, int] | None]:
    """Return the first and the last step of a window, its points, and its times if it has any."""
    if window.start is None and window.end is None:
        # Three queries along the index: one for all three would not use its ends.
        (first,), (last,), (count,) = ask(
            f"SELECT min(m.step) {_OF} UNION ALL SELECT max(m.step) {_OF} "
            f"UNION ALL SELECT count(*) {_OF}",
            (run_id, key),
        )
        return first, last, count, None
    low, high = _whole(window.start, -_FAR), _whole(window.end, _FAR)
    column = "m.step" if window.by == "step" else "m.timestamp"
    ((first, last, count),) = ask(
        f"SELECT min(m.step), max(m.step), count(*) {_OF} AND {column} BETWEEN ?3 AND ?4",
        (run_id, key, low, high),
    )
    return first, last, count, (low, high) if window.by == "time" else None


def _whole(end: float | None, otherwise: int) -> int:
    """Read an end of a window; what is no number, or too far away, is the end of all."""
    if end is None or end != end or abs(end) >= float(_FAR):
        return otherwise if end is None or end != end else (_FAR if end > 0 else -_FAR)
    return int(end) if end == int(end) else int(end // 1) + (otherwise < 0)


def _thinned(
    ask: Ask,
    run_id: str,
    key: str,
    steps: tuple[int, int],
    timed: tuple[int, int] | None,
    limit: int,
) -> list[Point] | None:
    """Pick two points of each stretch of steps; None where that shows the curve badly."""
    first, last = steps
    stretches = (limit - 2) // 2
    width = -(-(last - first + 1) // stretches)
    more = _TIMED if timed else ""
    least = _ROW.format(least=_LEAST, timed=more)
    greatest = _ROW.format(least=_GREATEST, timed=more)
    rows = ask(
        f"{_STRETCHES} SELECT a.step, a.timestamp, a.value, a.is_nan, b.step, b.timestamp, b.value "
        f"FROM s CROSS JOIN metrics a ON a.rowid={least} CROSS JOIN metrics b ON b.rowid={greatest}"
        " ORDER BY s.first",
        (run_id, key, width, first, *(timed or (0, 0)), last),
    )
    if len(rows) < ENOUGH * stretches or any(row[3] for row in rows):
        return None
    picked: list[tuple[int, int, float]] = []
    for row in rows:
        pair = {(row[0], row[1], row[2]), row[4:]}
        picked += sorted(pair)
    return [Point(key, unpack(value, False), at, step) for step, at, value in picked]
