"""What the ads did per person whom they could reach, beside what they did per person advertised to. Pure.

The total needs no such correction: people never reached count in both arms alike. Statistics note B5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.estimators.dilution import MatchRate, per_reached
from analysis.estimators.increment import Increment
from analysis.estimators.intervals import UNBOUNDED, Estimate
from analysis.leak import Leak
from analysis.readings import Lift


@dataclass(frozen=True, slots=True)
class Reachable:
    """Extra buyers per person, of everyone advertised to and of those whom Criteo recognises."""

    match: MatchRate
    leak: float
    """At most this share of the people held out saw ads of the shop all the same; 0 where nothing says so."""
    per_treated: Estimate
    per_reachable: Estimate


def read_reachable(
    added: Increment, lift: Lift, match: MatchRate | None, leak: Leak | None = None
) -> Reachable | None:
    """Extra buyers over the treated units whose window has closed, then over m of them, m with its bounds.

    Where Criteo claims orders of people held out, some of them saw ads: at most l = m times how often they are
    reached beside those advertised to. How many of those were these ads nobody can tell (other audiences' ads
    reach both arms alike and change nothing), so the estimate divides by m and the interval by everything
    down to m − l; with nothing left there it is open. None without a match rate or without treated units.
    The intervals are always valid where that of the increment is.
    """
    if match is None or not lift.n_treatment:
        return None
    n = lift.n_treatment
    effect = Estimate(
        estimate=None if added.total is None else added.total / n,
        interval=added.interval.mapped(lambda total: total / n),
        method=lift.always_valid.estimate.method,
    )
    relative = None if leak is None else leak.relative
    leaked = match.rate * relative if relative else 0.0
    lowest = match.low - leaked
    found = per_reached(effect, replace(match, low=lowest) if lowest > 0.0 else match)
    return Reachable(match, leaked, effect, found if lowest > 0.0 else replace(found, interval=UNBOUNDED))
