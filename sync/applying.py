"""Carries out a plan: entrants are written down, then removes go out, then adds, then the proof. I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from experiments.audiences import Programme
from experiments.database import reading, writing
from experiments.digests import EMPTY, DigestSet
from experiments.errors import HoldoutsError, Rejected, Retryable
from experiments.identifier_log import forget_texts, remember_identifiers, sent_identifiers
from experiments.ledger import (
    count_entrants,
    current_phase,
    entered_since,
    entrants_of,
    open_phase,
    read_file_holdouts,
    record_entrants,
)
from experiments.phases import Assigned, Phase, assign
from sync import delivery, history, pushes
from sync.criteo import MAX_IDENTIFIERS, Criteo
from sync.delays import Delays, delays
from sync.delivery import Courier, Sent, Stopwatch, Target
from sync.gathering import sibling_lists
from sync.opening import open_list
from sync.plan import ListPlan, Plan
from sync.rejections import forget_rejections, lists_with_rejections


@dataclass(frozen=True, slots=True)
class ListResult:
    """What one sync did to one list."""

    plan: ListPlan
    delivery: history.Delivery
    state: history.ListState
    entrants: int = 0
    failure: Rejected | None = None
    """Why Criteo would not have this list changed; the others were served."""


@dataclass(slots=True)
class _Progress:
    """How far a sync has come, list by list."""

    may_release: bool = True
    list_ids: dict[str, str] = field(default_factory=dict)
    removed: dict[str, Sent] = field(default_factory=dict)
    added: dict[str, Sent] = field(default_factory=dict)
    deferred: dict[str, int] = field(default_factory=dict)
    failures: dict[str, Rejected] = field(default_factory=dict)
    interrupted: Retryable | None = None
    uncounted: bool = False
    """Criteo gave no counts, so it is not asked for more of them."""

    def outcome(self, plan: ListPlan) -> history.Outcome:
        """How it ended for one list."""
        if plan.refusals:
            return "refused"
        whole = plan.name in self.removed and plan.name in self.added
        return "applied" if whole and plan.name not in self.failures else "failed"


def apply(
    engine: Engine,
    criteo: Criteo,
    programme: Programme,
    plan: Plan,
    at: int,
    *,
    chunk: int = MAX_IDENTIFIERS,
    watch: Stopwatch | None = None,
    may_release: bool = True,
) -> tuple[ListResult, ...]:
    """Applies every list plan that no fuse refused; `at` is the time that is written down, and `watch` has run
    since the segments were read.

    People leave an include list before they enter another or leave an exclusion, so that nobody is
    ever in two windows, or advertised to a moment too long. A list that Criteo rejects keeps its state
    and the others go on; where Criteo fails, what was done is recorded and Retryable raised. Raises
    Leaked where the proof fails. Without `may_release` nobody leaves a list of excluded or held-out people:
    somebody else's include list was not brought in step.
    """
    entrants = _enter(engine, programme, plan, at)
    courier = Courier(engine, criteo, programme.advertiser, at, chunk, watch or Stopwatch(at))
    done = _Progress(may_release)
    try:
        _deliver(courier, programme, [each for each in plan.lists if not each.refusals], done)
    except Retryable as error:
        done.interrupted = error
    results = tuple(_result(courier, each, done, entrants.get(each.name, EMPTY)) for each in plan.lists)
    _record(courier, results, done)
    _forget_unlisted(engine)
    if done.interrupted is not None:
        raise done.interrupted
    for audience in programme.includes:
        delivery.prove(engine, audience)
    return results


def _enter(engine: Engine, programme: Programme, plan: Plan, at: int) -> dict[str, DigestSet]:
    """Opens phases where a holdout changed, and records who enters and as what, before anything is sent."""
    entered = {}
    with writing(engine) as connection:
        read_file_holdouts(connection, programme, at)
        for each in plan.lists:
            if not each.refusals:
                remember_identifiers(connection, each.identifiers)
            if each.arms is None or each.holdout is None or each.refusals:
                continue
            phase = open_phase(connection, programme.audience(each.name), each.holdout, at)
            new = _entering(connection, phase, each)
            record_entrants(connection, phase, new, at)
            entered[each.name] = new.units
    return entered


def _entering(connection: Connection, phase: Phase, plan: ListPlan) -> Assigned:
    """Whom the plan lets enter; worked out anew where the ledger is not the one that the plan was made from."""
    assert plan.arms is not None
    known = plan.entered
    if plan.entering is not None and (known is None or known.phase == phase):
        before = 0 if known is None else len(known)
        if count_entrants(connection, phase.id) == before:
            return plan.entering
    return assign(plan.arms.units, phase.holdout).without(entrants_of(connection, phase.id))


def _forget_unlisted(engine: Engine) -> None:
    """How an identifier was written, and that Criteo rejects it, is known no longer than a list may hold it."""
    with writing(engine) as connection:
        for list_id in lists_with_rejections(connection):
            forget_rejections(connection, list_id, pushes.holding(connection, list_id).at_most)
        if sent_identifiers(connection):
            forget_texts(connection, pushes.listed(connection))


def _deliver(courier: Courier, programme: Programme, going: Iterable[ListPlan], done: _Progress) -> None:
    going = list(going)
    includes = [each for each in going if each.role == "include"]
    guards = [each for each in going if each.role != "include"]
    _remove(courier, includes, done)
    _add(courier, guards, done, programme)
    _add(courier, includes, done, programme)
    _remove(courier, [each for each in guards if done.may_release or not len(each.removes)], done)


def _remove(courier: Courier, plans: Iterable[ListPlan], done: _Progress) -> None:
    for each in plans:
        if each.name in done.failures:
            continue
        try:
            target = _target(courier, each, done) if len(each.removes) else None
            done.removed[each.name] = (
                Sent() if target is None else delivery.transmit(courier, target, "remove", each.removes)
            )
        except Rejected as error:
            done.failures[each.name] = error


def _add(courier: Courier, plans: Iterable[ListPlan], done: _Progress, programme: Programme) -> None:
    for each in plans:
        if each.name in done.failures:
            continue
        if not len(each.adds):
            done.added[each.name] = Sent()
            continue
        is_window = each.role == "include"
        siblings = sibling_lists(programme, programme.audience(each.audience)) if is_window else ()
        try:
            target = _target(courier, each, done)
            done.added[each.name], done.deferred[each.name] = delivery.add(courier, target, each, siblings)
        except Rejected as error:
            done.failures[each.name] = error


def _target(courier: Courier, plan: ListPlan, done: _Progress) -> Target:
    list_id = plan.list_id or done.list_ids.get(plan.name)
    if list_id is None:
        list_id = open_list(courier.engine, courier.criteo, courier.advertiser, plan.list, plan.role)
    done.list_ids[plan.name] = list_id
    return Target(list_id, plan.audience if plan.role == "include" else None)


def _result(courier: Courier, plan: ListPlan, done: _Progress, entrants: DigestSet) -> ListResult:
    added, removed = done.added.get(plan.name, Sent()), done.removed.get(plan.name, Sent())
    sent = history.Delivery(
        outcome=done.outcome(plan),
        adds=added.identifiers,
        removes=removed.identifiers,
        rejected=added.invalid,
        deferred=done.deferred.get(plan.name, 0),
        delays=_delays(courier, plan, added, entrants),
    )
    return ListResult(plan, sent, _state(courier, plan, done), len(entrants), done.failures.get(plan.name))


def _delays(courier: Courier, plan: ListPlan, added: Sent, entrants: DigestSet) -> Delays:
    """Of those who entered in this run, or in an earlier one that did not serve everybody."""
    if plan.arms is None or not added.accepted:
        return Delays()
    waiting: dict[int, DigestSet] = {}
    if len(plan.adds - entrants):
        with reading(courier.engine) as connection:
            phase = current_phase(connection, plan.name)
            served = history.served_until(connection, plan.name)
            if phase is not None:
                since = phase.opened_at - 1 if served is None else served
                waiting = entered_since(connection, phase.id, since)
    return delays(added.accepted, {**waiting, courier.at: entrants})


def _state(courier: Courier, plan: ListPlan, done: _Progress) -> history.ListState:
    """What Criteo and the ledger count; nothing but the ledger's where Criteo does not answer."""
    list_id = plan.list_id or done.list_ids.get(plan.name)
    if list_id is None:
        return history.ListState()
    with reading(courier.engine) as connection:
        pushed = len(pushes.holding(connection, list_id).surely)
    if done.interrupted is not None or done.uncounted or plan.name in done.failures:
        return history.ListState(pushed)
    try:
        counts = courier.criteo.statistics(list_id)
    except HoldoutsError:
        done.uncounted = True
        return history.ListState(pushed)
    return history.ListState(pushed, counts.identifiers, counts.matches, counts.match_rate)


def _record(courier: Courier, results: Iterable[ListResult], done: _Progress) -> None:
    with writing(courier.engine) as connection:
        history.forget_idle_syncs(connection, courier.at)
        for result in results:
            history.record_sync(connection, result.plan, result.delivery, result.state, courier.at)
            if done.outcome(result.plan) == "applied":
                history.use_approval(connection, result.plan.name, result.plan.hash, courier.at)
