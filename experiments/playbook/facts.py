"""Everything the playbook looks at, frozen; whatever is not known is None. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise
from statistics import median

from experiments.audiences import Audience, Programme
from experiments.playbook.clock import FOUR_HOURLY, Rhythm
from experiments.stays import Stay, stay_in_name

DAY = 86_400
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Sync:
    """What one sync saw of one audience, what it did, and what its list counts afterwards."""

    at: int
    is_applied: bool
    members: int
    units: int
    unusable: int = 0
    adds: int = 0
    removes: int = 0
    pushed: int | None = None
    """What the ledger says that the list holds."""
    identifiers: int | None = None
    """What Criteo counts in it, some hours late."""
    matches: int | None = None
    excluded: int = 0
    claimed: int = 0
    """Left to a window of higher priority."""
    held_out: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """Raw e-mails of some profiles of one segment, by what was wrong with them."""

    looked_at: int
    missing: int = 0
    malformed: int = 0
    hashed: int = 0
    """Hashed elsewhere in a form whose e-mail nobody can recover."""
    typos: int = 0
    """Domains one slip away from a big provider's."""
    repeated: int = 0
    """Profiles whose e-mail another profile has too."""


@dataclass(frozen=True, slots=True)
class Noted:
    """The offers that an attribute of Customer.io says some people of one segment were given."""

    looked_at: int
    people: Mapping[str, int]
    """By offer, those that the file lists only: what else an attribute may hold is not repeated."""
    unlisted: int = 0
    """People whose attribute holds something else."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Seconds from a purchase until Criteo was told to stop advertising to the buyer."""

    p50: int
    p95: int
    people: int


@dataclass(frozen=True, slots=True)
class Answer:
    """How long the holdout needs to see the lift at which the ads pay for themselves.

    The windows of one holdout group answer together: the first of them bears the answer, the others none.
    """

    lift: float
    weeks: float
    """With the holdout in force."""
    weeks_at_half: float
    """With half of the people held out: no holdout is quicker."""
    share: float | None
    """The smallest holdout that answers within a quarter; None where none does."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one audience; money is a week's."""

    segment_name: str | None = None
    size: int | None = None
    """Customer.io's own count of the segment now."""
    syncs: tuple[Sync, ...] = ()
    """Of the last four weeks, oldest first."""
    on_list: int | None = None
    """People whom the list holds by the ledger."""
    holdout_ppm: int | None = None
    """The percentage in force."""
    spend: float | None = None
    revenue: float | None = None
    """Of the people advertised to, within their windows."""
    holdout_cost: float | None = None
    """What holding people out costs, net of the spend that it saves."""
    bought_lately: int | None = None
    """People on the list whose last order is younger than the recent purchasers' exclusion."""
    ever_bought: int | None = None
    """People on the list who ever ordered."""
    removal: Removal | None = None
    answer: Answer | None = None
    sample: Sample | None = None
    noted: Noted | None = None

    @property
    def last_sync(self) -> Sync | None:
        """The newest sync, whatever came of it."""
        return self.syncs[-1] if self.syncs else None

    @property
    def people(self) -> int | None:
        """How many people are in the segment, as well as that is known."""
        return self.size if self.size is not None else self.last_sync.members if self.last_sync else None


@dataclass(frozen=True, slots=True)
class AdSet:
    """One ad set of the advertiser, and whether people who are held out can be reached by it."""

    id: str
    name: str
    delivers: bool
    audience: str | None
    """Criteo's audience linked to it; None where none is, so that the site tag decides."""
    open_to: tuple[str, ...] = ()
    """Lists of held-out people that it does not subtract."""
    spend: float | None = None
    """A week's."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A running journey of Customer.io, with the offers that its tags name as `offer:NAME`."""

    name: str
    offers: tuple[str, ...]
    segments: tuple[int, ...]
    """Segments that start it or that it is limited to."""


@dataclass(frozen=True, slots=True)
class Loads:
    """When each source was last taken in; seconds since 1970."""

    orders: int | None = None
    spend: int | None = None
    report: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All facts of one moment; a check looks at nothing else."""

    now: int
    programme: Programme
    known: Mapping[str, Known] = field(default_factory=dict)
    """By audience."""
    base: int | None = None
    """Everybody whom the shop could ever write to."""
    overlaps: Mapping[tuple[str, str], int] | None = None
    """People whom the lists of two include audiences hold at once."""
    vips: Mapping[str, int] | None = None
    """People of the VIP exclusion whom the list of an include audience holds."""
    ad_sets: tuple[AdSet, ...] | None = None
    campaigns: tuple[Campaign, ...] | None = None
    syncs: tuple[int, ...] = ()
    """Moments at which lists were synced in the last two weeks, oldest first."""
    push: int | None = None
    """Seconds from reading a segment until Criteo had taken the change, as the slow ones take."""
    loads: Loads = field(default_factory=Loads)

    @property
    def today(self) -> date:
        """The UTC day."""
        return datetime.fromtimestamp(self.now, UTC).date()

    @property
    def interval(self) -> int:
        """Seconds between two syncs: the middle one, or the deployed schedule's before there were three."""
        gaps = [later - earlier for earlier, later in pairwise(self.syncs)]
        return int(median(gaps)) if len(gaps) > 1 else 4 * 3_600

    @property
    def promise(self) -> int:
        """Seconds within which a list is brought up to date: two intervals of the schedule, and an hour."""
        return 2 * self.interval + 3_600

    @property
    def sees_syncs(self) -> bool:
        """Whether enough syncs ran to reckon with them."""
        return len(self.syncs) > 2

    @property
    def rhythm(self) -> Rhythm:
        """The syncs that were, else those of the deployed schedule; a push that nobody measured takes no time."""
        moments = self.syncs if self.sees_syncs else FOUR_HOURLY
        return Rhythm(moments, self.push or 0, self.programme.criteo)

    def of(self, audience: Audience | str) -> Known:
        """What is known of an audience, which may be nothing."""
        return self.known.get(audience if isinstance(audience, str) else audience.name, Known())

    def titles(self, audience: Audience) -> str:
        """The audience's name and its segment's, to look for words in."""
        return f"{audience.name} {self.of(audience).segment_name or ''}".lower()

    def waste(self, audience: Audience) -> float | None:
        """A week's spend on people of the list who have bought already."""
        known = self.of(audience)
        if known.spend is None or known.bought_lately is None or not known.on_list:
            return None
        return known.spend * known.bought_lately / known.on_list


def stay_of(audience: Audience) -> Stay | None:
    """When people are members, as the file or the audience's name says it."""
    return audience.member_for or stay_in_name(audience.name)
