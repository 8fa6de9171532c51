"""Ratios agree with the reference; Fieller's unbounded sets are told as such."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_cases import COMPARISONS, SCORES, both, close

from analysis.estimators.difference import welch_z
from analysis.estimators.intervals import UNBOUNDED, critical_value
from analysis.estimators.ratio import Means, delta, fieller, fieller_set, log_delta, means
from analysis.estimators.sums import ArmSums


def pair(name: str) -> Means:
    found = means(*both(COMPARISONS[name]["sufficient_stats"], 0))
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMPARISONS)
def test_delta_log_delta_and_fieller_agree_with_the_reference(name: str) -> None:
    case = COMPARISONS[name]["relative"]
    by_delta, by_log, by_fieller = delta(pair(name)), log_delta(pair(name)), fieller(pair(name))
    assert (by_delta.estimate, by_delta.se) == close((case["delta"]["lift"], case["delta"]["se"]))
    assert (by_delta.interval.low, by_delta.interval.high) == close(case["delta"]["ci"])
    assert by_log.se == close(case["log"]["se_log"])
    assert (by_log.interval.low, by_log.interval.high) == close(case["log"]["ci"])
    assert (by_fieller.interval.low, by_fieller.interval.high) == close(case["fieller"]["ci"])


def test_five_purchases_in_the_holdout_make_fieller_a_complement() -> None:
    case = SCORES["hillstrom_thinned_control_first_1121/mens/spend"]
    found = means(*both(case["sufficient_stats"], 0))
    assert found is not None
    confidence = fieller_set(found, critical_value(0.05))
    assert (confidence.kind, confidence.interval) == ("complement", UNBOUNDED)
    assert (confidence.low, confidence.high) == close(case["fieller"]["excluded"])
    assert confidence.excludes(0.0)
    assert not confidence.excludes(1.0)
    assert "unbounded: complement" in fieller(found).method


def test_two_means_near_zero_make_fieller_the_whole_line() -> None:
    found = fieller_set(Means(0.1, 0.1, 1.0, 1.0), 1.96)
    assert (found.kind, found.interval, found.excludes(5.0)) == ("line", UNBOUNDED, False)


@given(
    c=st.floats(0.01, 10),
    t=st.floats(0.01, 10),
    v_c=st.floats(1e-4, 10),
    v_t=st.floats(1e-4, 10),
    alpha=st.floats(1e-6, 0.5),
)
def test_fieller_excludes_no_lift_exactly_when_the_difference_does(
    c: float, t: float, v_c: float, v_t: float, alpha: float
) -> None:
    found = fieller(Means(c, t, v_c, v_t), alpha)
    assert found.p_value is not None
    if abs(found.p_value - alpha) > 1e-9:
        confidence = fieller_set(Means(c, t, v_c, v_t), critical_value(alpha))
        assert confidence.excludes(0.0) == (found.p_value < alpha)


@given(
    c=st.floats(1.0, 10),
    t=st.floats(1.0, 10),
    v_c=st.floats(1e-4, 0.05),
    v_t=st.floats(1e-4, 0.05),
    scale=st.floats(0.01, 100),
)
def test_swapping_arms_inverts_fieller_and_scale_leaves_it(
    c: float, t: float, v_c: float, v_t: float, scale: float
) -> None:
    found = fieller_set(Means(c, t, v_c, v_t), 1.96)
    swapped = fieller_set(Means(t, c, v_t, v_c), 1.96)
    scaled = fieller_set(Means(c * scale, t * scale, v_c * scale**2, v_t * scale**2), 1.96)
    assert found.low is not None
    assert found.high is not None
    inverse = (1.0 / (1.0 + found.high) - 1.0, 1.0 / (1.0 + found.low) - 1.0)
    assert (swapped.low, swapped.high) == pytest.approx(inverse, rel=1e-6, abs=1e-8)
    assert (scaled.low, scaled.high) == pytest.approx((found.low, found.high), rel=1e-6, abs=1e-8)


def test_a_holdout_without_sales_has_no_ratio() -> None:
    found = Means(0.0, 1.0, 0.0, 0.1)
    assert delta(found).estimate is None
    assert log_delta(found).estimate is None
    assert fieller(found).estimate is None
    assert fieller(found).interval == UNBOUNDED


def test_fieller_of_the_difference_has_the_z_tests_p_value() -> None:
    c, t = ArmSums.from_values(np.array([0.0, 1.0, 4.0])), ArmSums.from_values(np.array([2.0, 3.0, 9.0]))
    found = means(c, t)
    assert found is not None
    assert fieller(found).p_value == close(welch_z(c, t).p_value or 0.0)


def test_means_need_two_units_in_each_arm() -> None:
    assert means(ArmSums.from_values(np.array([1.0])), ArmSums.from_values(np.array([1.0, 2.0]))) is None
