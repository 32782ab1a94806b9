"""Latencies in buckets: any number of them in little memory, percentiles within one per cent."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Final

_GROWTH: Final = math.log(1.02)
"""Neighbouring buckets differ by 2 %, so that a bucket's middle is within 1 % of what is in it."""
_SMALLEST: Final = 1e-3


class Latencies:
    """Counts milliseconds; two of them can be added."""

    def __init__(self, parts: Iterable[Latencies] = ()) -> None:
        self._buckets: Counter[int] = Counter()
        for part in parts:
            self._buckets.update(part._buckets)

    def add(self, milliseconds: float) -> None:
        self._buckets[math.floor(math.log(max(milliseconds, _SMALLEST)) / _GROWTH)] += 1

    def quantile(self, share: float) -> float | None:
        """Return the nearest-rank quantile in milliseconds; None when there is nothing."""
        rank = math.ceil(share * self._buckets.total())
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                return round(math.exp((bucket + 0.5) * _GROWTH), 3)
        return None
