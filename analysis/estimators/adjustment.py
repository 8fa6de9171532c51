"""Regression adjustment with a covariate fixed at entry, and the variance it really removed. Pure.

Nearly worthless for purchases here (Hillstrom, past-year spend: −0.04 % of the variance), so it is reported
and never assumed. Statistics note B2.
"""

from dataclasses import dataclass
from math import sqrt

from analysis.estimators.intervals import Estimate, normal_estimate
from analysis.estimators.ratio import Means
from analysis.estimators.sums import ArmSums, Strata

WORTH_USING_FROM = 0.05


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An adjusted difference.

    `estimate` carries the interval and, as `se`, the super-population SE; `se_finite` is for these units
    only. `means` feed the relative interval; `variance_reduction` is 1 − SE²/SE²(unadjusted).
    """

    estimate: Estimate
    means: Means
    se_finite: float
    slope_holdout: float
    slope_treatment: float
    variance_reduction: float

    @property
    def is_worth_using(self) -> bool:
        """Whether more than 5 % of the variance went away."""
        return self.variance_reduction > WORTH_USING_FROM


@dataclass(frozen=True, slots=True)
class _Arm:
    n: int
    mean: float
    x_mean: float
    var_y: float
    var_x: float
    cov: float


def lin(holdout: ArmSums, treatment: ArmSums, alpha: float = 0.05) -> Adjusted | None:
    """Lin's ANCOVA with a slope per arm: μ̂_a = ȳ_a − b_a(x̄_a − x̄), b_a = s_xy,a/s²_x,a, x̄ over both arms.

    Var(Δ) = Σ s²_{e,a}/n_a + (b_t − b_c)²s²_x/N, s²_e = (s²_y − s²_xy/s²_x)(n − 1)/(n − 2); without the
    last term for these units only. Cov(μ̂_t, μ̂_c) = b_tb_cs²_x/N. Units: outcome per unit. Assumes that x was
    known at entry and measured alike in both arms. None where an arm has fewer than three units or x does not vary in it.
    Raises ValueError for α outside 0 to 1. Lin (2013).
    """
    arms = _arms(holdout, treatment)
    if arms is None or min(holdout.n, treatment.n) < 3:
        return None
    c, t = arms
    spread = _pooled_x_variance(holdout, treatment)
    slope_c, slope_t = c.cov / c.var_x, t.cov / t.var_x
    centre = (c.n * c.x_mean + t.n * t.x_mean) / (c.n + t.n)
    shared = spread / (c.n + t.n)
    residual_c, residual_t = _residual(c), _residual(t)
    pair = Means(
        holdout=c.mean - slope_c * (c.x_mean - centre),
        treatment=t.mean - slope_t * (t.x_mean - centre),
        holdout_variance=residual_c + slope_c**2 * shared,
        treatment_variance=residual_t + slope_t**2 * shared,
        covariance=slope_t * slope_c * shared,
    )
    finite = residual_c + residual_t
    return _adjusted(
        pair,
        variance=finite + (slope_t - slope_c) ** 2 * shared,
        finite=finite,
        slopes=(slope_c, slope_t),
        arms=(c, t),
        method="Lin-adjusted",
        alpha=alpha,
    )


def cuped(holdout: ArmSums, treatment: ArmSums, alpha: float = 0.05) -> Adjusted | None:
    """One slope for both arms: ȳ_a − θ(x̄_a − x̄), θ = cov(y, x)/var(x) over all units pooled.

    Var_a = (s²_y + θ²s²_x − 2θs_xy)/n_a. Units and assumptions as `lin`, and raises as it does; that is preferred: with a
    small holdout θ is dominated by the treated arm. Deng, Xu, Kohavi & Walker (2013).
    """
    arms = _arms(holdout, treatment)
    if arms is None:
        return None
    c, t = arms
    total = holdout + treatment
    slope = total.xy_m2 / total.x_m2
    pair = Means(
        holdout=c.mean - slope * (c.x_mean - total.x_mean),
        treatment=t.mean - slope * (t.x_mean - total.x_mean),
        holdout_variance=_single_slope_variance(c, slope),
        treatment_variance=_single_slope_variance(t, slope),
    )
    variance = pair.difference_variance
    return _adjusted(
        pair,
        variance=variance,
        finite=variance,
        slopes=(slope, slope),
        arms=(c, t),
        method="CUPED",
        alpha=alpha,
    )


@dataclass(frozen=True, slots=True)
class StratifiedAdjustment:
    """Lin's adjustment inside every stratum, combined by its share of the units."""

    estimate: Estimate
    means: Means
    variance_reduction: float

    @property
    def is_worth_using(self) -> bool:
        """Whether more than 5 % of the variance went away."""
        return self.variance_reduction > WORTH_USING_FROM


def lin_stratified(strata: Strata, alpha: float = 0.05) -> StratifiedAdjustment | None:
    """Δ = Σ(N_k/N)Δ_k of `lin` per stratum; strata that cannot be adjusted are left out, None if all are.

    Units and assumptions as `lin`, and raises as it does. Lin (2013) within strata, Miratrix, Sekhon & Yu (2013).
    """
    found = [(s, a) for s in strata if (a := lin(s.holdout, s.treatment, alpha)) is not None]
    if not found:
        return None
    total = sum(s.n for s, _ in found)
    parts = [(s.n / total, a) for s, a in found]
    pair = Means(
        holdout=sum(w * a.means.holdout for w, a in parts),
        treatment=sum(w * a.means.treatment for w, a in parts),
        holdout_variance=sum(w**2 * a.means.holdout_variance for w, a in parts),
        treatment_variance=sum(w**2 * a.means.treatment_variance for w, a in parts),
        covariance=sum(w**2 * a.means.covariance for w, a in parts),
    )
    variance = sum(w**2 * (a.estimate.se or 0.0) ** 2 for w, a in parts)
    plain = sum(w**2 * (a.estimate.se or 0.0) ** 2 / (1.0 - a.variance_reduction) for w, a in parts)
    method = "Lin-adjusted" if len(strata) == 1 else "Lin-adjusted, post-stratified"
    estimate = normal_estimate(pair.treatment - pair.holdout, sqrt(variance), method, alpha)
    return StratifiedAdjustment(estimate, pair, 1.0 - variance / plain if plain > 0.0 else 0.0)


def _adjusted(
    pair: Means,
    *,
    variance: float,
    finite: float,
    slopes: tuple[float, float],
    arms: tuple[_Arm, _Arm],
    method: str,
    alpha: float,
) -> Adjusted | None:
    plain = sum(arm.var_y / arm.n for arm in arms)
    if plain <= 0.0:
        return None
    return Adjusted(
        estimate=normal_estimate(pair.treatment - pair.holdout, sqrt(variance), method, alpha),
        means=pair,
        se_finite=sqrt(finite),
        slope_holdout=slopes[0],
        slope_treatment=slopes[1],
        variance_reduction=1.0 - variance / plain,
    )


def _arms(holdout: ArmSums, treatment: ArmSums) -> tuple[_Arm, _Arm] | None:
    c, t = _arm(holdout), _arm(treatment)
    return None if c is None or t is None else (c, t)


def _arm(sums: ArmSums) -> _Arm | None:
    var_y, var_x, cov = sums.variance, sums.x_variance, sums.xy_covariance
    if var_y is None or not var_x or cov is None:
        return None
    return _Arm(sums.n, sums.mean, sums.x_mean, var_y, var_x, cov)


def _residual(arm: _Arm) -> float:
    """s²_e/n_a."""
    unexplained = max(0.0, arm.var_y - arm.cov**2 / arm.var_x)
    return unexplained * (arm.n - 1) / (arm.n - 2) / arm.n


def _single_slope_variance(arm: _Arm, slope: float) -> float:
    return max(0.0, arm.var_y + slope**2 * arm.var_x - 2.0 * slope * arm.cov) / arm.n


def _pooled_x_variance(holdout: ArmSums, treatment: ArmSums) -> float:
    total = holdout + treatment
    return total.x_m2 / (total.n - 1)
