"""Differences: rows that only one of two tables has, and values that are spread otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from perijove.adapters.duckdb.worker.checksums import verify
from perijove.adapters.duckdb.worker.database import Action, Database, Report, name, scan
from perijove.adapters.duckdb.worker.fingerprint import described, hashable, row_hash

PASS_ROWS: Final = 40_000_000
"""Hashes that are compared at once; more are compared in parts, by their remainders."""
BINS: Final = 20
LONGEST: Final = 80
NUMBERS: Final = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL",
)  # fmt: skip
FRACTIONS: Final = ("FLOAT", "DOUBLE", "DECIMAL")
TIMES: Final = ("DATE", "TIMESTAMP")
WORDS: Final = ("VARCHAR", "BOOLEAN", "ENUM", "UUID")
MISSING, NOT_FINITE, OTHER = "missing", "not finite", "other"
Counts = dict[str, int]


def compare(
    database: Database,
    report: Report,
    *,
    base: dict[str, Any],
    other: dict[str, Any],
    start: int,
    limit: int,
) -> dict[str, Any]:
    """Compare two tables, each ``files`` and ``partitions``.

    Parameters
    ----------
    start, limit
        The columns whose distributions are compared, of those that both have, in the order of
        ``other``. Rows are compared with the first of them only.
    """
    for file in [*base["files"], *other["files"]]:
        verify(file)
    tables = scan(base["files"], base["partitions"]), scan(other["files"], other["partitions"])
    before, after = (dict(described(database, table)) for table in tables)
    added = removed = None
    if before == after and not start:
        added, removed = _rows(database, before, tables)
    report(0.3)
    common = [column for column in after if column in before]
    chosen = common[start : start + limit]
    found = []
    for at, column in enumerate(chosen):
        spread = _distribution(database, column, before[column], after[column], tables)
        if spread is not None:
            found.append(spread)
        report(0.3 + 0.7 * (at + 1) / len(chosen))
    found.sort(key=lambda spread: -spread["divergence"])
    return {"added": added, "removed": removed, "common": len(common), "distributions": found}


# Rows


def _rows(database: Database, columns: dict[str, str], tables: tuple[str, str]) -> tuple[int, int]:
    """Count rows that only one of them has, by 64-bit hashes of the values by columns' names."""
    hashed = row_hash([hashable(column, columns[column]) for column in sorted(columns)], "1", "")
    rows = [int(database.row(f"SELECT count(*) FROM {table}")[0]) for table in tables]
    parts = -(-sum(rows) // PASS_ROWS) or 1
    common = 0
    for part in range(parts):
        before, after = (
            np.sort(_hashes(database, f"SELECT {hashed} AS h FROM {table}", part, parts))
            for table in tables
        )
        common += _common(before, after)
    return rows[1] - common, rows[0] - common


def _hashes(database: Database, sql: str, part: int, parts: int) -> Any:
    where = f" WHERE h % {parts} = {part}" if parts > 1 else ""
    found = database.db.sql(f"SELECT h FROM ({sql}){where}").to_arrow_table()
    return found.column("h").to_numpy()


def _common(before: Any, after: Any) -> int:
    """Count what two sorted arrays share, with repetition."""
    if not len(before) or not len(after):
        return 0
    (left, left_counts), (right, right_counts) = _counted(before), _counted(after)
    at = np.minimum(np.searchsorted(left, right), len(left) - 1)
    same = left[at] == right
    return int(np.minimum(left_counts[at[same]], right_counts[same]).sum())


def _counted(ordered: Any) -> tuple[Any, Any]:
    """Return the values of a sorted array, and how often each is there."""
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return ordered[starts], np.diff(starts, append=len(ordered))


# Distributions


def _distribution(
    database: Database, column: str, before: str, after: str, tables: tuple[str, str]
) -> dict[str, Any] | None:
    kinds = before, after
    quoted = name(column)
    if all(kind.startswith(NUMBERS) and not kind.endswith("]") for kind in kinds):
        whole = not any(kind.startswith(FRACTIONS) for kind in kinds)
        return _binned(database, column, f"{quoted}::DOUBLE", tables, _number, whole=whole)
    if all(kind.startswith(TIMES) and not kind.endswith("]") for kind in kinds):
        # An infinite time has no seconds; it is counted with what is missing.
        seconds = f"CASE WHEN isfinite({quoted}) THEN epoch({quoted}) END"
        return _binned(database, column, seconds, tables, _moment, whole=False)
    if all(kind.startswith(WORDS) and not kind.endswith("]") for kind in kinds):
        return _words(database, column, tables)
    return None


def _binned(
    database: Database,
    column: str,
    value: str,
    tables: tuple[str, str],
    label: Callable[[float], str],
    *,
    whole: bool,
) -> dict[str, Any] | None:
    bounds = [
        bound
        for table in tables
        for bound in database.row(
            f"SELECT min(x) FILTER (isfinite(x)), max(x) FILTER (isfinite(x)) "
            f"FROM (SELECT {value} AS x FROM {table})"
        )
        if bound is not None
    ]
    low, high = (min(bounds), max(bounds)) if bounds else (0.0, 0.0)
    bins = 1 if low == high else BINS
    if whole and high - low < BINS:
        bins = int(high - low) + 1
        high = low + bins
    # Halved: the difference of two finite numbers may be infinite.
    width = (high / 2 - low / 2) / bins * 2 if bins > 1 else 1.0
    edges = [low + width * at for at in range(bins)]
    bin_of = (
        f"CASE WHEN x IS NULL THEN -1 WHEN NOT isfinite(x) THEN -2 "
        f"ELSE greatest(0, least({bins - 1}, floor((x / 2 - ?) / ? * 2)))::INTEGER END"
    )
    names = {at: label(edge) for at, edge in enumerate(edges)} | {-1: MISSING, -2: NOT_FINITE}
    counted: list[dict[int, int]] = []
    for table in tables:
        rows = database.db.execute(
            f"SELECT {bin_of} AS bin, count(*) FROM (SELECT {value} AS x FROM {table}) GROUP BY 1",
            [low / 2, width],
        ).fetchall()
        counted.append(dict(rows))
    order = [*range(bins), *(at for at in (-1, -2) if any(at in counts for counts in counted))]
    return _spread(
        column, [names[at] for at in order],
        *([counts.get(at, 0) for at in order] for counts in counted),
    )  # fmt: skip


def _words(database: Database, column: str, tables: tuple[str, str]) -> dict[str, Any] | None:
    values: dict[str, None] = {}
    for table in tables:
        (top,) = database.row(f"SELECT approx_top_k({name(column)}::VARCHAR, {BINS}) FROM {table}")
        values |= dict.fromkeys(top or [])
    chosen = list(values)
    counted: list[Counts] = []
    for table in tables:
        rows = database.db.execute(
            f"SELECT CASE WHEN x IS NULL THEN 0 WHEN list_contains(?, x) THEN 1 ELSE 2 END, "
            f"CASE WHEN list_contains(?, x) THEN x END, count(*) "
            f"FROM (SELECT {name(column)}::VARCHAR AS x FROM {table}) GROUP BY 1, 2",
            [chosen, chosen],
        ).fetchall()
        # A value may be called like one of ours: it keeps quotes around it.
        ours = {0: MISSING, 2: OTHER}
        counted.append(
            {ours[which] if which in ours else _word(word): n for which, word, n in rows}
        )
    total: Counts = {}
    for counts in counted:
        for word, n in counts.items():
            total[word] = total.get(word, 0) + n
    plain = sorted((w for w in total if w not in (MISSING, OTHER)), key=lambda w: (-total[w], w))
    order = [*plain[:BINS], *(w for w in (OTHER, MISSING) if w in total or len(plain) > BINS)]
    for counts in counted:
        for word in plain[BINS:]:
            counts[OTHER] = counts.get(OTHER, 0) + counts.pop(word, 0)
    return _spread(column, order, *([counts.get(w, 0) for w in order] for counts in counted))


def _word(value: str) -> str:
    cut = value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
    return repr(cut) if cut in (MISSING, OTHER) else cut


def _number(value: float) -> str:
    return f"{value:.6g}"


def _moment(value: float) -> str:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    except OverflowError:
        return _number(value)
    return moment.replace(tzinfo=None).isoformat(" ", "seconds").removesuffix(" 00:00:00")


def _spread(column: str, labels: list[str], before: list[int], after: list[int]) -> dict[str, Any]:
    return {
        "column": column, "labels": labels, "before": before, "after": after,
        "divergence": jensen_shannon(before, after),
    }  # fmt: skip


def jensen_shannon(before: list[int], after: list[int]) -> float:
    """Return the distance of two distributions, in [0, 1]; 1 where only one has values."""
    if not sum(before) or not sum(after):
        return float(bool(sum(before)) != bool(sum(after)))
    p, q = (np.asarray(counts, dtype=float) / sum(counts) for counts in (before, after))
    middle = (p + q) / 2
    divergence = 0.0
    for side in (p, q):
        there = side > 0
        divergence += float(np.sum(side[there] * np.log2(side[there] / middle[there]))) / 2
    return math.sqrt(min(1.0, max(0.0, divergence)))


ACTIONS: dict[str, Action] = {"compare": compare}
