"""The shop's truth is of the size that the demo is about: lifts, conversion, spend, in weeks of daily syncs."""

from dataclasses import dataclass, field

import pytest
from conftest import START, Open, Vendors

from sandbox.shop import INCLUDE
from sandbox.world import Sandbox

SEGMENTS = "/2026-07/marketing-solutions/audience-segments"
DAYS = 35
CART = ("cart-0-4h", "cart-4-24h", "cart-2-7d")


@dataclass
class Run:
    """Five weeks of a whole segment on each list, synced every 12 hours, and who entered when."""

    box: Sandbox
    entered: dict[str, dict[bytes, float]] = field(default_factory=lambda: {name: {} for name in INCLUDE})

    def converted(self, name: str, causes: tuple[str, ...]) -> tuple[int, int, int]:
        """Entrants with 14 days behind them; how many bought unprompted; how many at all, by these ads too."""
        end = self.box.clock.epoch() - 14 * 86_400
        ripe = {unit: at for unit, at in self.entered[name].items() if at < end}
        orders = self.box.books().orders()
        rows = zip(orders.unit, orders.ordered_at.tolist(), orders.caused_by, strict=True)
        inside = [(u, by) for u, at, by in rows if u in ripe and ripe[u] <= at < ripe[u] + 14 * 86_400]
        return (
            len(ripe),
            len({unit for unit, by in inside if not by}),
            len({unit for unit, by in inside if not by or by in causes}),
        )


@pytest.fixture
def run(open_box: Open, vendors: Vendors) -> Run:
    box = open_box(profiles=30_000)
    criteo, run = vendors.criteo(box), Run(box)
    items = [
        {"attributes": {"advertiserId": box.advertiser_id, "name": name, "contactList": {}}}
        for name in INCLUDE
    ]
    made = criteo.post(f"{SEGMENTS}/create", json={"data": items}).json()["data"]
    on: dict[str, frozenset[bytes]] = dict.fromkeys(INCLUDE, frozenset())
    for _ in range(DAYS * 2):
        never = box.members("recent-purchasers") | box.members("refund-risk")
        for name, segment in zip(INCLUDE, made, strict=True):
            wanted = box.members(name) - never
            for operation, changed in (("add", wanted - on[name]), ("remove", on[name] - wanted)):
                identifiers = [unit.hex() for unit in changed]
                attributes = {"operation": operation, "identifierType": "email", "identifiers": identifiers}
                body = {"data": {"type": "ContactlistAmendment", "attributes": attributes}}
                criteo.patch(f"{SEGMENTS}/{segment['id']}/contact-list", json=body)
            on[name] = wanted
            for unit in wanted:
                run.entered[name].setdefault(unit, box.clock.epoch())
        box.advance(hours=12)
    return run


def test_cart_entrants_convert_at_five_to_nine_percent_and_ads_add_a_third_to_a_half(run: Run) -> None:
    entrants, organic, at_all = run.converted("cart-4-24h", CART)
    assert 0.05 < organic / entrants < 0.09
    assert 1.30 < at_all / organic < 1.60
    browsing = run.converted("browse-no-cart", ("browse-no-cart",))
    assert 0.02 < browsing[1] / browsing[0] < 0.045
    assert 1.10 < browsing[2] / browsing[1] < 1.35
    lapsed = run.converted("lapsed", ("lapsed",))
    assert 0.015 < lapsed[1] / lapsed[0] < 0.045
    assert lapsed[2] / lapsed[1] < 1.15

    books = run.box.books()
    orders = books.orders()
    live = orders.ordered_at >= START.timestamp()
    spend = sum(books.total_spend(name) for name in INCLUDE)
    assert 9 < orders.revenue[live].sum() / spend < 15
    assert orders.revenue.mean() == pytest.approx(60, abs=4)
    carts = sum(books.total_spend(name) for name in CART)
    cart_revenue = sum(
        revenue for revenue, by in zip(orders.revenue.tolist(), orders.caused_by, strict=True) if by in CART
    )
    assert 1.5 < cart_revenue / carts < 4
    claimed = sum(
        revenue for revenue, by in zip(orders.revenue.tolist(), orders.claimed_by, strict=True) if by in CART
    )
    assert claimed > 1.5 * cart_revenue
    assert 0.2 < len(run.entered["cart-4-24h"]) / run.box.market.people.size < 0.45
