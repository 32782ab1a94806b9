"""Figures of one column, gathered block by block in little memory."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from perijove.adapters.duckdb.worker.hashes import hash_array
from perijove.contracts.base import number

BINS: Final = 20
SHARES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOP: Final = 10
KEPT: Final = 4096
"""Smallest hashes that are kept: the estimate's standard error is 1 / sqrt(KEPT - 2), 1.6 %."""
COUNTED: Final = 20_000
"""Different values that are counted one by one; more are estimated."""
SMALL_RANGE: Final = 65_536
"""Whole numbers within such a range are counted one by one."""


class Distinct:
    """How many different values, from the smallest of their hashes (k minimum values).

    Exact below ``KEPT``. See Bar-Yossef et al., "Counting distinct elements in a data stream".
    """

    def __init__(self) -> None:
        self._kept: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._bound = np.uint64(2**64 - 1)
        """Larger hashes tell nothing."""
        self._coming: list[NDArray[np.uint64]] = []
        self._count = 0

    def add(self, hashes: NDArray[np.uint64]) -> None:
        small = hashes[hashes <= self._bound]
        if len(small):
            self._coming.append(small)
            self._count += len(small)
            if self._count > 4 * KEPT:
                self._sort()

    def _sort(self) -> None:
        if not self._coming:
            return
        coming = np.concatenate(self._coming)
        if len(coming) > 8 * KEPT:
            # Few different values many times: a hash table is quicker than a sort.
            coming = pc.unique(pa.array(coming)).to_numpy()
        merged = np.sort(np.concatenate([self._kept, coming]))
        self._kept = merged[np.append(True, merged[1:] != merged[:-1])][:KEPT]
        self._coming, self._count = [], 0
        if len(self._kept) == KEPT:
            self._bound = self._kept[-1]

    def estimate(self) -> tuple[int, float]:
        """Return the number and its relative standard error, 0 where it is exact."""
        self._sort()
        if len(self._kept) < KEPT:
            return len(self._kept), 0.0
        share = float(self._kept[-1]) / 2.0**64
        return round((KEPT - 1) / share), 1 / math.sqrt(KEPT - 2)


class Moments:
    """Mean and variance, merged block by block (Chan, Golub and LeVeque)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._m2 = 0.0

    def add(self, values: NDArray[np.float64]) -> None:
        count = len(values)
        if count == 0:
            return
        mean = float(values.mean())
        spread = values - mean
        # Not a dot product: that one starts threads of its own.
        m2 = float(np.square(spread, out=spread).sum())
        total = self.count + count
        delta = mean - self.mean
        self._m2 += m2 + delta * delta * self.count * count / total
        self.mean += delta * count / total
        self.count = total

    @property
    def deviation(self) -> float | None:
        return math.sqrt(self._m2 / (self.count - 1)) if self.count > 1 else None


@dataclass(slots=True)
class Values:
    """Which values are the most frequent, and how many there are.

    Counted one by one while they are few. When they are many, those that were ahead by then are
    still counted exactly, and the number of different ones is estimated.
    """

    counts: Counter[Any] | None = field(default_factory=Counter)
    distinct: Distinct = field(default_factory=Distinct)
    _leaders: dict[Any, int] = field(default_factory=dict)
    _hashes: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    def add_counted(self, values: pa.Array, counts: NDArray[np.int64]) -> None:
        """Add different values with how often each is there."""
        if self.counts is not None:
            seen = counts > 0
            words = values.filter(pa.array(seen)).to_pylist()
            for value, count in zip(words, counts[seen].tolist(), strict=True):
                self.counts[value] += count
            if len(self.counts) > COUNTED:
                self.give_up(values.type)

    def give_up(self, kind: pa.DataType) -> None:
        """There are too many to count: go on with those that lead."""
        if self.counts is None:
            return
        counts, self.counts = self.counts, None
        if counts:
            self.distinct.add(hash_array(pa.array(list(counts), kind)))
            self.lead(dict(counts.most_common(TOP)), kind)

    def lead(self, leaders: dict[Any, int], kind: pa.DataType) -> None:
        """Follow these values from now on."""
        self._leaders = leaders
        self._hashes = hash_array(pa.array(list(leaders), kind))

    def add(self, values: pa.Array, hashes: NDArray[np.uint64] | None = None) -> None:
        """Add values without nulls, one by one or by their hashes, which may be known."""
        if self.counts is not None:
            found = pc.value_counts(values)
            if len(found) > COUNTED:
                self.give_up(values.type)
                if not self._leaders:
                    self.lead(leaders_of(found), values.type)
                self.add(values, hashes)
                return
            self.add_counted(found.field("values"), found.field("counts").to_numpy())
            return
        hashes = hash_array(values) if hashes is None else hashes
        self.distinct.add(hashes)
        for value, known in zip(self._leaders, self._hashes, strict=True):
            self._leaders[value] += int(np.count_nonzero(hashes == known))

    def number(self) -> tuple[int, float]:
        return (len(self.counts), 0.0) if self.counts is not None else self.distinct.estimate()

    def top(self) -> list[tuple[Any, int]]:
        """Return the most frequent values; none where hardly any comes twice."""
        if self.counts is not None:
            return self.counts.most_common(TOP)
        ranked = sorted(self._leaders.items(), key=lambda item: -item[1])
        return [item for item in ranked if item[1] > 1]


def leaders_of(found: pa.StructArray) -> dict[Any, int]:
    """Choose the values to follow of what ``value_counts`` found: those that come again."""
    if not len(found):
        return {}
    counts = pa.table({"counts": found.field("counts")})
    best = found.take(pc.select_k_unstable(counts, TOP, [("counts", "descending")]))
    try:
        return {one["values"]: 0 for one in best.to_pylist() if one["counts"] > 2}
    except (ValueError, OverflowError):  # times that Python cannot say
        return {}


class Bins:
    """Counts in bins of equal width; what lies outside is in the first or the last.

    Parameters
    ----------
    low, high
        Where the first bin begins and the last one ends.
    """

    def __init__(self, low: float, high: float, bins: int = BINS) -> None:
        self.low, self.high = low, high
        self._bins = bins if high > low else 1
        # Half of each, where the whole width is more than a float holds.
        self._half = 1.0 if math.isfinite(high - low) else 0.5
        width = high * self._half - low * self._half
        scale = self._bins / width if width > 0 else 0.0
        if not math.isfinite(scale):  # a width of hardly more than nothing
            self._bins, scale = 1, 0.0
        self._scale = scale
        self._counts: NDArray[np.int64] = np.zeros(self._bins, np.int64)

    def add(self, values: NDArray[np.float64]) -> None:
        if self._half == 1.0:
            places = values - self.low
        else:
            places = values * self._half - self.low * self._half
        places *= self._scale
        np.clip(places, 0, self._bins - 1, out=places)
        self._counts += np.bincount(places.astype(np.intp), minlength=self._bins)

    @property
    def counts(self) -> list[int]:
        return [int(count) for count in self._counts]

    def edges(self, least: float, most: float) -> list[float]:
        """Return the bins' edges; the outer ones where the values really end."""
        shares = np.arange(self._bins + 1) / self._bins
        edges = self.low * (1 - shares) + self.high * shares
        edges[0], edges[-1] = min(least, self.low), max(most, self.high)
        return [float(edge) for edge in edges]


def rank_error(seen: int, of: int) -> float:
    """Bound the error in rank of quantiles of a random sample, at 99 % confidence.

    The Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant; 0 where all rows were seen.
    """
    return 0.0 if seen >= of or not seen else math.sqrt(math.log(2 / 0.01) / (2 * seen))


def quantiles(values: NDArray[np.float64]) -> list[Any]:
    """Return values of the sample at SHARES; none where there is no value."""
    present = values[np.isfinite(values)]
    if not len(present):
        return []
    found = np.quantile(present, SHARES, method="inverted_cdf")
    return [number(float(value)) for value in found]


def correlations(columns: list[NDArray[np.float64]]) -> list[list[Any]]:
    """Return Pearson's r of each pair, over the rows where both are there."""
    table = np.column_stack(columns)
    present = np.isfinite(table)
    # Around the mean, so that large numbers do not cancel.
    table = np.where(present, table, 0.0)
    counts = present.sum(axis=0)
    means = np.divide(table.sum(axis=0), counts, out=np.zeros(len(columns)), where=counts > 0)
    table = np.where(present, table - means, 0.0)
    there = present.astype(np.float64)
    n = there.T @ there
    sums, squares, products = table.T @ there, (table * table).T @ there, table.T @ table
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = products - sums * sums.T / n
        variance = squares - sums * sums / n
        r = covariance / np.sqrt(variance * variance.T)
    return [[number(float(np.clip(value, -1, 1))) for value in row] for row in r]
