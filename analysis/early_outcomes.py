"""Counts by day of the window who was seen and who bought, where the data are. I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Engine, and_, case, func, literal, select, union_all

from analysis.early import Seen, SeenSpan, window_days
from analysis.outcomes import cell_of, entries, read_in_order
from analysis.timeline import Level, Span
from experiments.database import reading
from experiments.schema import orders


def count_seen(
    engine: Engine,
    phase_ids: Sequence[int],
    spans: Sequence[Span],
    window: int,
    *,
    watermark: int,
    level: Level,
) -> tuple[SeenSpan, ...]:
    """Per span and arm, by first entry: units by days seen, and buyers by days seen and day of first order.

    An order counts from the day on that has been seen whole; `window` and `watermark` in seconds.
    """
    if not phase_ids or not spans:
        return ()
    days, step = window_days(window)
    entry = entries(phase_ids, level)
    seen = (literal(watermark) - entry.c.entered_at) // step
    units = (
        select(
            entry.c.unit,
            entry.c.entered_at,
            cell_of(entry, spans).label("cell"),
            case((seen > days, days), else_=seen).label("seen"),
        )
        .where(entry.c.entered_at < watermark)
        .cte("units")
    )
    bought = and_(
        orders.c.unit == units.c.unit,
        orders.c.ordered_at >= units.c.entered_at,
        orders.c.ordered_at < units.c.entered_at + units.c.seen * step,
        orders.c.revenue > orders.c.refunded,
    )
    first = (
        select(
            units.c.cell,
            units.c.seen,
            func.min((orders.c.ordered_at - units.c.entered_at) // step).label("day"),
        )
        .select_from(units.join(orders, bought))
        .where(units.c.cell.is_not(None))
        .group_by(units.c.unit, units.c.cell, units.c.seen)
        .cte("first")
    )
    people = select(units.c.cell, units.c.seen, literal(-1).label("day"), func.count().label("n"))
    buyers = select(first.c.cell, first.c.seen, first.c.day, func.count().label("n"))
    statement = union_all(
        people.where(units.c.cell.is_not(None)).group_by(units.c.cell, units.c.seen),
        buyers.group_by(first.c.cell, first.c.seen, first.c.day),
    )
    seen_by: dict[int, dict[int, int]] = defaultdict(dict)
    first_by: dict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    with reading(engine) as connection:
        read_in_order(connection)
        for cell, whole, day, n in connection.execute(statement):
            if day < 0:
                seen_by[cell][int(whole)] = int(n)
            else:
                first_by[cell][int(whole), int(day)] = int(n)
    arms = [Seen(seen_by[cell], first_by[cell]) for cell in range(2 * len(spans))]
    return tuple(SeenSpan(arms[2 * at + 1], arms[2 * at]) for at in range(len(spans)))
