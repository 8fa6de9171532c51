"""Keeps which orders Criteo claims as its own, and counts them by arm. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine, case, delete, exists, func, select

from analysis.facts import ClaimedOrders, Claims
from analysis.orders import KEPT_OF_STRANGERS
from analysis.outcomes import cell_of, entries
from analysis.timeline import Level, Span
from experiments.database import insert_or_update, reading, writing
from experiments.schema import claims, orders


class ClaimRow(Protocol):
    """One order that Criteo knows of, as its report gives it."""

    @property
    def id(self) -> str: ...  # noqa: D102 - a column
    @property
    def at(self) -> datetime: ...  # noqa: D102 - a column
    @property
    def ad_set(self) -> str: ...  # noqa: D102 - a column
    @property
    def event(self) -> str: ...  # noqa: D102 - a column
    @property
    def is_attributed(self) -> bool: ...  # noqa: D102 - a column


def store_claims(engine: Engine, rows: Sequence[ClaimRow], at: datetime) -> int:
    """Writes the claimed orders, replacing what was known of the same ones; gives how many there are.

    A claim on an order that the ledger does not have is kept as long as the order of a stranger would be.
    """
    values = {
        row.id.strip(): {
            "order_id": row.id.strip(),
            "claimed_at": int(row.at.timestamp()),
            "event": row.event.lower(),
            "ad_set": row.ad_set,
            "loaded_at": int(at.timestamp()),
        }
        for row in rows
        if row.is_attributed and row.id.strip()
    }
    changed = ("claimed_at", "event", "ad_set", "loaded_at")
    with writing(engine) as connection:
        insert_or_update(connection, claims, list(values.values()), changed)
        too_old = claims.c.claimed_at < int((at - KEPT_OF_STRANGERS).timestamp())
        unknown = ~exists().where(orders.c.order_id == claims.c.order_id)
        connection.execute(delete(claims).where(too_old, unknown))
    return len(values)


def claims_are_known(engine: Engine) -> bool:
    """Whether Criteo was ever asked which orders it claims, and claimed one."""
    with reading(engine) as connection:
        return connection.scalar(select(claims.c.order_id).limit(1)) is not None


def claimed_by_arm(
    engine: Engine, phase_ids: Sequence[int], spans: Sequence[Span], *, watermark: int, level: Level
) -> Claims:
    """Orders from first entry to the watermark that Criteo claims, by the arm of who placed them.

    Compared are the orders' ids with the transaction ids of its report; revenue is what was paid and not
    refunded, in the programme's currency.
    """
    if not phase_ids or not spans:
        return Claims()
    entry = entries(phase_ids, level)
    cell = cell_of(entry, spans)
    chosen = (
        select(
            case((cell % 2 == 1, 1), else_=0).label("held_out"),
            func.count(),
            func.sum(orders.c.revenue - orders.c.refunded),
        )
        .select_from(claims)
        .join(orders, orders.c.order_id == claims.c.order_id)
        .join(entry, entry.c.unit == orders.c.unit)
        .where(orders.c.ordered_at >= entry.c.entered_at, orders.c.ordered_at < watermark, cell.is_not(None))
        .group_by("held_out")
    )
    with reading(engine) as connection:
        found = {
            bool(held_out): ClaimedOrders(int(number), float(cents) / 100)
            for held_out, number, cents in connection.execute(chosen)
        }
    nothing = ClaimedOrders()
    return Claims(found.get(True, nothing), found.get(False, nothing))
