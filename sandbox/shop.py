"""The shop's organic life: visits, carts, purchases and the segments that follow them. Pure.

Every draw is sparse: how many events an hour brings, then who they fall on. No draw looks at an ad, so two
worlds with one seed have the same visits, carts and organic orders whatever is advertised: the orders that
ads cause come on top of them (`sandbox.advertising`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOUR = 3600.0
DAY = 24 * HOUR

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

VISITS_PER_DAY = 0.11
CARTS_PER_VISIT = 0.125
CART_CONVERSION = 0.040
"""Share of the carts that their owner buys unprompted, with a delay of hours or days."""
ORDERS_PER_DAY = 0.00112
"""Organic orders per person and day that no cart announced: a straight checkout, a phone order."""
FADED = 0.3
HISTORY_DAYS = 120
MEAN_ORDER = 60.0
ORDER_SIGMA = 0.8
REFUND_RISK_SHARE = 0.03
NEVER = -np.inf

_BY_HOUR = 1 + 0.45 * np.sin((np.arange(24) - 13.5) / 24 * 2 * np.pi)
_BY_WEEKDAY = np.array([1.02, 0.98, 0.97, 0.98, 0.95, 1.0, 1.10])


def season(epoch: float) -> float:
    """How busy the hour is, about 1 on average: evenings and Sundays above, nights below."""
    days, seconds = divmod(epoch, DAY)
    return float(_BY_HOUR[int(seconds // HOUR)] * _BY_WEEKDAY[int(days + 3) % 7])


@dataclass(frozen=True, slots=True)
class Purchases:
    """Who bought when, for how much; rows in no order."""

    person: Ints
    at: Floats
    revenue: Floats


class Tastes:
    """What differs between people for good: how often they come, buy, spend and yield to an ad."""

    def __init__(self, people: int, rng: np.random.Generator) -> None:
        activity = rng.gamma(0.8, 1 / 0.8, people)
        loyalty = rng.lognormal(-0.4, 0.9, people)
        self.visits = activity / activity.mean()
        self.buys = 0.35 * self.visits + 0.65 * loyalty / loyalty.mean()
        self.basket = np.exp(rng.normal(0, 0.4, people))
        self.yielding = rng.gamma(4, 1 / 4, people)
        self._visits_up_to = np.cumsum(self.visits)
        self._buys_up_to = np.cumsum(self.buys)

    def visitors(self, n: int, rng: np.random.Generator) -> Ints:
        """Draw `n` visits, in proportion to how often each person comes."""
        return _weighted(self._visits_up_to, n, rng)

    def buyers(self, n: int, rng: np.random.Generator) -> Ints:
        """Draw `n` purchases, in proportion to how often each person buys."""
        return _weighted(self._buys_up_to, n, rng)

    def baskets(self, person: Ints, rng: np.random.Generator) -> Floats:
        """Log-normal order values with the mean and spread of the shop, a part of it the person's own."""
        within = np.sqrt(ORDER_SIGMA**2 - 0.4**2)
        values = (
            MEAN_ORDER * self.basket[person] * np.exp(rng.normal(0, within, len(person)) - ORDER_SIGMA**2 / 2)
        )
        return np.asarray(np.round(np.maximum(values, 1.0), 2), dtype=np.float64)


def _weighted(up_to: Floats, n: int, rng: np.random.Generator) -> Ints:
    return np.asarray(np.searchsorted(up_to, rng.random(n) * up_to[-1], side="right"), dtype=np.int64)


class Shop:
    """What has happened to each person, as columns; times are seconds since 1970, `NEVER` where nothing was."""

    def __init__(self, people: int, now: float, rng: np.random.Generator) -> None:
        self._rng = rng
        self.tastes = Tastes(people, rng)
        self.seen_at = np.full(people, NEVER)
        self.seen_before_at = np.full(people, NEVER)
        self.cart_at = np.full(people, NEVER)
        self.ordered_at = np.full(people, NEVER)
        self.orders = np.zeros(people, dtype=np.int64)
        self.spent = np.zeros(people)
        self.refund_risk: Mask = rng.random(people) < REFUND_RISK_SHARE
        self._due = Purchases(np.empty(0, np.int64), np.empty(0), np.empty(0))
        self.history = self._live_through_history(now)

    def step(self, now: float, seconds: float) -> Purchases:
        """Live from `now` for `seconds`, at most an hour, and say which organic purchases happened."""
        busy = season(now) * seconds / DAY
        size = len(self.seen_at)
        visitors = self.tastes.visitors(self._rng.poisson(size * VISITS_PER_DAY * busy), self._rng)
        self._visit(visitors, now + self._rng.random(len(visitors)) * seconds)
        self._drift(size, seconds)
        straight = self._still_keen(
            self.tastes.buyers(self._rng.poisson(size * ORDERS_PER_DAY * busy), self._rng), now
        )
        bought = Purchases(
            straight,
            now + self._rng.random(len(straight)) * seconds,
            self.tastes.baskets(straight, self._rng),
        )
        return _joined(bought, self._fall_due(now + seconds))

    def record(self, purchases: Purchases) -> None:
        """Enter purchases of either kind: they empty the cart and make a recent purchaser."""
        np.maximum.at(self.ordered_at, purchases.person, purchases.at)
        np.add.at(self.orders, purchases.person, 1)
        np.add.at(self.spent, purchases.person, purchases.revenue)
        emptied = purchases.person[self.cart_at[purchases.person] <= purchases.at]
        self.cart_at[emptied] = NEVER

    def _still_keen(self, buyers: Ints, now: float) -> Ints:
        """Interest fades: who last bought 45 days ago or more buys less than half as often."""
        faded = (self.ordered_at[buyers] < now - 45 * DAY) & (self.ordered_at[buyers] > NEVER)
        return buyers[~faded | (self._rng.random(len(buyers)) < FADED)]

    def _visit(self, person: Ints, at: Floats) -> None:
        order = np.lexsort((at, person))
        person, at = person[order], at[order]
        last = np.flatnonzero(np.append(person[1:] != person[:-1], True)[: len(person)])
        who = person[last]
        again = (last > 0) & (person[last - 1] == who)
        self.seen_before_at[who] = np.where(again, at[last - 1], self.seen_at[who])
        self.seen_at[who] = at[last]
        fills = self._rng.random(len(person)) < CARTS_PER_VISIT
        carts, carted_at = person[fills], at[fills]
        self.cart_at[carts] = carted_at
        self._foresee(carts, carted_at)

    def _foresee(self, person: Ints, at: Floats) -> None:
        buys = self._rng.random(len(person)) < CART_CONVERSION * np.clip(self.tastes.buys[person], 0.3, 3.0)
        who = person[buys]
        slow = self._rng.random(len(who)) < 0.7
        delay = self._rng.exponential(np.where(slow, 72.0, 3.0)) * HOUR
        later = Purchases(who, at[buys] + delay, self.tastes.baskets(who, self._rng))
        self._due = _joined(self._due, later)

    def _fall_due(self, until: float) -> Purchases:
        ripe = self._due.at < until
        happened = _where(self._due, ripe)
        self._due = _where(self._due, ~ripe)
        return happened

    def _drift(self, size: int, seconds: float) -> None:
        moved = self._rng.integers(0, size, self._rng.poisson(size * 0.004 * seconds / DAY))
        self.refund_risk[moved] = self._rng.random(len(moved)) < REFUND_RISK_SHARE

    def _live_through_history(self, now: float) -> Purchases:
        """Orders of the last 120 days and what is left of the last week's visits, before the sandbox starts."""
        rng, size = self._rng, len(self.seen_at)
        per_day = ORDERS_PER_DAY + VISITS_PER_DAY * CARTS_PER_VISIT * CART_CONVERSION
        who = self.tastes.buyers(rng.poisson(size * per_day * HISTORY_DAYS), rng)
        past = Purchases(who, now - rng.random(len(who)) * HISTORY_DAYS * DAY, self.tastes.baskets(who, rng))
        older = rng.poisson(per_day * 600 * self.tastes.buys)
        self.orders += older
        self.spent += older * MEAN_ORDER * self.tastes.basket
        visitors = self.tastes.visitors(rng.poisson(size * VISITS_PER_DAY * 8), rng)
        self._visit(visitors, now - rng.random(len(visitors)) * 8 * DAY)
        history = _joined(past, self._fall_due(now))
        self.record(history)
        return history


def _joined(a: Purchases, b: Purchases) -> Purchases:
    return Purchases(
        np.concatenate([a.person, b.person]),
        np.concatenate([a.at, b.at]),
        np.concatenate([a.revenue, b.revenue]),
    )


def _where(purchases: Purchases, chosen: Mask) -> Purchases:
    return Purchases(purchases.person[chosen], purchases.at[chosen], purchases.revenue[chosen])


def _cart_aged(low: float, high: float) -> Callable[[Shop, float], Mask]:
    def rule(shop: Shop, now: float) -> Mask:
        age = now - shop.cart_at
        return (age >= low * HOUR) & (age < high * HOUR)

    return rule


def _browsing(shop: Shop, now: float) -> Mask:
    week = now - 7 * DAY
    return (shop.seen_before_at >= week) & (shop.cart_at < week)


def _lapsed(shop: Shop, now: float) -> Mask:
    age = now - shop.ordered_at
    return (shop.orders >= 2) & (age >= 60 * DAY) & (age < 120 * DAY)


def _recent(shop: Shop, now: float) -> Mask:
    return shop.ordered_at >= now - 7 * DAY


def _refund_risk(shop: Shop, _: float) -> Mask:
    return shop.refund_risk.copy()


def _vip(shop: Shop, _: float) -> Mask:
    return (shop.orders >= 8) | (shop.spent >= 600)


INCLUDE = ("cart-0-4h", "cart-4-24h", "cart-2-7d", "browse-no-cart", "lapsed")
"""The segments that an ad set exists for."""

SEGMENTS: dict[str, tuple[str, Callable[[Shop, float], Mask]]] = {
    "cart-0-4h": ("Cart left less than 4 hours ago", _cart_aged(0, 4)),
    "cart-4-24h": ("Cart left 4 to 24 hours ago", _cart_aged(4, 24)),
    "cart-2-7d": ("Cart left 2 to 7 days ago", _cart_aged(48, 168)),
    "browse-no-cart": ("Two visits in 7 days and no cart", _browsing),
    "lapsed": ("Two orders or more, the last one 60 to 120 days ago", _lapsed),
    "recent-purchasers": ("Ordered in the last 7 days", _recent),
    "refund-risk": ("Sends back too much", _refund_risk),
    "vip": ("Eight orders or EUR 600", _vip),
}
"""What stands in Customer.io: each segment's name, its description, and who is in it at a moment."""
