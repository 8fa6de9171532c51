"""What another holdout percentage costs or saves in a week, and how soon it answers. Pure.

Earlier data stay in the estimate, so weeks are counted from what is known already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from analysis.estimators.intervals import UNBOUNDED, Estimate, Interval
from analysis.estimators.power import INFLATION, Design, conversion_spread, z_sum

LONG = 104
"""Weeks; whoever has to wait longer will not."""
_METHOD = "change of the holdout per week"


@dataclass(frozen=True, slots=True)
class Worth:
    """What the newest measurement says of one treated person: revenue that ads add, and what they cost."""

    added: Estimate
    spend: float
    margin: float


@dataclass(frozen=True, slots=True)
class Known:
    """Conversions measured so far: people in each arm, and the share of all that bought."""

    n_holdout: int
    n_treatment: int
    rate: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Weeks until a lift is detectable, read whenever one likes; None where it never is."""

    now: int | None
    then: int | None


def worth_of(told: Mapping[str, Any], margin: float) -> Worth | None:
    """Reads one experiment of a report's document; None where no money was measured."""
    money, treated = told["money"], told["since_entry"]["n_treatment"]
    if money is None or not treated:
        return None
    total = money["increment"]["total"]
    low, high = (None if side is None else side / treated for side in money["increment"]["interval"])
    added = Estimate(None if total is None else total / treated, Interval(low, high), "revenue per person")
    return Worth(added, money["spend"] / treated, margin)


def known_of(told: Mapping[str, Any]) -> Known | None:
    """Reads one experiment of a report's document; None where nobody has bought."""
    lift = told["conversions"]
    held_out, treated = lift["n_holdout"], lift["n_treatment"]
    bought = held_out * lift["mean_holdout"] + treated * lift["mean_treatment"]
    if not held_out + treated or not 0 < bought < held_out + treated:
        return None
    return Known(held_out, treated, bought / (held_out + treated))


def weekly_difference(change: float, units_per_week: float, worth: Worth) -> Estimate:
    """Δh·N_w·(margin·Δ − spend per unit) in currency a week; negative is a saving.

    `change` is the new share less the old one; Δ is the revenue that ads add to a person, with its interval.
    """
    people = change * units_per_week

    def weekly(added: float) -> float:
        return people * (worth.margin * added - worth.spend)

    known, interval = worth.added.estimate, worth.added.interval
    if not people:
        return Estimate(0.0, Interval(0.0, 0.0), _METHOD)
    if people < 0:
        low, high = (None if side is None else weekly(side) for side in (interval.high, interval.low))
        return Estimate(None if known is None else weekly(known), Interval(low, high), _METHOD)
    return Estimate(None if known is None else weekly(known), interval.mapped(weekly), _METHOD)


def weeks_until(lift: float, known: Known, units_per_week: float, shares: Sequence[float]) -> int | None:
    """Weeks of entrants that are still missing: (1.75·k²/δ² − I)/I_w, I = 1/(σ²_t/n_t + σ²_c/n_c).

    `shares` are those of all audiences that are compared together: below the smallest a person is a
    control, above the largest treated, and the band between is left out. None where nobody is held out.
    """
    smallest, largest = min(shares), max(shares)
    if not smallest or not units_per_week:
        return None
    spread, effect = conversion_spread(known.rate, lift)
    needed = INFLATION[Design.ALWAYS_VALID] * z_sum() ** 2 / effect**2
    so_far = 0.0
    if known.n_holdout and known.n_treatment:
        so_far = 1 / (spread.treatment / known.n_treatment + spread.holdout / known.n_holdout)
    weekly = units_per_week / (spread.treatment / (1 - largest) + spread.holdout / smallest)
    return max(0, ceil((needed - so_far) / weekly))


def cost_of_change(weekly: Estimate, currency: str) -> str:
    """The weekly difference in words, both signs where the data allow both."""
    low, high = weekly.interval.low, weekly.interval.high
    if weekly.estimate is None and (low, high) == (UNBOUNDED.low, UNBOUNDED.high):
        return "what it costs or saves cannot be said yet: too few people have bought"
    span = f"between {_signed(low, 'any saving')} and {_signed(high, 'any cost')} {currency} a week"
    if low is not None and low >= 0 and high != low:
        return f"it costs money: {span}"
    if high is not None and high <= 0 and high != low:
        return f"it saves money: {span}"
    if low == high == 0:
        return "it neither costs nor saves anything"
    return f"it may cost or save money, the data allow both: {span}"


def wait_in_words(weeks: int | None) -> str:
    """A wait as people say it."""
    if weeks is None:
        return "no time (nobody is held out, or nobody enters)"
    if weeks == 0:
        return "0 weeks"
    return f"{weeks} weeks" if weeks <= LONG else f"{weeks / 52:.0f} years"


def _signed(value: float | None, open_side: str) -> str:
    return open_side if value is None else f"{value:+,.0f}"
