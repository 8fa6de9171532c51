"""Money: unbounded is said as unbounded, and nothing is a number with a plus-minus that may not be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_cases import close

from analysis.estimators.increment import NO_INCREMENT, Increment
from analysis.estimators.intervals import UNBOUNDED, Interval
from analysis.money import (
    break_even,
    claimed_not_incremental,
    contribution,
    cost_of_measuring,
    icpa,
    incrementality_factor,
    iroas,
    iroas_fieller,
    iroas_uncertain_spend,
    probability_of_profit,
    roas,
)

# Hillstrom mens, $0.10 per e-mail sent to 21,307 people (statistics note, B6).
SPEND = 2_130.7
SOLD = 30_311.69
DELTA, DELTA_SE = 0.7698271558945368, 0.14524656024868673
Z = 1.959963984540054
TOTAL = 21_307 * DELTA
REVENUE = Increment(
    TOTAL,
    Interval(21_307 * (DELTA - Z * DELTA_SE), 21_307 * (DELTA + Z * DELTA_SE)),
    TOTAL / SOLD,
    UNBOUNDED,
)


def increment(total: float | None, low: float | None, high: float | None) -> Increment:
    return Increment(total, Interval(low, high), None, UNBOUNDED)


def test_the_notes_example_comes_out() -> None:
    found = iroas(REVENUE, SPEND)
    assert found.estimate == pytest.approx(7.70, abs=0.005)
    assert found.interval.low == pytest.approx(4.85, abs=0.005)
    assert found.interval.high == pytest.approx(10.55, abs=0.005)
    assert roas(SOLD, SPEND) == pytest.approx(14.2, abs=0.05)
    factor = incrementality_factor(found, roas(SOLD, SPEND))
    assert factor.estimate == close(TOTAL / SOLD)


def test_a_cost_per_conversion_is_a_number_only_when_conversions_are_certain() -> None:
    sure = icpa(increment(100.0, 50.0, 200.0), 1_000.0)
    assert (sure.estimate, sure.interval) == (10.0, Interval(5.0, 20.0))
    assert sure.method == "iCPA"
    unsure = icpa(increment(100.0, -10.0, 200.0), 1_000.0)
    assert (unsure.estimate, unsure.interval) == (None, Interval(5.0, None))
    assert unsure.method == "iCPA, unbounded"
    silent = icpa(NO_INCREMENT, 1_000.0)
    assert (silent.estimate, silent.interval, silent.method) == (None, Interval(0.0, None), "iCPA, unbounded")
    none = icpa(increment(-5.0, -9.0, 0.0), 1_000.0)
    assert (none.estimate, none.interval) == (None, UNBOUNDED)
    assert none.method == "iCPA, unbounded: no buyer was added"
    assert icpa(increment(100.0, 50.0, 200.0), 0.0).interval == UNBOUNDED


def test_without_spend_there_is_no_return() -> None:
    assert iroas(REVENUE, 0.0).estimate is None
    assert roas(SOLD, 0.0) is None
    assert incrementality_factor(iroas(REVENUE, SPEND), None).estimate is None
    assert iroas_uncertain_spend(1.0, 0.1, 0.0, 0.1).estimate is None


def test_an_unknown_increment_stays_unknown() -> None:
    assert (iroas(NO_INCREMENT, SPEND).estimate, iroas(NO_INCREMENT, SPEND).interval) == (None, UNBOUNDED)
    assert contribution(NO_INCREMENT, SPEND, 0.45).estimate is None
    assert claimed_not_incremental(10.0, NO_INCREMENT).interval == UNBOUNDED


@given(st.floats(0.05, 1.0), st.floats(-1e6, 1e6), st.floats(1.0, 1e6))
def test_contribution_is_positive_exactly_when_the_return_beats_break_even(
    margin: float, total: float, spend: float
) -> None:
    revenue = increment(total, total - 10, total + 10)
    earned, back = contribution(revenue, spend, margin), iroas(revenue, spend)
    assert earned.estimate is not None
    assert back.estimate is not None
    if abs(earned.estimate) > 1e-6 * spend:
        assert (earned.estimate > 0) == (back.estimate > break_even(margin))


def test_what_is_claimed_and_not_incremental_turns_the_interval_round() -> None:
    found = claimed_not_incremental(100.0, increment(40.0, 10.0, 70.0))
    assert (found.estimate, found.interval) == (60.0, Interval(30.0, 90.0))


def test_measuring_costs_money_when_ads_pay_and_saves_it_when_they_do_not() -> None:
    paying = cost_of_measuring(
        increment(900.0, 500.0, 1_300.0), held_out=10, treated=90, spend=90.0, margin=0.5
    )
    assert paying.revenue_forgone.estimate == pytest.approx(100.0)
    assert paying.net.estimate == pytest.approx(40.0)
    losing = cost_of_measuring(increment(0.0, -10.0, 10.0), held_out=10, treated=90, spend=90.0, margin=0.5)
    assert losing.net.estimate == pytest.approx(-10.0)
    assert losing.net.interval.is_below(0.0)
    nobody = cost_of_measuring(NO_INCREMENT, held_out=10, treated=0, spend=0.0, margin=0.5)
    assert nobody.net.estimate is None


def test_uncertain_spend_widens_the_return_by_delta_and_by_fieller() -> None:
    known = iroas_uncertain_spend(800.0, 100.0, 100.0, 0.0)
    modelled = iroas_uncertain_spend(800.0, 100.0, 100.0, 10.0)
    assert known.se == pytest.approx(1.0)
    assert modelled.se == pytest.approx((1.0 + 0.64) ** 0.5)
    exact = iroas_fieller(800.0, 100.0, 100.0, 10.0)
    assert exact.interval.low == pytest.approx(5.75, abs=0.3)
    assert iroas_fieller(800.0, 100.0, 100.0, 90.0).interval == UNBOUNDED


def test_the_probability_of_profit_is_one_half_at_break_even() -> None:
    assert probability_of_profit(200.0, 30.0, 100.0, 0.5) == pytest.approx(0.5)
    assert probability_of_profit(200.0, 0.0, 100.0, 0.5) is None


def test_bad_margins_and_spends_are_refused() -> None:
    for margin in (0.0, -0.1, 1.2):
        with pytest.raises(ValueError, match="margin"):
            break_even(margin)
    for spend in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="spend"):
            iroas(REVENUE, spend)
