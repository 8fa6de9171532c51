"""Across a change of percentage only people whose arm never moved are compared."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_cases import CASES

from analysis.bands import is_washed_out, switch_band

CASE = CASES["switch_band"]


def test_the_band_rule_agrees_with_the_reference() -> None:
    band = switch_band(CASE["h_sequence"])
    words = {"holdout": "C", "treatment": "T", None: "drop"}
    assert [words[band.arm(u)] for u in CASE["u"]] == CASE["arm"]


@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_a_compared_unit_was_in_one_arm_throughout(thresholds: list[int], bucket: int) -> None:
    arms = {"holdout" if bucket < threshold else "treatment" for threshold in thresholds}
    expected = arms.pop() if len(arms) == 1 else None
    assert switch_band(thresholds).arm(bucket) == expected


def test_a_newly_held_out_unit_waits_for_the_wash_out() -> None:
    switched = datetime(2026, 3, 1, tzinfo=UTC)
    wait = timedelta(days=14)
    assert not is_washed_out(switched, switched + wait - timedelta(seconds=1), wait)
    assert is_washed_out(switched, switched + wait, wait)


def test_a_window_without_a_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one threshold"):
        switch_band([])
    with pytest.raises(ValueError, match="negative"):
        is_washed_out(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), -timedelta(days=1))
