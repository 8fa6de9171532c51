"""What the ads did per person whom they could reach, beside what they did per person advertised to. Pure.

The total needs no such correction: people never reached count in both arms alike. Statistics note B5.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.dilution import MatchRate, per_reached
from analysis.increment import Increment
from analysis.intervals import Estimate
from analysis.readings import Lift


@dataclass(frozen=True, slots=True)
class Reachable:
    """Extra buyers per person, of everyone advertised to and of those whom Criteo recognises."""

    match: MatchRate
    per_treated: Estimate
    per_reachable: Estimate


def read_reachable(added: Increment, lift: Lift, match: MatchRate | None) -> Reachable | None:
    """Extra buyers over the treated units whose window has closed, then over m of them, m with its bounds.

    None without a match rate or without treated units. The intervals are always valid where that of the
    increment is.
    """
    if match is None or not lift.n_treatment:
        return None
    n = lift.n_treatment
    effect = Estimate(
        estimate=None if added.total is None else added.total / n,
        interval=added.interval.mapped(lambda total: total / n),
        method=lift.always_valid.estimate.method,
    )
    return Reachable(match, effect, per_reached(effect, match))
