"""Curves get short without losing a peak or a divergence."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from perijove.develop.ports import Point
from perijove.develop.series import LIMIT, by_key, down_sample, to_series

FLOATS = st.floats(width=16) | st.sampled_from([math.nan, math.inf, -math.inf])


def curve(values):
    return [Point("x", value, 1000 + i, i) for i, value in enumerate(values)]


@given(st.lists(FLOATS, max_size=300), st.integers(-1, 80))
def test_few_points_tell_the_same_story(values, limit):
    points = curve(values)
    few = down_sample(points, limit)
    assert len(few) <= max(2, limit)
    steps = [p.step for p in few]
    assert steps == sorted(set(steps))
    assert all(points[p.step] is p for p in few)
    if points:
        assert few[0] is points[0]
        assert few[-1] is points[-1]
    if len(points) <= limit:
        assert few == points


@given(st.lists(FLOATS, min_size=1, max_size=300), st.integers(8, 80))
def test_extremes_and_divergence_stay(values, limit):
    few = [p.value for p in down_sample(curve(values), limit)]
    finite = [v for v in values if v == v]
    if finite:
        kept = [v for v in few if v == v]
        assert (min(kept), max(kept)) == (min(finite), max(finite))
    assert any(v != v for v in few) == any(v != v for v in values)


def test_a_long_curve_is_cut_to_the_limit():
    points = curve([math.sin(i / 50) for i in range(10_000)])
    (series,) = to_series(points)
    assert series.total == 10_000
    assert LIMIT - 4 <= len(series.values) <= LIMIT


def test_series_are_sorted_and_speak_json():
    points = [Point("b", math.nan, 2, 1), Point("a", math.inf, 5, 9), Point("b", 1.0, 1, 0)]
    a, b = to_series(points)
    assert (a.key, a.values, a.steps, a.times) == ("a", ["Infinity"], [9], [5])
    assert (b.key, b.values, b.steps, b.times) == ("b", [1.0, "NaN"], [0, 1], [1, 2])
    assert to_series([]) == []
    assert list(by_key(points)) == ["b", "a"]
