"""What each experiment's own past says of people, purchases and spend, for planning. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from analysis.change import worth_of
from analysis.estimators.intervals import Estimate
from analysis.facts import Experiment
from analysis.measuring import experiments_of
from analysis.orders import orders_watermark
from analysis.outcomes import Strata, sum_outcomes
from analysis.planning import Past
from analysis.spend import total_spend
from analysis.timeline import Span
from analysis.volume import RECENT_WEEKS, arrivals
from experiments.assignment import PPM
from experiments.audiences import Programme
from experiments.database import reading
from experiments.errors import Refused
from experiments.ledger import holdout_in_force, phases_of

_WEEK = 7 * 86_400


def read_pasts(
    engine: Engine, programme: Programme, told: Mapping[str, Any] | None, until: int
) -> tuple[Past, ...]:
    """One past for each holdout group up to `until` (seconds); `told` is the newest report's document.

    Raises Refused where orders or entrants were never seen: nothing can be planned from nothing.
    """
    watermark = orders_watermark(engine)
    if watermark is None:
        raise Refused(
            "no orders were ever loaded, so the conversion rate is unknown; run `holdouts load-orders` first, "
            "or give --entrants-per-week and --conversion"
        )
    chosen = [each for each in experiments_of(programme) if each.has_money and each.kind != "programme"]
    return tuple(_past(engine, programme, each, told, min(watermark, until)) for each in chosen)


def _past(
    engine: Engine, programme: Programme, experiment: Experiment, told: Mapping[str, Any] | None, until: int
) -> Past:
    with reading(engine) as connection:
        phases = phases_of(connection, experiment.audiences)
        holdouts = [
            holdout_in_force(connection, programme.audience(name), programme) for name in experiment.audiences
        ]
    everyone = Span(min((each.opened_at for each in phases), default=until), until, 0, 0, 0)
    sums = sum_outcomes(
        engine, [each.id for each in phases], Strata([everyone], (), experiment.window), watermark=until
    ).matured
    share = min(each.ppm for each in holdouts) / PPM
    volume = arrivals(engine, experiment.audiences, until)
    treated = volume.people * (1 - share)
    spent = total_spend(engine, experiment.ad_sets, until - RECENT_WEEKS * _WEEK, until).cost
    person = sums[0].treatment if sums else None
    return Past(
        name=experiment.name,
        audiences=experiment.audiences,
        share=share,
        units_per_week=volume.per_week,
        rate=person.conversions.mean if person else 0.0,
        revenue_mean=person.revenue.mean if person else 0.0,
        revenue_variance=(person.revenue.variance or 0.0) if person else 0.0,
        spend_per_unit=spent / treated if treated else 0.0,
        added=_added(told, experiment.name, programme.margin),
    )


def _added(told: Mapping[str, Any] | None, name: str, margin: float) -> Estimate | None:
    found: Sequence[Mapping[str, Any]] = [] if told is None else told["experiments"]
    for each in found:
        worth = worth_of(each, margin) if each["name"] == name else None
        if worth is not None and worth.added.estimate is not None:
            return worth.added
    return None
