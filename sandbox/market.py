"""The closed loop: lists decide who is exposed, exposure adds orders, orders move segments, segments fill lists. Pure."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from sandbox.account import Account, buy_media
from sandbox.advertising import AD_SETS, SITE_TAG, Advertising
from sandbox.clock import Clock
from sandbox.ledger import ORGANIC, Ledger, Orders
from sandbox.mistakes import forgotten, recorded, segments
from sandbox.people import Population, populate, with_devices
from sandbox.shop import HOUR, Ints, Mask, Purchases, Shop
from sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Write:
    """One request to change a contact list, for tests of rate and of what was sent when."""

    at: datetime
    monotonic: float
    segment: str
    operation: str
    size: int
    applied: bool = True


@dataclass(slots=True)
class Market:
    """People, shop, ads and the advertiser's account on one clock; `lock` guards all of it between threads."""

    clock: Clock
    switches: Switches
    people: Population
    shop: Shop
    ads: Advertising
    account: Account
    ledger: Ledger = field(default_factory=Ledger)
    writes: list[Write] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def step(self, seconds: float) -> None:
        """Live for `seconds`, at most an hour, and move the clock."""
        now = self.clock.epoch()
        if self.switches.media_buyer:
            buy_media(self.account, self.clock.now())
        reached = self.account.exposed(self.shop.seen_at, now)
        idle = self.switches.mistakes.idle_ad_set
        audiences = {at: who for at, who in reached.items() if self.ads.ad_sets[at].name != idle}
        self.ads.expose(audiences, now, seconds, self.shop.tastes.buys)
        organic = self.shop.step(now, seconds)
        caused, by = self.ads.cause(now, seconds, self.shop.tastes)
        self._enter(organic, np.full(len(organic.person), ORGANIC))
        self._enter(caused, by)
        self.clock.advance(seconds)

    def members(self, segment: str) -> Mask:
        """Who is in a Customer.io segment at this moment."""
        return segments(self.switches.mistakes)[segment][1](self.shop, self.clock.epoch())

    def open_ledger(self) -> None:
        """Enter the orders from before the start."""
        self._enter(self.shop.history, np.full(len(self.shop.history.person), ORGANIC), live=False)

    def _enter(self, purchases: Purchases, caused: Ints, *, live: bool = True) -> None:
        """Write orders down, dated to the second as the shop's database dates them."""
        claims = self.ads.claims(purchases)
        first = self.ledger.next_number
        self.ledger.append(
            Orders(
                number=np.arange(first, first + len(caused)),
                person=purchases.person,
                at=np.floor(purchases.at),
                revenue=purchases.revenue,
                caused=caused,
                claimed=claims.ad_set,
                touch_at=claims.touch_at,
                clicked=claims.clicked,
                cross_device=(np.arange(first, first + len(caused)) * 7919) % 5 == 0,
            )
        )
        if live:
            self.shop.record(purchases)


def open_market(profiles: int, seed: int, clock: Clock, switches: Switches, advertiser_id: str) -> Market:
    """Draw the people, their history and Criteo's match graph; equal seeds make equal worlds."""
    people = populate(profiles, np.random.default_rng([seed, 0]))
    people = recorded(people, switches.mistakes)
    if switches.app_share:
        people = with_devices(people, switches.app_share)
    matchable = np.random.default_rng([seed, 1]).random(people.size) < switches.match_share
    shop = Shop(people.size, clock.epoch(), np.random.default_rng([seed, 2]))
    if switches.mistakes.stale_addresses:
        matchable &= ~forgotten(shop, clock.epoch())
    ad_sets = (*AD_SETS, SITE_TAG) if switches.site_tag_adset else AD_SETS
    market = Market(
        clock=clock,
        switches=switches,
        people=people,
        shop=shop,
        ads=Advertising(ad_sets, people.size, np.random.default_rng([seed, 3]), switches.ad_effect),
        account=Account(advertiser_id, ad_sets, matchable),
    )
    market.open_ledger()
    return market


def steps(hours: float) -> list[float]:
    """Cut a stretch of hours into steps of seconds, an hour each and what is left."""
    whole, rest = divmod(hours * HOUR, HOUR)
    return [HOUR] * int(whole) + ([rest] if rest > 0 else [])
