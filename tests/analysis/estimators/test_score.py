"""The score interval meets the reference and keeps the promises of the statistics note, B1.4, B4 and B16."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcomes_strategy import binary_phase, one_phase, phases
from reference_cases import CASES, SCORES, arm, binary, both, close, near, single, strata

from analysis.estimators.gates import (
    baskets_differ,
    control_conversions,
    dispersion_ratio,
    is_revenue,
    precision,
)
from analysis.estimators.increment import NO_INCREMENT, increment
from analysis.estimators.intervals import UNBOUNDED, Estimate, Interval
from analysis.estimators.score import FALLBACK, HYBRID, POOLED, score, score_test
from analysis.estimators.sums import ArmSums, Strata, Stratum


def with_conversions(name: str) -> Strata:
    sums = SCORES[name]["sufficient_stats"]
    return single(*both(sums))


def ends(found: Estimate) -> tuple[float | None, float | None]:
    return found.interval.low, found.interval.high


@pytest.mark.parametrize("name", SCORES)
def test_the_score_interval_agrees_with_the_reference(name: str) -> None:
    case, found = SCORES[name], score(with_conversions(name))
    assert found.method == POOLED
    assert found.estimate == close(case["lift"])
    assert ends(found) == near(case["lift_ci"])


@pytest.mark.parametrize("name", SCORES)
def test_the_statistic_at_no_lift_agrees_with_the_reference(name: str) -> None:
    test = score_test(with_conversions(name))
    assert test is not None
    statistic, skew = test.null()
    assert statistic == close(SCORES[name]["T_null"])
    assert skew == close(SCORES[name]["skew_null"])


@pytest.mark.parametrize("name", SCORES)
def test_the_increment_agrees_with_the_reference(name: str) -> None:
    case, sums = SCORES[name], with_conversions(name)
    found = increment(sums, score(sums))
    assert found.total == close(case["incremental_total"])
    assert (found.interval.low, found.interval.high) == near(case["incremental_total_ci"])
    assert found.share == close(case["incrementality_share"])
    assert (found.share_interval.low, found.share_interval.high) == near(case["incrementality_share_ci"])


def test_the_hybrid_interval_agrees_with_the_reference() -> None:
    case = CASES["hybrid"]["hillstrom/mens/spend"]
    control, treatment = (
        SCORES["hillstrom/mens/spend"]["sufficient_stats"][a] for a in ("control", "treatment")
    )
    sums = single(arm(control, case["kc"]), arm(treatment, 267))
    found = score(sums, hybrid=True)
    assert found.method == HYBRID
    assert ends(found) == near(case["lift_ci"])


def test_the_stratified_score_agrees_with_the_reference() -> None:
    case = CASES["changing_holdout"]["stratified_score"]
    sums = strata(case["control"], case["treatment"])
    found, test = score(sums), score_test(sums)
    assert test is not None
    assert found.estimate == close(case["mh_ratio_lift"])
    assert ends(found) == near(case["lift_ci_skew_corrected"])
    assert test.null() == close((case["T_null"], case["skew_null"]))


@settings(max_examples=150, deadline=None)
@given(phases(), st.floats(0.001, 0.6))
def test_the_interval_excludes_no_lift_exactly_when_p_is_below_alpha(sums: Strata, alpha: float) -> None:
    found = score(sums, alpha)
    assert found.p_value is not None
    assert found.interval.excludes(0.0) == (found.p_value < alpha)


@settings(max_examples=100, deadline=None)
@given(phases(), st.floats(0.001, 0.6))
def test_the_hybrid_interval_leaves_the_decision_to_the_pooled_test(sums: Strata, alpha: float) -> None:
    found = score(sums, alpha, hybrid=True)
    assert found.p_value == score(sums, alpha, hybrid=False).p_value
    assert found.p_value is not None
    assert found.interval.excludes(0.0) == (found.p_value < alpha)


@settings(max_examples=100, deadline=None)
@given(binary_phase(), st.floats(0.001, 0.6))
def test_any_table_of_zeros_and_ones_gets_a_coherent_answer(sums: Strata, alpha: float) -> None:
    found = score(sums, alpha)
    if found.p_value is None:
        assert sums[0].holdout.conversions + sums[0].treatment.conversions == 0
        assert (found.estimate, found.interval) == (None, UNBOUNDED)
    else:
        assert found.interval.excludes(0.0) == (found.p_value < alpha)
        assert (found.estimate is None) == (sums[0].holdout.conversions == 0)
        if found.estimate is not None:
            assert not found.interval.excludes(found.estimate)


@settings(max_examples=60, deadline=None)
@given(phases())
def test_a_stricter_level_never_gives_a_narrower_interval(sums: Strata) -> None:
    wide, narrow = score(sums, 0.01).interval, score(sums, 0.1).interval
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low <= narrow.low + 1e-9
    assert wide.high is None or (narrow.high is not None and wide.high >= narrow.high - 1e-9)


@settings(max_examples=60, deadline=None)
@given(one_phase(), st.floats(1e-3, 1e3))
def test_the_currency_does_not_change_the_lift(sums: Strata, scale: float) -> None:
    (stratum,) = sums
    scaled = single(*(rescaled(a, scale) for a in (stratum.holdout, stratum.treatment)))
    assert_same_lift(score(scaled), score(sums))


@settings(max_examples=60, deadline=None)
@given(one_phase())
def test_swapping_the_arms_inverts_the_ratio(sums: Strata) -> None:
    (stratum,) = sums
    found, swapped = score(sums), score(single(stratum.treatment, stratum.holdout))
    assert swapped.p_value == pytest.approx(found.p_value, rel=1e-6)
    assert found.interval.low is not None
    if found.interval.high is not None:
        inverse = 1.0 / (1.0 + found.interval.high) - 1.0
        assert swapped.interval.low == pytest.approx(inverse, rel=1e-6, abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(one_phase())
def test_a_split_of_one_phase_with_equal_shares_changes_nothing(sums: Strata) -> None:
    """Naive and stratified agree where there is one phase: here the same phase, counted twice."""
    (stratum,) = sums
    assert_same_lift(
        score((stratum, stratum)),
        score(single(stratum.holdout + stratum.holdout, stratum.treatment + stratum.treatment)),
    )


@settings(max_examples=40, deadline=None)
@given(one_phase(), st.integers(1, 500))
def test_a_phase_with_an_empty_arm_says_nothing(sums: Strata, n: int) -> None:
    lone = Stratum(ArmSums.empty(), ArmSums.from_values(np.full(n, 3.0)), "no holdout")
    assert score((*sums, lone)) == score(sums)
    assert increment((*sums, lone), score(sums)) == increment(sums, score(sums))


def test_no_control_conversion_leaves_the_upper_side_open() -> None:
    sums = single(binary(500, 0), binary(9_500, 120))
    found = score(sums)
    assert found.estimate is None
    assert found.interval.high is None
    assert found.interval.low is not None
    added = increment(sums, found)
    assert added.total is None
    assert added.interval.high == 120.0


def test_no_treated_conversion_leaves_the_lower_side_at_minus_one() -> None:
    sums = single(binary(500, 9), binary(9_500, 0))
    found = score(sums)
    assert (found.estimate, found.interval.low) == (-1.0, -1.0)
    assert found.interval.is_below(0.0)
    assert increment(sums, found) == NO_INCREMENT


def test_nobody_bought_so_nothing_can_be_said() -> None:
    found = score(single(binary(50, 0), binary(950, 0)))
    assert (found.estimate, found.interval, found.p_value) == (None, UNBOUNDED, None)


def test_one_unit_in_the_holdout_is_no_reason_to_fail() -> None:
    for bought in (0, 1):
        found = score(single(binary(1, bought), binary(999, 30)))
        assert found.p_value is not None
        assert not found.interval.excludes(0.0) or found.p_value < 0.05


def test_equal_outcomes_for_everyone_show_no_lift() -> None:
    found = score(single(*(ArmSums.from_values(np.full(n, 7.0)) for n in (30, 600))))
    assert (found.estimate, found.p_value) == (0.0, 1.0)
    assert not found.interval.excludes(0.0)


def test_refunds_beyond_purchases_fall_back_to_fieller_and_say_so() -> None:
    refunded = ArmSums.from_values(np.array([0.0, -5.0, 20.0, 30.0]))
    bought = ArmSums.from_values(np.array([0.0, 10.0, 20.0, 35.0]))
    found = score(single(refunded, bought))
    assert FALLBACK in found.method
    assert "Fieller" in found.method
    with pytest.raises(ValueError, match="zero or more"):
        score_test(single(refunded, bought))


def test_the_hybrid_serves_revenue_from_200_control_conversions_only() -> None:
    rng = np.random.default_rng(3)
    amounts = [np.concatenate([rng.lognormal(3, 1, n), np.zeros(9 * n)]) for n in (199, 200, 4_000)]
    few, enough, treated = (ArmSums.from_values(values) for values in amounts)
    assert score(single(few, treated)).method == POOLED
    assert score(single(enough, treated)).method == HYBRID
    assert score(single(binary(10_000, 500), binary(90_000, 4_500))).method == POOLED


def test_control_conversions_decide_what_may_be_said() -> None:
    assert [precision(k, revenue=False).value for k in (19, 20, 50)] == [
        "no statement",
        "low precision",
        "full",
    ]
    assert [precision(k, revenue=True).value for k in (50, 99, 100)] == [
        "low precision",
        "low precision",
        "full",
    ]


def test_baskets_that_differ_by_half_are_noticed_from_200_control_conversions() -> None:
    small, large = (ArmSums.from_values(np.repeat([0.0, v], 200)) for v in (10.0, 16.0))
    assert dispersion_ratio(single(large, small)) == pytest.approx(1.6)
    assert baskets_differ(single(large, small))
    assert not baskets_differ(single(small, small))
    assert dispersion_ratio(single(binary(300, 199), small)) is None
    assert is_revenue(single(small, large))
    assert control_conversions(single(small, large)) == 200


def test_an_increment_needs_a_lift_above_minus_one() -> None:
    sums = single(binary(100, 10), binary(900, 90))
    found = increment(sums, Estimate(-1.0, Interval(-1.0, 0.5), "given"))
    assert found.total is None
    assert (found.interval.low, found.interval.high) == (None, pytest.approx(30.0))


def rescaled(a: ArmSums, by: float) -> ArmSums:
    return ArmSums(a.n, a.y * by, a.m2 * by**2, a.m3 * by**3, a.conversions)


def assert_same_lift(one: Estimate, other: Estimate) -> None:
    assert one.estimate == pytest.approx(other.estimate, rel=1e-9, abs=1e-12)
    assert one.p_value == pytest.approx(other.p_value, rel=1e-6)
    assert one.interval.low == pytest.approx(other.interval.low, rel=1e-6, abs=1e-8)
    if one.interval.high is not None or other.interval.high is not None:
        assert one.interval.high == pytest.approx(other.interval.high, rel=1e-6, abs=1e-8)
