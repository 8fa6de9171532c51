"""The Cornish–Fisher reach is monotone, and its inverse is exact."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analysis.estimators.skew import reach, required_quantile, skew_term

skews = st.floats(-8, 8)
quantiles = st.floats(0.0, 12.0)


def reach_at(q: float, skew: float) -> float:
    return float(reach(q, np.array([skew]))[0])


@given(quantiles, quantiles, skews)
def test_a_larger_quantile_never_reaches_less_far(a: float, b: float, skew: float) -> None:
    low, high = sorted((a, b))
    assert reach_at(low, skew) <= reach_at(high, skew) + 1e-12


@given(st.floats(1e-3, 12.0), skews, st.sampled_from([1, -1]))
@example(1.5, -8.0, 1)
def test_the_required_quantile_is_the_first_that_reaches(size: float, skew: float, sign: int) -> None:
    q = required_quantile(sign * size, skew)
    assert reach_at(q * (1 + 1e-9), sign * skew) >= size
    assert reach_at(q * (1 - 1e-6), sign * skew) < size


@given(st.floats(-12, 12))
def test_without_skew_the_quantile_is_the_statistic(t: float) -> None:
    assert required_quantile(t, 0.0) == abs(t)
    assert required_quantile(t, 1e-13) == pytest.approx(abs(t), rel=1e-9)


def test_moderate_skew_gives_the_plain_cornish_fisher_limits() -> None:
    assert reach_at(1.96, -0.5) == pytest.approx(1.96 - 0.5 * (1.96**2 - 1) / 6)
    assert reach_at(1.96, 0.5) == pytest.approx(1.96 + 0.5 * (1.96**2 - 1) / 6)


def test_the_skew_term_is_clipped() -> None:
    q = np.array([2.0])
    assert skew_term(q, np.array([9.0]))[0] == pytest.approx(0.8)
    assert skew_term(q, np.array([-9.0]))[0] == pytest.approx(-0.8)
