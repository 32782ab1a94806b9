"""Profiles: figures of every column from the files' footers, a sample, or one pass over all rows."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from perijove.adapters.duckdb.worker.columns import (
    ColumnFigures,
    as_numbers,
    kind_of,
    written,
)
from perijove.adapters.duckdb.worker.database import THREADS, Action, Database, Report
from perijove.adapters.duckdb.worker.profile_files import (
    SAMPLE_CELLS,
    SAMPLE_ROWS,
    ProfileFiles,
)
from perijove.adapters.duckdb.worker.sketches import SHARES, Bins, correlations, leaders_of

QUANTILE_ROWS: Final = 300_000
QUANTILE_CELLS: Final = 12_000_000
"""Values of the random sample that are kept, all columns together: 96 MB."""
CORRELATED: Final = 50
"""Columns of numbers that are compared in pairs, the first ones of a wide table."""
CORRELATED_ROWS: Final = 100_000
TOGETHER: Final = 64
"""Columns that are gathered in one pass."""
WIDE: Final = 256
"""Columns of a file from which several are read together: to open it costs more then."""
MANY: Final = 64
"""Files from which several columns are read together."""
TICK: Final = 0.2
"""Seconds between two reports."""
TIME_BINS: Final = 60
SECONDS_UNTIL: Final = 1e11
"""Whole numbers below are seconds since the epoch, and ms from there on (1973 as ms)."""


def footer(
    database: Database, report: Report, *, files: list[str], partitions: str | None = None
) -> dict[str, Any]:
    """Tell what the footers say of every column; no page is read."""
    opened = ProfileFiles(database, files, partitions)
    columns = []
    for column, field in enumerate(opened.schema):
        nulls, least, most = opened.footer(column)
        kind = kind_of(field.type)
        shown = kind not in ("other", "truth")
        columns.append(
            {
                "name": opened.names[column],
                "kind": kind,
                "nulls": nulls,
                "minimum": _limit(least, field.type) if shown else None,
                "maximum": _limit(most, field.type) if shown else None,
            }
        )
    columns += [{"name": n, "kind": "text", "nulls": 0} for n in opened.keys]
    return {"rows": opened.rows, "seen": opened.rows, "columns": columns}


def sample(
    database: Database,
    report: Report,
    *,
    files: list[str],
    time_column: str = "",
    partitions: str | None = None,
) -> dict[str, Any]:
    """Tell the figures of some rows from all over the table."""
    started = time.monotonic()
    opened = ProfileFiles(database, files, partitions)
    table = opened.sample(list(range(len(opened.schema)))).combine_chunks()
    return _finish(opened, table, time_column, started)


def full(
    database: Database,
    report: Report,
    *,
    files: list[str],
    time_column: str = "",
    partitions: str | None = None,
) -> dict[str, Any]:
    """Tell the figures of all rows in one pass, wide tables in several."""
    started = time.monotonic()
    opened = ProfileFiles(database, files, partitions)
    width = len(opened.schema)
    if opened.rows <= min(SAMPLE_ROWS, SAMPLE_CELLS // max(1, width)):
        return sample(database, report, files=files, time_column=time_column, partitions=partitions)
    columns: list[dict[str, Any]] = []
    correlation, axis = None, None
    passes = math.ceil(width / TOGETHER)
    for index in range(passes):
        chosen = list(range(index * TOGETHER, min(width, (index + 1) * TOGETHER)))
        found = _Pass(opened, chosen, time_column).run(
            lambda share, index=index: report((index + share) / passes)  # type: ignore[misc]
        )
        columns += found["columns"]
        correlation = correlation or found["correlation"]
        axis = axis or found["time_axis"]
    return {
        "rows": opened.rows,
        "seen": opened.rows,
        "columns": columns + opened.folder_figures(),
        "correlation": correlation,
        "time_axis": axis,
        "shares": list(SHARES),
        "seconds": time.monotonic() - started,
    }


class _Pass:
    """One pass over all rows of some columns.

    Two threads take a column each, read it to its end, and take the next one: nothing is shared,
    and a column's numbers stay in the cache of the core that counts them.
    """

    def __init__(self, files: ProfileFiles, columns: list[int], time_column: str) -> None:
        self._files = files
        self._columns = columns
        hints = files.sample(columns).combine_chunks()
        self._texts: set[str] = set()
        with ThreadPoolExecutor(THREADS) as threads:
            self._figures = list(threads.map(self._prepared, columns, hints.columns))
        numeric = [at for at, one in enumerate(self._figures) if one.kind in ("number", "time")]
        self._samples: dict[int, list[NDArray[np.float64]]] = {at: [] for at in numeric}
        wanted = min(QUANTILE_ROWS, QUANTILE_CELLS // max(1, len(numeric)))
        self._drawn: NDArray[np.int64] | None = None
        if files.rows > wanted:
            # The same rows of every column.
            self._drawn = np.sort(np.random.default_rng(0).integers(0, files.rows, wanted))
        self._axis = _axis_of(self._figures, time_column)
        self._done = [0] * len(columns)
        self._stopped = False

    def _prepared(self, column: int, hints: pa.ChunkedArray) -> ColumnFigures:
        """Decide by a sample how a column is counted."""
        values = _whole(hints)
        name = self._files.names[column]
        limits = _limits(self._files.footer(column)[1:], values)
        figures = ColumnFigures(name, values.type, limits)
        if figures.kind == "text":
            first = ColumnFigures(name, values.type, limits)
            first.add(values)
            if first.values.number()[0] * 4 < len(values):
                self._texts.add(self._files.schema.names[column])
            else:
                figures.values.counts = None
        if figures.values.counts is None:
            figures.follow(_leaders(values))
        return figures

    def run(self, report: Report) -> dict[str, Any]:
        rows, width = self._files.rows, len(self._columns)
        with ThreadPoolExecutor(THREADS) as threads:
            left = {threads.submit(self._gather, places) for places in self._turns()}
            try:
                while left:
                    ended, left = wait(left, TICK, return_when="FIRST_EXCEPTION")
                    for future in ended:
                        future.result()
                    report(sum(self._done) / max(1, rows * width))
            finally:
                self._stopped = True
        samples = {
            at: np.concatenate(parts) if parts else np.empty(0)
            for at, parts in self._samples.items()
        }
        return {
            "columns": [one.result(samples.get(at), rows) for at, one in enumerate(self._figures)],
            "correlation": _correlation(self._figures, samples),
            "time_axis": self._axis.result() if self._axis is not None else None,
        }

    def _turns(self) -> list[list[int]]:
        """Share the columns out: the dear ones first, one at a time where that opens few files."""
        dear = {"text": 0, "other": 0, "time": 1, "number": 1, "truth": 2}
        ranked = sorted(
            range(len(self._columns)),
            key=lambda at: (self._files.schema.names[self._columns[at]] in self._texts,
                            dear[self._figures[at].kind]),
        )  # fmt: skip
        files, width = len(self._files.paths), len(self._files.schema)
        size = max(math.ceil(width / WIDE), math.ceil(files / MANY))
        size = min(size, math.ceil(len(ranked) / THREADS))
        # In the order of the file, as the reader gives them.
        return [sorted(ranked[at : at + size]) for at in range(0, len(ranked), size)]

    def _gather(self, places: list[int]) -> None:
        columns = [self._columns[place] for place in places]
        texts = sorted(self._texts)
        start = 0
        for block in self._files.blocks(columns, texts):
            end = start + block.num_rows
            drawn = None
            if self._drawn is not None:
                first, last = np.searchsorted(self._drawn, (start, end))
                drawn = self._drawn[first:last] - start
            for at, place in enumerate(places):
                self._add(block.column(at), drawn, place)
                self._done[place] = end
            start = end
            if self._stopped:
                return

    def _add(self, values: pa.Array, drawn: NDArray[np.int64] | None, place: int) -> None:
        self._figures[place].add(values)
        if place in self._samples:
            picked = values if drawn is None else values.take(pa.array(drawn))
            self._samples[place].append(_with_nan(picked))
        if self._axis is not None and self._axis.place == place:
            self._axis.add(values)


class _TimeAxis:
    """How many rows fall where in time."""

    def __init__(self, place: int, column: str, low: float, high: float, scale: float) -> None:
        self.place = place
        self.column = column
        self._scale = scale
        self._bins = Bins(low * scale, high * scale, TIME_BINS)

    def add(self, values: pa.Array) -> None:
        numbers = as_numbers(values.drop_null()) * self._scale
        self._bins.add(numbers[np.isfinite(numbers)])

    def result(self) -> dict[str, Any]:
        edges = self._bins.edges(self._bins.low, self._bins.high)
        return {
            "column": self.column,
            "edges": [round(edge) for edge in edges],
            "counts": self._bins.counts,
        }


def _finish(
    files: ProfileFiles, table: pa.Table, time_column: str, started: float
) -> dict[str, Any]:
    """Make the figures of rows that are in memory."""
    with ThreadPoolExecutor(THREADS) as threads:
        columns = [_whole(column) for column in table.columns]
        figures = list(threads.map(_figures_of, files.names, columns))
    samples = {
        at: _with_nan(values)
        for at, (one, values) in enumerate(zip(figures, columns, strict=True))
        if one.kind in ("number", "time")
    }
    axis = _axis_of(figures, time_column)
    if axis is not None:
        axis.add(columns[axis.place])
    return {
        "rows": files.rows,
        "seen": table.num_rows,
        "columns": [one.result(samples.get(at), table.num_rows) for at, one in enumerate(figures)]
        + files.folder_figures(),
        "correlation": _correlation(figures, samples),
        "time_axis": axis.result() if axis is not None else None,
        "shares": list(SHARES),
        "seconds": time.monotonic() - started,
    }


def _figures_of(name: str, values: pa.Array) -> ColumnFigures:
    """Make the figures of one column that is in memory."""
    figures = ColumnFigures(name, values.type, _limits((None, None), values))
    if figures.values.counts is None:
        figures.follow(_leaders(values))
    figures.add(values)
    return figures


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


def _leaders(values: pa.Array) -> dict[Any, int]:
    """Return the most frequent values of a sample, of those that come more than once."""
    import pyarrow.compute as pc

    present = values.drop_null()
    if pa.types.is_floating(present.type):
        present = present.filter(pc.is_finite(present))
    return leaders_of(pc.value_counts(present))


def _with_nan(values: pa.Array) -> NDArray[np.float64]:
    """Turn values into floats; NaN where one is missing."""
    if not values.null_count:
        return as_numbers(values)
    found = np.full(len(values), np.nan)
    found[values.is_valid().to_numpy(zero_copy_only=False)] = as_numbers(values.drop_null())
    return found


def _limits(known: tuple[Any, Any], values: pa.Array) -> tuple[float, float] | None:
    """Return between which numbers a column lies: as its footer says, else as a sample does."""
    if kind_of(values.type) not in ("number", "time"):
        return None
    ends = None
    if known[0] is not None and known[1] is not None:
        try:
            ends = as_numbers(pa.array(list(known), values.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            ends = None
    if ends is None or not np.isfinite(ends).all():
        numbers = as_numbers(values.drop_null())
        numbers = numbers[np.isfinite(numbers)]
        if not len(numbers):
            return None
        ends = np.array([numbers.min(), numbers.max()])
    return float(ends[0]), float(ends[1])


def _axis_of(figures: list[ColumnFigures], declared: str) -> _TimeAxis | None:
    """Choose the column of the time: the declared one, or the only one there is."""
    times = [at for at, one in enumerate(figures) if one.kind == "time"]
    if declared:
        times = [at for at, one in enumerate(figures) if one.name == declared]
    if len(times) != 1:
        return None
    one = figures[times[0]]
    bins = one.limits
    if one.kind not in ("time", "number") or bins is None:
        return None
    seconds = one.kind == "number" and abs(bins[1]) < SECONDS_UNTIL
    return _TimeAxis(times[0], one.name, *bins, 1000.0 if seconds else 1.0)


def _correlation(
    figures: list[ColumnFigures], samples: dict[int, NDArray[np.float64]]
) -> dict[str, Any] | None:
    places = [at for at in samples if figures[at].kind == "number"][:CORRELATED]
    if len(places) < 2 or not len(samples[places[0]]):
        return None
    # Every so many rows of the sample: r of 100,000 rows is off by 0.003 (standard error).
    step = math.ceil(len(samples[places[0]]) / CORRELATED_ROWS)
    thinned = [samples[at][::step] for at in places]
    return {
        "columns": [figures[at].name for at in places],
        "values": correlations(thinned),
        "rows": len(thinned[0]),
    }


def _limit(value: Any, dtype: pa.DataType) -> str | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        return written(pa.scalar(value, dtype))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return str(value)


ACTIONS: dict[str, Action] = {
    "profile_footer": footer,
    "profile_sample": sample,
    "profile_full": full,
}
