"""Intervals with open sides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.estimators.intervals import (
    UNBOUNDED,
    Interval,
    critical_value,
    normal_estimate,
    not_estimable,
    student_estimate,
)

sides = st.one_of(st.none(), st.floats(-5, 5))


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = draw(sides), draw(sides)
    if low is not None and high is not None and low > high:
        low, high = high, low
    return Interval(low, high)


def test_an_open_side_excludes_nothing_there() -> None:
    assert not UNBOUNDED.excludes(0.0)
    assert Interval(1.0, None).is_above(0.0)
    assert not Interval(1.0, None).is_below(0.0)
    assert Interval(None, -1.0).is_below(0.0)
    assert not Interval(None, -1.0).is_bounded
    assert Interval(0.0, 0.0).is_bounded


def test_a_reversed_interval_is_refused() -> None:
    with pytest.raises(ValueError, match="an interval from"):
        Interval(1.0, 0.0)


@given(intervals(), intervals())
def test_an_intersection_is_never_wider_than_the_second(one: Interval, other: Interval) -> None:
    found = one.intersected(other)
    assert other.low is None or (found.low is not None and found.low >= other.low)
    assert other.high is None or (found.high is not None and found.high <= other.high)


def test_disjoint_intervals_meet_in_the_nearest_point() -> None:
    assert Interval(0.0, 1.0).intersected(Interval(2.0, 3.0)) == Interval(2.0, 2.0)
    assert Interval(4.0, 5.0).intersected(Interval(2.0, 3.0)) == Interval(3.0, 3.0)


def test_an_increasing_map_keeps_open_sides_open() -> None:
    assert Interval(None, 2.0).mapped(lambda x: 3.0 * x) == Interval(None, 6.0)


def test_could_not_estimate_is_not_no_effect() -> None:
    found = not_estimable("method")
    assert (found.estimate, found.p_value, found.interval) == (None, None, UNBOUNDED)
    for without in (normal_estimate(1.0, 0.0, "m", 0.05), student_estimate(1.0, 0.0, 3.0, "m", 0.05)):
        assert (without.estimate, without.p_value, without.interval) == (1.0, None, UNBOUNDED)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 2.0])
def test_a_level_outside_zero_to_one_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        critical_value(alpha)
