"""Takes in the orders since the last load, a few days over again for those that came late. I/O."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from prefect import flow

from analysis.orders import OrderLoad, load_orders, orders_watermark
from flows import announcements
from flows.presentation import show_run
from flows.runs import timed
from flows.session import Session, moment, open_session
from flows.steps import step

HISTORY = timedelta(days=180)
"""How far the first load goes back: what people bought before they entered."""
OVERLAP = timedelta(days=7)
"""How far each load goes back behind the last one."""


@step("load orders", retries=2)
def take_in(session: Session, since: datetime, until: datetime) -> OrderLoad:
    """The orders of one stretch of time."""
    programme = session.programme
    return load_orders(
        session.engine, programme.orders, programme.currency, since=since, until=until, at=until
    )


@flow(name="load-orders", flow_run_name=timed("load-orders"), persist_result=False)
def load_orders_flow(now: datetime | None = None, since: date | None = None) -> dict[str, object]:
    """Loads orders up to now, each once.

    Args:
        now: Orders up to this time; empty means the time of the run.
        since: Read again from this day on, after the source was repaired; empty means since the last load.
    """
    until = moment(now)
    with open_session() as session:
        last = orders_watermark(session.engine)
        start = min(_day(since) if since else _after(last, until), until)
        load = take_in(session, start, until)
    if not load.accepted:
        announcements.source_stale("source", "orders", f"not one usable order since {start:%Y-%m-%d}")
    show_run(
        "orders",
        [{"reason": reason, "rows": rows} for reason, rows in load.rejected.items()],
        "Rows left out",
    )
    return {
        "accepted": load.accepted,
        "refunds": load.refunds,
        "rejected": dict(load.rejected),
        "examples": [{"row": each.row, "reason": each.reason} for each in load.examples],
    }


def _after(last: int | None, until: datetime) -> datetime:
    return until - HISTORY if last is None else datetime.fromtimestamp(last, UTC) - OVERLAP


def _day(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


if __name__ == "__main__":
    load_orders_flow()
