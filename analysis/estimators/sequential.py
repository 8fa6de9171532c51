"""Inference that stays valid however often one looks: confidence sequence and e-value in information time. Pure.

Asymptotic confidence sequences: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (Annals of Statistics 2024,
arXiv 2103.06476), Robbins's (1970) normal mixture. Statistics note B3.
"""

from dataclasses import dataclass
from math import e, exp, inf, log, log1p, sqrt

from scipy.special import lambertw

from analysis.estimators.gates import NO_STATEMENT_BELOW, control_conversions
from analysis.estimators.intervals import UNBOUNDED, Estimate, Interval, not_estimable
from analysis.estimators.ratio import fieller_set
from analysis.estimators.score import FALLBACK, POOLED, lift_set, score, score_test
from analysis.estimators.strata import post_stratified, post_stratified_means
from analysis.estimators.sums import Strata, comparable


def tuned_time(alpha: float = 0.05) -> float:
    """u* = −2logα + log(1 − 2logα), where f(u) is about narrowest for its width in the end; 7.936 at 5 %.

    Information time, no unit. Assumes nothing. Raises ValueError for α outside 0 to 1. Waudby-Smith et al. (2021).
    """
    _check_alpha(alpha)
    return -2.0 * log(alpha) + log1p(-2.0 * log(alpha))


def mixture_variance(capacity: float, alpha: float = 0.05, *, exact: bool = False) -> float:
    """ρ² that tunes the sequence to `capacity` units: u*/N*, or (−W₋₁(−α²/e) − 1)/N* exactly."""
    if capacity <= 0.0:
        raise ValueError(f"a sequence cannot be tuned to {capacity} units")
    if not exact:
        return tuned_time(alpha) / capacity
    _check_alpha(alpha)
    return float(-lambertw(-(alpha**2) / e, -1).real - 1.0) / capacity


def factor(time: float, alpha: float = 0.05) -> float:
    """f(u) = √((1 + 1/u)(log(1 + u) − 2logα)): standard errors either side, at every look at once.

    Assumes a statistic that is near-normal in information time. Raises ValueError for α outside 0 to 1.
    Robbins (1970); Waudby-Smith et al. (2021).
    """
    _check_alpha(alpha)
    return inf if time <= 0.0 else sqrt((1.0 + 1.0 / time) * (log1p(time) - 2.0 * log(alpha)))


def log_e_value(z: float, time: float) -> float:
    """log e = −½log(1 + u) + ½·u/(1 + u)·z²; e ≥ 1/α exactly when |z| ≥ f(u). In logs: stable at any z.

    No unit. Assumes a near-normal z in information time. Raises ValueError for a negative time. Robbins (1970).
    """
    if time < 0.0:
        raise ValueError(f"information time {time} is negative")
    return 0.5 * (time / (1.0 + time) * z * z - log1p(time))


def log_e_value_of_many(chi2: float, df: int, time: float) -> float:
    """log e = −½·df·log(1 + u) + ½·u/(1 + u)·χ² of a χ² with df: the same mixture in df directions at once.

    No unit. Of one direction it is `log_e_value`, and assumes what that does. Raises ValueError for a negative time
    or no degree of freedom. Robbins (1970).
    """
    if time < 0.0 or df < 0:
        raise ValueError(f"information time {time} or {df} degrees of freedom are negative")
    return 0.5 * (time / (1.0 + time) * chi2 - df * log1p(time))


def e_p_value(log_e: float) -> float:
    """min(1, 1/e)."""
    return exp(-max(0.0, log_e))


def information(strata: Strata) -> float:
    """I = Σn_ckn_tk/(n_ck + n_tk): the effective number of units, which a changed share does not distort."""
    return sum(s.holdout.n * s.treatment.n / s.n for s in comparable(strata))


def planned_information(units: float, holdout_share: float) -> float:
    """I* = N*·h(1 − h) of `units` at the share in force when the tuning is frozen."""
    if units <= 0.0 or not 0.0 < holdout_share < 1.0:
        raise ValueError(f"{units} units at a holdout share of {holdout_share} carry no information")
    return units * holdout_share * (1.0 - holdout_share)


def information_time(information_now: float, information_planned: float, alpha: float = 0.05) -> float:
    """u = I/I*·u*. Raises ValueError where nothing is planned."""
    if information_planned <= 0.0:
        raise ValueError("the planned information must be positive")
    return information_now / information_planned * tuned_time(alpha)


@dataclass(frozen=True, slots=True)
class AlwaysValid:
    """An estimate whose interval and p-value hold at every look, with its evidence as log e."""

    estimate: Estimate
    log_e_value: float

    @property
    def p_value(self) -> float:
        """min(1, 1/e)."""
        return e_p_value(self.log_e_value)


def always_valid(estimate: float, se: float, time: float, method: str, alpha: float = 0.05) -> AlwaysValid:
    """θ̂ ± SE·f(u) with e from z = θ̂/SE, for any estimator with independent increments in `time`.

    Units of the estimate. Assumes, for its guarantee is asymptotic, an estimator that is near normal from the first
    look on, which the mean of rare heavy-tailed revenue in a small holdout is not. Raises ValueError for α outside
    0 to 1. Robbins (1970); Waudby-Smith et al. (2021).
    """
    if se <= 0.0 or time <= 0.0:
        return AlwaysValid(Estimate(estimate, UNBOUNDED, method, 1.0, se), 0.0)
    half = factor(time, alpha) * se
    log_e = log_e_value(estimate / se, time)
    interval = Interval(estimate - half, estimate + half)
    return AlwaysValid(Estimate(estimate, interval, method, e_p_value(log_e), se), log_e)


def always_valid_difference(strata: Strata, time: float, alpha: float = 0.05) -> AlwaysValid:
    """The post-stratified difference with its confidence sequence; silent below 20 control conversions.

    Units: outcome per unit. Assumes and raises what `always_valid` does; the headline is `always_valid_lift`.
    Statistics note B3.
    """
    method = "asymptotic confidence sequence"
    found = post_stratified(strata, alpha)
    if found.estimate is None or found.se is None:
        return AlwaysValid(not_estimable(method), 0.0)
    if control_conversions(strata) < NO_STATEMENT_BELOW:
        return _silent(found.estimate, method)
    return always_valid(found.estimate, found.se, time, method, alpha)


def always_valid_lift(
    strata: Strata, time: float, alpha: float = 0.05, *, hybrid: bool | None = None
) -> AlwaysValid:
    """The score interval with f(u) for its quantile: −f + a ≤ T(r) ≤ f + a, a = clip((f² − 1)κ/6, ±0.4f).

    Unit: share. e comes from the skew-corrected z of the same statistic, so the interval excludes zero
    exactly when p < α. Silent (open interval, e = 1) below 20 control conversions, where the asymptotics
    have not begun. Outcomes below zero fall back to Fieller's set at f. Assumes what `score` does, and near-normal
    increments in information time. Raises ValueError for α outside 0 to 1. Statistics note B3; ours, checked by
    simulation in docs/calibration.md.
    """
    found = score(strata, alpha, hybrid=hybrid)
    method = f"always valid: {found.method}"
    if control_conversions(strata) < NO_STATEMENT_BELOW or time <= 0.0:
        return _silent(found.estimate, method)
    if FALLBACK in found.method:
        return _always_valid_fieller(strata, time, alpha)
    test = score_test(strata, hybrid=hybrid)
    if test is None:
        return _silent(None, f"always valid: {POOLED}")
    log_e = log_e_value(test.null_quantile(), time)
    p_value = e_p_value(log_e)
    interval = lift_set(test, factor(time, alpha), null_accepted=p_value >= alpha)
    return AlwaysValid(Estimate(found.estimate, interval, method, p_value), log_e)


def _always_valid_fieller(strata: Strata, time: float, alpha: float) -> AlwaysValid:
    method = f"always valid: Fieller ({FALLBACK})"
    pair = post_stratified_means(strata)
    if pair is None or pair.difference_variance == 0.0:
        return _silent(None if pair is None else pair.lift, method)
    found = fieller_set(pair, factor(time, alpha))
    z = (pair.treatment - pair.holdout) / sqrt(pair.difference_variance)
    log_e = log_e_value(z, time)
    return AlwaysValid(Estimate(pair.lift, found.interval, method, e_p_value(log_e)), log_e)


def _silent(estimate: float | None, method: str) -> AlwaysValid:
    return AlwaysValid(Estimate(estimate, UNBOUNDED, method, 1.0), 0.0)


@dataclass(frozen=True, slots=True)
class RunningEvidence:
    """What the looks so far have shown together: evidence never falls, the interval never widens."""

    log_e_value: float = 0.0
    interval: Interval = UNBOUNDED
    looks: int = 0

    @property
    def p_value(self) -> float:
        """The smallest always-valid p-value of any look."""
        return e_p_value(self.log_e_value)

    def after(self, look: AlwaysValid) -> "RunningEvidence":
        """With one more look: the larger e-value and the intersection of the intervals."""
        return RunningEvidence(
            log_e_value=max(self.log_e_value, look.log_e_value),
            interval=look.estimate.interval.intersected(self.interval),
            looks=self.looks + 1,
        )


def _check_alpha(alpha: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"α = {alpha} is outside 0 to 1")
