"""One sync spread over a work pool: exclusions first, then a run for each holdout group, then what needs them all. I/O.

A group is the unit that must be planned together. Groups meet in three places only: the exclude audiences,
the people held out of everything, and lists that no audience keeps any more; this run keeps those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext

from experiments.database import reading, writing
from experiments.errors import HoldoutsError, Rejected, Retryable
from experiments.identifiers import SHA256
from experiments.ledger import read_file_holdouts
from experiments.lock import exclusive, together
from flows.ending import Ending
from flows.presentation import show_run, sync_table
from flows.runs import deployment_of
from flows.session import Session, open_criteo, open_customerio, seconds
from flows.spread import start_groups, watch
from flows.steps import step
from flows.telling import tell, tell_rates
from flows.write_back import write_back_groups
from sync.applying import ListResult, apply
from sync.criteo import Criteo
from sync.decision import UNIVERSAL_LIST, decide_exclusions, decide_rest
from sync.erasing import complete_erasures
from sync.gathering import read_facts, read_memberships
from sync.handovers import (
    Handover,
    clear_handovers,
    hand_over_exclusions,
    handed_over,
    held_out_handed_over,
)
from sync.history import last_syncs, match_history
from sync.plan import ListPlan, Membership, Plan
from sync.reconciling import HISTORY


@dataclass(frozen=True, slots=True)
class Shared:
    """What the groups have in common: the plans of the exclude audiences, and those that were not read."""

    plans: tuple[ListPlan, ...]
    unread: Mapping[str, Retryable]


def sync_by_group(session: Session, now: datetime) -> list[dict[str, object]]:
    """Syncs every audience, each holdout group in a flow run of its own; ends as a sync in one run would."""
    session = replace(session, is_one_of_several=True)
    _check_it_can(session)
    at = seconds(now)
    with (
        together(session.engine, "sync"),
        exclusive(session.engine, "sync by group"),
        open_criteo(session) as criteo,
    ):
        with reading(session.engine) as connection:
            before, rates = last_syncs(connection), match_history(connection, at - HISTORY)
        shared = _prepare(session, at)
        groups = session.programme.groups
        states = watch(session.engine, start_groups(deployment_of("sync-group"), groups, now))
        with reading(session.engine) as connection:
            told = handed_over(connection, "group", at)
        is_whole = all(group in told and told[group].document["is_whole"] for group in groups)
        plan = Plan((*shared.plans, *_plan_rest(session, at)))
        results = apply_rest(session, criteo, plan, at, is_whole=is_whole)
        _finish(session, at, is_whole=is_whole)
        unwritten = write_back_groups(session, _unsettled(session, told))
    rows = [row for group in groups if group in told for row in told[group].document["rows"]]
    rows += sync_table(results)
    show_run("sync", rows, "What moved")
    tell(plan, shared.unread, before)
    tell_rates(results, rates)
    failures = [*(each.failure for each in results if each.failure), *shared.unread.values()]
    failures += unwritten
    ending = _ending(states, told) + Ending.of(plan, failures)
    ending.conclude("refused, the other audiences were synced: ")
    return rows


def _check_it_can(session: Session) -> None:
    if session.engine.dialect.name != "postgresql":
        raise Rejected(
            "groups can be synced in runs of their own only where the ledger is PostgreSQL, which machines share; "
            "set HOLDOUTS_DATABASE_URL, or sync without `by_group`"
        )
    others = [each.name for each in session.programme.audiences if each.forms != (SHA256,)]
    if others:
        raise Rejected(
            f"groups cannot be synced in runs of their own while {others[0]} is sent as other identifiers than "
            "SHA-256: one that two people share is told only from all groups together; sync without `by_group`"
        )
    if FlowRunContext.get() is None:
        raise Rejected("groups can be synced in runs of their own only by the deployment of sync-audiences")


@step("read exclusions", retries=2)
def read_exclusions(session: Session) -> tuple[dict[str, Membership], dict[str, Retryable]]:
    """Everybody whom an exclude audience keeps out."""
    with open_customerio(session) as customerio:
        return read_memberships(customerio, session.programme.excludes)


def _prepare(session: Session, at: int) -> Shared:
    """Leaves for the groups what all of them need, the percentages of the file included."""
    memberships, unread = read_exclusions(session)
    names = [each.name for each in session.programme.excludes]
    plans, exclusions = decide_exclusions(
        read_facts(session.engine, session.programme, memberships, plans=names)
    )
    with writing(session.engine) as connection:
        clear_handovers(connection)
        read_file_holdouts(connection, session.programme, at)
        hand_over_exclusions(connection, at, exclusions)
    return Shared(plans, unread)


def _plan_rest(session: Session, at: int) -> tuple[ListPlan, ...]:
    programme = session.programme
    public = dict.fromkeys(each.holdout_group for each in programme.public_includes)
    with reading(session.engine) as connection:
        held = held_out_handed_over(connection, at, public)
    return decide_rest(read_facts(session.engine, programme, {}, plans=[UNIVERSAL_LIST]), held)


@step("apply plan of what is shared")
def apply_rest(
    session: Session, criteo: Criteo, plan: Plan, at: int, *, is_whole: bool
) -> tuple[ListResult, ...]:
    """The exclusions, the people held out of everything, and former lists.

    Where a group did not end, nobody leaves an exclusion: somebody may still have to leave an include list.
    """
    shared = session.programme.only(session.programme.excludes)
    return apply(session.engine, criteo, shared, plan, at, may_release=is_whole)


def _finish(session: Session, at: int, *, is_whole: bool) -> None:
    if is_whole:
        complete_erasures(session.engine, at)
    with writing(session.engine) as connection:
        clear_handovers(connection)


def _ending(states: Mapping[str, State], told: Mapping[str, Handover]) -> Ending:
    ending = Ending()
    for group, state in states.items():
        if group in told:
            ending += Ending.read(told[group].document["ending"])
        else:
            ending += Ending(failures=(_lost(group, state),))
    return ending


def _unsettled(session: Session, told: Mapping[str, Handover]) -> list[str]:
    """Audiences that were refused or not read, and all of a group that did not end."""
    names: list[str] = []
    for group, windows in session.programme.groups.items():
        if group in told and told[group].document["is_whole"]:
            names += told[group].document["unsettled"]
        else:
            names += [each.name for each in windows]
    return names


def _lost(group: str, state: State) -> HoldoutsError:
    return Retryable(
        f"the run of group {group} ended as {state.name} and told nothing; "
        "see that run, the next sync does its work"
    )
