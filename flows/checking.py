"""Says in plain words what is wrong with credentials, scopes, segments, lists and settings. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from experiments.audiences import Audience, Programme
from experiments.database import reading
from experiments.errors import HoldoutsError
from experiments.group_advice import advice
from experiments.ledger import current_phase, holdout_in_force
from experiments.overlap import overlaps
from flows.session import Session, open_criteo, open_customerio, open_session, open_track
from sync.criteo import Criteo
from sync.customerio import ATTRIBUTES_PAGE, CustomerIO, Segment

Severity = Literal["fine", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is, and what to do where it is wrong."""

    subject: str
    severity: Severity
    sentence: str
    exit_status: int = 0

    def document(self) -> dict[str, Any]:
        """For machines."""
        return {"subject": self.subject, "severity": self.severity, "sentence": self.sentence}


def check_set_up() -> list[Finding]:
    """Every finding, in the order in which a new user would mend them."""
    findings: list[Finding] = []
    with open_session() as session:
        findings.append(_fine("audiences file", f"{len(session.programme.audiences)} audiences"))
        findings.append(_fine("database", f"{session.engine.dialect.name}, at the newest version"))
        findings += _attempt("Customer.io", lambda: _check_customerio(session))
        if session.programme.write_back:
            findings += _attempt("Customer.io Track", lambda: _check_track(session))
        findings += _attempt("Criteo", lambda: _check_criteo(session))
        findings += _check_groups(session)
    return findings


def check_text(findings: list[Finding]) -> str:
    """One line a finding, what is wrong first in the eye."""
    marks = {"fine": "ok   ", "note": "note ", "wrong": "WRONG"}
    return "\n".join(f"{marks[each.severity]}  {each.subject}: {each.sentence}" for each in findings)


def _fine(subject: str, sentence: str) -> Finding:
    return Finding(subject, "fine", sentence)


def _attempt(subject: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except HoldoutsError as error:
        return [Finding(subject, "wrong", str(error), error.exit_status)]


def _check_customerio(session: Session) -> list[Finding]:
    with open_customerio(session) as customerio:
        known = {each.id: each for each in customerio.segments()}
        findings = [_fine("Customer.io", f"the key works, the workspace has {len(known)} segments")]
        for audience in session.programme.audiences:
            findings += _attempt(audience.name, lambda each=audience: _check_segment(customerio, known, each))  # type: ignore[misc]  # a default binds the loop's value
    return findings


def _check_track(session: Session) -> list[Finding]:
    with open_track(session) as track:
        groups = ", ".join(session.programme.write_back)
        return [_fine("Customer.io Track", f"the key works ({track.region()}) for write_back of {groups}")]


def _check_segment(customerio: CustomerIO, known: Mapping[int, Segment], audience: Audience) -> list[Finding]:
    segment = known.get(audience.segment) or customerio.segment(audience.segment)
    if not segment.is_finished:
        return [
            Finding(audience.name, "note", f"segment {segment.id} is still being built ({segment.state})")
        ]
    count = customerio.customer_count(audience.segment)
    if not count:
        return [Finding(audience.name, "note", f"segment {segment.id} ({segment.name}) is empty")]
    findings = [_fine(audience.name, f"segment {segment.id} ({segment.name}), {count:,} people")]
    return [*findings, *_check_attributes(customerio, audience)]


def _check_attributes(customerio: CustomerIO, audience: Audience) -> list[Finding]:
    """Whether some of the segment's people have what the audience is sent as."""
    names = sorted({form.attribute for form in audience.forms if form.attribute})
    if not names:
        return []
    first = next(customerio.membership(audience.segment, ATTRIBUTES_PAGE))
    ids = [member.cio_id for member in first.members]
    read = list(customerio.attributes(ids, names))
    found = []
    for at, name in enumerate(names):
        have = sum(profile.values[at] is not None for profile in read)
        sentence = f"{have} of {len(ids)} profiles looked at have the attribute {name!r}"
        found.append(Finding(audience.name, "fine" if have else "note", sentence))
    return found


def _check_criteo(session: Session) -> list[Finding]:
    programme = session.programme
    with open_criteo(session) as criteo:
        advertisers = [each.id for each in criteo.advertisers()]
        if programme.advertiser not in advertisers:
            seen = ", ".join(advertisers) or "none"
            sentence = (
                f"the credentials have no consent for advertiser {programme.advertiser}; they have: {seen}"
            )
            return [Finding("Criteo", "wrong", sentence, 2)]
        findings = [_fine("Criteo", f"the credentials work for advertiser {programme.advertiser}")]
        findings += _attempt("Criteo lists", lambda: _check_lists(criteo, programme))
        findings += _attempt("Criteo ad sets", lambda: _check_ad_sets(criteo, programme))
    return findings


def _check_lists(criteo: Criteo, programme: Programme) -> list[Finding]:
    known = {each.name: each for each in criteo.segments(programme.advertiser)}
    return list(_list_findings(known, programme))


def _list_findings(known: Any, programme: Programme) -> Iterator[Finding]:
    for audience in programme.audiences:
        found = known.get(audience.list)
        if found is None:
            yield Finding(
                audience.name, "note", f"Criteo has no list {audience.list!r} yet; the first sync makes it"
            )
        elif found.type != "ContactList" or found.is_read_only:
            yield Finding(
                audience.name, "wrong", f"{audience.list!r} is no contact list that we may write", 2
            )
        else:
            yield _fine(audience.name, f"list {audience.list!r} is there")


def _check_ad_sets(criteo: Criteo, programme: Programme) -> list[Finding]:
    known = {each.id for each in criteo.ad_sets(programme.advertiser)}
    findings = []
    for audience in programme.includes:
        if not audience.ad_sets:
            sentence = "it names no ad_sets, so its spend and its iROAS stay unknown"
            findings.append(Finding(audience.name, "note", sentence))
        for ad_set in audience.ad_sets:
            if ad_set not in known:
                sentence = f"Criteo has no ad set {ad_set} for advertiser {programme.advertiser}"
                findings.append(Finding(audience.name, "wrong", sentence, 2))
    return findings or [_fine("Criteo ad sets", "all ad sets of the file are there")]


def _check_groups(session: Session) -> list[Finding]:
    programme = session.programme
    with reading(session.engine) as connection:
        in_force = {
            each.name: holdout_in_force(connection, each, programme).ppm for each in programme.includes
        }
        phases = [current_phase(connection, each.name) for each in programme.includes]
        before = {phase.audience: phase.holdout_group for phase in phases if phase is not None}
        shared = overlaps(connection, programme)
    found = advice(programme, in_force, before, shared)
    return [Finding(each.subject, "note", each.sentence) for each in found]
