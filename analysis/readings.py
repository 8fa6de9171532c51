"""One outcome's lift as a report reads it: what holds at every look, and what both arms did. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from analysis.estimators.gates import Precision, precision
from analysis.estimators.intervals import Estimate, not_estimable
from analysis.estimators.score import score
from analysis.estimators.sequential import AlwaysValid, always_valid_lift, information, information_time
from analysis.estimators.sums import ArmSums, Strata, Stratum, pooled
from analysis.facts import ArmOutcomes, SpanOutcomes
from analysis.planned import planned_lift


@dataclass(frozen=True, slots=True)
class Lift:
    """One outcome's relative lift: valid at every look, and at a single planned one."""

    always_valid: AlwaysValid
    fixed: Estimate
    control_conversions: int
    precision: Precision
    n_holdout: int
    n_treatment: int
    mean_holdout: float
    mean_treatment: float
    strata: Strata
    """What it was read from."""
    time: float
    """The information time at which it was read."""


def strata_of(outcomes: Sequence[SpanOutcomes], of: Callable[[ArmOutcomes], ArmSums]) -> Strata:
    """One outcome of every span, as the estimators take it."""
    return tuple(
        Stratum(of(each.holdout), of(each.treatment), label=str(at)) for at, each in enumerate(outcomes)
    )


def read_lift(strata: Strata, planned_information: float, *, revenue: bool) -> Lift:
    """The lift over all strata; `planned_information` is what the always-valid interval is tuned to."""
    total = pooled(strata)
    time = information_time(information(strata), planned_information)
    return Lift(
        always_valid=always_valid_lift(strata, time),
        fixed=score(strata) if total.holdout.n and total.treatment.n else not_estimable("score"),
        control_conversions=total.holdout.conversions,
        precision=precision(total.holdout.conversions, revenue=revenue),
        n_holdout=total.holdout.n,
        n_treatment=total.treatment.n,
        mean_holdout=total.holdout.mean,
        mean_treatment=total.treatment.mean,
        strata=strata,
        time=time,
    )


def up_to_the_end(lift: Lift, boundary: float | None) -> Lift:
    """The same lift read by the plan of an experiment with a planned end, at the boundary of its newest look."""
    return replace(lift, always_valid=planned_lift(lift.strata, boundary, lift.always_valid))
