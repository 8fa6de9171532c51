"""What Customer.io and Criteo say of audiences, for the playbook: sizes, e-mails, journeys, ad sets. I/O."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Engine

from analysis.spend import total_spend
from experiments.audiences import Audience as Listed
from experiments.audiences import Offer, Programme
from experiments.database import reading
from experiments.errors import Rejected
from experiments.identity import Kind, canonical, classify
from experiments.playbook import facts
from experiments.playbook.facts import DAY, WEEK, Sample, Snapshot
from experiments.policy_entries import NO_OFFER
from experiments.typos import likely_typo
from sync.criteo import Criteo
from sync.criteo_values import AdSet, Audience
from sync.customerio import CustomerIO, Member, Segment
from sync.firewall_audit import OVER, audit_firewall
from sync.lists import known_lists

SAMPLE = 5_000
"""Profiles of each segment that are looked at closely, one request."""
ASKED = 200
"""Of them, those whose attribute is asked for, a hundred a request."""
OFFER_TAG = "offer:"
_EVERYBODY = re.compile(
    r"\b(all|every ?(one|body))\b.*|.*\b(valid email|signed up|subscribed|whole base)\b.*", re.IGNORECASE
)
_FEW = 3


def with_customerio(snapshot: Snapshot, customerio: CustomerIO) -> Snapshot:
    """The snapshot with names and sizes of segments, a sample of e-mails, the base and the journeys."""
    segments = {each.id: each for each in customerio.segments()}
    sizes = _sizes(customerio, snapshot.programme, segments)
    known = {
        each.name: replace(
            _looked_at(snapshot, customerio, each) if sizes.get(each.segment) else snapshot.of(each),
            segment_name=segments[each.segment].name if each.segment in segments else None,
            size=sizes.get(each.segment),
        )
        for each in snapshot.programme.audiences
    }
    return replace(
        snapshot, known=known, base=_base(customerio, segments, sizes), campaigns=_campaigns(customerio)
    )


def with_criteo(snapshot: Snapshot, criteo: Criteo, engine: Engine) -> Snapshot:
    """The snapshot with the advertiser's ad sets, and which lists of held-out people each is open to."""
    advertiser = snapshot.programme.advertiser
    audiences = tuple(criteo.audiences(advertiser))
    with reading(engine) as connection:
        current = [each for each in known_lists(connection) if each.state == "current"]
    held_out = {each.name: each.id for each in current if each.role == "holdout"}
    return replace(
        snapshot,
        ad_sets=tuple(
            _ad_set(snapshot, engine, each, audiences, held_out) for each in criteo.ad_sets(advertiser)
        ),
    )


def _sizes(customerio: CustomerIO, programme: Programme, segments: Mapping[int, Segment]) -> dict[int, int]:
    """Customer.io's own counts of finished segments."""
    asked = {each.segment for each in programme.audiences}
    return {
        number: customerio.customer_count(number)
        for number in sorted(asked)
        if number in segments and segments[number].is_finished
    }


def _base(customerio: CustomerIO, segments: Mapping[int, Segment], sizes: Mapping[int, int]) -> int | None:
    """The largest of the segments whose name says that it holds everybody."""
    broad = [each.id for each in segments.values() if each.is_finished and _EVERYBODY.fullmatch(each.name)]
    counts = [sizes.get(each) or customerio.customer_count(each) for each in broad[:_FEW]]
    return max(counts, default=None)


def _looked_at(snapshot: Snapshot, customerio: CustomerIO, audience: Listed) -> facts.Known:
    """What some people of the segment say of it: their e-mails, and the offers that journeys noted."""
    members = customerio.first_members(audience.segment, SAMPLE).members
    if not members:
        return snapshot.of(audience)
    noted = _noted(snapshot.programme, customerio, members) if audience.role == "include" else None
    return replace(snapshot.of(audience), sample=sample_of(members), noted=noted)


def _noted(told: Programme, customerio: CustomerIO, members: Sequence[Member]) -> facts.Noted | None:
    if told.offer_attribute is None:
        return None
    ids = [each.cio_id for each in members[:ASKED]]
    profiles = customerio.attributes(ids, [told.offer_attribute])
    return noted_by([each.values[0] for each in profiles], told.offers)


def noted_by(values: Sequence[str | None], offers: Sequence[Offer]) -> facts.Noted:
    """Counts of the offers that an attribute names, or gives the code of; whatever else it holds is forgotten."""
    said = [value.strip().lower() for value in values if value is not None]
    called = {word.lower(): each.name for each in offers for word in (each.code, each.name) if word}
    found = Counter(called[word] for word in said if word in called)
    others = sum(word not in called and word not in ("", NO_OFFER) for word in said)
    return facts.Noted(len(values), dict(sorted(found.items())), others)


def sample_of(members: Sequence[Member]) -> Sample:
    """Counts of what is wrong with the e-mails; no e-mail leaves this function."""
    kinds = Counter(classify(member.email) for member in members)
    emails = [canonical(member.email) for member in members if member.email and member.email.strip()]
    return Sample(
        looked_at=len(members),
        missing=kinds[Kind.MISSING],
        malformed=kinds[Kind.MALFORMED],
        hashed=kinds[Kind.MD5],
        typos=sum(likely_typo(email) is not None for email in emails),
        repeated=len(emails) - len(set(emails)),
    )


def _campaigns(customerio: CustomerIO) -> tuple[facts.Campaign, ...] | None:
    """Running journeys; None where the key may not read them."""
    try:
        found = customerio.campaigns()
    except Rejected:
        return None
    return tuple(
        facts.Campaign(
            name=each.name,
            offers=_offers(each.tags or ()),
            segments=(*(each.trigger_segment_ids or ()), *(each.filter_segment_ids or ())),
        )
        for each in found
        if each.is_running
    )


def _offers(tags: Iterable[str]) -> tuple[str, ...]:
    named = (tag.strip().removeprefix(OFFER_TAG).strip() for tag in tags if tag.strip().startswith(OFFER_TAG))
    return tuple(dict.fromkeys(name for name in named if name not in ("", NO_OFFER)))


def _ad_set(
    snapshot: Snapshot,
    engine: Engine,
    ad_set: AdSet,
    audiences: Sequence[Audience],
    held_out: Mapping[str, str],
) -> facts.AdSet:
    linked = [each for each in audiences if ad_set.id in each.ad_set_ids]
    audit = audit_firewall(snapshot.programme, (ad_set,), linked, held_out, frozenset())
    open_to = dict.fromkeys(name for finding in audit.findings for name in finding.lists)
    return facts.AdSet(
        id=ad_set.id,
        name=ad_set.name,
        delivers=ad_set.delivery_status not in OVER,
        audience=linked[0].name if linked else None,
        open_to=tuple(open_to),
        spend=_spend(snapshot, engine, ad_set.id),
    )


def _spend(snapshot: Snapshot, engine: Engine, ad_set: str) -> float | None:
    loaded = snapshot.loads.spend
    if loaded is None:
        return None
    today = loaded - loaded % DAY
    return total_spend(engine, (ad_set,), today - WEEK, today).cost
