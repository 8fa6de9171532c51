"""The ratio of two means by delta, log-delta and Fieller, the last with its unbounded cases told. Pure."""

from dataclasses import dataclass
from math import expm1, log, sqrt

from analysis.estimators.intervals import (
    UNBOUNDED,
    Estimate,
    FiellerKind,
    Interval,
    critical_value,
    normal_estimate,
    not_estimable,
    two_sided_p,
)
from analysis.estimators.sums import ArmSums


@dataclass(frozen=True, slots=True)
class Means:
    """Two estimated means with the variances of the estimates and their covariance."""

    holdout: float
    treatment: float
    holdout_variance: float
    treatment_variance: float
    covariance: float = 0.0

    @property
    def lift(self) -> float | None:
        """ȳ_t/ȳ_c − 1; None where the holdout's mean is zero."""
        return self.treatment / self.holdout - 1.0 if self.holdout != 0.0 else None

    @property
    def difference_variance(self) -> float:
        """v_t + v_c − 2·cov."""
        return max(0.0, self.holdout_variance + self.treatment_variance - 2.0 * self.covariance)


def means(holdout: ArmSums, treatment: ArmSums) -> Means | None:
    """The two arms' means, independent of each other; None where an arm has fewer than two units."""
    v_c, v_t = holdout.mean_variance, treatment.mean_variance
    if v_c is None or v_t is None:
        return None
    return Means(holdout.mean, treatment.mean, v_c, v_t)


def delta(pair: Means, alpha: float = 0.05) -> Estimate:
    """Lift with Var(ȳ_t/ȳ_c) = v_t/ȳ_c² + ȳ_t²v_c/ȳ_c⁴ − 2cov·ȳ_t/ȳ_c³, v the variance of a mean.

    Unit: share (0.2 is +20 %). Assumes that ȳ_c is many standard errors from zero. No estimate where it
    is zero. Its p-value tests the ratio and disagrees with the difference's: see decision 3 of the
    statistics note. Raises ValueError for α outside 0 to 1. Deng, Knoblich & Lu (2018).
    """
    lift = pair.lift
    if lift is None:
        return not_estimable("delta")
    c, t = pair.holdout, pair.treatment
    variance = (
        pair.treatment_variance / c**2
        + t**2 * pair.holdout_variance / c**4
        - 2.0 * pair.covariance * t / c**3
    )
    return normal_estimate(lift, sqrt(max(0.0, variance)), "delta", alpha)


def log_delta(pair: Means, alpha: float = 0.05) -> Estimate:
    """Lift with the interval r·exp(±z·√(v_t/ȳ_t² + v_c/ȳ_c² − 2cov/(ȳ_tȳ_c))) − 1; `se` is of log r.

    Unit: share. Assumes near-normal log means, and needs both means positive, else no estimate. Raises
    ValueError for α outside 0 to 1. Katz et al. (1978).
    """
    c, t = pair.holdout, pair.treatment
    if c <= 0.0 or t <= 0.0:
        return not_estimable("log-delta")
    variance = pair.treatment_variance / t**2 + pair.holdout_variance / c**2 - 2.0 * pair.covariance / (t * c)
    se = sqrt(max(0.0, variance))
    z, log_ratio = critical_value(alpha), log(t / c)
    if se == 0.0:
        return Estimate(t / c - 1.0, UNBOUNDED, "log-delta", se=se)
    interval = Interval(expm1(log_ratio - z * se), expm1(log_ratio + z * se))
    return Estimate(expm1(log_ratio), interval, "log-delta", two_sided_p(log_ratio / se), se)


@dataclass(frozen=True, slots=True)
class FiellerSet:
    """Fieller's confidence set of the lift.

    `interval`: low to high. `complement`: everything but the open interval from low to high. `line`: every
    value; low and high are None.
    """

    kind: FiellerKind
    low: float | None
    high: float | None

    @property
    def interval(self) -> Interval:
        """The smallest interval that holds the set: unbounded unless the set is an interval."""
        return Interval(self.low, self.high) if self.kind == "interval" else UNBOUNDED

    def excludes(self, lift: float) -> bool:
        """Whether `lift` is outside the set."""
        if self.low is None or self.high is None:
            return False
        inside = self.low <= lift <= self.high
        return not inside if self.kind == "interval" else self.low < lift < self.high


def fieller_set(pair: Means, z: float) -> FiellerSet:
    """{r: (ȳ_t − rȳ_c)² ≤ z²(v_t − 2r·cov + r²v_c)} − 1, for any critical value z ≥ 0.

    With A = ȳ_c² − z²v_c, B = ȳ_tȳ_c − z²cov, C = ȳ_t² − z²v_t and D = B² − AC: A > 0 gives the interval
    (B ± √D)/A; A ≤ 0 < D the complement of an interval; D ≤ 0 the whole line. Unit: share. Assumes
    jointly normal means. Fieller (1954).
    """
    a = pair.holdout**2 - z**2 * pair.holdout_variance
    b = pair.treatment * pair.holdout - z**2 * pair.covariance
    c = pair.treatment**2 - z**2 * pair.treatment_variance
    discriminant = b**2 - a * c
    if a == 0.0 or (discriminant <= 0.0 and a < 0.0):
        return FiellerSet("line", None, None)
    root = sqrt(max(0.0, discriminant))
    low, high = sorted(((b - root) / a - 1.0, (b + root) / a - 1.0))
    return FiellerSet("interval" if a > 0.0 else "complement", low, high)


def fieller(pair: Means, alpha: float = 0.05) -> Estimate:
    """Lift with Fieller's set at z_{1−α/2}; its p-value is that of the z test of the difference.

    Unit: share. Assumes jointly normal means and nothing of the denominator. "The set excludes no lift" and
    p < α never disagree. An unbounded set has open sides and says so in the method's name. Raises ValueError for
    α outside 0 to 1. Fieller (1954).
    """
    found = fieller_set(pair, critical_value(alpha))
    method = "Fieller" if found.kind == "interval" else f"Fieller (unbounded: {found.kind})"
    variance = pair.difference_variance
    p_value = two_sided_p((pair.treatment - pair.holdout) / sqrt(variance)) if variance > 0.0 else None
    return Estimate(pair.lift, found.interval, method, p_value)
