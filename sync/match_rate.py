"""Whether Criteo recognises fewer of a list's identifiers than chance explains. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

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
    """Whether the rate fell below the binomial band around an earlier one.

    p₀ − p₁ > max(0.01, 5 · √(p(1−p)(1/n₀ + 1/n₁))), p the share of both together.
    """
    if not before.identifiers or not now.identifiers:
        return False
    n0, n1 = before.identifiers, now.identifiers
    p = (n0 * before.share + n1 * now.share) / (n0 + n1)
    band = _DEVIATIONS * sqrt(p * (1 - p) * (1 / n0 + 1 / n1))
    return before.share - now.share > max(_SMALLEST_FALL, band)


def usual(history: Sequence[MatchRate]) -> MatchRate | None:
    """What a list's own past makes of it: the median share, of one median list.

    Counts of the same people do not add up to more people, so the past is worth one count and no more; a
    median does not follow a rate that sinks a little with each sync.
    """
    if not history:
        return None
    identifiers = round(median(each.identifiers for each in history))
    return MatchRate(median(each.share for each in history), identifiers)


def is_below(history: Sequence[MatchRate], now: MatchRate) -> bool:
    """Whether the rate lies below the band around its own past."""
    before = usual(history)
    return before is not None and has_fallen(before, now)


def newly_fallen(history: Sequence[MatchRate], now: MatchRate) -> bool:
    """Whether it does and the count before did not yet, so that a fall is told once."""
    return is_below(history, now) and not (history and is_below(history[:-1], history[-1]))
