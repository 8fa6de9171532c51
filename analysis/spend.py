"""Keeps what Criteo charged and claimed, by ad set and UTC day. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine, func, select

from analysis.facts import SpendTotal
from experiments.database import insert_or_update, reading, writing
from experiments.errors import Rejected
from experiments.schema import spend

TRAILING = timedelta(days=30)
"""Criteo's post-click figures move for thirty days: each load reads them again."""


class SpendRow(Protocol):
    """One ad set on one day, as a report gives it; money in whole units of `currency`."""

    @property
    def ad_set(self) -> str: ...  # noqa: D102 - a column
    @property
    def day(self) -> date: ...  # noqa: D102 - a column
    @property
    def currency(self) -> str: ...  # noqa: D102 - a column
    @property
    def cost(self) -> float: ...  # noqa: D102 - a column
    @property
    def attributed_revenue(self) -> float: ...  # noqa: D102 - a column
    @property
    def attributed_orders(self) -> int: ...  # noqa: D102 - a column
    @property
    def displays(self) -> int: ...  # noqa: D102 - a column
    @property
    def clicks(self) -> int: ...  # noqa: D102 - a column


def store_spend(engine: Engine, rows: Sequence[SpendRow], currency: str, at: datetime) -> int:
    """Writes the rows, replacing earlier figures of the same day; raises Rejected for another currency."""
    for row in rows:
        if row.currency != currency:
            raise Rejected(f"Criteo reports spend in {row.currency}, audiences.yaml says {currency}")
    values = [
        {
            "ad_set": row.ad_set,
            "day": _day(row.day),
            "currency": row.currency,
            "cost": round(row.cost * 100),
            "attributed_revenue": round(row.attributed_revenue * 100),
            "attributed_orders": row.attributed_orders,
            "displays": row.displays,
            "clicks": row.clicks,
            "loaded_at": int(at.timestamp()),
        }
        for row in rows
    ]
    figures = (
        "currency",
        "cost",
        "attributed_revenue",
        "attributed_orders",
        "displays",
        "clicks",
        "loaded_at",
    )
    with writing(engine) as connection:
        insert_or_update(connection, spend, values, figures)
    return len(values)


def total_spend(engine: Engine, ad_sets: Sequence[str], since: int, until: int) -> SpendTotal:
    """Sums over the days of [since, until), in seconds."""
    sums = (spend.c.cost, spend.c.attributed_revenue, spend.c.attributed_orders)
    chosen = select(*(func.coalesce(func.sum(each), 0) for each in sums)).where(
        spend.c.ad_set.in_(ad_sets), spend.c.day >= since - since % 86_400, spend.c.day < until
    )
    with reading(engine) as connection:
        cost, revenue, claimed = connection.execute(chosen).one()
    # PostgreSQL sums whole numbers to decimals, which do not multiply with floats.
    return SpendTotal(float(cost) / 100, float(revenue) / 100, int(claimed))


def _day(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
