"""Many audiences: claims that survive and estimates that shrink."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from analysis.estimators.portfolio import benjamini_hochberg, e_benjamini_hochberg, selected_level, shrink

p_values = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


@given(p_values, st.floats(0.001, 0.5))
def test_benjamini_hochberg_agrees_with_scipy(ps: list[float], alpha: float) -> None:
    adjusted = stats.false_discovery_control(ps)
    if np.abs(adjusted - alpha).min() > 1e-9:
        assert benjamini_hochberg(ps, alpha) == tuple(adjusted <= alpha)


@given(st.lists(st.floats(-5, 400), min_size=1, max_size=12), st.floats(0.001, 0.5))
def test_e_benjamini_hochberg_is_benjamini_hochberg_on_one_over_e(logs: list[float], alpha: float) -> None:
    ps = [min(1.0, exp(-value)) for value in logs]
    threshold_gap = min(abs(v - log(len(logs) / (k * alpha))) for v in logs for k in range(1, len(logs) + 1))
    if threshold_gap > 1e-9:
        assert e_benjamini_hochberg(logs, alpha) == benjamini_hochberg(ps, alpha)


def test_one_audience_needs_an_e_value_of_one_over_alpha() -> None:
    assert e_benjamini_hochberg([log(20.0) + 1e-9]) == (True,)
    assert e_benjamini_hochberg([log(20.0) - 1e-9]) == (False,)
    assert e_benjamini_hochberg([]) == ()


def test_a_thousand_standard_errors_do_not_overflow() -> None:
    assert e_benjamini_hochberg([5e5, 0.0]) == (True, False)


def test_the_level_of_selected_intervals_shrinks_with_the_selection() -> None:
    assert selected_level(2, 10) == pytest.approx(0.01)
    for wrong in ((0, 10), (11, 10)):
        with pytest.raises(ValueError, match="selected"):
            selected_level(*wrong)


@pytest.mark.parametrize("seed", range(4))
def test_tau_agrees_with_statsmodels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ses = rng.uniform(0.05, 0.3, 8)
    estimates = 0.1 + rng.normal(size=8) * np.hypot(ses, 0.2 * (seed > 0))
    theirs = combine_effects(estimates, ses**2, method_re="iterated", atol=1e-14)
    found = shrink(list(estimates), list(ses))
    assert found is not None
    assert found.tau**2 == pytest.approx(max(0.0, theirs.tau2), rel=1e-8, abs=1e-10)
    assert found.mean == pytest.approx(theirs.mean_effect_re, rel=1e-7)


def test_audiences_that_agree_collapse_to_their_mean() -> None:
    found = shrink([0.1] * 5, [0.2, 0.1, 0.3, 0.2, 0.4])
    assert found is not None
    assert found.tau == 0.0
    assert [one.estimate for one in found.shrunk] == pytest.approx([0.1] * 5)


def test_noisier_audiences_are_pulled_harder() -> None:
    found = shrink([0.9, 0.9, -0.5, 0.1, 0.4, 0.0], [0.05, 0.5, 0.05, 0.05, 0.05, 0.05])
    assert found is not None
    precise, noisy = found.shrunk[0], found.shrunk[1]
    assert noisy.pull > precise.pull
    assert found.mean < noisy.estimate < precise.estimate < 0.9


def test_four_audiences_are_too_few_to_shrink() -> None:
    assert shrink([0.1] * 4, [0.1] * 4) is None
    with pytest.raises(ValueError, match="positive standard error"):
        shrink([0.1] * 5, [0.1, 0.1, 0.0, 0.1, 0.1])


def test_an_impossible_level_is_refused() -> None:
    for method in (benjamini_hochberg, e_benjamini_hochberg):
        with pytest.raises(ValueError, match="outside 0 to 1"):
            method([0.5], 0.0)
