"""Finds the profiles whose identifiers Criteo rejects: `holdouts audit rejected AUDIENCE`. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from experiments.audiences import Audience
from experiments.database import reading
from experiments.digests import DigestSet
from experiments.errors import Refused
from experiments.identifiers import SHA256, Identifiers
from experiments.ledger import current_phase
from experiments.lock import exclusive
from flows.identity_audit import audiences_named
from flows.preview import table_text
from flows.session import Session, moment, open_criteo, open_customerio, open_session, seconds
from sync.bisection import Search
from sync.customerio import CustomerIO
from sync.decision import Facts, decide
from sync.delivery import Courier, Target
from sync.gathering import gather
from sync.history import rejected_so_far
from sync.plan import ListPlan
from sync.rejections import FoundBy, rejections_of, suspects
from sync.segments import profiles_of


def audit_rejected(name: str, most: int, now: datetime | None = None) -> dict[str, Any]:
    """Finds them within so many requests, and tells whose profiles they are.

    Raises Rejected for an audience that there is not, Refused where a sync has to come first.
    """
    with (
        open_session() as session,
        exclusive(session.engine, "sync"),
        open_customerio(session) as customerio,
    ):
        (audience,) = audiences_named(session.programme, name)
        gathered = gather(session.engine, customerio, session.programme)
        if audience.name in gathered.failures:
            raise gathered.failures[audience.name]
        plan = decide(gathered.facts).named(audience.name)
        if plan.list_id is None:
            raise Refused(f"{audience.name}: it has no list in Criteo yet; run `holdouts sync` first")
        _check_holdout(session, gathered.facts, audience)
        search = _search(session, plan, plan.list_id, gathered.facts, most, seconds(moment(now)))
        with reading(session.engine) as connection:
            counted = rejected_so_far(connection, plan.name)
            found = rejections_of(connection, plan.list_id)
        return {
            "audience": audience.name,
            "rejected_in_syncs": counted,
            "rejected": len(found),
            "unfound": 0 if search is None else search.unfound,
            "requests": 0 if search is None else search.made,
            "profiles": _profiles(customerio, audience, found, gathered.facts.sent),
        }


def rejected_text(found: Mapping[str, Any]) -> str:
    """The profiles as a table, and what is still to be found."""
    if not found["rejected"] and not found["unfound"]:
        return f"{found['audience']}: Criteo rejects nobody on its list"
    many, made = f"{found['rejected']:,} identifiers", f"{found['requests']:,} requests"
    lines = [f"{found['audience']}: Criteo rejects {many} on its list; {made} made to find them"]
    if found["unfound"]:
        lines.append(f"{found['unfound']:,} more are not found yet: run it again, or with more --requests")
    if found["profiles"]:
        lines.append(table_text(found["profiles"]))
    return "\n".join(lines)


def _check_holdout(session: Session, facts: Facts, audience: Audience) -> None:
    """Whoever a changed holdout moves has to be moved before anybody is added, even again."""
    if audience.role == "exclude":
        return
    with reading(session.engine) as connection:
        phase = current_phase(connection, audience.name)
    if phase is None or phase.holdout != facts.holdouts[audience.name]:
        raise Refused(f"{audience.name}: its holdout changed since the last sync; run `holdouts sync` first")


def _search(
    session: Session, plan: ListPlan, list_id: str, facts: Facts, most: int, at: int
) -> Search | None:
    """Looks through everybody who is on the list, stays there, and came with somebody whom Criteo rejects."""
    with reading(session.engine) as connection:
        keys = suspects(connection, list_id)
    keys = (keys & facts.holding(plan.name).surely) - plan.removes
    if not len(keys):
        return None
    target = Target(list_id, plan.name if plan.role == "include" else None)
    with open_criteo(session) as criteo:
        courier = Courier(session.engine, criteo, session.programme.advertiser, at)
        search = Search(courier, target, most)
        for part in _by_form(keys, facts.sent):
            search.through(part)
    return search


def _by_form(keys: DigestSet, sent: Identifiers) -> Iterator[DigestSet]:
    named = sent.of_keys(keys)
    yield keys - named.keys()
    for entries in named.by_form.values():
        yield entries.key_set()


def _profiles(
    customerio: CustomerIO, audience: Audience, found: Mapping[bytes, FoundBy], sent: Identifiers
) -> list[dict[str, str]]:
    """The profiles of the rejected identifiers; whoever has left the segment since is in none of them."""
    if not found:
        return []
    sent = sent.of_keys(DigestSet.of(found))
    people = sent.people(DigestSet.of(found))
    owners = profiles_of(customerio, audience.segment, people)
    rows = []
    for key, found_by in found.items():
        form, units = _owner(DigestSet.of([key]), sent)
        rows += [
            {"profile": cio_id, "identifier": form, "found by": found_by}
            for cio_id, unit in owners.items()
            if unit in units
        ]
    return sorted(rows, key=lambda row: row["profile"])


def _owner(key: DigestSet, sent: Identifiers) -> tuple[str, frozenset[bytes]]:
    form = next(iter(sent.of_keys(key).by_form), SHA256.name)
    return form, frozenset(sent.people(key))
