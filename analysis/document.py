"""A measurement as plain numbers: what `report.json` holds and what the next report is compared with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

from analysis.behind_document import behind
from analysis.estimators.increment import NO_INCREMENT, Increment
from analysis.estimators.intervals import UNBOUNDED, Interval
from analysis.facts import Entered
from analysis.measurement import Measurement, Money
from analysis.plain_numbers import Document, estimate, increment, interval, iso, lift
from analysis.together_document import together
from analysis.verdict import State
from experiments.audiences import Programme

VERSION = 1
METHOD = "always-valid score interval with skew term, stratified by phase (docs/statistics.md)"


def document(
    programme: Programme, measurements: Sequence[Measurement], measured_at: int, watermark: int
) -> Document:
    """The whole report's numbers; an open side of an interval is null, and so is what could not be estimated."""
    return {
        "version": VERSION,
        "method": METHOD,
        "measured_at": iso(measured_at),
        "watermark": iso(watermark),
        "currency": programme.currency,
        "margin": programme.margin,
        "break_even": programme.break_even,
        "total": total(measurements),
        "experiments": [experiment(each) for each in measurements],
        "together": together(measurements),
    }


def total(measurements: Sequence[Measurement]) -> Document:
    """What the first sentence of the report says, over all experiments that carry money.

    The universal holdout is not added: it measures the same money a second time. Returns are of the
    experiments with spend; what the ads added is of those whose verdict lets it be said. The blended
    return is taken from the universal holdout where there is one, because it counts each person once.
    """
    carriers = [each for each in measurements if each.money and each.experiment.kind != "programme"]
    money = [each.money for each in carriers if each.money]
    paid = [each for each in money if each.spend]
    told = [each.money for each in carriers if each.money and _may_be_told(each)]
    measured = [each for each in told if each.spend]
    platform_spend = sum(each.platform_spend for each in money)
    claimed = sum(each.platform_revenue for each in money)
    spend = sum(each.spend for each in measured)
    added = sum_of([each.increment for each in told])
    bought = sum_of([each.increment for each in measured])
    returned = bought.interval.mapped(lambda value: value / spend) if spend else UNBOUNDED
    return {
        "spend": platform_spend,
        "claimed_revenue": claimed,
        "platform_roas": _ratio(claimed, platform_spend),
        "blended_roas": _blended(_programme(measurements) or paid),
        "incremental_revenue": added.total,
        "incremental_interval": interval(added.interval),
        "iroas": None if bought.total is None else _ratio(bought.total, spend),
        "iroas_interval": interval(returned),
        "measured_spend": spend,
    }


def _programme(measurements: Sequence[Measurement]) -> list[Money]:
    whole = (each.money for each in measurements if each.experiment.kind == "programme")
    return [money for money in whole if money and money.spend]


def _blended(money: Sequence[Money]) -> float | None:
    return _ratio(sum(each.revenue_treatment for each in money), sum(each.spend for each in money))


def _may_be_told(found: Measurement) -> bool:
    """Whether the verdict lets the money be said: what a row withholds no total may contain."""
    silent = (State.INVALID, State.NOT_ENOUGH_DATA)
    return (
        found.money is not None
        and found.money.increment.total is not None
        and found.verdict.state not in silent
    )


def sum_of(parts: Sequence[Increment]) -> Increment:
    """The sum of independent totals, half-widths added in quadrature on either side (MOVER).

    L = Σθ̂ − √Σ(θ̂ − l)², U = Σθ̂ + √Σ(u − θ̂)². Holdout groups have salts of their own, so their estimates
    are independent; exact for normal estimates. An open side of a part leaves the sum open there.
    Zou & Donner, Statistics in Medicine 27 (2008).
    """
    totals = [part.total for part in parts if part.total is not None]
    if not totals or len(totals) < len(parts):
        return NO_INCREMENT
    centre = sum(totals)
    below = _quadrature(totals, [part.interval.low for part in parts])
    above = _quadrature(totals, [part.interval.high for part in parts])
    ends = Interval(None if below is None else centre - below, None if above is None else centre + above)
    return Increment(centre, ends, None, UNBOUNDED)


def experiment(found: Measurement) -> Document:
    """One experiment's numbers."""
    return {
        "name": found.experiment.name,
        "kind": found.experiment.kind,
        "audiences": list(found.experiment.audiences),
        "window_days": found.experiment.window / 86_400,
        "phases": [_entered(each) for each in found.entered],
        "conversions": lift(found.conversions),
        "revenue": lift(found.revenue),
        "conversions_added": increment(found.conversions_added),
        "since_entry": lift(found.since_entry),
        "money": None if found.money is None else _money(found.money),
        "gates": [
            {"name": each.name, "passed": each.passed, "figure": each.figure} for each in found.validity.gates
        ],
        "verdict": {
            "state": str(found.verdict.state),
            "sentence": found.verdict.sentence,
            "next_step": str(found.verdict.next_step),
            "next_sentence": found.verdict.next_sentence,
            "weeks_more": found.verdict.weeks_more,
        },
        **behind(found),
    }


def _entered(found: Entered) -> Document:
    return {
        "audience": found.phase.audience,
        "phase": found.phase.number,
        "opened_at": iso(found.phase.opened_at),
        "holdout_percent": found.phase.holdout.ppm / 10_000,
        "universal_percent": found.phase.holdout.universal_ppm / 10_000,
        "holdout": found.holdout,
        "treatment": found.treatment,
        "universal": found.universal,
    }


def _money(found: Money) -> Document:
    return {
        "spend": found.spend,
        "platform_spend": found.platform_spend,
        "platform_revenue": found.platform_revenue,
        "revenue_holdout": found.revenue_holdout,
        "revenue_treatment": found.revenue_treatment,
        "increment": increment(found.increment),
        "iroas": estimate(found.iroas),
        "icpa": estimate(found.icpa),
        "blended_roas": found.blended_roas,
        "platform_roas": found.platform_roas,
        "incrementality_factor": estimate(found.incrementality_factor),
        "claimed_not_incremental": estimate(found.claimed_not_incremental),
        "contribution": estimate(found.contribution),
        "revenue_forgone": estimate(found.cost_of_measuring.revenue_forgone),
        "net_cost_of_measuring": estimate(found.cost_of_measuring.net),
        "break_even": found.break_even,
    }


def _quadrature(totals: Sequence[float], ends: Sequence[float | None]) -> float | None:
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return None
    return hypot(*(total - end for total, end in zip(totals, known, strict=True)))


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None
