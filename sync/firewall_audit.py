"""Whether people held out can be reached through some other ad set of the advertiser, and what to change. Pure.

Leaving people off one list does not stop Criteo's site-tag retargeting from reaching them. So each ad
set's audience must subtract the lists of people held out: an ad set of ours those of its own group and the
universal one, every other ad set of the advertiser all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from experiments.audiences import Programme
from sync.algebra import Algebra, And, In, Not, Or
from sync.criteo_values import AdSet, Audience
from sync.decision import UNIVERSAL_LIST, holdout_list

OVER = frozenset({"ended", "archived"})
"""Delivery statuses in which an ad set reaches nobody and never will again."""


class Fault(StrEnum):
    """What lets held-out people be reached."""

    NOT_SUBTRACTED = "its audience does not subtract people held out"
    INCLUDED = "it includes people held out"
    NO_AUDIENCE = "no audience is linked, so it cannot subtract anybody"
    UNREADABLE = "its audience is described in a way that this version does not know"
    NO_LIST = "no list of the people held out is in Criteo yet"


@dataclass(frozen=True, slots=True)
class Finding:
    """One ad set or audience through which held-out people may be reached."""

    fault: Fault
    subject: str
    """`ad set 490 (site-visitors)`, `audience 7001 (visitors)` or the name of a list."""
    lists: tuple[str, ...]
    """The lists of people held out that are missing, or that are included."""
    advice: str


@dataclass(frozen=True, slots=True)
class Change:
    """An audience's algebra as it is, and as it must be."""

    audience: Audience
    before: Algebra
    after: Algebra


@dataclass(frozen=True, slots=True)
class FirewallAudit:
    """Every finding, the changes that mend them, and whose held-out people are not in Criteo by choice."""

    ad_sets: int
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    private_groups: tuple[str, ...]


def audit_firewall(
    programme: Programme,
    ad_sets: Iterable[AdSet],
    audiences: Iterable[Audience],
    segments: Mapping[str, str],
    held_out: frozenset[str],
) -> FirewallAudit:
    """Compares what each ad set subtracts with what it should.

    `segments` has Criteo's id of each list of people held out, by name (`holdout · cart`); `held_out` names
    the lists that should be there because somebody is held out.
    """
    living = [each for each in ad_sets if each.delivery_status not in OVER]
    known = list(audiences)
    missing = [
        Finding(Fault.NO_LIST, name, (name,), "run `holdouts sync`; its first run makes the list")
        for name in sorted(held_out - set(segments))
    ]
    required = _required(programme, living, segments)
    findings = list(chain.from_iterable(_look(each, known, required[each.id], segments) for each in living))
    findings += chain.from_iterable(_including(each, segments) for each in known)
    changes = [change for audience in known if (change := _change(audience, required, segments)) is not None]
    private = tuple(sorted(programme.private_groups))
    return FirewallAudit(len(living), (*missing, *findings), tuple(changes), private)


def subtracts(algebra: Algebra, segment: str) -> bool:
    """Whether nobody in the segment can be in the audience, whoever is in the other segments.

    Decided with the segment's people known to be in it and everything else unknown (Kleene's logic), so a
    yes is certain.
    """
    return _holds(algebra, segment) is False


def includes(algebra: Algebra, segment: str) -> bool:
    """Whether the audience names the segment as people to reach, not as people to leave out."""
    return segment in set(_reached(algebra, is_reached=True))


def without(algebra: Algebra, segments: Iterable[str]) -> Algebra:
    """The audience less those segments, its own conditions kept as they are."""
    nodes = algebra.nodes if isinstance(algebra, And) else (algebra,)
    return And((*nodes, *(Not(In(segment)) for segment in segments)))


def _holds(algebra: Algebra, segment: str) -> bool | None:
    match algebra:
        case In(name):
            return True if name == segment else None
        case Not(node):
            inner = _holds(node, segment)
            return None if inner is None else not inner
        case And(nodes):
            parts = [_holds(node, segment) for node in nodes]
            return False if False in parts else None if None in parts else True
        case Or(nodes):
            parts = [_holds(node, segment) for node in nodes]
            return True if True in parts else None if None in parts else False


def _reached(algebra: Algebra, *, is_reached: bool) -> Iterator[str]:
    match algebra:
        case In(name):
            yield from (name,) if is_reached else ()
        case Not(node):
            yield from _reached(node, is_reached=not is_reached)
        case And(nodes) | Or(nodes):
            for node in nodes:
                yield from _reached(node, is_reached=is_reached)


def _required(
    programme: Programme, ad_sets: Iterable[AdSet], segments: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The names of the lists that each ad set must subtract, by its id."""
    groups = {ad_set: each.holdout_group for each in programme.includes for ad_set in each.ad_sets}
    own = {ad_set: {holdout_list(group), UNIVERSAL_LIST} for ad_set, group in groups.items()}
    return {
        each.id: tuple(name for name in segments if each.id not in own or name in own[each.id])
        for each in ad_sets
    }


def _look(
    ad_set: AdSet, audiences: Iterable[Audience], required: tuple[str, ...], segments: Mapping[str, str]
) -> Iterator[Finding]:
    subject = f"ad set {ad_set.id} ({ad_set.name})"
    linked = [each for each in audiences if ad_set.id in each.ad_set_ids]
    if not required:
        return
    if not linked:
        advice = (
            "link an audience to it, of the people whom it should reach; then this audit subtracts "
            f"{', '.join(required)} from it"
        )
        yield Finding(Fault.NO_AUDIENCE, subject, required, advice)
    for audience in linked:
        named = f"audience {audience.id} ({audience.name})"
        if audience.algebra is None:
            yield Finding(Fault.UNREADABLE, subject, required, f"look at {named} in Criteo's interface")
            continue
        lacking = _lacking(audience.algebra, required, segments)
        if lacking:
            yield Finding(
                Fault.NOT_SUBTRACTED, subject, lacking, f"subtract {', '.join(lacking)} from {named}"
            )


def _including(audience: Audience, segments: Mapping[str, str]) -> Iterator[Finding]:
    if audience.algebra is None:
        return
    named = [
        name
        for name, segment in segments.items()
        if includes(audience.algebra, segment) and not subtracts(audience.algebra, segment)
    ]
    if named:
        subject = f"audience {audience.id} ({audience.name})"
        yield Finding(Fault.INCLUDED, subject, tuple(named), "take these people out of it, or delete it")


def _change(
    audience: Audience, required: Mapping[str, tuple[str, ...]], segments: Mapping[str, str]
) -> Change | None:
    """What the audience lacks for all its ad sets; one that reaches held-out people loses them too."""
    if audience.algebra is None:
        return None
    wanted = {name for ad_set in audience.ad_set_ids for name in required.get(ad_set, ())}
    wanted |= {name for name, segment in segments.items() if includes(audience.algebra, segment)}
    lacking = _lacking(audience.algebra, tuple(name for name in segments if name in wanted), segments)
    if not lacking:
        return None
    after = without(audience.algebra, [segments[name] for name in lacking])
    return Change(audience, audience.algebra, after)


def _lacking(algebra: Algebra, names: tuple[str, ...], segments: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in names if not subtracts(algebra, segments[name]))
