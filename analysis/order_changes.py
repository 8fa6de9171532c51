"""What is special about the orders of a report: converted ones, and those that came after the last report. I/O."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, func, select

from experiments.database import reading
from experiments.schema import orders, refunds


def converted_orders(engine: Engine, watermark: int) -> list[dict[str, Any]]:
    """Per foreign currency: orders up to the watermark, their worth, and the lowest and highest rate used.

    An order keeps the rate that it was first converted with, so a report can be made again.
    """
    chosen = (
        select(
            orders.c.currency,
            func.count(),
            func.sum(orders.c.revenue),
            func.min(orders.c.rate),
            func.max(orders.c.rate),
        )
        .where(orders.c.currency.is_not(None), orders.c.ordered_at < watermark)
        .group_by(orders.c.currency)
        .order_by(orders.c.currency)
    )
    with reading(engine) as connection:
        return [
            {"currency": currency, "orders": number, "revenue": float(cents) / 100, "rates": [low, high]}
            for currency, number, cents, low, high in connection.execute(chosen)
        ]


def late_orders(engine: Engine, measured_at: int, watermark: int) -> dict[str, Any]:
    """What changes an earlier report by itself: orders from before its watermark that were loaded after it.

    Refunds count that were made since, of orders from before. Money in the programme's currency.
    """
    late = (orders.c.ordered_at < watermark, orders.c.loaded_at > measured_at)
    arrived = select(func.count(), func.coalesce(func.sum(orders.c.revenue), 0)).where(*late)
    returned = (
        select(func.count(), func.coalesce(func.sum(refunds.c.amount), 0))
        .select_from(refunds.join(orders, refunds.c.order_id == orders.c.order_id))
        .where(orders.c.ordered_at < watermark, refunds.c.refunded_at >= watermark)
    )
    with reading(engine) as connection:
        (number, cents), (back, given) = (connection.execute(each).one() for each in (arrived, returned))
    return {
        "orders": number,
        "revenue": float(cents) / 100,
        "refunds": back,
        "refunded": float(given) / 100,
    }
