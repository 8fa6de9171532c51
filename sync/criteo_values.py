"""What Criteo knows, as values: lists, audiences, ad sets, what it counted and what it charged. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from sync.algebra import Algebra

Operation = Literal["add", "remove"]


@dataclass(frozen=True, slots=True)
class Advertiser:
    """An advertiser that the credentials have consent for."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Application:
    """The application that the credentials belong to."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class AudienceSegment:
    """One set of people of an advertiser; only a `ContactList` has identifiers of ours."""

    id: str
    name: str
    type: str
    is_read_only: bool = False
    seed: str | None = None
    """The segment that a `Lookalike` grows from."""


@dataclass(frozen=True, slots=True)
class ContactList:
    """A segment whose identifiers we may add and remove."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Amendment:
    """What Criteo accepted of one request; the samples are identifiers, so they are never shown."""

    valid: int | None
    invalid: int
    samples: tuple[str, ...] = field(repr=False)
    requested_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListStatistics:
    """Criteo's counts of a list, some hours late; each is None until it has been computed."""

    identifiers: int | None
    matches: int | None
    match_rate: float | None


@dataclass(frozen=True, slots=True)
class Audience:
    """An algebra over segments, and the ad sets that advertise to it."""

    id: str
    name: str
    algebra: Algebra | None
    ad_set_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdSet:
    """An ad set and whether it delivers."""

    id: str
    name: str
    campaign_id: str | None
    delivery_status: str | None


@dataclass(frozen=True, slots=True)
class SpendRow:
    """One ad set on one day: what it cost and what Criteo attributes to it."""

    ad_set: str
    day: date
    cost: float
    attributed_revenue: float
    attributed_orders: int
    displays: int
    clicks: int
    currency: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """One order that Criteo knows of, and whether it claims it."""

    id: str
    at: datetime
    ad_set: str
    event: str
    amount: float
    currency: str
    is_attributed: bool
    is_cross_device: bool


def match_rate(reported: float | None, identifiers: int | None, matches: int | None) -> float | None:
    """The reported rate as a fraction.

    Criteo calls it a percentage but shows no example: of the two readings the one closer to
    matches / identifiers is taken, and a percentage where that says nothing.
    """
    if reported is None:
        return matches / identifiers if identifiers and matches is not None else None
    if not identifiers or matches is None:
        return reported / 100 if reported > 1 else reported
    return min((reported / 100, reported), key=lambda rate: abs(rate - matches / identifiers))
