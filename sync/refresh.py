"""Rebuilds a list in Criteo: a second one is filled, checked and swapped in, then the first is drained. I/O.

    filling ── everybody is on it ──► filled ── Criteo has taken it over and counts it ──► swapping
    swapping ── no audience names the old list any more ──► current, and the old list is leaving
    leaving ── campaigns have taken the swap over ──► former ── emptied ──► deleted, unless something uses it

Each stage is written down before or after what it does such that doing it again is harmless: a sync that finds a
refresh under way goes on with it. Until the swap no ad knows the new list; after it both are kept in step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from experiments.audiences import CriteoClock, Programme
from experiments.database import reading, writing
from experiments.errors import Rejected, Retryable
from experiments.playbook.clock import Rhythm, live_at
from sync import pushes
from sync.algebra import turned
from sync.criteo_values import Audience
from sync.delivery import Courier, Target, transmit
from sync.drift import judge
from sync.gathering import list_names
from sync.lists import (
    COMING,
    KnownList,
    State,
    change_list,
    known_lists,
    list_of_id,
    lists_named,
    remember_list,
)
from sync.plan import ListPlan, Plan


@dataclass(frozen=True, slots=True)
class Step:
    """How far one list of a refresh has come, and what it waits for."""

    name: str
    """How the audiences file calls it."""
    list_id: str
    stage: State
    sentence: str
    failure: Rejected | None = None
    """Why Criteo would not have it go on."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What every stage looks at."""

    courier: Courier
    clock: CriteoClock
    plans: Mapping[str, ListPlan]
    """The plans of the lists beside a current one, by the list's id."""
    kept: Collection[str]
    """The names of all lists that the audiences file keeps."""


_Outcome = tuple[KnownList, str]


def begin(courier: Courier, programme: Programme, name: str) -> None:
    """Makes the second list of an audience, or of `holdout · GROUP`; goes on where there is one already.

    Raises Rejected where there is nothing to refresh, where the list is named by its id, and where a lookalike
    segment grows from it, for Criteo cannot turn that to another list.
    """
    called = list_names(programme)
    if name not in called:
        raise Rejected(f"{name!r} is no audience; choose one of {', '.join(called)}")
    if called[name].isdecimal():
        raise Rejected(
            f"{name}: the audiences file names its list by the id {called[name]}, and a refresh makes another list; "
            "name it by its name first"
        )
    with reading(courier.engine) as connection:
        lists = lists_named(connection, called[name])
    current = next((each for each in lists if each.state == "current"), None)
    if current is None:
        raise Rejected(f"{name} has no list in Criteo yet; run `holdouts sync` first")
    if not any(each.state in COMING for each in lists):
        _refuse_a_seed(courier, current)
        _make(courier, current)


def is_under_way(engine: Engine) -> bool:
    """Whether any refresh has something left to do."""
    with reading(engine) as connection:
        return any(each.state != "current" for each in known_lists(connection))


def advance(courier: Courier, programme: Programme, plan: Plan) -> tuple[Step, ...]:
    """Takes every refresh as far as it goes now, after the sync has applied this plan.

    Raises Retryable where Criteo fails; what was done stands in the ledger, and the next sync goes on.
    """
    besides = {each.list_id: each for each in plan.lists if each.of is not None and each.list_id is not None}
    work = _Work(courier, programme.criteo, besides, frozenset(list_names(programme).values()))
    told = [_as_far_as_it_goes(work, each) for each in _under_way(courier, COMING)]
    told += [_as_far_as_it_goes(work, each) for each in _under_way(courier, {"leaving", "former"})]
    return tuple(told)


def _under_way(courier: Courier, states: Collection[State]) -> list[KnownList]:
    with reading(courier.engine) as connection:
        return [each for each in known_lists(connection) if each.state in states]


def _as_far_as_it_goes(work: _Work, known: KnownList) -> Step:
    sentence = ""
    try:
        while (stage := _STAGES.get(known.state)) is not None:
            before = known.state
            known, sentence = stage(work, known)
            if known.state == before:
                break
    except Rejected as error:
        return Step(known.name, known.id, known.state, str(error), error)
    return Step(known.name, known.id, known.state, sentence)


def _refuse_a_seed(courier: Courier, current: KnownList) -> None:
    for each in courier.criteo.segments(courier.advertiser):
        if each.seed == current.id:
            raise Rejected(
                f"{current.name}: Criteo's lookalike segment {each.name!r} ({each.id}) grows from its list and cannot be "
                "turned to another one; delete that segment first, or empty and fill the list by hand"
            )


def _make(courier: Courier, current: KnownList) -> None:
    """Makes the second list, or finds one that a run made before it died; nothing is sent to it yet."""
    name = f"{current.name} · after {current.id}"
    found = courier.criteo.find_or_create_list(courier.advertiser, name, f"kept by holdouts: {current.role}")
    with reading(courier.engine) as connection:
        known = list_of_id(connection, found.id)
    strangers = courier.criteo.statistics(found.id).identifiers or 0
    if known is None and strangers:
        raise Rejected(
            f"Criteo's list {name!r} ({found.id}) holds {strangers:,} people whom this ledger never sent; "
            "delete it in Criteo and run again"
        )
    second = KnownList(found.id, current.name, current.role, "filling", courier.now())
    with writing(courier.engine) as connection:
        (remember_list if known is None else change_list)(connection, second)


def _fill(work: _Work, known: KnownList) -> _Outcome:
    """The sync itself fills it; here it is seen whether everybody is on it."""
    if known.name not in work.kept:
        return _moved(work, known, "former"), ""
    if work.courier.criteo.segment(known.id) is None:
        return _given_up(work, known)
    unready = _unready(work, known)
    return (known, unready) if unready else (_moved(work, known, "filled"), "")


def _check(work: _Work, known: KnownList) -> _Outcome:
    """A list may be swapped in once campaigns can show it and Criteo counts what it accepted."""
    if known.name not in work.kept:
        return _moved(work, known, "former"), ""
    if unready := _unready(work, known):
        return known, unready
    with reading(work.courier.engine) as connection:
        held = pushes.held(connection, known.id, known.since or 0)
    due = _live(work, known)
    if work.courier.now() < due:
        return known, f"{held.surely:,} identifiers are on the new list; Criteo takes it over by {_utc(due)}"
    if work.courier.criteo.segment(known.id) is None:
        return _given_up(work, known)
    identifiers = work.courier.criteo.statistics(known.id).identifiers
    found = judge(known.name, known.role, held, identifiers)
    if not found.is_good or (identifiers is None and held.low):
        return known, f"the new list is not swapped in: {found.sentence}"
    return _moved(work, known, "swapping"), ""


def _unready(work: _Work, known: KnownList) -> str:
    """Why the new list does not hold yet what the current one should; empty where it does."""
    plan = work.plans.get(known.id)
    if plan is None or plan.waits_for:
        return "the new list waits until its current one may change"
    with reading(work.courier.engine) as connection:
        holding = pushes.holding(connection, known.id)
    missing, extra = len(plan.adds - holding.surely), len(plan.removes & holding.at_most)
    if missing or extra:
        there = len(holding.surely - plan.removes)
        return f"{there:,} of {there + missing:,} identifiers are on the new list"
    return ""


def _given_up(work: _Work, known: KnownList) -> _Outcome:
    gone = "somebody deleted the new list in Criteo; the current one was left as it is: begin again"
    return _deleted(work, known), gone


def _swap(work: _Work, known: KnownList) -> _Outcome:
    """Turns every audience that is made of the old list to the new one, then gives the new one its name."""
    courier = work.courier
    with reading(courier.engine) as connection:
        lists = lists_named(connection, known.name)
    old = next((each for each in lists if each.state == "current"), None)
    if old is None:
        return _moved(work, known, "current"), "nothing is left that it could take the place of"
    for audience in _readable(courier, old):
        assert audience.algebra is not None
        courier.criteo.update_audience(audience.id, turned(audience.algebra, old.id, known.id))
    left = _readable(courier, old)
    if left:
        raise Retryable(f"{known.name}: an audience names the old list again; run the sync again")
    _rename(courier, old, known)
    at = courier.now()
    with writing(courier.engine) as connection:
        change_list(connection, replace(old, state="leaving", since=at))
        change_list(connection, replace(known, state="current", since=at))
    return replace(known, state="current", since=at), "the new list took the place of the old one"


def _readable(courier: Courier, old: KnownList) -> tuple[Audience, ...]:
    """The audiences made of the old list; Rejected, before any of them is changed, where one cannot be read."""
    found = courier.criteo.audiences_naming(courier.advertiser, old.id)
    for each in found:
        if each.algebra is None:
            raise Rejected(
                f"{old.name}: audience {each.id} ({each.name}) is made of its list in a way that this version does not know; "
                f"take {old.id} out of it in Criteo, and the next sync goes on with the refresh"
            )
    return found


def _rename(courier: Courier, old: KnownList, new: KnownList) -> None:
    """The new list bears the name that people look for; an old one that bears another keeps it."""
    named = {each.name: each.id for each in courier.criteo.segments(courier.advertiser)}
    if named.get(old.name) == old.id:
        courier.criteo.rename_segment(old.id, f"{old.name} · former {old.id}")
    elif old.name in named:
        return
    courier.criteo.rename_segment(new.id, new.name)


def _leave(work: _Work, known: KnownList) -> _Outcome:
    """Campaigns may show the old list until Criteo has taken the swap over."""
    due = _live(work, known)
    if work.courier.now() < due:
        return known, f"the old list is emptied once Criteo has taken the swap over, by {_utc(due)}"
    return _moved(work, known, "former"), ""


def _drain(work: _Work, known: KnownList) -> _Outcome:
    """Takes everybody off a list that no campaign shows, and deletes it unless an audience or a lookalike uses it."""
    courier = work.courier
    with reading(courier.engine) as connection:
        left = pushes.holding(connection, known.id).at_most
    if courier.criteo.segment(known.id) is not None:
        transmit(courier, Target(known.id), "remove", left)
        if _is_used(courier, known.id):
            return known, "the old list is empty; something in Criteo still uses it, so it was not deleted"
        courier.criteo.delete_segments([known.id])
    return _deleted(work, known), "the old list was emptied and deleted"


def _is_used(courier: Courier, list_id: str) -> bool:
    seeds = {each.seed for each in courier.criteo.segments(courier.advertiser)}
    return list_id in seeds or bool(courier.criteo.audiences_naming(courier.advertiser, list_id))


def _moved(work: _Work, known: KnownList, state: State) -> KnownList:
    moved = replace(known, state=state, since=work.courier.now())
    with writing(work.courier.engine) as connection:
        change_list(connection, moved)
    return moved


def _deleted(work: _Work, known: KnownList) -> KnownList:
    """Nobody is on a list that is gone, so that whoever is erased need not be looked for there."""
    gone = replace(known, state="deleted", since=work.courier.now())
    with writing(work.courier.engine) as connection:
        pushes.write_off(connection, known.id, work.courier.at)
        change_list(connection, gone)
    return gone


def _live(work: _Work, known: KnownList) -> int:
    """When campaigns show what was asked in the state before; what comes at the very tick is taken to miss it."""
    asked = (known.since or 0) + (1 if work.clock.processing else 0)
    return live_at(asked, Rhythm((), 0, work.clock))


def _utc(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


_STAGES: Mapping[State, Callable[[_Work, KnownList], _Outcome]] = {
    "filling": _fill,
    "filled": _check,
    "swapping": _swap,
    "leaving": _leave,
    "former": _drain,
}
