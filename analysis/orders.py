"""Loads orders from where they are into the ledger: each once, refunds netted, bad rows counted. I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, bindparam, delete, exists, func, insert, select, update

from analysis.order_rows import OrderRow, RejectedRow, Tally, Wanted, usable_rows
from analysis.order_source import order_frames
from analysis.order_stage import staged
from analysis.rate_file import read_rates
from experiments.audiences import OrderSource
from experiments.database import insert_or_ignore, insert_or_update, reading, writing
from experiments.digests import DigestSet
from experiments.erasures import erased_people
from experiments.schema import entrants, order_loads, orders, phases, refunds

KEPT_OF_STRANGERS = timedelta(days=180)
"""How long the order of somebody who has not entered any audience is kept: they may enter yet, and then it is
their history. See docs/decisions/0009-orders-of-strangers.md."""

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class OrderLoad:
    """What a load took in and what it left out."""

    accepted: int
    refunds: int
    rejected: Mapping[str, int]
    """Rows left out, by reason."""
    examples: tuple[RejectedRow, ...]
    """The first of them."""


def orders_watermark(engine: Engine) -> int | None:
    """Up to when orders are known to be complete, in seconds; None before the first load."""
    with reading(engine) as connection:
        newest: int | None = connection.scalar(select(func.max(order_loads.c.until)))
    return newest


def load_orders(
    engine: Engine, source: OrderSource, currency: str, *, since: datetime, until: datetime, at: datetime
) -> OrderLoad:
    """Takes in the orders of [since, until); repeats are harmless, a changed order replaces itself.

    The ledger is written after the whole source has been read, a chunk at a time and the watermark last: it
    waits for no shop, keeps nobody waiting for long, and is as it was where the source fails half-way.
    Raises Rejected or Retryable.
    """
    tally = Tally()
    wanted = Wanted(since, until, currency, read_rates(source.rates))
    frames = order_frames(source, since, until)
    with staged(list(usable_rows(frame, wanted, tally)) for frame in frames) as chunks:
        for chunk in chunks:
            with writing(engine) as connection:
                _take_over(connection, _converted(connection, chunk, wanted, tally), tally, _seconds(at))
    with writing(engine) as connection:
        _drop_strangers(connection, _seconds(since), _seconds(until))
        connection.execute(
            insert(order_loads).values(
                loaded_at=_seconds(at),
                since=_seconds(since),
                until=_seconds(until),
                accepted=tally.accepted,
                rejected=json.dumps(dict(tally.reasons)),
            )
        )
    return OrderLoad(tally.accepted, tally.refunds, dict(tally.reasons), tuple(tally.examples))


def _take_over(connection: Connection, chunk: Sequence[OrderRow], tally: Tally, at: int) -> None:
    """Writes one chunk; of an order that stands in it twice the later row counts."""
    units = {row.order_id: row.unit for row in chunk if row.unit is not None}
    erased = set(erased_people(connection).among(DigestSet.of(units.values())))
    if erased:
        tally.reasons["the person was erased"] += sum(unit in erased for unit in units.values())
    bought = {
        row.order_id: _columns(row, at) for row in chunk if row.unit is not None and row.unit not in erased
    }
    refunded = [row for row in chunk if row.unit is None]
    returned = [{"order_id": row.order_id, "refunded_at": row.at, "amount": row.cents} for row in refunded]
    changed = ("unit", "ordered_at", "revenue", "currency", "rate")
    insert_or_update(connection, orders, list(bought.values()), changed)
    insert_or_ignore(connection, refunds, returned)
    _net(connection, {*bought, *(row.order_id for row in refunded)})
    tally.accepted += len(bought)
    tally.refunds += len(returned)


def _columns(row: OrderRow, at: int) -> dict[str, object]:
    values = {"unit": row.unit, "ordered_at": row.at, "revenue": row.cents, "loaded_at": at}
    return {"order_id": row.order_id, **values, "currency": row.currency, "rate": row.rate}


def _converted(
    connection: Connection, chunk: Sequence[OrderRow], wanted: Wanted, tally: Tally
) -> list[OrderRow]:
    """The chunk in the programme's currency: an order keeps the rate it first came with, and its refunds take it."""
    foreign = [row for row in chunk if row.currency is not None]
    if not foreign:
        return list(chunk)
    rates = {row.order_id: row.rate for row in foreign if row.unit is not None}
    rates |= _known_rates(connection, sorted({row.order_id for row in foreign}))
    found = []
    for row in chunk:
        rate = rates.get(row.order_id, row.rate)
        if row.currency is None:
            found.append(row)
        elif rate is None:
            tally.reasons[wanted.no_rate(row.currency)] += 1
        else:
            found.append(replace(row, cents=round(row.cents * rate), rate=rate))
    return found


def _known_rates(connection: Connection, order_ids: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for start in range(0, len(order_ids), _AT_ONCE):
        ids = order_ids[start : start + _AT_ONCE]
        chosen = select(orders.c.order_id, orders.c.rate).where(
            orders.c.order_id.in_(ids), orders.c.rate.is_not(None)
        )
        found.update((order_id, rate) for order_id, rate in connection.execute(chosen))
    return found


def _net(connection: Connection, order_ids: set[str]) -> None:
    """What was refunded of these orders, of all refunds ever taken in."""
    if not order_ids or not connection.scalar(select(exists(select(refunds)))):
        return
    returned = _refunded(connection, sorted(order_ids))
    if not returned:
        return
    total = (
        select(func.coalesce(func.sum(refunds.c.amount), 0))
        .where(refunds.c.order_id == orders.c.order_id)
        .scalar_subquery()
    )
    statement = update(orders).where(orders.c.order_id == bindparam("key")).values(refunded=total)
    connection.execute(statement, [{"key": order_id} for order_id in returned])


def _refunded(connection: Connection, order_ids: Sequence[str]) -> list[str]:
    """Those of which anything was ever given back: most orders are not, and nothing is written for them."""
    found: list[str] = []
    for start in range(0, len(order_ids), _AT_ONCE):
        own = refunds.c.order_id.in_(order_ids[start : start + _AT_ONCE])
        found += connection.scalars(select(refunds.c.order_id).where(own).distinct())
    return found


def _drop_strangers(connection: Connection, since: int, until: int) -> None:
    """Drops orders of people who have not entered, that became too old since the load before this one."""
    last = connection.scalar(select(func.max(order_loads.c.until)))
    kept = int(KEPT_OF_STRANGERS.total_seconds())
    unseen = since if last is None else min(since, last - kept)
    is_old = orders.c.ordered_at.between(unseen, until - kept - 1)
    # The key of entrants begins with the phase: naming all of them lets it be used.
    entered = exists().where(entrants.c.phase_id.in_(select(phases.c.id)), entrants.c.unit == orders.c.unit)
    connection.execute(delete(orders).where(is_old, ~entered))


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
