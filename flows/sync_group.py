"""Syncs one holdout group, as a part of a sync that is spread over a work pool. I/O.

Needs the credentials of Customer.io and Criteo, as environment variables or Prefect Secret blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from prefect import flow

from experiments.audiences import Audience
from experiments.database import reading, writing
from experiments.digests import EMPTY
from experiments.errors import HoldoutsError, Leaked, Refused, Rejected, Retryable
from experiments.lock import exclusive, together
from flows import announcements
from flows.ending import Ending
from flows.forms import HoldoutGroup
from flows.presentation import show_run, sync_table
from flows.session import Session, moment, open_criteo, open_customerio, open_session, seconds
from flows.spread import group_lock
from flows.steps import step
from flows.telling import tell, tell_rates
from sync.applying import ListResult, apply
from sync.decision import Exclusions, HeldOut, decide_group, holdout_list
from sync.gathering import read_facts, read_memberships
from sync.handovers import Handover, exclusions_handed_over, hand_over
from sync.history import last_syncs, match_history
from sync.plan import Membership, Plan
from sync.reconciling import HISTORY


@dataclass(frozen=True, slots=True)
class Windows:
    """The audiences of one group."""

    group: str
    audiences: tuple[Audience, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be done for a group, whom it holds out of everything, and which segments were not read."""

    plan: Plan
    held: HeldOut
    unread: Mapping[str, Retryable]


@flow(name="sync-group", flow_run_name="sync-group · {group}", persist_result=False)
def sync_group(group: HoldoutGroup, now: datetime) -> list[dict[str, object]]:
    """Reads the group's segments, decides, and applies what no fuse refuses.

    Args:
        group: The holdout group, whose audiences are planned together.
        now: The time of the sync that this run is a part of.
    """
    with open_session() as session:
        groups = session.programme.groups
        if group not in groups:
            raise Rejected(f"the audiences file has no holdout group {group!r}; it has {', '.join(groups)}")
        with together(session.engine, "sync"), exclusive(session.engine, group_lock(group)):
            windows = Windows(group, groups[group])
            return _sync(replace(session, is_one_of_several=True), windows, seconds(moment(now)))


@step("read segments", retries=2)
def read_windows(session: Session, windows: Windows) -> tuple[dict[str, Membership], dict[str, Retryable]]:
    """The people of the group's segments."""
    with open_customerio(session) as customerio:
        return read_memberships(customerio, windows.audiences)


@step("apply plan")
def apply_windows(session: Session, windows: Windows, plan: Plan, at: int) -> tuple[ListResult, ...]:
    """Entrants, removes, adds, proof."""
    with open_criteo(session) as criteo:
        return apply(session.engine, criteo, session.programme.only(windows.audiences), plan, at)


def _sync(session: Session, windows: Windows, at: int) -> list[dict[str, object]]:
    with reading(session.engine) as connection:
        before, rates = last_syncs(connection), match_history(connection, at - HISTORY)
        exclusions = exclusions_handed_over(connection, at)
    try:
        decided = _decide(session, windows, exclusions)
        results = apply_windows(session, windows, decided.plan, at)
    except HoldoutsError as error:
        if isinstance(error, Leaked):
            announcements.leak_found(error)
        _leave(session, windows, at, None, (), Ending(failures=(error,)))
        raise
    failures = [*(each.failure for each in results if each.failure), *decided.unread.values()]
    ending = Ending.of(decided.plan, failures)
    unsettled = [*(each.name for each in decided.plan.refused), *decided.unread]
    _leave(session, windows, at, decided.held, results, ending, unsettled)
    rows = sync_table(results)
    show_run("sync", rows, "What moved")
    tell(decided.plan, decided.unread, before)
    tell_rates(results, rates)
    ending.conclude("refused, the other audiences were synced: ")
    return rows


def _decide(session: Session, windows: Windows, exclusions: Exclusions) -> Decided:
    missing = {name for each in windows.audiences for name in each.exclude} - exclusions.units.keys()
    if missing:
        raise Refused(
            f"group {windows.group}: nobody said whom {', '.join(sorted(missing))} keeps out at this time; "
            "this flow is started by sync-audiences, so run that"
        )
    memberships, unread = read_windows(session, windows)
    plans = {each.name for each in windows.audiences} | {holdout_list(windows.group)}
    facts = read_facts(session.engine, session.programme, memberships, plans=plans)
    return Decided(*decide_group(facts, windows.group, exclusions), unread)


def _leave(
    session: Session,
    windows: Windows,
    at: int,
    held: HeldOut | None,
    results: tuple[ListResult, ...],
    ending: Ending,
    unsettled: Sequence[str] = (),
) -> None:
    """Tells the run that waits for this one; without `held` the group was not brought in step."""
    document = {
        "is_whole": held is not None,
        "is_all": held is not None and held.is_all,
        "rows": sync_table(results),
        "ending": ending.document,
        "unsettled": list(unsettled),
    }
    given = Handover(EMPTY if held is None else held.units, document)
    with writing(session.engine) as connection:
        hand_over(connection, "group", windows.group, at, given)
