"""The sandbox's own books: what really happened, for whoever checks the product against the truth. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from sandbox.ledger import Orders, order_id
from sandbox.market import Market, Write
from sandbox.shop import DAY, HOUR, Floats


@dataclass(frozen=True, slots=True)
class OrderColumns:
    """Every order, history included; `caused_by` is the ad set's name, '' for an organic order.

    `claimed_by` is the ad set that Criteo credits, '' for none. All columns have one length.
    """

    order_id: tuple[str, ...]
    unit: tuple[bytes, ...]
    ordered_at: Floats
    revenue: Floats
    caused_by: tuple[str, ...]
    claimed_by: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.order_id)


@dataclass(frozen=True, slots=True)
class Incremental:
    """Orders that ads added, and their revenue."""

    orders: int
    revenue: float


@dataclass(frozen=True, slots=True)
class Books:
    """A copy of the truth at one moment; later steps of the sandbox do not change it."""

    at: datetime
    spend: Mapping[str, Mapping[date, float]]
    writes: tuple[Write, ...]
    matchable: frozenset[bytes]
    ever_exposed: Mapping[str, frozenset[bytes]]
    _orders: OrderColumns
    _ever: Mapping[str, frozenset[bytes]]
    _now: Mapping[str, frozenset[bytes]]

    def orders(self) -> OrderColumns:
        """The per-order ledger."""
        return self._orders

    def ever_on(self, segment_name: str) -> frozenset[bytes]:
        """Every digest that ever stood in a contact list of that name (a known MD5 form as its person's unit)."""
        return self._ever.get(segment_name, frozenset())

    def now_on(self, segment_name: str) -> frozenset[bytes]:
        """Every digest that stands in that contact list now."""
        return self._now.get(segment_name, frozenset())

    def list_names(self) -> tuple[str, ...]:
        """Every name that a contact list ever bore."""
        return tuple(sorted(self._ever))

    def total_spend(self, ad_set: str, since: date | None = None, until: date | None = None) -> float:
        """What an ad set cost on the days from `since` to before `until`."""
        days = self.spend.get(ad_set, {})
        return sum(
            cost
            for day, cost in days.items()
            if (since is None or day >= since) and (until is None or day < until)
        )

    def true_incremental(
        self,
        entered_at: Mapping[bytes, float],
        *,
        ad_sets: Collection[str] | None = None,
        window_days: float = 14,
        until: float | None = None,
    ) -> Incremental:
        """What ads added to these units within their windows from entry: by unit, entry in epoch seconds.

        `ad_sets` counts only what these caused (an audience's holdout group), None what any did.
        """
        orders = self._orders
        chosen = [
            revenue
            for unit, at, revenue, cause in zip(
                orders.unit,
                orders.ordered_at.tolist(),
                orders.revenue.tolist(),
                orders.caused_by,
                strict=True,
            )
            if cause
            and (ad_sets is None or cause in ad_sets)
            and (entered := entered_at.get(unit)) is not None
            and entered <= at < entered + window_days * DAY
            and (until is None or at < until)
        ]
        return Incremental(len(chosen), float(sum(chosen)))

    def summary(self) -> dict[str, object]:
        """Counts only, for the control port."""
        caused = np.array([bool(cause) for cause in self._orders.caused_by], dtype=np.bool_)
        return {
            "at": self.at.isoformat(),
            "orders": len(self._orders),
            "caused_orders": int(caused.sum()),
            "caused_revenue": round(float(self._orders.revenue[caused].sum()), 2),
            "spend": {name: round(sum(days.values()), 2) for name, days in self.spend.items()},
            "lists": {
                name: {"now": len(self._now[name]), "ever": len(self._ever[name])}
                for name in sorted(self._ever)
            },
            "writes": len(self.writes),
        }


def close_books(market: Market) -> Books:
    """Copy the truth out of a market."""
    units = market.people.units
    names = [ad_set.name for ad_set in market.ads.ad_sets]
    segments = [*market.account.graveyard, *market.account.segments.values()]
    ever: dict[str, set[bytes]] = {}
    now: dict[str, set[bytes]] = {}
    for segment in segments:
        if segment.contacts is None:
            continue
        for name in segment.names:
            ever.setdefault(name, set()).update(_digests(segment.contacts.ever, market))
            now.setdefault(name, set())
        if segment.id in market.account.segments:
            now[segment.name].update(_digests(segment.contacts.members, market))
    return Books(
        at=market.clock.now(),
        spend=_spend(market, names),
        writes=tuple(market.writes),
        matchable=frozenset(units[person] for person in np.flatnonzero(market.account.matchable)),
        ever_exposed={
            name: frozenset(units[person] for person in np.flatnonzero(market.ads.ever_exposed[index]))
            for index, name in enumerate(names)
        },
        _orders=_columns(market.ledger.read(), units, names),
        _ever={name: frozenset(digests) for name, digests in ever.items()},
        _now={name: frozenset(digests) for name, digests in now.items()},
    )


def _digests(identifiers: Collection[str], market: Market) -> set[bytes]:
    known, units = market.people.known_as, market.people.units
    digests = set()
    for text in identifiers:
        person = known.get(text)
        if person is not None:
            digests.add(units[person])
        elif len(text) == 64:
            digests.add(bytes.fromhex(text))
    return digests


def _spend(market: Market, names: list[str]) -> dict[str, dict[date, float]]:
    spend: dict[str, dict[date, float]] = {name: {} for name in names}
    start = datetime(1970, 1, 1, tzinfo=UTC)
    for (index, hour), delivery in market.ads.delivered.items():
        day = (start + timedelta(seconds=hour * HOUR)).date()
        spend[names[index]][day] = spend[names[index]].get(day, 0.0) + delivery.cost
    return spend


def _columns(orders: Orders, units: tuple[bytes, ...], names: list[str]) -> OrderColumns:
    called = [*names, ""]
    return OrderColumns(
        order_id=tuple(order_id(number) for number in orders.number.tolist()),
        unit=tuple(units[person] for person in orders.person.tolist()),
        ordered_at=orders.at.copy(),
        revenue=orders.revenue.copy(),
        caused_by=tuple(called[index] for index in orders.caused.tolist()),
        claimed_by=tuple(called[index] for index in orders.claimed.tolist()),
    )
