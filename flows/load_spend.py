"""Takes in what Criteo charged and claimed, the last thirty days over again each time. I/O."""

from __future__ import annotations

from datetime import datetime, timedelta

from prefect import flow

from analysis.claims import store_claims
from analysis.spend import TRAILING, store_spend
from flows.runs import timed
from flows.session import Session, moment, open_criteo, open_session
from flows.steps import step


@step("load spend", retries=2)
def take_in(session: Session, until: datetime, trailing: timedelta) -> int:
    """The report of the trailing days."""
    programme = session.programme
    with open_criteo(session) as criteo:
        rows = criteo.spend_report(
            programme.advertiser,
            programme.currency,
            (until - trailing).date(),
            until.date() + timedelta(days=1),
        )
    return store_spend(session.engine, rows, programme.currency, until)


@step("load claims", retries=2)
def take_in_claims(session: Session, until: datetime, trailing: timedelta) -> int:
    """Which orders of the trailing days Criteo claims as its own."""
    programme = session.programme
    with open_criteo(session) as criteo:
        rows = criteo.transactions(
            programme.advertiser,
            programme.currency,
            (until - trailing).date(),
            until.date() + timedelta(days=1),
        )
    return store_claims(session.engine, rows, until)


@flow(name="load-spend", flow_run_name=timed("load-spend"), persist_result=False)
def load_spend(now: datetime | None = None) -> int:
    """Loads spend by ad set and day, and which orders Criteo claims.

    Args:
        now: Spend up to this day; empty means the time of the run.
    """
    with open_session() as session:
        until = moment(now)
        rows = take_in(session, until, TRAILING)
        take_in_claims(session, until, TRAILING)
        return rows


if __name__ == "__main__":
    load_spend()
