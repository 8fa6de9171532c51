"""The same revenue with single orders cut off, so that one of them cannot carry the answer. Pure.

The cap is frozen before it can know anything: the same for both arms and at every look, never chosen again.
Capped revenue is a little less than what was paid and far steadier. Statistics note B7.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.estimators.increment import NO_INCREMENT, Increment, increment
from analysis.estimators.sums import pooled
from analysis.facts import Facts, OrderCap
from analysis.readings import Lift, read_lift, strata_of

CUT_OFF = 0.01
"""The share of orders above the cap: it is their 99th percentile."""
ENOUGH_ORDERS = 1_000
"""Ten orders lie above the cap then; fewer would leave it to chance."""


@dataclass(frozen=True, slots=True)
class Capped:
    """Revenue under the cap: in the window, since entry, and how much the cap took away."""

    cap: OrderCap
    revenue: Lift
    since_entry: Lift
    increment: Increment
    """Since entry, in the currency."""
    removed: float | None
    """Share of both arms' revenue since entry that lies above the cap; None where nobody bought."""


def rounded_cap(cents: int) -> int:
    """The cap as it is frozen: two significant digits, at least a cent."""
    if cents < 100:
        return max(1, cents)
    return round(cents, 1 - floor(log10(cents)))


def read_capped(facts: Facts) -> Capped | None:
    """The capped readings of one experiment; None while it has no cap."""
    if facts.cap is None:
        return None
    planned = facts.planned_information
    strata = strata_of(facts.since_entry, lambda arm: arm.capped)
    since_entry = read_lift(strata, planned, revenue=True)
    says = since_entry.control_conversions >= NO_STATEMENT_BELOW
    return Capped(
        cap=facts.cap,
        revenue=read_lift(strata_of(facts.matured, lambda arm: arm.capped), planned, revenue=True),
        since_entry=since_entry,
        increment=increment(strata, since_entry.always_valid.estimate) if says else NO_INCREMENT,
        removed=_removed(facts),
    )


def _removed(facts: Facts) -> float | None:
    """1 − Σ capped / Σ revenue, both arms together, so that it says nothing about either."""
    whole, under = (
        pooled(strata_of(facts.since_entry, of)) for of in (lambda arm: arm.revenue, lambda arm: arm.capped)
    )
    paid = whole.holdout.y + whole.treatment.y
    return 1.0 - (under.holdout.y + under.treatment.y) / paid if paid > 0.0 else None
