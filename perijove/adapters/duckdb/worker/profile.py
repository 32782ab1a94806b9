"""Profiles: figures of every column from the files' footers, a sample, or one pass over all rows."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from perijove.adapters.duckdb.worker.columns import (
    ColumnFigures,
    Kind,
    as_numbers,
    kind_of,
    written,
)
from perijove.adapters.duckdb.worker.database import Action, Database, Report
from perijove.adapters.duckdb.worker.sketches import SHARES, Bins, correlations, leaders_of

SAMPLE_ROWS: Final = 122_880
SAMPLE_CELLS: Final = 24_000_000
"""Of a wide table fewer rows are sampled."""
SAMPLE_PLACES: Final = 16
"""Row groups that a sample is taken from, spread over the files."""
BLOCK_ROWS: Final = 65_536
QUANTILE_ROWS: Final = 300_000
QUANTILE_CELLS: Final = 12_000_000
"""Values of the random sample that are kept, all columns together: 96 MB."""
CORRELATED: Final = 50
"""Columns of numbers that are compared in pairs, the first ones of a wide table."""
CORRELATED_ROWS: Final = 100_000
TOGETHER: Final = 64
"""Columns that are read in one pass."""
TIME_BINS: Final = 60
SECONDS_UNTIL: Final = 1e11
"""Whole numbers below are seconds since the epoch, and ms from there on (1973 as ms)."""


class _Files:
    """The files of one version, open."""

    def __init__(self, files: list[str], partitions: str | None) -> None:
        self.paths = files
        self.partitions = partitions
        self.metadata = [pq.read_metadata(file) for file in files]
        self.schema = pq.read_schema(files[0])
        self.rows = sum(m.num_rows for m in self.metadata)

    def open(self, index: int, texts: list[str]) -> pq.ParquetFile:
        return pq.ParquetFile(
            self.paths[index],
            metadata=self.metadata[index],
            read_dictionary=texts,
            page_checksum_verification=True,
            pre_buffer=False,
        )

    def blocks(self, names: list[str], texts: list[str]) -> Iterator[pa.RecordBatch]:
        """Read all rows of some columns, a block at a time."""
        for index in range(len(self.paths)):
            with self.open(index, texts) as file:
                yield from file.iter_batches(BLOCK_ROWS, columns=names)

    def sample(self, names: list[str], rows: int = SAMPLE_ROWS) -> pa.Table:
        """Read the first rows of row groups that lie evenly over the files."""
        rows = min(rows, max(1024, SAMPLE_CELLS // max(1, len(names))))
        groups = [
            (index, group)
            for index, metadata in enumerate(self.metadata)
            for group in range(metadata.num_row_groups)
            if metadata.row_group(group).num_rows
        ]
        if not groups:
            return self.schema.empty_table().select(names)
        places = np.unique(
            np.linspace(0, len(groups) - 1, min(len(groups), SAMPLE_PLACES)).astype(int)
        )
        share = math.ceil(rows / len(places))
        parts: list[pa.Table] = []
        for place in places:
            index, group = groups[place]
            with self.open(index, []) as file:
                batches: list[pa.RecordBatch] = []
                left = share
                for batch in file.iter_batches(
                    min(share, BLOCK_ROWS), row_groups=[group], columns=names
                ):
                    batches.append(batch.slice(0, left))
                    left -= batches[-1].num_rows
                    if left <= 0:
                        break
                parts.append(pa.Table.from_batches(batches))
        return pa.concat_tables(parts)

    def footer(self, column: int) -> tuple[int | None, Any, Any]:
        """Return nulls, smallest and largest value as the footers say, None where they do not."""
        nulls, least, most = 0, None, None
        for metadata in self.metadata:
            for group in range(metadata.num_row_groups):
                statistics = metadata.row_group(group).column(column).statistics
                if statistics is None or not statistics.has_null_count:
                    return None, None, None
                nulls += statistics.null_count
                if statistics.has_min_max:
                    try:
                        low, high = statistics.min, statistics.max
                    except (ValueError, OverflowError):  # a time that Python cannot say
                        return nulls, None, None
                    least = low if least is None or low < least else least
                    most = high if most is None or high > most else most
                elif statistics.num_values:
                    return nulls, None, None
        return nulls, least, most


def footer(
    database: Database, report: Report, *, files: list[str], partitions: str | None = None
) -> dict[str, Any]:
    """Tell what the footers say of every column; no page is read."""
    opened = _Files(files, partitions)
    leaves = _leaves(opened)
    columns = []
    for field in opened.schema:
        nulls, least, most = (
            opened.footer(leaves[field.name]) if field.name in leaves else (None, None, None)
        )
        kind = kind_of(field.type)
        shown = kind not in ("other", "truth")
        columns.append(
            {
                "name": field.name,
                "kind": kind,
                "nulls": nulls,
                "minimum": _limit(least, field.type) if shown else None,
                "maximum": _limit(most, field.type) if shown else None,
            }
        )
    columns += [{"name": n, "kind": "text", "nulls": 0} for n in _keys(opened)]
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
    opened = _Files(files, partitions)
    table = opened.sample(opened.schema.names).combine_chunks()
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
    opened = _Files(files, partitions)
    names = opened.schema.names
    if opened.rows <= min(SAMPLE_ROWS, SAMPLE_CELLS // max(1, len(names))):
        return sample(database, report, files=files, time_column=time_column, partitions=partitions)
    columns: list[dict[str, Any]] = []
    correlation, axis = None, None
    passes = math.ceil(len(names) / TOGETHER)
    for index in range(passes):
        chosen = names[index * TOGETHER : (index + 1) * TOGETHER]
        found = _Pass(opened, chosen, time_column).run(
            lambda share, index=index: report((index + share) / passes)  # type: ignore[misc]
        )
        columns += found["columns"]
        correlation = correlation or found["correlation"]
        axis = axis or found["time_axis"]
    return {
        "rows": opened.rows,
        "seen": opened.rows,
        "columns": columns + _partition_columns(opened),
        "correlation": correlation,
        "time_axis": axis,
        "shares": list(SHARES),
        "seconds": time.monotonic() - started,
    }


class _Pass:
    """One pass over all rows of some columns."""

    def __init__(self, files: _Files, names: list[str], time_column: str) -> None:
        self._files = files
        self._names = names
        hints = files.sample(names).combine_chunks()
        self._fields = {field.name: field for field in hints.schema}
        leaves = _leaves(files)
        self._figures: dict[str, ColumnFigures] = {}
        self._texts: list[str] = []
        for name in names:
            values = hints.column(name).combine_chunks()
            limits = _limits(files.footer(leaves[name])[1:], values) if name in leaves else None
            figures = ColumnFigures(name, values.type, limits)
            if figures.kind == "text":
                first = ColumnFigures(name, values.type, limits)
                first.add(values)
                if first.values.number()[0] * 4 < len(values):
                    self._texts.append(name)
                else:
                    figures.values.counts = None
            if figures.values.counts is None:
                figures.follow(_leaders(values))
            self._figures[name] = figures
        numeric = [n for n in names if self._figures[n].kind in ("number", "time")]
        room = QUANTILE_CELLS // max(1, len(numeric))
        self._share = min(1.0, min(QUANTILE_ROWS, room) / max(1, files.rows))
        self._samples: dict[str, list[NDArray[np.float64]]] = {name: [] for name in numeric}
        self._random = np.random.default_rng(0)
        self._axis = _axis_of(hints, self._figures, time_column)

    def run(self, report: Report) -> dict[str, Any]:
        done = 0
        with ThreadPoolExecutor(2) as threads, ThreadPoolExecutor(1) as reader:
            blocks = self._files.blocks(self._names, self._texts)
            coming = reader.submit(next, blocks, None)
            while (block := coming.result()) is not None:
                # The next block is decoded while this one is counted.
                coming = reader.submit(next, blocks, None)
                places = self._places(block.num_rows)
                list(threads.map(partial(self._add, block, places), self._names))
                done += block.num_rows
                del block
                report(done / max(1, self._files.rows))
        samples = {
            name: np.concatenate(parts) if parts else np.empty(0)
            for name, parts in self._samples.items()
        }
        rows = self._files.rows
        return {
            "columns": [
                self._figures[name].result(samples.get(name), rows) for name in self._names
            ],
            "correlation": _correlation(self._figures, samples),
            "time_axis": self._axis.result() if self._axis is not None else None,
        }

    def _places(self, rows: int) -> NDArray[np.int64] | None:
        """Choose rows at random, the same ones of every column; None for all."""
        if self._share >= 1:
            return None
        chosen: NDArray[np.int64] = self._random.integers(0, rows, round(rows * self._share))
        return np.sort(chosen)

    def _add(self, block: pa.RecordBatch, places: NDArray[np.int64] | None, name: str) -> None:
        values = block.column(name)
        self._figures[name].add(values)
        if name in self._samples:
            picked = values if places is None else values.take(pa.array(places))
            self._samples[name].append(_with_nan(picked))
        if self._axis is not None and self._axis.column == name:
            self._axis.add(values)


class _TimeAxis:
    """How many rows fall where in time."""

    def __init__(self, column: str, low: float, high: float, scale: float) -> None:
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


def _finish(files: _Files, table: pa.Table, time_column: str, started: float) -> dict[str, Any]:
    """Make the figures of rows that are in memory."""
    figures: dict[str, ColumnFigures] = {}
    samples: dict[str, NDArray[np.float64]] = {}
    with ThreadPoolExecutor(2) as threads:
        columns = [_whole(table.column(index)) for index in range(table.num_columns)]
        made = threads.map(_figures_of, table.column_names, columns)
        for values, one in zip(columns, made, strict=True):
            figures[one.name] = one
            if one.kind in ("number", "time"):
                samples[one.name] = _with_nan(values)
    axis = _axis_of(table, figures, time_column)
    if axis is not None:
        axis.add(_whole(table.column(axis.column)))
    return {
        "rows": files.rows,
        "seen": table.num_rows,
        "columns": [one.result(samples.get(name), table.num_rows) for name, one in figures.items()]
        + _partition_columns(files),
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


def _axis_of(table: pa.Table, figures: dict[str, ColumnFigures], declared: str) -> _TimeAxis | None:
    """Choose the column of the time: the declared one, or the only one there is."""
    times = [name for name, one in figures.items() if one.kind == "time"]
    column = declared or (times[0] if len(times) == 1 else "")
    if column not in figures or figures[column].kind not in ("time", "number"):
        return None
    bins = figures[column].limits
    if bins is None:
        return None
    seconds = figures[column].kind == "number" and abs(bins[1]) < SECONDS_UNTIL
    return _TimeAxis(column, *bins, 1000.0 if seconds else 1.0)


def _correlation(
    figures: dict[str, ColumnFigures], samples: dict[str, NDArray[np.float64]]
) -> dict[str, Any] | None:
    names = [n for n in samples if figures[n].kind == "number"][:CORRELATED]
    if len(names) < 2 or not len(samples[names[0]]):
        return None
    # Every so many rows of the sample: r of 100,000 rows is off by 0.003 (standard error).
    step = math.ceil(len(samples[names[0]]) / CORRELATED_ROWS)
    thinned = [samples[name][::step] for name in names]
    return {"columns": names, "values": correlations(thinned), "rows": len(thinned[0])}


def _leaves(files: _Files) -> dict[str, int]:
    """Return where the footers speak of a flat column."""
    schema = files.metadata[0].schema
    return {
        schema.column(index).path: index
        for index in range(len(schema))
        if schema.column(index).max_repetition_level == 0
    }


def _limit(value: Any, dtype: pa.DataType) -> str | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        return written(pa.scalar(value, dtype))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return str(value)


def _keys(files: _Files) -> list[str]:
    return list(_parts(files, 0)) if files.partitions else []


def _parts(files: _Files, index: int) -> dict[str, str]:
    """Read the ``key=value`` folders of a file's path."""
    inner = Path(files.paths[index]).relative_to(files.partitions or "/").parent.parts
    return dict(part.split("=", 1) for part in inner if "=" in part)


def _partition_columns(files: _Files) -> list[dict[str, Any]]:
    """Count the rows of the folders that are columns too."""
    found = []
    for key in _keys(files):
        counts: dict[str, int] = {}
        for index, metadata in enumerate(files.metadata):
            value = _parts(files, index)[key]
            counts[value] = counts.get(value, 0) + metadata.num_rows
        ranked = sorted(counts.items(), key=lambda item: -item[1])
        kind: Kind = "text"
        found.append(
            {
                "name": key,
                "kind": kind,
                "nulls": 0,
                "distinct": len(counts),
                "histogram": {
                    "counts": [count for _, count in ranked[:20]],
                    "labels": [value for value, _ in ranked[:20]],
                },
                "top": [{"value": value, "count": count} for value, count in ranked[:10]],
            }
        )
    return found


ACTIONS: dict[str, Action] = {
    "profile_footer": footer,
    "profile_sample": sample,
    "profile_full": full,
}
