"""What the ads did per person whom they could reach, beside what they did per person advertised to. Pure.

The total needs no such correction: people never reached count in both arms alike. Statistics note B5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.dilution import MatchRate, per_reached
from analysis.increment import Increment
from analysis.intervals import Estimate, not_estimable
from analysis.leak import Leak
from analysis.readings import Lift


@dataclass(frozen=True, slots=True)
class Reachable:
    """Extra buyers per person, of everyone advertised to and of those whom Criteo recognises."""

    match: MatchRate
    per_treated: Estimate
    per_reachable: Estimate


def read_reachable(
    added: Increment, lift: Lift, match: MatchRate | None, leak: Leak | None = None
) -> Reachable | None:
    """Extra buyers over the treated units whose window has closed, then over m of them, m with its bounds.

    Where Criteo claims orders of people held out, m − l takes the place of m, l being m times how often they
    are reached beside those advertised to. A leak as large as the match rate leaves nothing to divide by.
    None without a match rate or without treated units. The intervals are always valid where that of the
    increment is.
    """
    if match is None or not lift.n_treatment:
        return None
    n = lift.n_treatment
    reached = _less(match, leak)
    effect = Estimate(
        estimate=None if added.total is None else added.total / n,
        interval=added.interval.mapped(lambda total: total / n),
        method=lift.always_valid.estimate.method,
    )
    per_reachable = not_estimable(effect.method) if reached is None else per_reached(effect, reached)
    return Reachable(reached or match, effect, per_reachable)


def _less(match: MatchRate, leak: Leak | None) -> MatchRate | None:
    """The match rate with the leak that belongs to it; None where nothing would be left."""
    relative = None if leak is None else leak.relative
    if not relative:
        return match
    leaked = match.rate * relative
    return replace(match, leak=leaked) if leaked < match.low else None
