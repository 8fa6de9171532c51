"""How long people wait from entering a segment until they stand on the list. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrivals:
    """People whom one sync put on the list, and the seconds since the sync before it."""

    people: int
    gap: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds within which half, and nineteen of twenty, of the people were on the list."""

    p50: float
    p95: float
    people: int


def freshness(found: Sequence[Arrivals]) -> Freshness | None:
    """Percentiles of the wait; None where nobody arrived.

    Customer.io does not say when a person entered a segment. People enter evenly between two syncs, so of
    those whom sync k put on the list the wait is uniform over its gap gₖ, and over all of them
    F(t) = Σ nₖ · min(1, t/gₖ) / Σ nₖ.
    """
    known = [each for each in found if each.people > 0 and each.gap > 0]
    people = sum(each.people for each in known)
    return Freshness(_quantile(known, 0.5), _quantile(known, 0.95), people) if known else None


def _quantile(found: Sequence[Arrivals], share: float) -> float:
    """F is linear between two gaps: the first stretch in which it reaches the share is solved."""
    wanted = share * sum(each.people for each in found)
    arrived, slope = 0.0, sum(each.people / each.gap for each in found)
    for each in sorted(found, key=lambda each: each.gap):
        if arrived + slope * each.gap >= wanted:
            return (wanted - arrived) / slope
        arrived += each.people
        slope -= each.people / each.gap
    return float(max(each.gap for each in found))
