"""Whether Criteo recognises fewer of a list's identifiers than chance explains. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_DEVIATIONS = 5.0
"""Chance alone falls this far in fewer than one look in a million."""
_SMALLEST_FALL = 0.01
"""A smaller fall matters to nobody, however sure it is."""


@dataclass(frozen=True, slots=True)
class MatchRate:
    """The share of a list's identifiers that Criteo recognises, 0 to 1."""

    share: float
    identifiers: int


def has_fallen(before: MatchRate, now: MatchRate) -> bool:
    """Whether the rate fell below the binomial band around the last one.

    p₀ − p₁ > max(0.01, 5 · √(p(1−p)(1/n₀ + 1/n₁))), p the share of both together.
    """
    if not before.identifiers or not now.identifiers:
        return False
    n0, n1 = before.identifiers, now.identifiers
    p = (n0 * before.share + n1 * now.share) / (n0 + n1)
    band = _DEVIATIONS * sqrt(p * (1 - p) * (1 / n0 + 1 / n1))
    return before.share - now.share > max(_SMALLEST_FALL, band)
