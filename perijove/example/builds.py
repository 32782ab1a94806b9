"""CI builds that never were: a seeded stand-in for real build records.

The table has the shape of a real one (build id, result, size of the log, start and end), and
the three properties that make real ones instructive:

- It drifts. In the last weeks more builds fail, green logs shrink and red ones grow.
- It tempts. Size and duration give the result away, and are known only after the build.
- It can be learned honestly. Failures come in spells: broken infrastructure stays broken for
  half a day. So the results of builds that have ended say how the next one will fare.

Only the standard library's generator is used, whose sequence for a seed is the same on every
platform and in every version.
"""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY

FIRST_START = 1_772_409_600
"""2026-03-02, a Monday, 00:00 UTC, in Unix seconds."""

COLUMNS = ("", "result", "size", "start", "end")

_ID_EPOCH = 1_288_834_974_657
_ID_BITS = 22
"""Ids are made as the CI system makes them: milliseconds since that epoch, and 22 low bits."""


@dataclass(frozen=True, slots=True)
class Build:
    """One build; times in Unix seconds, size in bytes."""

    id: int
    failed: bool
    size: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Climate:
    """How builds fare in one period of the data."""

    calm_hours: float
    """Mean length of a spell of working infrastructure."""
    broken_hours: float
    calm_failures: float
    """Share of builds that fail while the infrastructure works."""
    broken_failures: float
    green_bytes: float
    red_megabytes: float


_EARLY = _Climate(58, 28, 0.06, 0.93, 9_820, 6.5)
_LATE = _Climate(24, 40, 0.09, 0.93, 3_840, 10.5)


def generate_builds(count: int = 1500, *, weeks: int = 9, seed: int = 7) -> list[Build]:
    """Make builds in the order of their starts.

    Parameters
    ----------
    count
        How many.
    weeks
        How long a time they cover. The last third drifts.
    seed
        The same seed makes the same builds.
    """
    rng = random.Random(seed)
    starts = _starts(rng, count, weeks)
    turn = FIRST_START + round(weeks * WEEK * 2 / 3)
    spells = _broken_spells(rng, FIRST_START, FIRST_START + weeks * WEEK, turn)
    builds: list[Build] = []
    for start in starts:
        climate = _LATE if start >= turn else _EARLY
        broken = any(begin <= start < end for begin, end in spells)
        running = sum(build.end > start for build in builds[-12:])
        chance = climate.broken_failures if broken else climate.calm_failures
        # Builds that run side by side starve each other a little.
        chance = min(0.97, chance + 0.02 * max(0, running - 1))
        failed = rng.random() < chance
        size, duration = (_red if failed else _green)(rng, climate, running)
        builds.append(Build(_id(rng, start), failed, size, start, start + duration))
    return builds


def to_csv(builds: list[Build], *, seed: int = 7) -> str:
    """Write builds as CI systems export them: in no order, the id's column without a name."""
    rows = list(builds)
    random.Random(seed).shuffle(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for build in rows:
        result = "FAILURE" if build.failed else "SUCCESS"
        writer.writerow((build.id, result, build.size, build.start, build.end))
    return text.getvalue()


def _starts(rng: random.Random, count: int, weeks: int) -> list[int]:
    """Draw times as people push commits: by day more than by night, little at weekends."""
    starts: list[int] = []
    while len(starts) < count:
        second = rng.randrange(weeks * WEEK)
        weekend = second % WEEK >= 5 * DAY
        working = 8 * HOUR <= second % DAY < 19 * HOUR
        if rng.random() < (0.55 if weekend else 1.0) * (1.0 if working else 0.7):
            starts.append(FIRST_START + second)
    return sorted(starts)


def _broken_spells(
    rng: random.Random, begin: int, end: int, turn: int
) -> list[tuple[float, float]]:
    """Draw when the infrastructure is broken: spells of hours, longer after ``turn``."""
    spells: list[tuple[float, float]] = []
    now = float(begin)
    while now < end:
        climate = _LATE if now >= turn else _EARLY
        now += HOUR * rng.gammavariate(5, climate.calm_hours / 5)
        until = now + HOUR * rng.gammavariate(5, climate.broken_hours / 5)
        spells.append((now, until))
        now = until
    return spells


def _green(rng: random.Random, climate: _Climate, running: int) -> tuple[int, int]:
    """Size and duration of a build that succeeds: all steps run, and little is logged."""
    size = rng.gauss(climate.green_bytes, climate.green_bytes * 0.006)
    if rng.random() < 0.004:  # a retry succeeded, and the log of the first try stayed
        size = 1e6 * climate.red_megabytes * rng.lognormvariate(0, 0.35)
    return round(size), round(4000 + rng.gammavariate(1.5, 550) + 120 * running)


def _red(rng: random.Random, climate: _Climate, running: int) -> tuple[int, int]:
    """Size and duration of a build that fails: early with a short log, or late with a dump."""
    kind = rng.random()
    if kind < 0.012:  # only the clean-up failed: log and duration are those of a success
        return _green(rng, climate, running)
    if kind < 0.15:
        return round(rng.uniform(90, 3_000)), round(rng.uniform(5, 3_900))
    size = 1e6 * climate.red_megabytes * rng.lognormvariate(0, 0.35)
    return round(size), round(3600 + rng.gammavariate(2.0, 950) + 120 * running)


def _id(rng: random.Random, start: int) -> int:
    milliseconds = 1000 * start + rng.randrange(1000)
    return (milliseconds - _ID_EPOCH) << _ID_BITS | rng.randrange(1 << _ID_BITS)
