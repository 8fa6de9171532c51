"""Regression adjustment agrees with the reference and with statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from reference_cases import COMPARISONS, both, close, single

from analysis.estimators.adjustment import cuped, lin, lin_stratified
from analysis.estimators.ratio import delta
from analysis.estimators.sums import ArmSums, Stratum


@pytest.mark.parametrize("name", COMPARISONS)
def test_lin_agrees_with_the_reference(name: str) -> None:
    case, found = COMPARISONS[name]["lin_ancova2"], lin(*both(COMPARISONS[name]["sufficient_stats"], 0))
    assert found is not None
    assert (found.slope_holdout, found.slope_treatment) == close((case["beta_c"], case["beta_t"]))
    assert (found.means.holdout, found.means.treatment) == close((case["adj_control"], case["adj_treatment"]))
    assert (found.estimate.estimate, found.estimate.se) == close((case["diff"], case["se_superpop"]))
    assert found.se_finite == close(case["se_finite"])
    assert (found.estimate.interval.low, found.estimate.interval.high) == close(case["ci"])
    assert found.variance_reduction == close(case["variance_reduction"], 1e-6)
    relative = delta(found.means)
    assert (relative.estimate, relative.se) == close((case["rel_delta"]["lift"], case["rel_delta"]["se"]))


@pytest.mark.parametrize("name", COMPARISONS)
def test_cuped_agrees_with_the_reference(name: str) -> None:
    case, found = COMPARISONS[name]["cuped"], cuped(*both(COMPARISONS[name]["sufficient_stats"], 0))
    assert found is not None
    assert found.slope_holdout == close(case["theta"])
    assert (found.estimate.estimate, found.estimate.se) == close((case["diff"], case["se"]))
    assert (found.estimate.interval.low, found.estimate.interval.high) == close(case["ci"])
    assert found.variance_reduction == close(case["variance_reduction"], 1e-6)


def test_lin_agrees_with_an_interacted_regression() -> None:
    """Independent oracle: OLS of y on arm, centred x and their product gives the same difference."""
    rng = np.random.default_rng(11)
    treated = rng.random(3_000) < 0.9
    x = rng.gamma(2.0, size=3_000)
    y = 1.0 + 0.4 * treated + (0.8 + 0.5 * treated) * x + rng.normal(size=3_000)
    design = np.column_stack([treated, x - x.mean(), treated * (x - x.mean())])
    theirs = sm.OLS(y, sm.add_constant(design)).fit(cov_type="HC2")
    arms = [ArmSums.from_values(y[rows], covariate=x[rows]) for rows in (~treated, treated)]
    found = lin(arms[0], arms[1])
    assert found is not None
    assert found.estimate.estimate == pytest.approx(theirs.params[1], rel=1e-9)
    assert found.se_finite == pytest.approx(theirs.bse[1], rel=0.02)
    assert found.is_worth_using


def test_a_stratum_alone_is_the_unstratified_case_and_twice_is_half_the_variance() -> None:
    holdout, treatment = both(COMPARISONS["hillstrom_mens/spend"]["sufficient_stats"], 0)
    one, alone = lin(holdout, treatment), lin_stratified(single(holdout, treatment))
    twice = lin_stratified((Stratum(holdout, treatment), Stratum(holdout, treatment)))
    assert one is not None
    assert alone is not None
    assert twice is not None
    assert one.estimate.se is not None
    assert alone.estimate == one.estimate
    assert twice.estimate.se == close(one.estimate.se / 2**0.5)
    assert twice.variance_reduction == close(one.variance_reduction, 1e-6)


def test_a_covariate_that_does_not_vary_adjusts_nothing() -> None:
    flat = ArmSums.from_values(np.array([0.0, 1.0, 2.0, 0.0]), covariate=np.ones(4))
    assert lin(flat, flat) is None
    assert cuped(flat, flat) is None
    assert lin_stratified((Stratum(flat, flat),)) is None


def test_two_units_are_too_few_for_a_slope() -> None:
    two = ArmSums.from_values(np.array([0.0, 1.0]), covariate=np.array([0.0, 1.0]))
    assert lin(two, two) is None
