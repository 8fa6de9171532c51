"""The difference of two means: treatment − holdout, in the outcome's own units per unit. Pure."""

from math import sqrt

from analysis.estimators.intervals import (
    UNBOUNDED,
    Estimate,
    normal_estimate,
    not_estimable,
    student_estimate,
)
from analysis.estimators.sums import ArmSums


def welch(holdout: ArmSums, treatment: ArmSums, alpha: float = 0.05) -> Estimate:
    """Δ = ȳ_t − ȳ_c with SE² = s²_t/n_t + s²_c/n_c and Welch–Satterthwaite degrees of freedom.

    Units: outcome per unit. Assumes independent units and near-normal means, which fails for a small
    holdout with rare, heavy-tailed revenue (use `analysis.estimators.score`). Without a unit in an arm there is no
    estimate; with one there is no interval. Raises ValueError for α outside 0 to 1. Welch (1947).
    """
    moments = _moments(holdout, treatment)
    if moments is None:
        return _point_only(holdout, treatment, "Welch t")
    difference, a, b = moments
    if a + b == 0.0:
        return student_estimate(difference, 0.0, 1.0, "Welch t", alpha)
    df = (a + b) ** 2 / (a**2 / (treatment.n - 1) + b**2 / (holdout.n - 1))
    return student_estimate(difference, sqrt(a + b), df, "Welch t", alpha)


def welch_z(holdout: ArmSums, treatment: ArmSums, alpha: float = 0.05) -> Estimate:
    """Δ = ȳ_t − ȳ_c with the unpooled SE of `welch` and normal quantiles.

    Units: outcome per unit. Assumes, as `welch` does, independent units and near-normal means; it is the z of the
    confidence sequence and of Fieller's set. Raises ValueError for α outside 0 to 1. Welch (1947).
    """
    moments = _moments(holdout, treatment)
    if moments is None:
        return _point_only(holdout, treatment, "Welch z")
    difference, a, b = moments
    return normal_estimate(difference, sqrt(a + b), "Welch z", alpha)


def pooled_z(holdout: ArmSums, treatment: ArmSums, alpha: float = 0.05) -> Estimate:
    """Two proportions: z = Δ/√(p̄(1−p̄)(1/n_c+1/n_t)), whose square is the χ² of the 2×2 table.

    Units: share of units. Assumes independent units and some ten expected conversions in each arm. The interval
    inverts the statistic with the null's SE held fixed, so that it excludes zero exactly when p < α; away from
    zero it is approximate. Raises ValueError for outcomes other than 0 and 1 or α outside 0 to 1. Pearson (1900).
    """
    if not (is_binary(holdout) and is_binary(treatment)):
        raise ValueError("the pooled z test compares outcomes of 0 or 1")
    if holdout.n == 0 or treatment.n == 0:
        return not_estimable("pooled z")
    rate = (holdout.y + treatment.y) / (holdout.n + treatment.n)
    se = sqrt(max(0.0, rate * (1.0 - rate) * (1.0 / holdout.n + 1.0 / treatment.n)))
    return normal_estimate(treatment.mean - holdout.mean, se, "pooled z", alpha)


def is_binary(arm: ArmSums) -> bool:
    """Whether every outcome is 0 or 1, told from Σy = Σy² = conversions without negatives."""
    close = 1e-9 * max(1.0, float(arm.conversions))
    return (
        arm.negatives == 0
        and abs(arm.y - arm.conversions) <= close
        and abs(arm.yy - arm.conversions) <= close
    )


def _moments(holdout: ArmSums, treatment: ArmSums) -> tuple[float, float, float] | None:
    a, b = treatment.mean_variance, holdout.mean_variance
    if a is None or b is None:
        return None
    return treatment.mean - holdout.mean, a, b


def _point_only(holdout: ArmSums, treatment: ArmSums, method: str) -> Estimate:
    if holdout.n == 0 or treatment.n == 0:
        return not_estimable(method)
    return Estimate(treatment.mean - holdout.mean, UNBOUNDED, method)
