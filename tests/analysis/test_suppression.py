"""Buyers on lists: percentiles, their part of the list's time, and the money that follows it."""

import numpy as np
import pytest

from analysis.suppression import FEWEST, Overhang, suppression

HOUR = 3_600
FORTNIGHT = 14 * 24 * HOUR


def overhang(removed: list[int], waiting: list[int] | None = None) -> Overhang:
    return Overhang(np.array(removed, np.int64), np.array(waiting or [], np.int64), FORTNIGHT)


def test_percentiles_are_of_the_removed_alone() -> None:
    found = suppression(overhang([HOUR] * 15 + [10 * HOUR] * 5, [FORTNIGHT]), listed=100, cost=None)
    assert (found.p50, found.p95, found.removed, found.still_listed) == (HOUR, 10 * HOUR, 20, 1)


def test_too_few_removed_make_no_percentile_but_still_count_as_spend() -> None:
    found = suppression(overhang([HOUR] * (FEWEST - 1)), listed=19, cost=336.0)
    assert (found.p50, found.p95) == (None, None)
    assert found.spend == pytest.approx(1.0)  # one hour of each of 19 people's 336


def test_whoever_is_still_listed_counts_with_the_time_since_the_purchase() -> None:
    found = suppression(overhang([], [FORTNIGHT // 2] * 10), listed=100, cost=200.0)
    assert found.share == pytest.approx(0.05)
    assert found.spend == pytest.approx(10.0)


def test_an_empty_list_and_unknown_spend_tell_nothing() -> None:
    assert suppression(overhang([HOUR]), listed=0, cost=10.0).share is None
    found = suppression(overhang([HOUR]), listed=10, cost=None)
    assert found.share is not None
    assert found.spend is None


def test_a_share_never_passes_the_whole() -> None:
    assert suppression(overhang([], [FORTNIGHT] * 10), listed=5, cost=7.0).spend == 7.0
