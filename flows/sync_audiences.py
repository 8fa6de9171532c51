"""Keeps Criteo's contact lists equal to the Customer.io segments, minus the people held out. I/O.

Needs the credentials of Customer.io and Criteo, as environment variables or Prefect Secret blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from prefect import flow
from sqlalchemy import Row

from experiments.database import reading
from experiments.errors import HoldoutsError, Leaked, Refused
from experiments.lock import exclusive
from flows import announcements
from flows.presentation import plan_table, show_run, sync_table
from flows.refreshing import advance_refreshes, begin_refresh, with_refreshes
from flows.refusals import approval_links, show_refusals
from flows.runs import timed
from flows.session import Session, moment, open_criteo, open_customerio, open_session, seconds
from flows.steps import step
from flows.write_back import write_back_groups
from sync.applying import ListResult, apply
from sync.decision import decide
from sync.delivery import Stopwatch
from sync.erasing import complete_erasures
from sync.gathering import Gathered, gather
from sync.history import ListState, last_syncs, match_history
from sync.match_rate import MatchRate, newly_fallen, usual
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
    now: datetime | None = None, dry_run: bool = False, refresh: str = ""
) -> list[dict[str, object]]:
    """Reads the segments, decides, and applies what no fuse refuses.

    Args:
        now: The time that is written down; empty means the time of the run.
        dry_run: Only show what would move; nothing is changed anywhere.
        refresh: An audience, or a list of held-out people such as `holdout · cart`, whose list is rebuilt beside the
            one that is there and then swapped in; empty for none. Later syncs go on with it by themselves.
    """
    with open_session() as session:
        if dry_run:
            return _rehearse(session)
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
    _raise_for(plan, list(gathered.failures.values()), "a sync would refuse: ")
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
    _announce(plan, gathered, before)
    _announce_rates(results, rates)
    unsettled = [*(each.name for each in plan.refused), *gathered.failures]
    failures = [
        *(each.failure for each in results if each.failure),
        *(each.failure for each in steps if each.failure),
        *gathered.failures.values(),
    ]
    failures += write_back_groups(session, unsettled)
    _raise_for(plan, failures, "refused, the other audiences were synced: ")
    return rows


def _announce(plan: Plan, gathered: Gathered, before: Mapping[str, Row[Any]]) -> None:
    """Tells people what they should look at."""
    approvals = approval_links(plan)
    show_refusals(plan, approvals)
    for refused in plan.refused:
        announcements.sync_refused(refused, approvals.get(refused.name))
    for name, failure in gathered.failures.items():
        last = before.get(name)
        since = None if last is None else datetime.fromtimestamp(last.synced_at, UTC)
        announcements.source_stale("audience", name, str(failure), since)


def _announce_rates(results: Sequence[ListResult], rates: Mapping[str, Sequence[MatchRate]]) -> None:
    """Tells whose match rate fell below its own past with this sync."""
    for result in results:
        past, now = rates.get(result.plan.name, ()), _rate(result.state)
        if now is not None and newly_fallen(past, now) and (before := usual(past)) is not None:
            announcements.match_rate_fell(result.plan.name, before.share, now.share, now.identifiers)


def _rate(state: ListState) -> MatchRate | None:
    if state.match_rate is None or not state.identifiers:
        return None
    return MatchRate(state.match_rate, state.identifiers)


def _raise_for(plan: Plan, failures: Sequence[HoldoutsError], opening: str) -> None:
    """Ends the run as refused or failed, after everybody else was served."""
    if plan.refused:
        reasons = (f"{each.name} (plan {each.hash}): {each.refusals[0].reason}" for each in plan.refused)
        raise Refused(opening + "; ".join(reasons))
    if failures:
        raise failures[0]


if __name__ == "__main__":
    sync_audiences()
