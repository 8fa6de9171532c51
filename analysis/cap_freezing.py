"""Freezes where experiments cut single orders off, from orders that know nothing of their arms. I/O."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Engine, func, select

from analysis.facts import OrderCap
from analysis.heavy_tails import CUT_OFF, ENOUGH_ORDERS, rounded_cap
from experiments.database import insert_or_ignore, reading, writing
from experiments.schema import order_caps, orders

_STEP = 28 * 86_400
_NET = orders.c.revenue - orders.c.refunded


def cap_of(engine: Engine, experiment: str) -> OrderCap | None:
    """The experiment's cap; None while it has none."""
    columns = (order_caps.c.cents, order_caps.c.orders, order_caps.c.until, order_caps.c.frozen_at)
    with reading(engine) as connection:
        chosen = select(*columns).where(order_caps.c.experiment == experiment)
        row = connection.execute(chosen).one_or_none()
    return None if row is None else OrderCap(*row)


def freeze_caps(engine: Engine, starts: Mapping[str, int], watermark: int) -> None:
    """Gives each experiment a cap that has none yet and for which enough orders are known.

    `starts` has the moment at which each experiment's first phase opened (seconds). The cap is the 99th
    percentile of what was paid for an order, whoever placed it, before that moment. Where fewer than 1,000
    orders are known from then, the next four weeks are added, whole, and so on. So the data end at a
    moment that the number of orders decides: not the arms, and not when somebody looks.
    """
    with reading(engine) as connection:
        frozen = set(connection.scalars(select(order_caps.c.experiment)))
        new = {name: started for name, started in starts.items() if name not in frozen}
        enough = _thousandth(connection) if new else None
        ends = {} if enough is None else {name: _until(started, enough) for name, started in new.items()}
        past = {until for until in ends.values() if until <= watermark}
        caps = {until: _read(connection, until) for until in past}
    rows = [
        {"experiment": name, **caps[until], "until": until, "frozen_at": watermark}
        for name, until in ends.items()
        if until in caps
    ]
    if rows:
        with writing(engine) as connection:
            insert_or_ignore(connection, order_caps, rows)


def _thousandth(connection: Connection) -> int | None:
    """When the order was placed with which there are enough; None while there are not."""
    paid = select(orders.c.ordered_at).where(_NET > 0).order_by(orders.c.ordered_at)
    found: int | None = connection.scalar(paid.offset(ENOUGH_ORDERS - 1).limit(1))
    return found


def _until(started: int, enough: int) -> int:
    """The first of `started`, four weeks later, eight weeks later, … that lies behind the moment `enough`."""
    steps = -((started - enough - 1) // _STEP)
    return started + max(0, steps) * _STEP


def _read(connection: Connection, until: int) -> dict[str, int]:
    paid = (_NET > 0, orders.c.ordered_at < until)
    number = connection.scalar(select(func.count()).select_from(orders).where(*paid)) or 0
    above = select(_NET).where(*paid).order_by(_NET.desc()).offset(int(CUT_OFF * number)).limit(1)
    return {"cents": rounded_cap(int(connection.scalar(above) or 0)), "orders": number}
