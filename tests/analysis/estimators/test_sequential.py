"""Confidence sequences and e-values agree with the reference and never take evidence back."""

from math import exp, inf, isfinite, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outcomes_strategy import phases
from reference_cases import CASES, COMPARISONS, arm, binary, both, close, single

from analysis.estimators.intervals import UNBOUNDED, Interval
from analysis.estimators.ratio import delta, means
from analysis.estimators.score import score_test
from analysis.estimators.sequential import (
    AlwaysValid,
    RunningEvidence,
    always_valid,
    always_valid_difference,
    always_valid_lift,
    e_p_value,
    factor,
    information,
    information_time,
    log_e_value,
    mixture_variance,
    planned_information,
    tuned_time,
)
from analysis.estimators.sums import ArmSums, Strata, Stratum

MONITORED = CASES["monitoring"]


@pytest.mark.parametrize("name", [n for n in CASES["always_valid_constants"] if n.startswith("alpha")])
def test_the_factor_agrees_with_the_reference(name: str) -> None:
    alpha, capacity, n = (float(part.split("=")[1]) for part in name.split(","))
    found = factor(n * mixture_variance(capacity, alpha), alpha)
    assert found == close(CASES["always_valid_constants"][name])


def test_the_mixture_variance_agrees_with_the_reference_in_both_forms() -> None:
    constants = CASES["always_valid_constants"]
    assert mixture_variance(5_000) == close(constants["rho2_approx_5000_.05"])
    assert mixture_variance(5_000, exact=True) == close(constants["rho2_exact_lambertW_5000_.05"])


@pytest.mark.parametrize("name", COMPARISONS)
def test_the_confidence_sequence_agrees_with_the_reference(name: str) -> None:
    holdout, treatment = both(COMPARISONS[name]["sufficient_stats"], 122)
    pair = means(holdout, treatment)
    assert pair is not None
    by_delta = delta(pair)
    assert by_delta.estimate is not None
    assert by_delta.se is not None
    for key, case in COMPARISONS[name]["always_valid"].items():
        time = (holdout.n + treatment.n) * mixture_variance(float(key.rsplit("_", 1)[1]))
        found = (
            always_valid_difference(single(holdout, treatment), time)
            if key.startswith("abs")
            else always_valid(by_delta.estimate, by_delta.se, time, "delta")
        )
        interval = found.estimate.interval
        assert (interval.low, interval.high) == close(case["ci"])
        assert found.log_e_value == close(case["log_e"])
        assert found.p_value == close(case["p"])


def test_monitored_evidence_and_intersection_agree_with_the_reference() -> None:
    seen = RunningEvidence()
    for look in MONITORED:
        # 20 conversions: the reference has no burn-in, so every look is let through.
        sums = single(arm(look["control"], 20), arm(look["treatment"], 20))
        found = always_valid_difference(sums, look["rows"] * mixture_variance(20_000))
        seen = seen.after(found)
        assert found.log_e_value == close(look["log_e"])
        assert seen.p_value == close(look["p_av_running_min"])
        assert (seen.interval.low, seen.interval.high) == close(look["cs_running_intersection"])
    assert seen.looks == len(MONITORED)


@given(st.floats(1e-3, 1e6), st.floats(0.0, 80.0), st.floats(1e-8, 0.5))
def test_an_e_value_passes_one_over_alpha_exactly_at_the_factor(time: float, z: float, alpha: float) -> None:
    limit = factor(time, alpha)
    if abs(z - limit) > 1e-9 * limit:
        assert (log_e_value(z, time) > -log(alpha)) == (z > limit)


def test_evidence_stays_finite_and_ordered_at_eighty_standard_errors() -> None:
    logs = [log_e_value(z, tuned_time()) for z in (10.0, 40.0, 80.0)]
    assert all(isfinite(value) for value in logs)
    assert logs == sorted(logs)
    assert logs[-1] == pytest.approx(0.5 * (7.9363 / 8.9363 * 6400 - log(8.9363)), rel=1e-4)
    assert e_p_value(logs[-1]) == exp(-logs[-1]) == 0.0


@given(st.lists(st.floats(-50, 500), min_size=1, max_size=20))
def test_running_evidence_never_falls_and_its_interval_never_widens(logs: list[float]) -> None:
    seen = RunningEvidence()
    for log_e in logs:
        look = AlwaysValid(always_valid(log_e, 3.0, 5.0, "given").estimate, log_e)
        after = seen.after(look)
        assert after.p_value <= seen.p_value
        assert after.log_e_value >= seen.log_e_value
        assert width(after.interval) <= width(seen.interval)
        seen = after


@settings(max_examples=100, deadline=None)
@given(phases(), st.floats(0.1, 50.0), st.floats(0.001, 0.4))
def test_the_always_valid_lift_excludes_zero_exactly_when_p_is_below_alpha(
    sums: Strata, time: float, alpha: float
) -> None:
    found = always_valid_lift(with_burn_in(sums), time, alpha)
    assert found.estimate.interval.excludes(0.0) == (found.p_value < alpha)
    assert found.estimate.p_value == found.p_value


@settings(max_examples=60, deadline=None)
@given(phases())
def test_the_always_valid_interval_holds_the_one_look_interval(sums: Strata) -> None:
    burnt = with_burn_in(sums)
    anytime = always_valid_lift(burnt, tuned_time()).estimate.interval
    test = score_test(burnt)
    assert test is not None
    assert anytime.low is not None
    assert anytime.low <= test.ratio - 1.0


def test_nothing_is_said_below_twenty_control_conversions() -> None:
    few, enough = single(binary(1_000, 19), binary(9_000, 400)), single(binary(1_000, 20), binary(9_000, 400))
    for found in (always_valid_lift(few, 8.0), always_valid_difference(few, 8.0)):
        assert (found.estimate.interval, found.p_value) == (UNBOUNDED, 1.0)
    assert always_valid_lift(enough, 8.0).estimate.interval != UNBOUNDED


def test_before_any_information_nothing_is_said() -> None:
    assert factor(0.0) == inf
    assert always_valid(1.0, 0.1, 0.0, "given").estimate.interval == UNBOUNDED


def test_refunds_fall_back_to_fieller_with_one_statistic() -> None:
    rng = np.random.default_rng(5)
    c, t = (ArmSums.from_values(rng.normal(m, 3.0, n)) for m, n in ((5.0, 400), (6.0, 4_000)))
    found = always_valid_lift(single(c, t), tuned_time())
    assert "Fieller" in found.estimate.method
    assert found.estimate.interval.excludes(0.0) == (found.p_value < 0.05)


def test_information_follows_the_shares_not_the_head_count() -> None:
    even, thin = Stratum(binary(500, 5), binary(500, 5)), Stratum(binary(10, 1), binary(990, 9))
    assert information((even, thin)) == pytest.approx(250.0 + 9.9)
    assert planned_information(1_000, 0.5) == 250.0
    assert information_time(250.0, 250.0) == tuned_time() == pytest.approx(7.936, abs=1e-3)
    with_constant_share = information_time(information((even,)), planned_information(5_000, 0.5))
    assert with_constant_share == pytest.approx(1_000 * mixture_variance(5_000))


def test_a_plan_without_information_is_refused() -> None:
    for wrong in (
        lambda: planned_information(0.0, 0.1),
        lambda: information_time(1.0, 0.0),
        lambda: mixture_variance(0.0),
        lambda: log_e_value(1.0, -1.0),
        lambda: factor(1.0, 0.0),
    ):
        with pytest.raises(ValueError, match=r"."):
            wrong()


def with_burn_in(sums: Strata) -> Strata:
    """The same strata with twenty small purchases more in the first holdout."""
    first, *rest = sums
    bought = ArmSums.from_values(np.full(20, 5.0))
    return (Stratum(first.holdout + bought, first.treatment), *rest)


def width(interval: Interval) -> float:
    if interval.low is None or interval.high is None:
        return inf
    return interval.high - interval.low
