"""Drift: the population stability index of a feature against the rows that the model learnt from.

PSI = sum over bins of (observed - expected) * ln(observed / expected), shares of rows. Below 0.1 is
stable, below 0.25 moderate, by the convention of credit scoring (Siddiqi, 2006). With few rows the
figure is large by chance: without any drift it is about (1/n + 1/m) times a chi-square with one
degree less than there are bins (Yurdakul, 2018), and what lies below that law's 99.9 % quantile
counts as stable.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from perijove.contracts.deploy import FeatureProfile
from perijove.contracts.monitor import FeatureDrift

MIN_ROWS: Final = 30
MODERATE: Final = 0.1
DRIFTED: Final = 0.25
_BATCH: Final = 256
_Z: Final = 3.0902
"""Of the normal law at 99.9 %."""


def count(profile: FeatureProfile, values: Sequence[Any]) -> list[int]:
    """Count values in the profile's bins, and in one more what is missing or of another kind."""
    bins = len(profile.counts)
    counts = [0] * (bins + 1)
    if profile.labels:
        index = {label: i for i, label in enumerate(profile.labels)}
        for value in values:
            missing = value is None or value != value
            counts[bins if missing else index.get(str(value), bins - 1)] += 1
        return counts
    if len(values) >= _BATCH:
        return _count_many(profile, values)
    for value in values:
        if isinstance(value, (int, float)) and value == value:
            counts[bisect_right(profile.edges, value)] += 1
        else:
            counts[bins] += 1
    return counts


def _count_many(profile: FeatureProfile, values: Sequence[Any]) -> list[int]:
    import numpy as np

    numbers = np.array(
        [v if isinstance(v, (int, float)) else math.nan for v in values], dtype=float
    )
    known = numbers[~np.isnan(numbers)]
    found = np.bincount(np.digitize(known, profile.edges), minlength=len(profile.counts))
    return [*map(int, found), len(numbers) - len(known)]


def measure(profile: FeatureProfile, observed: list[int]) -> FeatureDrift:
    """Compare observed counts, as :func:`count` makes them, with the profile."""
    expected = [*profile.counts, profile.missing]
    labels = [*_labels(profile), "missing"]
    if not expected[-1] and not observed[-1]:
        expected, observed, labels = expected[:-1], observed[:-1], labels[:-1]
    rows, trained = sum(observed), sum(expected)
    psi = _psi(expected, observed) if rows >= MIN_ROWS and trained else None
    return FeatureDrift(
        feature=profile.feature,
        psi=None if psi is None else round(psi, 4),
        state=_state(psi, len(expected), rows, trained),
        rows=rows,
        expected=[n / max(1, trained) for n in expected],
        observed=[n / max(1, rows) for n in observed],
        bins=labels,
    )


def _psi(expected: list[int], observed: list[int]) -> float:
    # Half a row in each bin: an empty one would make the figure infinite.
    n, m = sum(observed) + len(observed) / 2, sum(expected) + len(expected) / 2
    shares = [((o + 0.5) / n, (e + 0.5) / m) for o, e in zip(observed, expected, strict=True)]
    return sum((o - e) * math.log(o / e) for o, e in shares)


def _state(psi: float | None, bins: int, rows: int, trained: int) -> Any:
    if psi is None:
        return "too_few"
    if psi < MODERATE or psi <= _by_chance(bins, rows, trained):
        return "stable"
    return "moderate" if psi < DRIFTED else "drifted"


def _by_chance(bins: int, rows: int, trained: int) -> float:
    """Return what the index stays below in 999 of 1000 windows without drift."""
    k = bins - 1
    if k < 1:
        return 0.0
    # Wilson and Hilferty's approximation of the chi-square quantile.
    chi_square = k * (1 - 2 / (9 * k) + _Z * math.sqrt(2 / (9 * k))) ** 3
    return chi_square * (1 / rows + 1 / trained)


def _labels(profile: FeatureProfile) -> list[str]:
    if profile.labels:
        others = len(profile.counts) > len(profile.labels)
        return [*profile.labels, *(["others"] if others else [])]
    edges = profile.edges
    if not edges:
        return ["all"] * len(profile.counts)
    between = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return [f"< {edges[0]:.4g}", *between, f"≥ {edges[-1]:.4g}"]
