"""Immature units: the reference's worked example, day by day."""

from datetime import date, timedelta
from math import sqrt

import pytest
from reference_cases import CASES, close

from analysis.estimators.windows import (
    WindowDay,
    WindowMean,
    last_matured_entry,
    observed_days,
    partitioned_conversion,
    partitioned_mean,
    window_difference,
)

CASE = CASES["censored_window"]
START = date(2026, 1, 1)
WATERMARK = START + timedelta(days=CASE["analysis_day"])
WINDOW = CASE["window_days"]


def window_days(arm: str) -> list[WindowDay]:
    """At risk, Σy and Σy² of each day, from the example's units."""
    days = [WindowDay(0, 0.0)] * WINDOW
    for entry, unit_arm, purchases in CASE["units"]:
        if unit_arm != arm:
            continue
        spent = dict(purchases)
        for day in range(observed_days(START + timedelta(days=entry), WATERMARK, WINDOW)):
            amount = spent.get(day, 0.0)
            days[day] += WindowDay(1, amount, amount**2)
    return days


@pytest.mark.parametrize("arm", ["T", "C"])
def test_the_partitioned_mean_agrees_with_the_reference(arm: str) -> None:
    days = window_days(arm)
    reference = [(at_risk, total) for _, at_risk, total in CASE[f"partitioned_rows_day_risk_sum_{arm}"]]
    assert [(day.at_risk, day.total) for day in days] == reference
    assert partitioned_mean(days).mean == close(CASE[f"partitioned_mean_{arm}"])


@pytest.mark.parametrize("arm", ["T", "C"])
def test_matured_units_are_those_whose_window_is_over(arm: str) -> None:
    latest = last_matured_entry(WATERMARK, WINDOW)
    matured = [
        sum(amount for _, amount in purchases)
        for entry, unit_arm, purchases in CASE["units"]
        if unit_arm == arm and START + timedelta(days=entry) <= latest
    ]
    assert len(matured) == CASE[f"matured_n_{arm}"]
    assert sum(matured) / len(matured) == close(CASE[f"matured_only_mean_{arm}"])


def test_without_censoring_the_partitioned_mean_is_the_mean() -> None:
    found = partitioned_mean([WindowDay(4, 8.0, 40.0), WindowDay(4, 4.0, 16.0)])
    assert found.mean == 3.0
    assert found.se == pytest.approx(sqrt((40 - 16) / 3 / 4 + (16 - 4) / 3 / 4))


def test_a_day_that_nobody_reached_cannot_be_estimated() -> None:
    assert partitioned_mean([WindowDay(4, 8.0), WindowDay(0, 0.0)]) == WindowMean(None, None)
    assert partitioned_conversion([WindowDay(0, 0)]) == WindowMean(None, None)


def test_one_unit_on_a_day_has_no_standard_error() -> None:
    assert partitioned_mean([WindowDay(1, 8.0, 64.0)]) == WindowMean(8.0, None)


def test_conversion_without_censoring_is_the_share_with_its_binomial_error() -> None:
    found = partitioned_conversion([WindowDay(100, 10), WindowDay(90, 9)])
    assert found.mean == pytest.approx(0.19)
    assert found.se == pytest.approx(sqrt(0.19 * 0.81 / 100))


def test_more_first_conversions_than_units_are_refused() -> None:
    with pytest.raises(ValueError, match="converts first"):
        partitioned_conversion([WindowDay(2, 3)])


def test_the_early_look_needs_both_arms() -> None:
    holdout, treatment = WindowMean(1.0, 0.3), WindowMean(2.0, 0.4)
    found = window_difference(holdout, treatment)
    assert (found.estimate, found.se) == (1.0, pytest.approx(0.5))
    assert window_difference(WindowMean(None, None), treatment).estimate is None
    assert not window_difference(WindowMean(1.0, None), treatment).interval.is_bounded


def test_a_window_has_a_day() -> None:
    for wrong in (lambda: partitioned_mean([]), lambda: partitioned_conversion([])):
        with pytest.raises(ValueError, match="at least one day"):
            wrong()
    with pytest.raises(ValueError, match="0 days"):
        observed_days(START, WATERMARK, 0)
