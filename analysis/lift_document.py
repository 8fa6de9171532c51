"""One document about the lift between two arms, made from their sums. Pure."""

from dataclasses import dataclass
from math import exp
from typing import Any

from analysis.estimators.adjustment import StratifiedAdjustment, lin_stratified
from analysis.estimators.difference import welch
from analysis.estimators.gates import (
    NO_STATEMENT_BELOW,
    Precision,
    baskets_differ,
    control_conversions,
    is_revenue,
    precision,
)
from analysis.estimators.increment import Increment, increment
from analysis.estimators.intervals import Estimate, Interval
from analysis.estimators.ratio import fieller
from analysis.estimators.sample_ratio import PhaseCounts, sample_ratio
from analysis.estimators.score import FALLBACK, score
from analysis.estimators.sequential import (
    AlwaysValid,
    always_valid,
    always_valid_difference,
    always_valid_lift,
    mixture_variance,
)
from analysis.estimators.strata import heterogeneity, measurable, post_stratified
from analysis.estimators.sums import ArmSums, Strata, comparable, pooled

Document = dict[str, Any]

_LARGEST_LOG = 700.0


@dataclass(frozen=True, slots=True)
class Reading:
    """How the table is to be read.

    `capacity` is N*: the number of units, of both arms, at which the confidence sequence is to be narrowest.
    Whoever reads the same experiment again and again sets it once, before the first look, to the units
    expected by the time of a decision; by default it is the table's own size, which suits one reading.
    `expected_share` is the holdout share that was asked for, which a table does not tell.
    """

    alpha: float = 0.05
    capacity: float | None = None
    adjust: bool = False
    expected_share: float | None = None


def lift_document(strata: Strata, reading: Reading) -> Document:
    """Arms, absolute and relative lift, always-valid versions, increment, sample ratio and warnings.

    Absolute is Welch's t for one stratum, post-stratified for several, Lin-adjusted with a covariate;
    relative is the score with its skew term, and `p_value` comes from it. Intervals are [low, high], null an
    open side; an estimate of null could not be made. `always_valid.e_value` is the score's, capped to stay
    finite beside its logarithm. Raises ValueError for α outside 0 to 1 or a capacity that is not positive.
    """
    alpha = reading.alpha
    total = pooled(strata)
    capacity = reading.capacity if reading.capacity is not None else float(max(1, total.n))
    time = pooled(comparable(strata)).n * mixture_variance(capacity, alpha)
    adjusted = lin_stratified(strata, alpha) if reading.adjust else None
    absolute = _absolute(strata, adjusted, alpha)
    relative = score(strata, alpha)
    anytime_absolute = _anytime_absolute(strata, adjusted, time, alpha)
    anytime_relative = always_valid_lift(strata, time, alpha)
    document = {
        "arms": {"control": _arm(total.holdout), "treatment": _arm(total.treatment)},
        "absolute": _estimate(absolute),
        "relative": _estimate(relative),
        "always_valid": {
            "absolute": _anytime(anytime_absolute),
            "relative": _anytime(anytime_relative),
            "incremental": _increment(increment(strata, anytime_relative.estimate)),
            **_evidence(anytime_relative),
            "capacity": capacity,
        },
        "p_value": relative.p_value,
        "incremental": _increment(increment(strata, relative)),
        "sample_ratio": _sample_ratio(strata, reading.expected_share),
        "alpha": alpha,
        "warnings": warnings(strata, absolute, relative, adjusted),
    }
    if reading.adjust:
        document["adjustment"] = _adjustment(adjusted, alpha)
    if len(strata) > 1:
        document["strata"] = _strata(strata)
    return document


def warnings(
    strata: Strata, absolute: Estimate, relative: Estimate, adjusted: StratifiedAdjustment | None = None
) -> list[str]:
    """What the reader must know before believing the numbers, one sentence each."""
    found = [*_precision_warnings(strata), *_strata_warnings(strata)]
    if FALLBACK in relative.method:
        found.append(
            "some outcomes are below zero, so the score interval does not apply and Fieller's is shown; "
            "with a small holdout it claims too much"
        )
    if baskets_differ(strata):
        found.append(
            "baskets differ between the arms by more than half: the revenue interval away from zero is "
            "not reliable, the test of no effect is"
        )
    if absolute.interval.excludes(0.0) != relative.interval.excludes(0.0):
        found.append(
            "the absolute and the relative interval disagree about zero: believe the relative one, whose "
            "error rate holds for small holdouts and rare purchases"
        )
    if adjusted is not None:
        found.append(f"the covariate removed {adjusted.variance_reduction:.2%} of the variance")
    return found


def _precision_warnings(strata: Strata) -> list[str]:
    count = control_conversions(strata)
    match precision(count, revenue=is_revenue(strata)):
        case Precision.NONE:
            return [f"only {count} control conversions: no statement about lift below {NO_STATEMENT_BELOW}"]
        case Precision.LOW:
            return [f"low precision: only {count} control conversions"]
        case Precision.FULL:
            return []


def _strata_warnings(strata: Strata) -> list[str]:
    found = []
    lone = len(strata) - len(comparable(strata))
    thin = len(comparable(strata)) - len(measurable(strata))
    if lone:
        found.append(f"{lone} of {len(strata)} strata have an empty arm and say nothing about lift")
    if thin:
        found.append(f"{thin} of {len(strata)} strata have a single unit in an arm: absolute leaves them out")
    spread = heterogeneity(strata)
    if spread is not None and spread.is_reportable:
        found.append(f"the effect differs between strata (Q test, p = {spread.p_value:.2g})")
    return found


def _absolute(strata: Strata, adjusted: StratifiedAdjustment | None, alpha: float) -> Estimate:
    if adjusted is not None:
        return adjusted.estimate
    if len(strata) == 1:
        return welch(strata[0].holdout, strata[0].treatment, alpha)
    return post_stratified(strata, alpha)


def _anytime_absolute(
    strata: Strata, adjusted: StratifiedAdjustment | None, time: float, alpha: float
) -> AlwaysValid:
    plain = always_valid_difference(strata, time, alpha)
    if adjusted is None or control_conversions(strata) < NO_STATEMENT_BELOW:
        return plain
    found = adjusted.estimate
    if found.estimate is None or not found.se:
        return plain
    return always_valid(found.estimate, found.se, time, f"{plain.estimate.method}, {found.method}", alpha)


def _adjustment(adjusted: StratifiedAdjustment | None, alpha: float) -> Document:
    if adjusted is None:
        return {"method": "Lin-adjusted", "variance_reduction": None, "relative": None}
    return {
        "method": adjusted.estimate.method,
        "variance_reduction": adjusted.variance_reduction,
        "relative": _estimate(fieller(adjusted.means, alpha)) if adjusted.is_worth_using else None,
    }


def _arm(sums: ArmSums) -> Document:
    return {
        "n": sums.n,
        "sum": sums.y,
        "mean": sums.mean if sums.n else None,
        "conversions": sums.conversions,
    }


def _interval(interval: Interval) -> list[float | None]:
    return [interval.low, interval.high]


def _estimate(found: Estimate) -> Document:
    return {"estimate": found.estimate, "interval": _interval(found.interval), "method": found.method}


def _anytime(found: AlwaysValid) -> Document:
    return {**_estimate(found.estimate), **_evidence(found)}


def _evidence(found: AlwaysValid) -> Document:
    return {
        "e_value": exp(min(found.log_e_value, _LARGEST_LOG)),
        "log_e_value": found.log_e_value,
        "p_value": found.p_value,
    }


def _increment(found: Increment) -> Document:
    return {
        "total": found.total,
        "interval": _interval(found.interval),
        "share": found.share,
        "share_interval": _interval(found.share_interval),
    }


def _sample_ratio(strata: Strata, expected: float | None) -> Document:
    """The observed share, and its test against the share that was asked for, where that is known."""
    total = pooled(strata)
    observed = total.holdout.n / total.n if total.n else None
    if expected is None:
        return {"holdout_share": observed, "expected": None, "p_value": None, "log_bayes_factor": None}
    tested = sample_ratio([PhaseCounts(s.holdout.n, s.treatment.n, expected) for s in strata])
    return {
        "holdout_share": observed,
        "expected": expected,
        "p_value": tested.p_value,
        "log_bayes_factor": tested.log_bayes_factor,
    }


def _strata(strata: Strata) -> Document:
    spread = heterogeneity(strata)
    return {
        "count": len(strata),
        "compared": len(comparable(strata)),
        "heterogeneity_p_value": None if spread is None else spread.p_value,
    }
