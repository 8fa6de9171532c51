"""How long people wait from the moment they are first seen until Criteo has taken them in. Pure.

The delay of one person is the time of Criteo's answer less the time of their entry. It is counted over those
whom a sync adds for the first time; who comes back to a segment was seen before and says nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from experiments.digests import DigestSet


@dataclass(frozen=True, slots=True)
class Accepted:
    """People of one request, and when Criteo's answer came; seconds since 1970."""

    people: DigestSet
    at: int


@dataclass(frozen=True, slots=True)
class Delays:
    """Half of the people waited at most `p50` seconds, 95 % at most `p95`; None where nobody was added."""

    p50: int | None = None
    p95: int | None = None


def delays(accepted: Iterable[Accepted], entered: Mapping[int, DigestSet]) -> Delays:
    """The delays of everybody accepted who is in `entered`: the people by the time of their entry, each once."""
    waits: list[tuple[int, int]] = []
    for request in accepted:
        for since, cohort in entered.items():
            count = len(request.people & cohort.near(request.people))
            if count:
                waits.append((max(0, request.at - since), count))
    return Delays(_quantile(waits, Fraction(1, 2)), _quantile(waits, Fraction(19, 20)))


def _quantile(waits: Sequence[tuple[int, int]], share: Fraction) -> int | None:
    """The smallest wait that at least this share of the people did not exceed."""
    wanted = share * sum(count for _, count in waits)
    passed = 0
    for wait, count in sorted(waits):
        passed += count
        if passed >= wanted:
            return wait
    return None
