"""Sizes, durations and the recommendation, for arms that are never equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_cases import CASES, close

from analysis.estimators.intervals import Estimate, Interval
from analysis.estimators.power import (
    Design,
    Spread,
    best_share,
    conversion_spread,
    cost_sentence,
    detectable_effect,
    durations,
    holdout_cost_per_week,
    one_off_test_size,
    recommend,
    smallest_holdout,
    units_needed,
    z_sum,
)

REQUIRED = [name for name in CASES["power"] if name.startswith("p0")]
HOLDOUTS = [name for name in CASES["power"] if name.startswith("min")]


def numbers(name: str) -> list[float]:
    return [float(part.split("=")[1]) for part in name.removeprefix("min_holdout ").split(",")]


@pytest.mark.parametrize("name", REQUIRED)
def test_required_units_agree_with_the_reference(name: str) -> None:
    rate, lift, share = numbers(name)
    spread, effect = conversion_spread(rate, lift)
    found = units_needed(spread, effect, share)
    assert found == close(CASES["power"][name]["total_n_required_80pct"])
    assert found * share == close(CASES["power"][name]["control_n"])


@pytest.mark.parametrize("name", HOLDOUTS)
def test_the_smallest_holdout_agrees_with_the_reference(name: str) -> None:
    units, effect, var_t, var_c = numbers(name)
    expected = CASES["power"][name]
    found = smallest_holdout(Spread(var_c, var_t), effect, units)
    assert found == (None if expected is None else close(expected))


def test_the_notes_smallest_holdouts_come_out() -> None:
    """N = 2,000,000, p = 1 %, δ = .001: 4.07 % at one look, 8.17 % always valid."""
    spread, effect = conversion_spread(0.01, 0.1)
    fixed, anytime = (
        smallest_holdout(spread, effect, 2e6),
        smallest_holdout(spread, effect, 2e6, k=3.035 + 0.8416),
    )
    assert fixed == pytest.approx(0.0407, abs=5e-5)
    assert anytime == pytest.approx(0.0817, abs=5e-5)


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.floats(0.01, 0.9), st.floats(0.001, 1.0))
def test_what_is_needed_is_just_what_detects(var_c: float, var_t: float, share: float, effect: float) -> None:
    spread = Spread(var_c, var_t)
    for design in Design:
        units = units_needed(spread, effect, share, design=design)
        assert detectable_effect(spread, units, share, design=design) == pytest.approx(effect)


def test_the_smallest_holdout_just_detects_the_effect() -> None:
    spread, effect = conversion_spread(0.02, 0.2)
    share = smallest_holdout(spread, effect, 100_000)
    assert share is not None
    assert units_needed(spread, effect, share) == pytest.approx(100_000)


def test_always_valid_reading_needs_three_quarters_more() -> None:
    spread, effect = conversion_spread(0.02, 0.2)
    fixed = units_needed(spread, effect, 0.1)
    assert units_needed(spread, effect, 0.1, design=Design.ALWAYS_VALID) == pytest.approx(1.75 * fixed)


def test_the_duration_table_gets_finer_with_time_and_coarser_with_freedom() -> None:
    table = durations(Spread(0.01, 0.01), 10_000, 0.1, (1, 4, 13))
    assert [row.weeks for row in table] == [1, 4, 13]
    assert table[0].fixed > table[1].fixed > table[2].fixed
    assert all(row.fixed < row.group_sequential < row.always_valid for row in table)


def test_the_recommendation_is_the_smallest_share_that_is_enough() -> None:
    spread, effect = conversion_spread(0.02, 0.2)
    found = recommend(spread, effect, 20_000, 13)
    assert found.weeks is not None
    assert found.weeks <= 13
    assert found.detectable <= effect
    smaller = units_needed(spread, effect, found.share - 0.01, design=Design.ALWAYS_VALID)
    assert smaller > 13 * 20_000
    assert found.sentence.startswith(f"hold out {found.share:.0%}")


def test_the_recommendation_says_when_nothing_is_enough() -> None:
    spread, effect = conversion_spread(0.01, 0.05)
    found = recommend(spread, effect, 100, 4)
    assert found.weeks is None
    assert found.share == pytest.approx(0.5, abs=0.02)
    assert "no holdout shows this effect within 4 weeks" in found.sentence


def test_the_cost_of_a_holdout_may_be_a_saving() -> None:
    effect = Estimate(1.0, Interval(0.5, 3.0), "difference")
    cost = holdout_cost_per_week(0.1, 1_000, effect, spend_per_unit=0.5, margin=0.4)
    assert cost.estimate == pytest.approx(-10.0)
    assert (cost.interval.low, cost.interval.high) == pytest.approx((-30.0, 70.0))
    assert cost_sentence(cost.interval).startswith("the holdout may cost or save")
    assert "costs money" in cost_sentence(Interval(1.0, 2.0))
    assert "saves money" in cost_sentence(Interval(-2.0, -1.0))


def test_the_best_share_follows_the_spreads() -> None:
    assert best_share(Spread(1.0, 1.0)) == 0.5
    assert best_share(Spread(4.0, 1.0)) == pytest.approx(2 / 3)


def test_the_one_off_size_agrees_with_feit_and_berman() -> None:
    """Their website example: N = 100,000, s = √(.68·.32), σ = .03·√2 of the difference … n ≈ 2,284."""
    sd, prior = (0.68 * 0.32) ** 0.5, 0.03
    assert one_off_test_size(100_000, sd, prior) == pytest.approx(2_283.9, abs=1.0)


def test_questions_without_an_answer_are_refused() -> None:
    spread = Spread(1.0, 1.0)
    for wrong in (
        lambda: units_needed(spread, 0.0, 0.1),
        lambda: units_needed(spread, 1.0, 0.0),
        lambda: detectable_effect(spread, 0.0, 0.1),
        lambda: smallest_holdout(spread, 0.0, 10),
        lambda: conversion_spread(0.9, 0.2),
        lambda: recommend(spread, 1.0, 0.0, 3),
        lambda: Spread(-1.0, 1.0),
        lambda: best_share(Spread(0.0, 0.0)),
        lambda: z_sum(power=1.0),
        lambda: one_off_test_size(0.0, 1.0, 1.0),
    ):
        with pytest.raises(ValueError, match=r"."):
            wrong()
