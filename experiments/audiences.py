"""The programme that `audiences.yaml` describes: audiences, holdouts, windows, bounds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Literal

from experiments.identifiers import SHA256, Form
from experiments.stays import Stay

Role = Literal["include", "exclude"]
Buyers = Literal["new", "repeat", "all"]
WriteBack = Literal["attribute", "segment"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the fuses allow in one sync of one audience; shares lie between 0 and 1."""

    shrink: float = 0.30
    """Largest loss of members since the last applied sync."""
    growth: float = 1.0
    """Largest growth of a list of `growth_from` or more: 1 lets it double."""
    growth_from: int = 1_000
    removal: float = 0.50
    """Largest share of a list of `growth_from` or more removed at once, a moved holdout band aside."""
    unusable: float = 0.50
    """Largest share of profiles without a usable identifier."""
    disagreement: float = 0.05
    """Largest difference between the members read and the source's own count."""


EXCLUDE_BOUNDS = Bounds(shrink=0.20)


@dataclass(frozen=True, slots=True)
class Audience:
    """One Customer.io segment kept equal to one Criteo contact list."""

    name: str
    segment: int
    role: Role
    list: str
    holdout_ppm: int = 0
    holdout_group: str = ""
    priority: int = 1
    window: int = 14 * 86_400
    """Seconds from entry in which an order counts as an outcome."""
    planned_end: int | None = None
    """Seconds from the first phase to where the reading of its lift ends; None reads for ever."""
    ad_sets: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    offer: str = "none"
    """The name of one of the programme's offers."""
    member_for: Stay | None = None
    """When after what made them so people are members, where the file says it."""
    bounds: Bounds = field(default_factory=Bounds)
    forms: tuple[Form, ...] = (SHA256,)
    """What its list is filled with; people are the same whatever they are sent as."""

    @property
    def form_names(self) -> frozenset[str]:
        """The forms as the ledger calls them."""
        return frozenset(form.name for form in self.forms)


@dataclass(frozen=True, slots=True)
class OrderSource:
    """Where conversions come from: a SQLAlchemy URL with a query, or files."""

    url: str | None = None
    query: str | None = None
    files: tuple[str, ...] = ()
    rates: str | None = None
    """A CSV file of dated exchange rates; without one, orders in another currency are refused."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A price cut that ads and journeys may name, decided once for both."""

    name: str
    depth: float
    """Share of the price, between 0 and 1."""
    code: str | None = None
    first_touch: int = 3
    """The first message of a journey that may carry it."""
    starts: date | None = None
    ends: date | None = None
    """Its last day."""
    buyers: Buyers = "all"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding of the playbook that the team decided to live with, up to and including a day."""

    code: str
    reason: str
    until: date
    audience: str | None = None
    """None accepts the finding wherever it shows up."""


@dataclass(frozen=True, slots=True)
class CriteoClock:
    """When Criteo takes over changes of a list; seconds."""

    processing: tuple[int, ...] = (0, 12 * 3_600)
    """Times of the UTC day at which changes are processed; none means at once."""
    delay: int = 5 * 3_600
    """From there to the live campaign."""


@dataclass(frozen=True, slots=True)
class CriteoTest:
    """An incrementality test that Criteo runs itself; its API shows none, so the file says it."""

    name: str
    ad_sets: tuple[str, ...]
    starts: date
    ends: date
    """Its last day."""


@dataclass(frozen=True)
class Programme:
    """All audiences of one advertiser, with what money means there."""

    advertiser: str
    currency: str
    margin: float
    audiences: tuple[Audience, ...]
    orders: OrderSource = field(default_factory=OrderSource)
    universal_holdout_ppm: int = 0
    private_groups: frozenset[str] = frozenset()
    """Holdout groups whose held-out people are not pushed to Criteo as a list of their own."""
    write_back: Mapping[str, WriteBack] = field(default_factory=dict)
    """Holdout groups whose held-out people Customer.io is told of, and where it keeps that."""
    offers: tuple[Offer, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    criteo: CriteoClock = field(default_factory=CriteoClock)
    criteo_tests: tuple[CriteoTest, ...] = ()
    offer_attribute: str | None = None
    """The attribute of Customer.io in which journeys note the offer that they gave."""

    @cached_property
    def includes(self) -> tuple[Audience, ...]:
        """Audiences that people are advertised from, by group and priority."""
        chosen = (each for each in self.audiences if each.role == "include")
        return tuple(sorted(chosen, key=lambda each: (each.holdout_group, each.priority)))

    @cached_property
    def public_includes(self) -> tuple[Audience, ...]:
        """Include audiences whose held-out people are pushed to Criteo as a list of their own."""
        return tuple(each for each in self.includes if each.holdout_group not in self.private_groups)

    @cached_property
    def excludes(self) -> tuple[Audience, ...]:
        """Audiences of people never to advertise to."""
        return tuple(each for each in self.audiences if each.role == "exclude")

    @cached_property
    def groups(self) -> Mapping[str, tuple[Audience, ...]]:
        """Include audiences by holdout group, highest priority first."""
        names = dict.fromkeys(each.holdout_group for each in self.includes)
        return {name: tuple(a for a in self.includes if a.holdout_group == name) for name in names}

    def only(self, chosen: Iterable[Audience]) -> Programme:
        """The same programme with these audiences alone."""
        return replace(self, audiences=tuple(chosen))

    def audience(self, name: str) -> Audience:
        """The audience of that name; raises KeyError where there is none."""
        for each in self.audiences:
            if each.name == name:
                return each
        raise KeyError(name)

    def offer(self, name: str) -> Offer | None:
        """The offer of that name; None for `none` and for a name that the file does not know."""
        return next((each for each in self.offers if each.name == name), None)

    @property
    def break_even(self) -> float:
        """The incremental ROAS at which an ad pays for itself: 1 / margin."""
        return 1 / self.margin
