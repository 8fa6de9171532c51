"""Gathers everything a decision rests on, from Customer.io and from the ledger; writes nothing. I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from experiments.audiences import Audience, Programme
from experiments.database import reading
from experiments.erasures import Erased, erased_people
from experiments.errors import Retryable
from experiments.identifier_log import sent_identifiers
from experiments.identifiers import Form
from experiments.ledger import current_phase, entered_in, holdouts_in_force
from experiments.phases import Entered, Holdout
from sync import history, pushes
from sync.customerio import CustomerIO
from sync.decision import UNIVERSAL_LIST, Facts, holdout_list
from sync.lists import COMING, KnownList, known_lists
from sync.naming import identifiers_to_send, named
from sync.plan import Beside, Former, Membership
from sync.segments import read_membership


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts, and the audiences whose segment could not be read with the reason."""

    facts: Facts
    failures: Mapping[str, Retryable]


def gather(engine: Engine, customerio: CustomerIO, programme: Programme) -> Gathered:
    """Reads every segment and the ledger.

    A segment that does not answer leaves its audience out, and the others go on; a rejected credential
    or an unknown segment is ours to mend and ends the run.
    """
    memberships, failures = read_memberships(customerio, programme.audiences)
    return Gathered(read_facts(engine, programme, memberships), failures)


def read_memberships(
    customerio: CustomerIO, audiences: Iterable[Audience]
) -> tuple[dict[str, Membership], dict[str, Retryable]]:
    """The people of these audiences' segments, and why the others could not be read.

    Audiences of one segment see the same people of it, and fail together.
    """
    memberships: dict[str, Membership] = {}
    failures: dict[str, Retryable] = {}
    for (segment, forms), asking in _by_source(audiences).items():
        try:
            membership = read_membership(customerio, segment, forms)
        except Retryable as error:
            failures |= dict.fromkeys(asking, error)
        else:
            memberships |= dict.fromkeys(asking, membership)
    return memberships, failures


def _by_source(audiences: Iterable[Audience]) -> dict[tuple[int, tuple[Form, ...]], list[str]]:
    """The audiences that rest on one segment and read the same of it: it is asked once for all of them."""
    sources: dict[tuple[int, tuple[Form, ...]], list[str]] = {}
    for audience in audiences:
        sources.setdefault((audience.segment, audience.forms), []).append(audience.name)
    return sources


def read_facts(
    engine: Engine,
    programme: Programme,
    memberships: Mapping[str, Membership],
    *,
    plans: Collection[str] | None = None,
) -> Facts:
    """The same from memberships that were read already; whoever was erased is in none of them.

    `plans` names the audiences and lists of held-out people to be decided, where it is not all of them.
    """
    with reading(engine) as connection:
        erased = erased_people(connection)
        lists = known_lists(connection)
        known = {each.name: each.id for each in lists if each.state == "current"}
        called = list_names(programme)
        besides, left = _apart(lists, frozenset(called.values()))
        list_ids = {
            name: known[called[name]]
            for name in called
            if called[name] in known and (plans is None or name in plans)
        }
        decided = [each for each in programme.includes if plans is None or each.name in plans]
        holdouts = holdouts_in_force(connection, decided, programme)
        sent = sent_identifiers(connection)
        identifiers = identifiers_to_send(memberships, sent)
        usable = named(programme, memberships, identifiers)
        return Facts(
            programme=programme,
            memberships={name: _without(each, erased) for name, each in usable.items()},
            holdings={name: pushes.holding(connection, each) for name, each in list_ids.items()},
            holdouts=holdouts,
            entered=_entered(connection, [programme.audience(name) for name in memberships], holdouts),
            list_ids=list_ids,
            formers=tuple(_former(connection, each) for each in left),
            besides=tuple(_beside(connection, each) for each in besides),
            last_units=history.last_units(connection),
            approved=history.open_approvals(connection),
            identifiers=identifiers,
            sent=sent,
        )


def _entered(
    connection: Connection, planned: Iterable[Audience], holdouts: Mapping[str, Holdout]
) -> dict[str, Entered]:
    """Whom the open phase knows, of the audiences that are planned."""
    found = {}
    for audience in (each for each in planned if each.role == "include"):
        phase = current_phase(connection, audience.name)
        if phase is not None and phase.is_for(audience.holdout_group, holdouts[audience.name]):
            found[audience.name] = entered_in(connection, phase)
    return found


def sibling_lists(programme: Programme, audience: Audience) -> tuple[str, ...]:
    """The lists of the other windows of an include audience's holdout group, as the file calls them."""
    group = programme.groups[audience.holdout_group]
    return tuple(each.list for each in group if each.name != audience.name)


def list_names(programme: Programme) -> dict[str, str]:
    """How the audiences file calls the list of each plan, by the plan's name."""
    groups = dict.fromkeys(holdout_list(each.holdout_group) for each in programme.public_includes)
    held_out = (*groups, UNIVERSAL_LIST) if groups else ()
    return {each.name: each.list for each in programme.audiences} | {name: name for name in held_out}


def _apart(
    lists: Iterable[KnownList], kept: frozenset[str]
) -> tuple[tuple[KnownList, ...], tuple[KnownList, ...]]:
    """The lists beside a current one that is kept, and those that nobody keeps: `kept` has the names in the file."""
    besides = tuple(each for each in lists if each.name in kept and each.state in {*COMING, "leaving"})
    left = (each for each in lists if each.name not in kept or each.state == "former")
    return besides, tuple(left)


def _beside(connection: Connection, known: KnownList) -> Beside:
    holding = pushes.holding(connection, known.id)
    return Beside(known.id, known.name, known.role, holding, known.state == "leaving")


def _former(connection: Connection, known: KnownList) -> Former:
    """Only what a campaign may show needs somebody's word before it is emptied."""
    is_shown = known.state in ("current", "swapping")
    return Former(known.id, known.name, known.role, pushes.holding(connection, known.id), not is_shown)


def _without(membership: Membership, erased: Erased) -> Membership:
    found = erased.among(membership.units)
    if not len(found):
        return membership
    unusable = {**membership.unusable, "erased": len(found)}
    return replace(membership, units=membership.units - found, unusable=unusable)
