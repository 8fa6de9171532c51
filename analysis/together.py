"""All audiences read together: which claims stand, and how far each estimate is drawn to the rest. Pure.

Whoever reads ten audiences finds a good one by chance. So a claim stands only if it survives among all of
them, and each lift is shown beside what it shrinks to. Statistics note B10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1, log, sqrt

from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.estimators.intervals import Interval, critical_value
from analysis.estimators.portfolio import e_benjamini_hochberg, selected_level, shrink
from analysis.estimators.sequential import always_valid_lift
from analysis.estimators.strata import post_stratified_means
from analysis.measurement import Measurement
from analysis.readings import Lift
from analysis.verdict import State

FALSE_CLAIMS = 0.05
"""At most this share of the claims that stand is false, on average, whatever the audiences have in common."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One experiment among all: whether its lift in buyers stands, and its range if it was picked for that."""

    name: str
    log_e_value: float
    stands: bool
    interval: Interval | None
    """At level 1 − α·(claims that stand)/(experiments); None where the claim does not stand."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One experiment's lift in revenue as it is and as it is drawn to the rest, each with a 95 % interval."""

    name: str
    lift: float
    interval: Interval
    drawn: float
    drawn_interval: Interval
    pull: float
    """0 stays where it is, 1 goes all the way to the mean."""


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """The mean lift in revenue with its interval, the spread τ between experiments (log ratio), and each."""

    mean: float
    mean_interval: Interval
    tau: float
    drawn: tuple[Drawn, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """What the experiments say as a collection."""

    claims: tuple[Claim, ...]
    shrinkage: Shrinkage | None
    """None below five experiments with enough data."""


def read_together(measurements: Sequence[Measurement]) -> Together:
    """e-BH over the experiments that carry money, and Paule–Mandel shrinkage of their lifts in revenue.

    Windows of a group are parts of it, and the programme measures the same people again: neither is counted.
    An experiment whose checks failed makes no claim. Below 20 control conversions e is 1, which is no claim
    either, but the experiment counts among those compared.
    """
    compared = [
        each
        for each in measurements
        if each.experiment.has_money
        and each.experiment.kind != "programme"
        and each.verdict.state is not State.INVALID
    ]
    return Together(_claims(compared), _shrinkage(compared))


def _claims(compared: Sequence[Measurement]) -> tuple[Claim, ...]:
    evidence = [each.conversions.always_valid.log_e_value for each in compared]
    standing = e_benjamini_hochberg(evidence, FALSE_CLAIMS)
    level = selected_level(sum(standing), len(compared), FALSE_CLAIMS) if any(standing) else None
    return tuple(
        Claim(
            name=each.experiment.name,
            log_e_value=log_e,
            stands=stands,
            interval=_picked(each.conversions, level) if stands and level is not None else None,
        )
        for each, log_e, stands in zip(compared, evidence, standing, strict=True)
    )


def _picked(lift: Lift, alpha: float) -> Interval:
    return always_valid_lift(lift.strata, lift.time, alpha).estimate.interval


def _shrinkage(compared: Sequence[Measurement]) -> Shrinkage | None:
    known = [
        (each.experiment.name, ratio)
        for each in compared
        if (ratio := _log_ratio(each.revenue if each.capped is None else each.capped.revenue)) is not None
    ]
    found = shrink([theta for _, (theta, _) in known], [se for _, (_, se) in known])
    if found is None:
        return None
    return Shrinkage(
        mean=expm1(found.mean),
        mean_interval=_interval(found.mean, found.mean_se),
        tau=found.tau,
        drawn=tuple(
            Drawn(
                name=name,
                lift=expm1(theta),
                interval=_interval(theta, se),
                drawn=expm1(each.estimate),
                drawn_interval=_interval(each.estimate, each.se),
                pull=each.pull,
            )
            for (name, (theta, se)), each in zip(known, found.shrunk, strict=True)
        ),
    )


def _log_ratio(lift: Lift) -> tuple[float, float] | None:
    """log r with its SE, √(v_t/ȳ_t² + v_c/ȳ_c²) of the post-stratified means (Katz)."""
    means = post_stratified_means(lift.strata)
    if means is None or lift.control_conversions < NO_STATEMENT_BELOW:
        return None
    if means.holdout <= 0.0 or means.treatment <= 0.0:
        return None
    variance = means.treatment_variance / means.treatment**2 + means.holdout_variance / means.holdout**2
    return (log(means.treatment / means.holdout), sqrt(variance)) if variance > 0.0 else None


def _interval(theta: float, se: float) -> Interval:
    half = critical_value(0.05) * se
    return Interval(exp(theta - half) - 1.0, exp(theta + half) - 1.0)
