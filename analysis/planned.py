"""The alternative with a planned end: narrower, in return for a date after which nothing more is learnt. Pure.

The plan is frozen at the first measurement and the error is spent by the calendar, α·t³ at the share t of
the planned time, whatever the data say. What counts between looks is the information that came in. The
intervals are those that the boundary of each look leaves: valid at all looks up to the end together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite

from analysis.estimators.gates import NO_STATEMENT_BELOW, control_conversions
from analysis.estimators.group_sequential import spending_boundaries
from analysis.estimators.intervals import UNBOUNDED, Estimate
from analysis.estimators.ratio import fieller_set
from analysis.estimators.score import FALLBACK, lift_set, score, score_test
from analysis.estimators.sequential import AlwaysValid
from analysis.estimators.strata import post_stratified_means
from analysis.estimators.sums import Strata

ALPHA = 0.05
RHO = 3.0


@dataclass(frozen=True, slots=True)
class Look:
    """One measurement at which something could be said: when, and with how much information."""

    at: int
    information: float


@dataclass(frozen=True, slots=True)
class Plan:
    """When an experiment began, when its reading ends, and every look so far; seconds."""

    started_at: int
    ends_at: int
    looks: tuple[Look, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether the planned end has been read."""
        return bool(self.looks) and self.looks[-1].at >= self.ends_at

    @property
    def boundary(self) -> float | None:
        """|z| at which the newest look rejects; None before the first look."""
        used = rising(self.looks)
        if not used:
            return None
        planned = self.ends_at - self.started_at
        times = [min(1.0, (look.at - self.started_at) / planned) for look in used]
        return spending_boundaries([look.information for look in used], times, ALPHA, RHO)[-1].z


def rising(looks: Sequence[Look]) -> tuple[Look, ...]:
    """The looks that brought information; one that brought none is part of the one before."""
    used: list[Look] = []
    for look in sorted(looks, key=lambda each: each.at):
        if used and look.information <= used[-1].information:
            used[-1] = replace(used[-1], at=look.at)
        else:
            used.append(look)
    return tuple(used)


def planned_lift(strata: Strata, boundary: float | None, beside: AlwaysValid) -> AlwaysValid:
    """The score interval at the boundary: −z + a ≤ T(r) ≤ z + a, as `score`, with z of the newest look.

    Unit: share. Repeated confidence intervals: with probability 1 − α all of them, up to the planned end,
    cover. Evidence stays that of `beside`, the always-valid reading of the same data. Open below 20 control
    conversions and before the first look. Jennison & Turnbull (1989); Lan & DeMets (1983, 1989).
    """
    found = score(strata)
    method = f"planned end: {found.method}"
    if boundary is None or not isfinite(boundary) or control_conversions(strata) < NO_STATEMENT_BELOW:
        return AlwaysValid(Estimate(found.estimate, UNBOUNDED, method), beside.log_e_value)
    if FALLBACK in found.method:
        pair = post_stratified_means(strata)
        interval = UNBOUNDED if pair is None else fieller_set(pair, boundary).interval
        return AlwaysValid(Estimate(found.estimate, interval, method), beside.log_e_value)
    test = score_test(strata)
    interval = UNBOUNDED if test is None else lift_set(test, boundary)
    return AlwaysValid(Estimate(found.estimate, interval, method), beside.log_e_value)
