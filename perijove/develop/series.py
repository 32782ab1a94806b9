"""Curves: points made few enough to draw, without losing a peak or a divergence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from perijove.contracts.base import number
from perijove.contracts.develop import Series
from perijove.develop.ports import Point

LIMIT = 700
"""Points of a series on the wire: more than a chart has pixels for."""


def by_key(points: Iterable[Point]) -> dict[str, list[Point]]:
    """Group points by metric, each group by step and time."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.key, []).append(point)
    for group in groups.values():
        group.sort(key=lambda p: (p.step, p.at))
    return groups


def down_sample(points: Sequence[Point], limit: int = LIMIT) -> list[Point]:
    """Keep at most ``limit`` points, in order.

    The first and the last stay. The others are cut into stretches of equal count, of which each
    keeps its smallest and its largest value and, where there is one, its first NaN.
    """
    limit = max(2, limit)
    if len(points) <= limit:
        return list(points)
    inner = range(1, len(points) - 1)
    diverged = any(points[i].value != points[i].value for i in inner)
    stretches = (limit - 2) // (3 if diverged else 2)
    kept = {0, len(points) - 1}
    for stretch in range(stretches):
        start = inner.start + len(inner) * stretch // stretches
        stop = inner.start + len(inner) * (stretch + 1) // stretches
        low = high = lost = -1
        for i in range(start, stop):
            value = points[i].value
            if value != value:
                lost = i if lost < 0 else lost
                continue
            if low < 0 or value < points[low].value:
                low = i
            if high < 0 or value > points[high].value:
                high = i
        kept.update(i for i in (low, high, lost) if i >= 0)
    return [points[i] for i in sorted(kept)]


def to_series(points: Iterable[Point], limit: int = LIMIT) -> list[Series]:
    """Put points on the wire, one series a metric, by name."""
    found = []
    for key, group in sorted(by_key(points).items()):
        few = down_sample(group, limit)
        found.append(series_of(key, few, len(group)))
    return found


def series_of(key: str, points: Sequence[Point], total: int) -> Series:
    """Put the points of one metric on the wire.

    Parameters
    ----------
    total
        How many there were before some were left out.
    """
    return Series(
        key=key,
        steps=[point.step for point in points],
        values=[number(point.value) for point in points],
        times=[point.at for point in points],
        total=total,
    )
