"""Differences agree with the reference, with scipy and with statsmodels."""

import numpy as np
import pytest
from reference_cases import COMPARISONS, arm, binary, both, close
from scipy import stats
from statsmodels.stats.proportion import test_proportions_2indep as two_proportions

from analysis.estimators.difference import pooled_z, welch, welch_z
from analysis.estimators.intervals import UNBOUNDED
from analysis.estimators.sums import ArmSums


@pytest.mark.parametrize("name", COMPARISONS)
def test_welch_agrees_with_the_reference(name: str) -> None:
    case = COMPARISONS[name]["absolute"]
    found = welch(*both(COMPARISONS[name]["sufficient_stats"], 0))
    assert found.estimate == close(case["diff"])
    assert found.se == close(case["se"])
    assert found.p_value == close(case["p_t"])
    assert (found.interval.low, found.interval.high) == close(case["ci_t"])


@pytest.mark.parametrize("name", COMPARISONS)
def test_the_z_interval_agrees_with_the_reference(name: str) -> None:
    case = COMPARISONS[name]["absolute"]
    found = welch_z(*both(COMPARISONS[name]["sufficient_stats"], 0))
    assert found.p_value == close(case["p_z"])
    assert (found.interval.low, found.interval.high) == close(case["ci_z"])


@pytest.mark.parametrize("name", [name for name in COMPARISONS if "pooled_z" in COMPARISONS[name]])
def test_the_pooled_z_agrees_with_the_reference(name: str) -> None:
    case = COMPARISONS[name]["pooled_z"]
    found = pooled_z(*both(COMPARISONS[name]["sufficient_stats"]))
    assert found.estimate is not None
    assert found.se is not None
    assert found.estimate / found.se == close(case["z"])
    assert found.p_value == close(case["p"])


def test_welch_agrees_with_scipy_on_unequal_arms() -> None:
    rng = np.random.default_rng(1)
    c, t = rng.lognormal(size=40), rng.lognormal(0.3, 1.2, size=700)
    theirs = stats.ttest_ind(t, c, equal_var=False)
    found = welch(ArmSums.from_values(c), ArmSums.from_values(t), alpha=0.1)
    assert found.p_value == close(theirs.pvalue)
    assert (found.interval.low, found.interval.high) == close(tuple(theirs.confidence_interval(0.9)))


def test_the_pooled_z_squared_is_the_chi_square_of_the_table() -> None:
    found = pooled_z(binary(400, 31), binary(1_000, 119))
    table = stats.chi2_contingency([[31, 369], [119, 881]], correction=False)
    theirs = two_proportions(119, 1_000, 31, 400, method="score", compare="diff", correction=False)
    assert found.p_value == close(table.pvalue)
    assert found.p_value == close(theirs.pvalue)


def test_a_single_unit_gives_a_difference_without_an_interval() -> None:
    found = welch(ArmSums.from_values(np.array([1.0])), ArmSums.from_values(np.array([3.0, 5.0])))
    assert (found.estimate, found.interval, found.p_value) == (3.0, UNBOUNDED, None)


def test_an_empty_arm_cannot_be_estimated() -> None:
    for method in (welch, welch_z, pooled_z):
        assert method(ArmSums.empty(), binary(5, 1)).estimate is None


def test_equal_outcomes_have_a_difference_and_no_test() -> None:
    found = welch(ArmSums.from_values(np.full(3, 2.0)), ArmSums.from_values(np.full(4, 2.0)))
    assert (found.estimate, found.interval, found.p_value) == (0.0, UNBOUNDED, None)


def test_the_pooled_z_refuses_amounts() -> None:
    with pytest.raises(ValueError, match="0 or 1"):
        pooled_z(binary(5, 1), arm({"n": 3, "sy": 4.5, "syy": 10.0}))


def test_an_impossible_level_is_refused() -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        welch(binary(5, 1), binary(5, 2), alpha=1.0)
