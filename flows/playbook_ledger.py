"""What the ledger knows of each audience, for the playbook: syncs, lists, buyers, money, answers. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from sqlalchemy import Connection, Engine, func, select

from analysis.estimators.power import Design
from analysis.history import newest_measurement
from analysis.orders import orders_watermark
from analysis.own_history import read_pasts
from analysis.planning import Past, price_per_week, smallest_share, weeks_needed
from analysis.spend import total_spend
from analysis.volume import window_shares
from experiments.audiences import Audience, Programme
from experiments.bulk import read_digests
from experiments.common_people import people_in_common
from experiments.database import reading
from experiments.digests import EMPTY, DigestSet
from experiments.playbook.facts import DAY, WEEK, Answer, Known, Loads, Removal, Snapshot, Sync
from experiments.playbook.roles import exclusions, purchase_memory
from experiments.schema import measurements, orders, spend, syncs
from flows.playbook_removals import Purchases, read_purchases, removal_of
from sync.decision import Facts
from sync.gathering import read_facts

HISTORY = 4 * WEEK
QUARTER = 13
UNKNOWN_LIFT = 0.20
"""The lift that is asked for where no spend says which one pays."""
SMALLEST_LIFT, LARGEST_LIFT = 0.05, 1.0


def read_ledger(engine: Engine, programme: Programme, now: int) -> Snapshot:
    """The snapshot without the vendors' part."""
    bare = Snapshot(now, programme)
    facts = read_facts(engine, programme, {})
    loads = _loads(engine)
    pasts = read_pasts(engine, programme, newest_measurement(engine), now) if loads.orders else ()
    with reading(engine) as connection:
        rows = {each.name: _syncs(connection, each.name, now) for each in programme.audiences}
        moments, push = sync_moments(connection, programme, now)
        bought = _Buyers(connection, now, loads.orders, purchase_memory(bare))
        buyers = read_purchases(connection, min(now, loads.orders or now))
        listed = {
            each.name: facts.sent.people(facts.holding(each.name).surely) for each in programme.audiences
        }
        known = {
            each.name: Known(
                syncs=rows[each.name],
                on_list=len(listed[each.name]) if each.name in facts.list_ids else None,
                holdout_ppm=facts.holdouts[each.name].ppm if each.role == "include" else None,
                bought_lately=bought.lately(listed[each.name]),
                ever_bought=bought.ever(listed[each.name]),
                removal=_removal(connection, facts, each, buyers),
            )
            for each in programme.audiences
        }
    shares = _shares(engine, pasts, loads)
    money = {each.name: _money(engine, programme, each, pasts, shares, loads) for each in programme.includes}
    return Snapshot(
        now=now,
        programme=programme,
        known={name: _with_money(each, money.get(name)) for name, each in known.items()},
        overlaps=_overlaps(programme, listed) if facts.list_ids else None,
        vips=_inside(programme, listed, bare) if facts.list_ids else None,
        syncs=moments,
        push=push,
        loads=loads,
    )


class _Buyers:
    """Who has bought, ever and lately; nothing where orders were never loaded."""

    def __init__(self, connection: Connection, now: int, watermark: int | None, memory: int) -> None:
        self._is_known = watermark is not None
        until = min(now, watermark or now)
        within = (orders.c.ordered_at <= until, orders.c.revenue > 0)
        units = select(orders.c.unit).where(*within).distinct()
        self._ever = read_digests(connection, units) if self._is_known else EMPTY
        recent = units.where(orders.c.ordered_at > until - memory)
        self._lately = read_digests(connection, recent) if self._is_known else EMPTY

    def ever(self, listed: DigestSet) -> int | None:
        return len(listed & self._ever) if self._is_known else None

    def lately(self, listed: DigestSet) -> int | None:
        return len(listed & self._lately) if self._is_known else None


def _syncs(connection: Connection, audience: str, now: int) -> tuple[Sync, ...]:
    chosen = select(syncs).where(
        syncs.c.audience == audience, syncs.c.synced_at > now - HISTORY, syncs.c.synced_at <= now
    )
    return tuple(
        Sync(
            at=row.synced_at,
            is_applied=row.outcome == "applied",
            members=row.members,
            units=row.units,
            unusable=row.unusable,
            adds=row.adds,
            removes=row.removes,
            pushed=row.pushed,
            identifiers=row.identifiers,
            matches=row.matches,
            excluded=row.excluded,
            claimed=row.claimed,
            held_out=row.held_out,
        )
        for row in connection.execute(chosen.order_by(syncs.c.id))
    )


def sync_moments(
    connection: Connection, programme: Programme, now: int
) -> tuple[tuple[int, ...], int | None]:
    """When lists were synced in two weeks, and the middle one of the slow pushes."""
    columns = (syncs.c.synced_at, syncs.c.delay_p95)
    chosen = select(*columns).where(
        syncs.c.audience.in_([each.name for each in programme.audiences]),
        syncs.c.outcome == "applied",
        syncs.c.synced_at > now - 2 * WEEK,
        syncs.c.synced_at <= now,
    )
    rows = connection.execute(chosen).all()
    delays = [row.delay_p95 for row in rows if row.delay_p95 is not None and row.delay_p95 >= 0]
    return tuple(sorted({row.synced_at for row in rows})), int(median(delays)) if delays else None


def _loads(engine: Engine) -> Loads:
    with reading(engine) as connection:
        charged = connection.scalar(select(func.max(spend.c.loaded_at)))
        measured = connection.scalar(select(func.max(measurements.c.measured_at)))
    return Loads(orders=orders_watermark(engine), spend=charged, report=measured)


def _removal(connection: Connection, facts: Facts, audience: Audience, buyers: Purchases) -> Removal | None:
    list_id = facts.list_ids.get(audience.name)
    if list_id is None or audience.role == "exclude":
        return None
    return removal_of(connection, list_id, buyers)


def _overlaps(programme: Programme, listed: Mapping[str, DigestSet]) -> dict[tuple[str, str], int]:
    return people_in_common({each.name: listed[each.name] for each in programme.includes})


def _inside(programme: Programme, listed: Mapping[str, DigestSet], bare: Snapshot) -> dict[str, int]:
    vips = EMPTY
    for each in exclusions(bare, "vips"):
        vips |= listed[each.name]
    return {each.name: len(listed[each.name] & vips) for each in programme.includes}


def _shares(engine: Engine, pasts: tuple[Past, ...], loads: Loads) -> dict[str, float]:
    """Which part of a group's people each of its windows has."""
    shares: dict[str, float] = {}
    for past in pasts:
        if len(past.audiences) > 1 and loads.orders is not None:
            shares |= window_shares(engine, past.audiences, loads.orders)
    return shares


def _money(
    engine: Engine,
    programme: Programme,
    audience: Audience,
    pasts: tuple[Past, ...],
    shares: Mapping[str, float],
    loads: Loads,
) -> Known:
    """A week's money of one audience, and its group's answer where it is the group's first window."""
    group = programme.groups[audience.holdout_group]
    past = next((each for each in pasts if audience.name in each.audiences), None)
    if past is None or loads.orders is None:
        return Known(spend=_spend(engine, audience, loads))
    units = past.units_per_week * shares.get(audience.name, 1.0)
    lift = _asked_lift(past, programme.margin)
    return Known(
        spend=_spend(engine, audience, loads),
        revenue=units * (1 - past.share) * past.revenue_mean if past.revenue_mean else None,
        holdout_cost=price_per_week(past, past.share, lift, programme.margin).estimate,
        answer=_answer(past, lift) if audience == group[0] else None,
    )


def _with_money(known: Known, money: Known | None) -> Known:
    if money is None:
        return known
    return replace(
        known,
        spend=money.spend,
        revenue=money.revenue,
        holdout_cost=money.holdout_cost,
        answer=money.answer,
    )


def _spend(engine: Engine, audience: Audience, loads: Loads) -> float | None:
    """Of the last seven whole days before spend was loaded."""
    if loads.spend is None or not audience.ad_sets:
        return None
    today = loads.spend - loads.spend % DAY
    return total_spend(engine, audience.ad_sets, today - WEEK, today).cost


def _asked_lift(past: Past, margin: float) -> float:
    """The lift at which the ads pay for themselves: spend of a person over the margin on its revenue."""
    if not past.spend_per_unit or not past.revenue_mean:
        return UNKNOWN_LIFT
    return min(LARGEST_LIFT, max(SMALLEST_LIFT, past.spend_per_unit / (margin * past.revenue_mean)))


def _answer(past: Past, lift: float) -> Answer | None:
    if not past.share or not past.units_per_week or not 0 < past.rate < 1 / (1 + lift):
        return None
    return Answer(
        lift=lift,
        weeks=weeks_needed(past, lift, past.share),
        weeks_at_half=weeks_needed(past, lift, 0.5),
        share=smallest_share(past, lift, QUARTER, Design.ALWAYS_VALID),
    )
