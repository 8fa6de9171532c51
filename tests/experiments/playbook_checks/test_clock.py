"""The physics of a window: exact against a simulation, and its limits."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.audiences import CriteoClock
from experiments.playbook.clock import (
    DAY,
    FOUR_HOURLY,
    HOUR,
    Rhythm,
    live_at,
    overrun,
    reach,
    schedule_for,
    shortest,
    shortest_ever,
)

BATCHES = CriteoClock((0, 12 * HOUR), 5 * HOUR)
AT_ONCE = CriteoClock((), 0)


def test_a_change_waits_for_its_batch_and_then_for_the_campaigns() -> None:
    rhythm = Rhythm(FOUR_HOURLY, 600, BATCHES)
    assert live_at(8 * HOUR, rhythm) == 17 * HOUR
    assert live_at(12 * HOUR - 600, rhythm) == 17 * HOUR
    assert live_at(12 * HOUR - 599, rhythm) == DAY + 5 * HOUR
    assert live_at(5 * DAY + 23 * HOUR, rhythm) == 6 * DAY + 5 * HOUR
    assert live_at(8 * HOUR, Rhythm(FOUR_HOURLY, 600, CriteoClock((), HOUR))) == 9 * HOUR + 600


def test_without_any_delay_a_window_as_long_as_the_interval_is_reached_by_all_for_half_of_it() -> None:
    found = reach(4 * HOUR, Rhythm(FOUR_HOURLY, 0, AT_ONCE))
    assert (found.reached, found.covered) == (1.0, 0.5)
    assert reach(HOUR, Rhythm(FOUR_HOURLY, 0, AT_ONCE)).reached == 0.25


def test_criteo_s_published_clock_leaves_nothing_of_four_hours() -> None:
    rhythm = Rhythm(FOUR_HOURLY, 0, BATCHES)
    assert reach(4 * HOUR, rhythm).reached == 0.0
    assert schedule_for(4 * HOUR, 0.6, rhythm) is None
    assert reach(120 * HOUR, rhythm).reached == 1.0


def test_people_are_advertised_to_after_they_left_for_half_an_interval_and_the_delays() -> None:
    assert overrun(Rhythm(FOUR_HOURLY, 0, AT_ONCE)) == 2 * HOUR
    assert overrun(Rhythm(FOUR_HOURLY, 600, CriteoClock((), HOUR))) == 3 * HOUR + 600


moments = st.lists(st.integers(0, 3 * DAY), min_size=2, max_size=12, unique=True).map(sorted).map(tuple)
clocks = st.builds(
    CriteoClock,
    st.lists(st.integers(0, DAY - 1), max_size=3, unique=True).map(sorted).map(tuple),
    st.integers(0, 12 * HOUR),
)


@settings(max_examples=60, deadline=None)
@given(moments, st.integers(0, HOUR), clocks, st.integers(HOUR, 72 * HOUR))
def test_the_integral_is_what_many_people_would_see(
    syncs: tuple[int, ...], push: int, clock: CriteoClock, length: int
) -> None:
    rhythm = Rhythm(syncs, push, clock)
    entries = np.linspace(syncs[0], syncs[-1], 20_001)[1:]
    at = np.searchsorted(np.array(syncs), entries)
    left = entries + length - np.array([live_at(sync, rhythm) for sync in syncs])[at]
    found = reach(length, rhythm)
    assert found.reached == pytest.approx(np.mean(left > 0), abs=2e-3)
    assert found.covered == pytest.approx(np.mean(np.maximum(left, 0)) / length, abs=2e-3)


@settings(max_examples=60, deadline=None)
@given(moments, st.integers(0, HOUR), clocks, st.integers(HOUR, 72 * HOUR), st.integers(1, 24 * HOUR))
def test_a_longer_window_never_reaches_fewer(
    syncs: tuple[int, ...], push: int, clock: CriteoClock, length: int, more: int
) -> None:
    rhythm = Rhythm(syncs, push, clock)
    short, long = reach(length, rhythm), reach(length + more, rhythm)
    assert 0 <= short.covered <= short.reached <= long.reached <= 1 + 1e-12


def test_the_shortest_window_is_the_first_whole_hour_that_reaches_the_share() -> None:
    rhythm = Rhythm(FOUR_HOURLY, 0, BATCHES)
    hours = shortest(0.6, rhythm)
    assert hours is not None
    assert reach((hours - 1) * HOUR, rhythm).reached < 0.6 <= reach(hours * HOUR, rhythm).reached
    assert shortest_ever(0.6, rhythm) == 13
    assert shortest(0.6, Rhythm(FOUR_HOURLY, 0, CriteoClock((), 40 * DAY))) is None


def test_the_schedule_of_fewest_syncs_just_before_the_batches_is_found() -> None:
    found = schedule_for(13 * HOUR, 0.6, Rhythm(FOUR_HOURLY, 600, BATCHES))
    assert found is not None
    assert found.words == "at 11:45 and 23:45 UTC"
    assert all(b - a == 12 * HOUR for a, b in pairwise(found.moments))
