"""What ads do: who is exposed, what it costs, which orders it adds, and which ones Criteo claims. Pure.

A person whom an ad set exposes in some hour buys, on top of everything organic, with a constant hazard
`Effect.orders_per_hour` until 48 hours after the last exposure (`CARRY_OVER`). Ad sets of one theme (the three
cart windows) take turns: the strongest of an hour works, and a later exposure takes over from an earlier one.
Themes add and never touch each other's effect, so what the ads of one theme caused is exactly what a holdout
from that theme would have gone without.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sandbox.shop import DAY, HOUR, NEVER, Floats, Ints, Mask, Purchases, Tastes

Theme = Literal["cart", "browse", "lapsed", "site"]
THEMES: tuple[Theme, ...] = ("cart", "browse", "lapsed", "site")

CARRY_OVER = 48 * HOUR
CLICK_WINDOW = 30 * DAY
VIEW_WINDOW = DAY


@dataclass(frozen=True, slots=True)
class Effect:
    """One ad set's truth, per exposed person and hour: orders added, displays, clicks, and the price."""

    orders_per_hour: float
    displays_per_hour: float
    click_rate: float
    cost_per_thousand: float


@dataclass(frozen=True, slots=True)
class AdSet:
    """A Criteo ad set of the sandbox; `site_tag` marks the one that follows visitors without a list."""

    id: str
    name: str
    theme: Theme
    effect: Effect
    site_tag: bool = False


AD_SETS: tuple[AdSet, ...] = (
    AdSet("401", "cart-0-4h", "cart", Effect(4.2e-4, 2.30, 0.010, 18.0)),
    AdSet("402", "cart-4-24h", "cart", Effect(3.0e-4, 1.20, 0.009, 15.0)),
    AdSet("403", "cart-2-7d", "cart", Effect(1.6e-4, 0.38, 0.007, 10.0)),
    AdSet("404", "browse-no-cart", "browse", Effect(5.6e-5, 0.22, 0.005, 8.0)),
    AdSet("405", "lapsed", "lapsed", Effect(8.0e-6, 0.13, 0.003, 7.0)),
)
SITE_TAG = AdSet("490", "site-visitors", "site", Effect(1.0e-5, 0.10, 0.004, 7.0), site_tag=True)


@dataclass(slots=True)
class Delivery:
    """What one ad set delivered in one hour."""

    displays: int = 0
    clicks: int = 0
    cost: float = 0.0
    new_today: int = 0


@dataclass(frozen=True, slots=True)
class Claims:
    """For each of some orders: the ad set that Criteo credits (−1 for none), the touch, and whether a click."""

    ad_set: Ints
    touch_at: Floats
    clicked: Mask


@dataclass(slots=True)
class Advertising:
    """The ad sets at work on the people; `strength` scales every true effect, 0 for ads that do nothing."""

    ad_sets: Sequence[AdSet]
    people: int
    rng: np.random.Generator
    strength: float = 1.0
    delivered: dict[tuple[int, int], Delivery] = field(default_factory=lambda: defaultdict(Delivery))
    felt: Ints = field(init=False)
    felt_until: Floats = field(init=False)
    viewed_at: Floats = field(init=False)
    clicked_at: Floats = field(init=False)
    ever_exposed: Mask = field(init=False)
    _today: int = -1
    _seen_today: Mask = field(init=False)

    def __post_init__(self) -> None:
        shape = (len(self.ad_sets), self.people)
        self.felt = np.full((len(THEMES), self.people), -1, dtype=np.int64)
        self.felt_until = np.full((len(THEMES), self.people), NEVER)
        self.viewed_at = np.full(shape, NEVER)
        self.clicked_at = np.full(shape, NEVER)
        self.ever_exposed = np.zeros(shape, dtype=np.bool_)
        self._seen_today = np.zeros(shape, dtype=np.bool_)

    def expose(self, audiences: Mapping[int, Mask], now: float, seconds: float, likely: Floats) -> None:
        """Show ads for `seconds` to each ad set's audience; `likely` weights who clicks (buyers click more)."""
        day = int(now // DAY)
        if day != self._today:
            self._today = day
            self._seen_today[:] = False
        weakest_first = sorted(audiences, key=lambda index: self.ad_sets[index].effect.orders_per_hour)
        for index in weakest_first:
            audience = audiences[index]
            exposed = np.flatnonzero(audience)
            if not len(exposed):
                continue
            theme = THEMES.index(self.ad_sets[index].theme)
            self.felt[theme, exposed] = index
            self.felt_until[theme, exposed] = now + seconds + CARRY_OVER
            self.viewed_at[index, exposed] = now + seconds
            self.ever_exposed[index] |= audience
            self._deliver(index, exposed, now, seconds, likely)

    def _deliver(self, index: int, exposed: Ints, now: float, seconds: float, likely: Floats) -> None:
        effect = self.ad_sets[index].effect
        displays = int(self.rng.poisson(effect.displays_per_hour * len(exposed) * seconds / HOUR))
        weights = np.cumsum(likely[exposed])
        clicks = int(self.rng.poisson(displays * effect.click_rate))
        clickers = exposed[np.searchsorted(weights, self.rng.random(clicks) * weights[-1], side="right")]
        self.clicked_at[index, clickers] = now + self.rng.random(clicks) * seconds
        row = self.delivered[index, int(now // HOUR)]
        row.displays += displays
        row.clicks += clicks
        row.cost += displays * effect.cost_per_thousand / 1000
        row.new_today += int(np.count_nonzero(~self._seen_today[index, exposed]))
        self._seen_today[index, exposed] = True

    def cause(self, now: float, seconds: float, tastes: Tastes) -> tuple[Purchases, Ints]:
        """The purchases that ads add in the next `seconds`, each with the position of its ad set."""
        theme, feeling = np.nonzero(self.felt_until > now)
        hazards = np.array([ad_set.effect.orders_per_hour for ad_set in self.ad_sets]) * self.strength
        felt = self.felt[theme, feeling]
        yields = self.rng.random(len(feeling)) < hazards[felt] * tastes.yielding[feeling] * (seconds / HOUR)
        who, by = feeling[yields], felt[yields]
        at = now + (0.1 + 0.9 * self.rng.random(len(who))) * seconds
        self.clicked_at[by, who] = at - 0.05 * seconds
        for index in by.tolist():
            self.delivered[index, int(now // HOUR)].clicks += 1
        return Purchases(who, at, tastes.baskets(who, self.rng)), by

    def claims(self, purchases: Purchases) -> Claims:
        """Criteo's attribution: the last click of 30 days, else the last view of 24 hours, caused or not."""
        clicks = self.clicked_at[:, purchases.person]
        clicks = np.where(clicks <= purchases.at, clicks, NEVER)
        views = np.minimum(self.viewed_at[:, purchases.person], purchases.at)
        by_click, by_view = clicks.argmax(axis=0), views.argmax(axis=0)
        rows = np.arange(len(purchases.person))
        clicked_at, viewed_at = clicks[by_click, rows], views[by_view, rows]
        clicked = purchases.at - clicked_at <= CLICK_WINDOW
        viewed = ~clicked & (purchases.at - viewed_at <= VIEW_WINDOW)
        return Claims(
            ad_set=np.where(clicked, by_click, np.where(viewed, by_view, -1)),
            touch_at=np.where(clicked, clicked_at, np.where(viewed, viewed_at, NEVER)),
            clicked=clicked,
        )
