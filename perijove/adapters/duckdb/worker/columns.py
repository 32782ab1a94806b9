"""A column as its profile sees it: what kind of values, and how they become numbers."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from perijove.adapters.duckdb.worker.hashes import Texts
from perijove.adapters.duckdb.worker.sketches import (
    BINS,
    SMALL_RANGE,
    Bins,
    Moments,
    Values,
    quantiles,
    rank_error,
)
from perijove.contracts.base import number

Kind = Literal["number", "text", "time", "truth", "other"]


def kind_of(dtype: pa.DataType) -> Kind:
    """Tell what kind of values an Arrow type has."""
    if pa.types.is_dictionary(dtype):
        return kind_of(dtype.value_type)
    if pa.types.is_boolean(dtype):
        return "truth"
    if pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_decimal(dtype):
        return "number"
    if pa.types.is_timestamp(dtype) or pa.types.is_date(dtype):
        return "time"
    text = pa.types.is_string(dtype) or pa.types.is_large_string(dtype)
    return "text" if text or pa.types.is_string_view(dtype) else "other"


def as_numbers(values: pa.Array) -> NDArray[np.float64]:
    """Turn values without nulls into floats; times into ms since the epoch."""
    dtype = values.type
    if pa.types.is_timestamp(dtype) or pa.types.is_date(dtype):
        values = values.cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
    elif pa.types.is_decimal(dtype) or pa.types.is_float16(dtype):
        values = values.cast(pa.float64())
    found: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return found.astype(np.float64, copy=False)


def _as_stored(values: pa.Array) -> NDArray[Any]:
    """Return the numbers that stand for values without nulls; decimals have none."""
    dtype = values.type
    if pa.types.is_timestamp(dtype) or pa.types.is_date(dtype):
        values = values.view(pa.int32() if dtype.bit_width == 32 else pa.int64())
    found: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return (
        found
        if found.dtype.kind == "f" or found.dtype == np.uint64
        else found.astype(np.int64, copy=False)
    )


def _from_stored(value: Any, dtype: pa.DataType) -> pa.Scalar:
    if pa.types.is_timestamp(dtype) or pa.types.is_date(dtype):
        width = pa.int32() if dtype.bit_width == 32 else pa.int64()
        return pa.array([value], width).view(dtype)[0]
    return pa.scalar(value, pa.float64() if isinstance(value, float) else dtype)


def written(value: pa.Scalar) -> str | None:
    """Write a smallest or largest value; a long text is cut."""
    if pa.types.is_timestamp(value.type) or pa.types.is_date64(value.type):
        # By Arrow: Python has no times before the year 1 and after 9999.
        return _time_written(value) if value.is_valid else None
    plain = value.as_py()
    if plain is None:
        return None
    if isinstance(plain, bool):
        return str(plain).lower()
    return _word(plain)


def _time_written(value: pa.Scalar) -> str:
    dtype = value.type
    zone = pa.types.is_timestamp(dtype) and dtype.tz
    local = pa.timestamp(dtype.unit) if zone else dtype
    text = str(value.cast(pa.int64()).cast(local).cast(pa.string()).as_py())
    return text.removesuffix(".000000") + ("Z" if zone else "")


class ColumnFigures:
    """The figures of one column, block by block.

    Parameters
    ----------
    limits
        Between which the values lie, as far as is known before: where the histogram begins and
        ends. None leaves the histogram to the first block.
    """

    def __init__(self, name: str, dtype: pa.DataType, limits: tuple[float, float] | None) -> None:
        self.name = name
        self.kind = kind_of(dtype)
        self.nulls = self.nan = self.infinite = self.zeros = 0
        self.values = Values()
        self._type = dtype.value_type if pa.types.is_dictionary(dtype) else dtype
        self._rows = 0
        self._moments = Moments()
        self._bins = Bins(*limits) if limits is not None else None
        self._least: pa.Scalar | None = None
        self._most: pa.Scalar | None = None
        self._lengths: tuple[int, int] | None = None
        self._ends: tuple[Any, Any] | None = None
        """The smallest and the largest number as they are stored."""
        self._floats = pa.types.is_floating(self._type)
        self._decimal = pa.types.is_decimal(self._type)
        self._pivot: int | None = None
        self._limits_wide = limits is None or not limits[1] - limits[0] < 2.0**62
        self._tally: NDArray[np.int64] | None = None
        """How often each whole number of a small range is there."""
        self._low = 0
        if self.kind in ("number", "time"):
            self.values.counts = None
            whole = pa.types.is_integer(self._type)
            if whole and limits is not None and limits[1] - limits[0] < SMALL_RANGE:
                self.values.counts = Counter()
                self._low = int(limits[0])
                self._tally = np.zeros(int(limits[1]) - self._low + 1, np.int64)

    @property
    def limits(self) -> tuple[float, float] | None:
        """Where the histogram begins and ends."""
        return (self._bins.low, self._bins.high) if self._bins is not None else None

    def follow(self, leaders: dict[Any, int]) -> None:
        """Count these values exactly, for there are too many to count all."""
        if self.values.counts is None:
            self.values.lead(dict.fromkeys(leaders, 0), self._type)

    def add(self, block: pa.Array) -> None:
        """Take the next values."""
        self._rows += len(block)
        self.nulls += block.null_count
        values = block.drop_null() if block.null_count else block
        if pa.types.is_float16(values.type):
            values = values.cast(pa.float32())  # Arrow computes nothing with halves
        if not len(values):
            return
        if self.kind == "other":
            self._measure(values)
        elif self.kind == "text":
            self._add_text(values)
        elif self.kind == "truth":
            true = int(pc.sum(values).as_py())
            for value, count in ((False, len(values) - true), (True, true)):
                if count and self.values.counts is not None:
                    self.values.counts[value] += count
                    self._widen(pa.scalar(value), pa.scalar(value))
        else:
            self._add_numbers(values)

    def _add_numbers(self, values: pa.Array) -> None:
        numbers = as_numbers(values)
        with np.errstate(over="ignore"):
            odd = self._floats and not math.isfinite(numbers.sum())
        if odd:
            # A number that is none is there, or the sum is too large.
            finite = np.isfinite(numbers)
            if not finite.all():
                self.nan += int(np.isnan(numbers).sum())
                self.infinite += int(np.isinf(numbers).sum())
                values = values.filter(pa.array(finite))
                numbers = numbers[finite]
                if not len(numbers):
                    return
        if self._bins is None:
            self._bins = Bins(float(numbers.min()), float(numbers.max()))
        self.zeros += len(numbers) - int(np.count_nonzero(numbers))
        self._bins.add(numbers)
        if self._decimal:
            found = pc.min_max(values)
            self._widen(found["min"], found["max"])
            self._moments.add(numbers)
            self.values.add(values)
            return
        stored = numbers if self._floats else _as_stored(values)
        least, most = stored.min().item(), stored.max().item()
        before = self._ends or (least, most)
        self._ends = min(before[0], least), max(before[1], most)
        self._moments.add(self._near(stored, numbers))
        if not self._tallied(stored, least, most):
            self.values.add(values)

    def _tallied(self, stored: NDArray[Any], least: int, most: int) -> bool:
        """Count whole numbers of a small range by their place in it."""
        if self._tally is None:
            return False
        if least < self._low or most >= self._low + len(self._tally):
            self._settle()  # the footer did not tell the truth
            return False
        places = (stored - stored.dtype.type(self._low)).view(np.int64)
        self._tally += np.bincount(places, minlength=len(self._tally))
        return True

    def _settle(self) -> None:
        """Turn counts by place into counts by value."""
        tally, self._tally = self._tally, None
        if tally is not None and self.values.counts is not None:
            for place in np.flatnonzero(tally).tolist():
                self.values.counts[place + self._low] += int(tally[place])

    def _near(self, stored: NDArray[Any], numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return whole numbers from the first one on: large ones keep all their digits so."""
        if not pa.types.is_integer(self._type) or self._limits_wide:
            return numbers
        if self._pivot is None:
            self._pivot = int(stored[0])
        base = np.array([self._pivot]).astype(stored.dtype).view(np.uint64)
        near = (stored.view(np.uint64) - base).view(np.int64)
        return near.astype(np.float64)

    def _add_text(self, values: pa.Array) -> None:
        if pa.types.is_dictionary(values.type):
            words = values.dictionary
            counts = np.bincount(values.indices.to_numpy(), minlength=len(words))
            if self.values.counts is not None:
                words, counts = words.filter(pa.array(counts > 0)), counts[counts > 0]
                self._bound(words)
                self._measure(words)
                self.values.add_counted(words, counts)
                return
            values = values.dictionary_decode()
        if pa.types.is_string_view(values.type):
            values = values.cast(pa.large_string())
        self._add_words(values)

    def _add_words(self, values: pa.Array) -> None:
        texts = Texts(values)
        self._widen(*texts.ends())
        if texts.plain:
            self._lengthen(int(texts.lengths.min()), int(texts.lengths.max()))
        else:
            self._measure(values)
        self.values.add(values, texts.hashes() if self.values.counts is None else None)

    def _bound(self, values: pa.Array) -> None:
        found = pc.min_max(values)
        self._widen(found["min"], found["max"])

    def _widen(self, least: pa.Scalar, most: pa.Scalar) -> None:
        if self._least is None or least.as_py() < self._least.as_py():
            self._least = least
        if self._most is None or most.as_py() > self._most.as_py():
            self._most = most

    def _measure(self, values: pa.Array) -> None:
        dtype = values.type
        if self.kind == "text":
            lengths = pc.utf8_length(values)
        elif pa.types.is_binary(dtype) or pa.types.is_large_binary(dtype):
            lengths = pc.binary_length(values)
        elif pa.types.is_list(dtype) or pa.types.is_large_list(dtype):
            lengths = pc.list_value_length(values)
        else:
            return
        found = pc.min_max(lengths)
        self._lengthen(found["min"].as_py(), found["max"].as_py())

    def _lengthen(self, least: int, most: int) -> None:
        before = self._lengths or (least, most)
        self._lengths = min(before[0], least), max(before[1], most)

    def result(self, sample: NDArray[np.float64] | None, rows: int) -> dict[str, Any]:
        """Write the figures as the fields of ``contracts.table.ColumnProfile``.

        Parameters
        ----------
        sample
            Values of a random sample of the rows, NaN where one is missing; for numbers and times.
        rows
            All rows of the table; more than were seen for a sample's profile.
        """
        self._settle()
        if self._ends is not None:
            self._least, self._most = (_from_stored(end, self._type) for end in self._ends)
        distinct, error = self.values.number()
        known = self.kind != "other"
        return {
            "name": self.name,
            "kind": self.kind,
            "nulls": self.nulls,
            "distinct": distinct if known else None,
            "distinct_error": error if known else 0.0,
            "minimum": written(self._least) if self._least is not None else None,
            "maximum": written(self._most) if self._most is not None else None,
            "histogram": self._histogram(),
            "top": [
                {"value": _word(value), "count": count}
                for value, count in (self.values.top() if known else [])
            ],
            "shortest": self._lengths[0] if self._lengths else None,
            "longest": self._lengths[1] if self._lengths else None,
            **(self._numeric(sample, rows) if self.kind == "number" else {}),
            **(self._shares(sample, rows) if self.kind in ("number", "time") else {}),
        }

    def _numeric(self, sample: NDArray[np.float64] | None, rows: int) -> dict[str, Any]:
        there = self._moments.count > 0
        deviation = self._moments.deviation
        return {
            "mean": number(self._moments.mean + (self._pivot or 0)) if there else None,
            "deviation": number(deviation) if deviation is not None else None,
            "nan": self.nan,
            "infinite": self.infinite,
            "zeros": self.zeros,
        }

    def _shares(self, sample: NDArray[np.float64] | None, rows: int) -> dict[str, Any]:
        if sample is None:
            return {}
        return {"quantiles": quantiles(sample), "quantile_error": rank_error(len(sample), rows)}

    def _histogram(self) -> dict[str, Any] | None:
        if self.kind in ("number", "time"):
            if self._bins is None or self._least is None or self._most is None:
                return None
            ends = [float(as_numbers(pa.repeat(end, 1))[0]) for end in (self._least, self._most)]
            edges = self._bins.edges(ends[0], ends[1])
            return {"counts": self._bins.counts, "edges": [number(edge) for edge in edges]}
        if self.kind == "other" or self.values.counts is None or not self.values.counts:
            return None
        ranked = self.values.counts.most_common(BINS)
        return {
            "counts": [count for _, count in ranked],
            "labels": [_word(value) for value, _ in ranked],
        }


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = value.isoformat(" ") if hasattr(value, "isoformat") else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
