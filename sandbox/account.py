"""A Criteo advertiser's account: segments, audiences, their algebra, and which ad set uses which. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from sandbox.advertising import AdSet
from sandbox.contact_lists import ContactList
from sandbox.shop import DAY, Floats, Mask

Algebra = Mapping[str, Any]
HOLDOUT_PREFIX = "holdout · "

SEGMENT_TYPES = {
    "contactList": "ContactList",
    "inMarket": "InMarket",
    "location": "Location",
    "lookalike": "Lookalike",
    "prospecting": "Prospecting",
    "retargeting": "Retargeting",
}
"""The request key that makes a segment of each type."""


@dataclass(slots=True)
class Segment:
    """One typed set of users; `contacts` is there exactly when it is a contact list."""

    id: str
    name: str
    description: str | None
    kind: str
    definition: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    contacts: ContactList | None = None
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Audience:
    """An algebra over segments; `bought` marks the media buyer's own, until somebody else edits it."""

    id: str
    name: str
    description: str | None
    algebra: Algebra
    created_at: datetime
    updated_at: datetime
    bought: bool = False


class InvalidAlgebraError(ValueError):
    """The algebra node is not exactly one of audienceSegmentId, and, or, not."""


def segments_of(algebra: Algebra) -> Iterator[str]:
    """The ids of every segment that an algebra names, or an error for a malformed node."""
    keys = [key for key in ("audienceSegmentId", "and", "or", "not") if algebra.get(key) is not None]
    if len(keys) != 1:
        raise InvalidAlgebraError("a node is exactly one of audienceSegmentId, and, or, not")
    value = algebra[keys[0]]
    if keys[0] == "audienceSegmentId":
        yield str(value)
        return
    nodes = [value] if keys[0] == "not" else value
    if not isinstance(nodes, list) or not nodes or not all(isinstance(node, Mapping) for node in nodes):
        raise InvalidAlgebraError(f"{keys[0]} takes nodes")
    for node in nodes:
        yield from segments_of(node)


def evaluate(algebra: Algebra, segment: Callable[[str], Mask]) -> Mask:
    """Who an algebra holds, given who each segment holds."""
    if (one := algebra.get("audienceSegmentId")) is not None:
        return segment(str(one))
    if (negated := algebra.get("not")) is not None:
        everybody_else: Mask = ~evaluate(negated, segment)
        return everybody_else
    if (both := algebra.get("and")) is not None:
        return _reduced(np.logical_and, [evaluate(node, segment) for node in both])
    return _reduced(np.logical_or, [evaluate(node, segment) for node in algebra["or"]])


def _reduced(operation: np.ufunc, masks: Sequence[Mask]) -> Mask:
    return np.asarray(operation.reduce(masks), dtype=np.bool_)


class Account:
    """Everything that the API creates, changes and links, for one advertiser."""

    def __init__(self, advertiser_id: str, ad_sets: Sequence[AdSet], matchable: Mask) -> None:
        self.advertiser_id = advertiser_id
        self.ad_sets = tuple(ad_sets)
        self.matchable = matchable
        self.segments: dict[str, Segment] = {}
        self.audiences: dict[str, Audience] = {}
        self.links: dict[str, str] = {}
        self.linked_by_hand: set[str] = set()
        self.graveyard: list[Segment] = []
        self._last_id = 7000

    def new_id(self) -> str:
        """The next id of a segment or an audience."""
        self._last_id += 1
        return str(self._last_id)

    def lists_called(self, name: str) -> list[Segment]:
        """Every contact list that ever bore the name, deleted ones included."""
        everything = [*self.graveyard, *self.segments.values()]
        return [segment for segment in everything if segment.contacts is not None and name in segment.names]

    def list_named(self, name: str) -> Segment | None:
        """The contact list that bears the name now."""
        for segment in self.segments.values():
            if segment.name == name and segment.contacts is not None:
                return segment
        return None

    def delete_segment(self, segment_id: str) -> None:
        """Take a segment away; the books remember who stood in it."""
        self.graveyard.append(self.segments.pop(segment_id))

    def delete_audience(self, audience_id: str) -> None:
        """Take an audience away and unlink it from its ad sets."""
        del self.audiences[audience_id]
        self.links = {ad_set: linked for ad_set, linked in self.links.items() if linked != audience_id}

    def holds(self, segment_id: str, seen_at: Floats, now: float) -> Mask:
        """Whom a segment holds: a contact list its live members, retargeting the visitors, the rest nobody."""
        segment = self.segments.get(segment_id)
        if segment is None:
            return np.zeros(len(seen_at), dtype=np.bool_)
        if segment.contacts is not None:
            return segment.contacts.live
        if segment.kind == "Retargeting":
            return _visitors(segment.definition, seen_at, now)
        if segment.kind == "Prospecting":
            return np.isneginf(seen_at)
        return np.zeros(len(seen_at), dtype=np.bool_)

    def exposed(self, seen_at: Floats, now: float) -> dict[int, Mask]:
        """For each ad set that reaches anybody: whom, by its audience or, with none, by the site tag."""
        for segment in self.segments.values():
            if segment.contacts is not None:
                segment.contacts.catch_up(now)
        reached = {}
        for index, ad_set in enumerate(self.ad_sets):
            audience = self.audiences.get(self.links.get(ad_set.id, ""))
            if audience is None and not ad_set.site_tag:
                continue
            mask = self.matchable
            if ad_set.site_tag:
                mask = mask & (seen_at >= now - 7 * DAY)
            if audience is not None:
                mask = mask & evaluate(audience.algebra, lambda one: self.holds(one, seen_at, now))
            reached[index] = mask
        return reached


def _visitors(definition: Mapping[str, Any], seen_at: Floats, now: float) -> Mask:
    most = float(definition.get("daysSinceLastVisitMax") or 7)
    least = float(definition.get("daysSinceLastVisitMin") or 0)
    return (seen_at >= now - most * DAY) & (seen_at <= now - least * DAY)


def buy_media(account: Account, now: datetime) -> None:
    """The media buyer's rounds: an audience for each ad set whose list has appeared, holdouts subtracted.

    A list named `holdout · G` is subtracted where G is the audience's own name, the first word of it
    (`cart` for `cart-0-4h`), or `universal`. What somebody else linked or edited is left alone.
    """
    holdouts = {
        segment.name.removeprefix(HOLDOUT_PREFIX): segment.id
        for segment in account.segments.values()
        if segment.contacts is not None and segment.name.startswith(HOLDOUT_PREFIX)
    }
    for ad_set in account.ad_sets:
        wanted = account.list_named(ad_set.name)
        linked = account.audiences.get(account.links.get(ad_set.id, ""))
        if wanted is None or ad_set.site_tag or ad_set.id in account.linked_by_hand:
            continue
        if linked is not None and not linked.bought:
            continue
        groups = sorted({ad_set.name, ad_set.name.partition("-")[0], "universal"} & set(holdouts))
        nodes = [{"not": {"audienceSegmentId": holdouts[group]}} for group in groups]
        algebra: Algebra = {"and": [{"audienceSegmentId": wanted.id}, *nodes]}
        if linked is None:
            linked = Audience(
                account.new_id(), f"{ad_set.name} · audience", None, algebra, now, now, bought=True
            )
            account.audiences[linked.id] = linked
            account.links[ad_set.id] = linked.id
        elif linked.algebra != algebra:
            linked.algebra, linked.updated_at = algebra, now
