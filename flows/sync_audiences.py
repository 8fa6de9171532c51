"""Keeps Criteo's contact lists equal to the Customer.io segments, minus the people held out. I/O.

Needs the credentials of Customer.io and Criteo, as environment variables or Prefect Secret blocks.
"""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from experiments.database import reading
from experiments.errors import Leaked
from experiments.lock import exclusive
from flows import announcements
from flows.ending import Ending
from flows.presentation import plan_table, show_run, sync_table
from flows.refreshing import advance_refreshes, begin_refresh, with_refreshes
from flows.runs import timed
from flows.session import Session, moment, open_criteo, open_customerio, open_session, seconds
from flows.steps import step
from flows.telling import tell, tell_rates
from flows.write_back import write_back_groups
from sync.applying import ListResult, apply
from sync.decision import decide
from sync.delivery import Stopwatch
from sync.erasing import complete_erasures
from sync.gathering import Gathered, gather
from sync.history import last_syncs, match_history
from sync.plan import Plan
from sync.reconciling import HISTORY
from sync.refresh import is_under_way


@step("read segments", retries=2)
def read_segments(session: Session) -> Gathered:
    """Everything a decision rests on."""
    with open_customerio(session) as customerio:
        return gather(session.engine, customerio, session.programme)


@step("apply plan")
def apply_plan(session: Session, plan: Plan, watch: Stopwatch) -> tuple[ListResult, ...]:
    """Entrants, removes, adds, proof; then whoever was to be erased and is on no list any more is forgotten."""
    with open_criteo(session) as criteo:
        results = apply(session.engine, criteo, session.programme, plan, watch.at, watch=watch)
    complete_erasures(session.engine, watch.at)
    return results


@flow(name="sync-audiences", flow_run_name=timed("sync-audiences"), persist_result=False)
def sync_audiences(
    now: datetime | None = None, dry_run: bool = False, refresh: str = "", by_group: bool = False
) -> list[dict[str, object]]:
    """Reads the segments, decides, and applies what no fuse refuses.

    Args:
        now: The time that is written down; empty means the time of the run.
        dry_run: Only show what would move; nothing is changed anywhere.
        refresh: An audience, or a list of held-out people such as `holdout · cart`, whose list is rebuilt beside the
            one that is there and then swapped in; empty for none. Later syncs go on with it by themselves.
        by_group: Sync each holdout group in a flow run of its own, on the work pool; for many workers. While a list
            is refreshed, all of them are synced in this run.
    """
    with open_session() as session:
        if dry_run:
            return _rehearse(session)
        if by_group and not refresh and not is_under_way(session.engine):
            from flows.sync_by_group import sync_by_group

            return sync_by_group(session, moment(now))
        watch = Stopwatch(seconds(moment(now)))
        with exclusive(session.engine, "sync"):
            if refresh:
                begin_refresh(session, refresh, watch)
            return _sync(session, watch)


def _rehearse(session: Session) -> list[dict[str, object]]:
    gathered = read_segments(session)
    plan = decide(gathered.facts)
    rows = plan_table(plan)
    show_run("dry-run", rows, "What would move")
    Ending.of(plan, list(gathered.failures.values())).conclude("a sync would refuse: ")
    return rows


def _sync(session: Session, watch: Stopwatch) -> list[dict[str, object]]:
    with reading(session.engine) as connection:
        before, rates = last_syncs(connection), match_history(connection, watch.at - HISTORY)
    gathered = read_segments(session)
    plan = decide(gathered.facts)
    try:
        results = apply_plan(session, plan, watch)
    except Leaked as leak:
        announcements.leak_found(leak)
        raise
    steps = advance_refreshes(session, plan, watch) if is_under_way(session.engine) else ()
    rows = with_refreshes(sync_table(results), plan, steps)
    show_run("sync", rows, "What moved")
    tell(plan, gathered.failures, before)
    tell_rates(results, rates)
    unsettled = [*(each.name for each in plan.refused), *gathered.failures]
    failures = [
        *(each.failure for each in results if each.failure),
        *(each.failure for each in steps if each.failure),
        *gathered.failures.values(),
    ]
    failures += write_back_groups(session, unsettled)
    Ending.of(plan, failures).conclude("refused, the other audiences were synced: ")
    return rows


if __name__ == "__main__":
    sync_audiences()
