"""Balance before entry, covariate by covariate and all at once."""

import numpy as np
import pytest
from scipy import stats

from analysis.estimators.balance import Covariates, balance

RNG = np.random.default_rng(2)
LEFT, RIGHT = RNG.gamma(2.0, size=(60, 3)), RNG.gamma(2.0, size=(900, 3)) + np.array([0.0, 0.2, 0.0])


def test_the_omnibus_of_one_covariate_is_the_square_of_welchs_z() -> None:
    found = balance(Covariates.from_matrix(LEFT[:, :1]), Covariates.from_matrix(RIGHT[:, :1]))
    theirs = stats.ttest_ind(RIGHT[:, 0], LEFT[:, 0], equal_var=False).statistic
    assert found is not None
    assert found.chi2 == pytest.approx(theirs**2, rel=1e-9)
    assert found.p_value == pytest.approx(stats.chi2.sf(theirs**2, 1), rel=1e-9)


def test_standardised_differences_use_the_mean_of_both_variances() -> None:
    found = balance(Covariates.from_matrix(LEFT), Covariates.from_matrix(RIGHT))
    assert found is not None
    spread = np.sqrt((LEFT.var(axis=0, ddof=1) + RIGHT.var(axis=0, ddof=1)) / 2)
    expected = (RIGHT.mean(axis=0) - LEFT.mean(axis=0)) / spread
    assert found.standardised == pytest.approx(tuple(expected), rel=1e-9)
    assert found.df == 3


def test_parts_add_to_the_whole() -> None:
    added = Covariates.from_matrix(RIGHT[:7]) + Covariates.from_matrix(RIGHT[7:])
    direct = Covariates.from_matrix(RIGHT)
    assert added.n == direct.n
    assert added.mean == pytest.approx(direct.mean)
    assert added.scatter == pytest.approx(direct.scatter)
    nothing = Covariates.from_matrix(np.empty((0, 3)))
    assert (nothing + direct) is direct is (direct + nothing)


def test_units_of_measurement_do_not_matter_and_copies_count_once() -> None:
    scale = np.array([1e-6, 1.0, 1e6])
    plain = balance(Covariates.from_matrix(LEFT), Covariates.from_matrix(RIGHT))
    scaled = balance(Covariates.from_matrix(LEFT * scale), Covariates.from_matrix(RIGHT * scale))
    doubled = balance(
        Covariates.from_matrix(np.column_stack([LEFT, LEFT[:, 0]])),
        Covariates.from_matrix(np.column_stack([RIGHT, RIGHT[:, 0]])),
    )
    assert plain is not None
    assert scaled is not None
    assert doubled is not None
    assert scaled.chi2 == pytest.approx(plain.chi2, rel=1e-6)
    assert (doubled.df, doubled.chi2) == (3, pytest.approx(plain.chi2, rel=1e-6))


def test_a_covariate_that_never_varies_has_no_difference() -> None:
    found = balance(Covariates.from_matrix(np.ones((5, 1))), Covariates.from_matrix(np.ones((9, 1))))
    assert found is not None
    assert (found.standardised, found.df, found.p_value, found.is_flagged) == ((None,), 0, 1.0, False)


def test_arms_that_differ_before_entry_are_flagged() -> None:
    found = balance(Covariates.from_matrix(LEFT), Covariates.from_matrix(LEFT + 1.0))
    assert found is not None
    assert found.is_flagged


def test_one_unit_and_mismatched_covariates() -> None:
    assert balance(Covariates.from_matrix(LEFT[:1]), Covariates.from_matrix(RIGHT)) is None
    with pytest.raises(ValueError, match="different covariates"):
        balance(Covariates.from_matrix(LEFT[:, :2]), Covariates.from_matrix(RIGHT))
    with pytest.raises(ValueError, match="one row per unit"):
        Covariates.from_matrix(np.ones(3))
