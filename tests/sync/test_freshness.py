"""The wait from segment to list: uniform between syncs, weighted by people, exact."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.freshness import Arrivals, freshness

HOUR = 3_600


def test_of_one_gap_half_wait_half_of_it() -> None:
    found = freshness([Arrivals(7, 4 * HOUR)])
    assert found is not None
    assert (found.p50, found.p95, found.people) == (2 * HOUR, pytest.approx(3.8 * HOUR), 7)


def test_a_night_without_a_sync_shows_in_the_slow_twentieth() -> None:
    found = freshness([Arrivals(90, HOUR), Arrivals(10, 20 * HOUR)])
    assert found is not None
    assert found.p50 == pytest.approx(50 / 90.5 * HOUR)
    assert found.p95 == pytest.approx(10 * HOUR)


@pytest.mark.parametrize("nobody", [[], [Arrivals(0, HOUR)], [Arrivals(5, 0)]])
def test_nobody_arrived_is_not_known(nobody: list[Arrivals]) -> None:
    assert freshness(nobody) is None


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(60, 90_000)), min_size=1, max_size=6))
def test_it_agrees_with_the_people_drawn_one_by_one(syncs: list[tuple[int, int]]) -> None:
    found = freshness([Arrivals(people, gap) for people, gap in syncs])
    assert found is not None
    draw = random.Random(7)
    people = [gap * draw.random() for people, gap in syncs for _ in range(60 * people)]
    for quantile, share in ((found.p50, 0.5), (found.p95, 0.95)):
        below = sum(each <= quantile for each in people) / len(people)
        assert below == pytest.approx(share, abs=5 * (0.25 / len(people)) ** 0.5)
