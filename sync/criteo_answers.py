"""The JSON of Criteo's answers: envelopes, problems and the attributes that we read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from experiments.errors import HoldoutsError, Rejected, Retryable
from sync.algebra import read
from sync.criteo_values import AdSet, Amendment, Audience, AudienceSegment, ListStatistics, match_rate

T = TypeVar("T")

Id = str | int

NAME_TAKEN = "name-must-be-unique"
NOT_FOUND = frozenset({"segment-not-found", "audience-not-found"})

_CODE = re.compile(r"[a-z0-9-]{1,60}")
_PASSING = frozenset({"availability", "quota"})


class NameTaken(Rejected):
    """Another segment or audience of the advertiser has the name."""


class Problem(msgspec.Struct):
    """An error or a warning; only its code is ever repeated, for the rest may quote what was sent."""

    type: str | None = None
    code: str | None = None


class Envelope(msgspec.Struct, Generic[T]):
    """What every answer comes in, a 200 with errors included."""

    data: T | None = None
    errors: list[Problem] | None = None
    warnings: list[Problem] | None = None


class Resource(msgspec.Struct, Generic[T]):
    """An entity: its id and its attributes."""

    attributes: T
    id: Id | None = None


class AdvertiserAttributes(msgspec.Struct, rename="camel"):
    """Of `advertisers/me`."""

    advertiser_name: str | None = None


class ApplicationAttributes(msgspec.Struct, rename="camel"):
    """Of `marketing-solutions/me`."""

    application_id: Id | None = None
    name: str | None = None


class ContactListAttributes(msgspec.Struct, rename="camel"):
    """Of a segment that is a contact list."""

    is_read_only: bool | None = None


class LookalikeAttributes(msgspec.Struct, rename="camel"):
    """Of a segment that grows from another one."""

    seed_segment_id: Id | None = None


class SegmentAttributes(msgspec.Struct, rename="camel"):
    """Of a segment."""

    name: str | None = None
    type: str | None = None
    contact_list: ContactListAttributes | None = None
    lookalike: LookalikeAttributes | None = None


class AmendmentAttributes(msgspec.Struct, rename="camel"):
    """Of the answer to an add or a remove."""

    request_date: str | None = None
    nb_valid_identifiers: int | None = None
    nb_invalid_identifiers: int | None = None
    sample_invalid_identifiers: list[str] | None = None


class StatisticsAttributes(msgspec.Struct, rename="camel"):
    """Of the statistics of a contact list."""

    number_of_identifiers: int | None = None
    number_of_matches: int | None = None
    match_rate: float | None = None


class AudienceAttributes(msgspec.Struct, rename="camel"):
    """Of an audience."""

    name: str | None = None
    algebra: Any = None
    ad_set_ids: list[Id] | None = None


class ScheduleAttributes(msgspec.Struct, rename="camel"):
    """Of the schedule of an ad set."""

    delivery_status: str | None = None


class AdSetAttributes(msgspec.Struct, rename="camel"):
    """Of an ad set."""

    name: str | None = None
    campaign_id: Id | None = None
    schedule: ScheduleAttributes | None = None


advertisers = msgspec.json.Decoder(Envelope[list[Resource[AdvertiserAttributes]]]).decode
application = msgspec.json.Decoder(Envelope[Resource[ApplicationAttributes]]).decode
segments = msgspec.json.Decoder(Envelope[list[Resource[SegmentAttributes]]]).decode
amendments = msgspec.json.Decoder(Envelope[Resource[AmendmentAttributes]]).decode
list_statistics = msgspec.json.Decoder(Envelope[Resource[StatisticsAttributes]]).decode
audiences = msgspec.json.Decoder(Envelope[list[Resource[AudienceAttributes]]]).decode
ad_sets = msgspec.json.Decoder(Envelope[list[Resource[AdSetAttributes]]]).decode
anything = msgspec.json.Decoder(Envelope[Any]).decode


def codes(problems: Iterable[Problem] | None) -> tuple[str, ...]:
    """The codes of the problems, each once, as far as they look like codes."""
    return tuple(
        dict.fromkeys(
            problem.code for problem in problems or () if problem.code and _CODE.fullmatch(problem.code)
        )
    )


def reasons(content: bytes) -> tuple[str, ...]:
    """The codes in the body of an error, if it is Criteo's."""
    try:
        return codes(msgspec.json.decode(content, type=Envelope[Any]).errors)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()


def refusal(what: str, problems: Iterable[Problem], *, may_have_acted: bool) -> HoldoutsError:
    """The error for problems that an answer lists."""
    problems = tuple(problems)
    named = codes(problems)
    message = f"Criteo did not {what} ({', '.join(named) or 'no reason given'})"
    if NAME_TAKEN in named:
        return NameTaken(message, may_have_acted=may_have_acted)
    if any(problem.type in _PASSING for problem in problems):
        return Retryable(message, may_have_acted=may_have_acted)
    return Rejected(message, may_have_acted=may_have_acted)


def segment(resource: Resource[SegmentAttributes]) -> AudienceSegment:
    """The value of a segment."""
    found = resource.attributes
    is_read_only = bool(found.contact_list and found.contact_list.is_read_only)
    seed = found.lookalike.seed_segment_id if found.lookalike else None
    return AudienceSegment(
        id=str(resource.id),
        name=found.name or "",
        type=found.type or "Unknown",
        is_read_only=is_read_only,
        seed=None if seed is None else str(seed),
    )


def amendment(found: AmendmentAttributes) -> Amendment:
    """The value of an accepted add or remove."""
    return Amendment(
        valid=found.nb_valid_identifiers,
        invalid=found.nb_invalid_identifiers or 0,
        samples=tuple(found.sample_invalid_identifiers or ()),
        requested_at=_moment(found.request_date),
    )


def statistics(found: StatisticsAttributes) -> ListStatistics:
    """The value of a list's statistics."""
    identifiers, matches = found.number_of_identifiers, found.number_of_matches
    return ListStatistics(identifiers, matches, match_rate(found.match_rate, identifiers, matches))


def audience(resource: Resource[AudienceAttributes]) -> Audience:
    """The value of an audience; its algebra is None where it has one of a kind that we do not know."""
    found = resource.attributes
    try:
        algebra = read(found.algebra)
    except Rejected:
        algebra = None
    return Audience(str(resource.id), found.name or "", algebra, tuple(map(str, found.ad_set_ids or ())))


def ad_set(resource: Resource[AdSetAttributes]) -> AdSet:
    """The value of an ad set."""
    found = resource.attributes
    status = found.schedule.delivery_status if found.schedule else None
    campaign = None if found.campaign_id is None else str(found.campaign_id)
    return AdSet(str(resource.id), found.name or "", campaign, status)


def _moment(text: str | None) -> datetime | None:
    """The time, if it is one: an accepted request is not refused for the form of its date."""
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None
