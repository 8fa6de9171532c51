"""What another percentage costs or saves, with its interval and both signs, and how soon it answers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.change import (
    Known,
    Worth,
    cost_of_change,
    known_of,
    wait_in_words,
    weekly_difference,
    weeks_until,
    worth_of,
)
from analysis.estimators.intervals import UNBOUNDED, Estimate, Interval
from analysis.estimators.power import Design, conversion_spread, units_needed, z_sum

TOLD: dict[str, Any] = {
    "money": {"spend": 500.0, "increment": {"total": 2_000.0, "interval": [-1_000.0, 5_000.0]}},
    "since_entry": {"n_treatment": 10_000},
    "conversions": {"n_holdout": 1_000, "n_treatment": 9_000, "mean_holdout": 0.01, "mean_treatment": 0.02},
}


def worth(low: float | None, estimate: float | None, high: float | None, spend: float = 0.05) -> Worth:
    return Worth(Estimate(estimate, Interval(low, high), "m"), spend, margin=0.5)


def test_a_report_s_money_becomes_what_one_person_is_worth() -> None:
    found = worth_of(TOLD, 0.5)
    assert found is not None
    assert (found.added.estimate, found.added.interval) == (0.2, Interval(-0.1, 0.5))
    assert (found.spend, found.margin) == (0.05, 0.5)


def test_a_report_without_money_or_people_says_nothing() -> None:
    assert worth_of({**TOLD, "money": None}, 0.5) is None
    assert worth_of({**TOLD, "since_entry": {"n_treatment": 0}}, 0.5) is None


def test_a_raise_costs_margin_times_effect_less_spend_for_each_person_more() -> None:
    """10 % more of 2,000 people a week: 200 · (.5·.2 − .05) = 10, from 200·(−.05 − .05) to 200·(.25 − .05)."""
    found = weekly_difference(0.1, 2_000, worth(-0.1, 0.2, 0.5))
    assert found.estimate == pytest.approx(10)
    assert (found.interval.low, found.interval.high) == (pytest.approx(-20), pytest.approx(40))


def test_lowering_back_is_the_opposite() -> None:
    up = weekly_difference(0.1, 2_000, worth(-0.1, 0.2, 0.5))
    down = weekly_difference(-0.1, 2_000, worth(-0.1, 0.2, 0.5))
    assert down.estimate == -(up.estimate or 0)
    assert up.interval.high is not None
    assert up.interval.low is not None
    assert down.interval == Interval(-up.interval.high, -up.interval.low)


@pytest.mark.parametrize(
    ("change", "interval"),
    [(0.1, Interval(None, 40.0)), (-0.1, Interval(-40.0, None)), (0.0, Interval(0.0, 0.0))],
)
def test_an_open_side_stays_open_on_the_right_side(change: float, interval: Interval) -> None:
    assert weekly_difference(change, 2_000, worth(None, None, 0.5)).interval == interval


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(1, 40), "it costs money"),
        (Interval(-40, -1), "it saves money"),
        (Interval(-20, 40), "it may cost or save money, the data allow both: between -20 and +40 EUR"),
        (Interval(None, 40), "between any saving and +40"),
        (Interval(0, 0), "neither costs nor saves"),
    ],
)
def test_the_sentence_says_both_signs_where_the_data_allow_both(interval: Interval, words: str) -> None:
    assert words in cost_of_change(Estimate(1.0, interval, "m"), "EUR")


def test_without_an_estimate_it_says_so() -> None:
    assert "cannot be said yet" in cost_of_change(Estimate(None, UNBOUNDED, "m"), "EUR")


def test_the_known_rate_is_that_of_both_arms_together() -> None:
    assert known_of(TOLD) == Known(1_000, 9_000, pytest.approx(0.019))
    nobody = {**TOLD["conversions"], "mean_holdout": 0.0, "mean_treatment": 0.0}
    assert known_of({"conversions": nobody}) is None


def test_from_nothing_the_wait_is_that_of_the_power_module() -> None:
    spread, effect = conversion_spread(0.02, 0.1)
    expected = units_needed(spread, effect, 0.1, design=Design.ALWAYS_VALID) / 5_000
    found = weeks_until(0.1, Known(0, 0, 0.02), 5_000, [0.1])
    assert found is not None
    assert 0 <= found - expected < 1


def test_what_is_known_shortens_the_wait() -> None:
    """At the precision that is needed nothing is left to wait for."""
    spread, effect = conversion_spread(0.02, 0.1)
    n = 1.75 * z_sum() ** 2 * (spread.treatment / 0.9 + spread.holdout / 0.1) / effect**2
    half = weeks_until(0.1, Known(round(0.05 * n), round(0.45 * n), 0.02), n / 100, [0.1])
    assert half == pytest.approx(50, abs=1)
    assert weeks_until(0.1, Known(round(0.1 * n) + 1, round(0.9 * n) + 1, 0.02), n / 100, [0.1]) == 0


def test_windows_that_hold_out_different_shares_compare_fewer_people() -> None:
    known = Known(0, 0, 0.02)
    alike, apart = (weeks_until(0.1, known, 5_000, shares) for shares in ([0.2, 0.2], [0.1, 0.2]))
    narrow = weeks_until(0.1, known, 5_000, [0.1, 0.1])
    assert alike is not None
    assert apart is not None
    assert narrow is not None
    assert alike < narrow <= apart


@given(st.floats(0.02, 0.24), st.floats(0.001, 0.2))
def test_a_larger_holdout_below_half_never_waits_longer(share: float, rate: float) -> None:
    known = Known(0, 0, rate)
    now, then = (weeks_until(0.1, known, 3_000, [each]) for each in (share, 2 * share))
    assert now is not None
    assert then is not None
    assert then <= now


@pytest.mark.parametrize(("people", "shares"), [(5_000, [0.0]), (5_000, [0.0, 0.1]), (0, [0.1])])
def test_where_nobody_is_held_out_or_nobody_enters_it_never_shows(people: float, shares: list[float]) -> None:
    assert weeks_until(0.1, Known(0, 0, 0.02), people, shares) is None


def test_waits_are_said_in_weeks_or_years() -> None:
    assert wait_in_words(9) == "9 weeks"
    assert wait_in_words(520) == "10 years"
    assert "no time" in wait_in_words(None)
