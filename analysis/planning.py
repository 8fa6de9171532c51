"""How large a holdout each experiment needs, what it costs, and who gets how much of one budget. Pure.

Arms are never equal here, and results are read whenever one likes unless a design says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt

from analysis.change import LONG
from analysis.estimators.intervals import UNBOUNDED, Estimate, Interval
from analysis.estimators.power import (
    INFLATION,
    Design,
    Spread,
    conversion_spread,
    durations,
    holdout_cost_per_week,
    smallest_holdout,
    units_needed,
    z_sum,
)

WEEKS = (1, 2, 4, 8, 13, 26, 52)
LARGEST = 0.5
STEP = 0.005
"""Recommended shares are whole multiples of half a percent."""
_FLOAT = 1e-9


@dataclass(frozen=True, slots=True)
class Past:
    """What an experiment's own history says: people a week, how they buy, what their ads cost."""

    name: str
    audiences: tuple[str, ...]
    share: float
    """The holdout in force; 0 where nobody is held out."""
    units_per_week: float
    rate: float
    """Share of people that buy within the window."""
    revenue_mean: float = 0.0
    revenue_variance: float = 0.0
    spend_per_unit: float = 0.0
    added: Estimate | None = None
    """Revenue that ads add to a person, where it was measured."""


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest relative lifts that show after so many weeks, by how results are read."""

    weeks: int
    people: float
    fixed: float
    group_sequential: float
    always_valid: float
    revenue: float | None
    """Always valid, of revenue: its variance hides far more than that of conversions."""


@dataclass(frozen=True, slots=True)
class Smallest:
    """The smallest shares that show a lift in time, by how results are read; None where none does."""

    fixed: float | None
    group_sequential: float | None
    always_valid: float | None


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommended share, what it costs a week, when it answers, and why."""

    past: Past
    share: float
    price: Estimate
    weeks: int | None
    """Until the lift shows at this share; None where it never does."""
    is_too_small: bool
    sentence: str


def detectable(past: Past, share: float, weeks: Sequence[int] = WEEKS) -> tuple[Detectable, ...]:
    """δ/p for conversions and δ/mean for revenue, each with the variance of no effect in both arms."""
    binary = Spread(past.rate * (1 - past.rate), past.rate * (1 - past.rate))
    found = durations(binary, past.units_per_week, share, weeks)
    money = Spread(past.revenue_variance, past.revenue_variance)
    revenue = durations(money, past.units_per_week, share, weeks) if past.revenue_mean > 0 else None
    return tuple(
        Detectable(
            each.weeks,
            each.units,
            each.fixed / past.rate,
            each.group_sequential / past.rate,
            each.always_valid / past.rate,
            None if revenue is None else revenue[at].always_valid / past.revenue_mean,
        )
        for at, each in enumerate(found)
    )


def smallest_share(past: Past, lift: float, weeks: float, design: Design) -> float | None:
    """The smallest share of at most a half that shows `lift` within `weeks`; None where none does."""
    spread, effect = conversion_spread(past.rate, lift)
    units = past.units_per_week * weeks
    if units <= 0:
        return None
    share = smallest_holdout(spread, effect, units, k=z_sum() * sqrt(INFLATION[design]))
    return share if share is not None and share <= LARGEST else None


def smallest_shares(past: Past, lift: float, weeks: float) -> Smallest:
    """The same for each way to read results."""
    return Smallest(
        fixed=smallest_share(past, lift, weeks, Design.FIXED),
        group_sequential=smallest_share(past, lift, weeks, Design.GROUP_SEQUENTIAL),
        always_valid=smallest_share(past, lift, weeks, Design.ALWAYS_VALID),
    )


def weeks_needed(past: Past, lift: float, share: float) -> float:
    """Weeks until `lift` shows at a share, read whenever one likes; infinite where it never does."""
    if not share or not past.units_per_week:
        return float("inf")
    spread, effect = conversion_spread(past.rate, lift)
    return units_needed(spread, effect, share, design=Design.ALWAYS_VALID) / past.units_per_week


def price_per_week(past: Past, share: float, lift: float, margin: float) -> Estimate:
    """What a share forgoes in a week; by the measured effect, else as if ads added `lift`."""
    if not share:
        return Estimate(0.0, Interval(0.0, 0.0), "nobody is held out")
    added = past.added or Estimate(lift * past.revenue_mean, UNBOUNDED, f"as if ads added {lift:.0%}")
    cost = holdout_cost_per_week(share, past.units_per_week, added, past.spend_per_unit, margin)
    return replace(cost, method=added.method)


def advise(
    pasts: Sequence[Past], *, lift: float, weeks: int, margin: float, budget: float | None = None
) -> tuple[Advice, ...]:
    """A share for each experiment, so that as many as the budget allows answer in time.

    An experiment wants the smallest share that shows `lift` within `weeks`. What that forgoes in a week is
    its price; the cheapest answers are bought first, which answers the most questions. The next in line
    gets what is left of the budget, and those after it nothing. Experiments that save money are free.
    """
    wanted = {past.name: _wanted(past, lift, weeks) for past in pasts}
    granted: dict[str, float] = {}
    left = budget
    for past in sorted(pasts, key=lambda each: _cost(each, wanted[each.name], lift, margin)):
        share = wanted[past.name]
        cost = _cost(past, share, lift, margin)
        if left is not None and cost > left + _FLOAT:
            share = _floor(share * left / cost)
            cost = _cost(past, share, lift, margin)
        granted[past.name] = share
        left = None if left is None else left - cost
    return tuple(
        _advice(past, granted[past.name], wanted[past.name], pasts, lift, weeks, margin) for past in pasts
    )


def pooled(pasts: Sequence[Past]) -> Past:
    """Several experiments read as one: people add up, rates and spend are weighted by people.

    Variances of the whole: Σw(s² + m²) − (Σwm)².
    """
    people = sum(past.units_per_week for past in pasts)
    weights = [past.units_per_week / people if people else 1 / len(pasts) for past in pasts]

    def weighted(values: Sequence[float]) -> float:
        return sum(weight * value for weight, value in zip(weights, values, strict=True))

    mean = weighted([past.revenue_mean for past in pasts])
    square = weighted([past.revenue_variance + past.revenue_mean**2 for past in pasts])
    return Past(
        name=" + ".join(past.name for past in pasts),
        audiences=tuple(name for past in pasts for name in past.audiences),
        share=min(past.share for past in pasts),
        units_per_week=people,
        rate=weighted([past.rate for past in pasts]),
        revenue_mean=mean,
        revenue_variance=square - mean**2,
        spend_per_unit=weighted([past.spend_per_unit for past in pasts]),
    )


def is_too_small(past: Past, lift: float) -> bool:
    """Whether even half held out does not answer within two years."""
    return weeks_needed(past, lift, LARGEST) > LONG


def _wanted(past: Past, lift: float, weeks: int) -> float:
    """The share that answers in time; else the one that answers in twice the shortest time there is."""
    if is_too_small(past, lift):
        return 0.0
    in_time = smallest_share(past, lift, weeks, Design.ALWAYS_VALID)
    if in_time is None:
        later = min(2 * weeks_needed(past, lift, LARGEST), LONG)
        in_time = smallest_share(past, lift, later, Design.ALWAYS_VALID)
    return min(LARGEST, ceil((in_time or LARGEST) / STEP - _FLOAT) * STEP)


def _cost(past: Past, share: float, lift: float, margin: float) -> float:
    return max(0.0, price_per_week(past, share, lift, margin).estimate or 0.0)


def _floor(share: float) -> float:
    return int(share / STEP + _FLOAT) * STEP


def _advice(
    past: Past, share: float, wanted: float, pasts: Sequence[Past], lift: float, weeks: int, margin: float
) -> Advice:
    too_small = is_too_small(past, lift)
    took = weeks_needed(past, lift, share)
    if too_small:
        sentence = _pooling(past, pasts, lift)
    elif share < wanted:
        sentence = f"the budget does not pay for {wanted:.1%}, which would answer sooner"
    elif took <= weeks + _FLOAT:
        sentence = f"shows a lift of {lift:.0%} within {weeks} weeks"
    else:
        least = ceil(weeks_needed(past, lift, LARGEST))
        sentence = f"no share shows a lift of {lift:.0%} within {weeks} weeks; half held out takes {least}"
    return Advice(
        past=past,
        share=share,
        price=price_per_week(past, share, lift, margin),
        weeks=ceil(took - _FLOAT) if took <= 10 * LONG else None,
        is_too_small=too_small,
        sentence=sentence,
    )


def _pooling(past: Past, pasts: Sequence[Past], lift: float) -> str:
    """Names the fewest others with which a too small experiment answers within two years."""
    least = weeks_needed(past, lift, LARGEST)
    lasting = f"would take {least / 52:,.0f} years" if least < float("inf") else "would never end"
    alone = f"too small ever to answer: half held out {lasting}"
    others = sorted((each for each in pasts if each != past), key=lambda each: -each.units_per_week)
    small_first = sorted(others, key=lambda each: not is_too_small(each, lift))
    together = [past]
    for other in small_first:
        together.append(other)
        if not is_too_small(pooled(together), lift):
            names = ", ".join(each.name for each in together[1:])
            return f"{alone}; give it one holdout_group with {names} and read them as one"
    return f"{alone}, and no pooling changes that; look for a larger lift or measure the whole programme"
