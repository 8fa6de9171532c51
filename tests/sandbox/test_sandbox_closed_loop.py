"""The loop is closed: who stands on a list buys more, nobody else does, and the books say so exactly."""

import sqlite3
from datetime import timedelta

import httpx
import numpy as np
import pytest
from conftest import START, Open, Vendors

from sandbox.clock import Clock
from sandbox.people import canonical, digest
from sandbox.shop import SEGMENTS
from sandbox.world import Sandbox

MS = "/2026-07/marketing-solutions"


def _fill(criteo: httpx.Client, box: Sandbox, name: str, people: list[int]) -> str:
    attributes = {"advertiserId": box.advertiser_id, "name": name, "contactList": {}}
    made = criteo.post(f"{MS}/audience-segments/create", json={"data": [{"attributes": attributes}]}).json()
    segment = str(made["data"][0]["id"])
    units = [box.market.people.units[person].hex() for person in people]
    amendment = {"operation": "add", "identifierType": "email", "identifiers": units}
    body = {"data": {"type": "ContactlistAmendment", "attributes": amendment}}
    criteo.patch(f"{MS}/audience-segments/{segment}/contact-list", json=body)
    return segment


def _caused(box: Sandbox) -> set[bytes]:
    orders = box.books().orders()
    return {unit for unit, by in zip(orders.unit, orders.caused_by, strict=True) if by}


def test_only_matchable_people_on_the_list_are_exposed_and_only_exposed_people_buy_more(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(profiles=4000, ad_effect=30.0)
    listed = list(range(0, box.market.people.size, 2))
    _fill(vendors.criteo(box), box, "cart-2-7d", listed)
    box.advance(hours=72)
    books = box.books()
    on_list = {box.market.people.units[person] for person in listed}
    assert books.ever_exposed["cart-2-7d"] == on_list & books.matchable
    assert _caused(box) <= on_list & books.matchable
    assert len(_caused(box)) > 100
    orders = books.orders()
    live = orders.ordered_at >= START.timestamp()
    bought = np.array([unit in on_list for unit in orders.unit]) & live
    assert bought.sum() > 1.5 * (live & ~bought).sum()


def test_without_a_list_no_ad_is_shown_and_nothing_is_spent(box: Sandbox) -> None:
    box.advance(hours=100)
    books = box.books()
    assert _caused(box) == set()
    assert sum(books.total_spend(name) for name in box.ad_sets) == 0


def test_organic_orders_are_the_same_whatever_is_advertised(open_box: Open, vendors: Vendors) -> None:
    quiet, loud = open_box(profiles=3000), open_box(profiles=3000, ad_effect=10.0)
    _fill(vendors.criteo(loud), loud, "cart-0-4h", list(range(1500)))
    organic = []
    for box in (quiet, loud):
        box.advance(hours=24 * 7)
        orders = box.books().orders()
        organic.append(
            sorted(zip(orders.ordered_at[[not by for by in orders.caused_by]].tolist(), strict=True))
        )
    assert _caused(loud)
    assert len(organic[0]) == pytest.approx(len(organic[1]), rel=0.02)
    assert set(organic[0]) & set(organic[1])


def test_equal_seeds_and_equal_lists_make_equal_worlds(open_box: Open, vendors: Vendors) -> None:
    worlds = []
    for _ in range(2):
        box = open_box(profiles=2000, seed=3)
        _fill(vendors.criteo(box), box, "lapsed", list(range(900)))
        box.advance(hours=24)
        box.advance(hours=24)
        orders = box.books().orders()
        worlds.append(
            (orders.order_id, orders.ordered_at.tolist(), orders.caused_by, box.members("cart-4-24h"))
        )
    assert worlds[0] == worlds[1]


def test_the_effect_lasts_48_hours_after_the_list_was_left_and_no_longer(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(profiles=4000, ad_effect=60.0)
    criteo = vendors.criteo(box)
    segment = _fill(criteo, box, "cart-0-4h", list(range(box.market.people.size)))
    box.advance(hours=4)
    criteo.delete(f"{MS}/audience-segments/{segment}/contact-list")
    box.advance(hours=96)
    orders = box.books().orders()
    caused = orders.ordered_at[[bool(by) for by in orders.caused_by]] - START.timestamp()
    assert 45 * 3600 < caused.max() < 52 * 3600


def test_a_change_of_the_list_waits_for_the_batch_when_it_is_asked_to(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(processing="batch")
    box.advance(hours=1)
    _fill(vendors.criteo(box), box, "cart-0-4h", list(range(300)))
    box.advance(hours=16)
    assert box.books().total_spend("cart-0-4h") == 0
    box.advance(hours=1)
    assert box.books().total_spend("cart-0-4h") > 0


def test_the_media_buyer_subtracts_the_holdouts_that_concern_an_audience(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box()
    criteo = vendors.criteo(box)
    everybody = list(range(box.market.people.size))
    _fill(criteo, box, "cart-4-24h", everybody)
    _fill(criteo, box, "holdout · cart", everybody[:100])
    _fill(criteo, box, "holdout · universal", everybody[100:150])
    _fill(criteo, box, "holdout · lapsed", everybody[150:])
    box.advance(hours=1)
    exposed = box.books().ever_exposed["cart-4-24h"]
    expected = {box.market.people.units[person] for person in everybody[150:]} & box.books().matchable
    assert exposed == expected


def test_an_audience_that_somebody_edited_is_no_longer_the_media_buyer_s(
    box: Sandbox, vendors: Vendors
) -> None:
    criteo = vendors.criteo(box)
    segment = _fill(criteo, box, "lapsed", [1, 2, 3])
    audience = box.market.account.links["405"]
    algebra = {"or": [{"audienceSegmentId": segment}]}
    criteo.patch(f"{MS}/audiences", json={"data": [{"id": audience, "attributes": {"algebra": algebra}}]})
    _fill(criteo, box, "holdout · lapsed", [1])
    box.advance(hours=2)
    assert box.market.account.audiences[audience].algebra == algebra


def test_the_site_tag_s_ad_set_reaches_visitors_until_an_audience_with_the_holdout_is_linked(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(site_tag_adset=True)
    criteo = vendors.criteo(box)
    assert box.ad_sets["site-visitors"] == "490"
    box.advance(hours=24)
    reached = box.books().ever_exposed["site-visitors"]
    assert reached
    held = _fill(criteo, box, "holdout · universal", list(range(box.market.people.size)))
    tag = {"visitorsType": "All", "daysSinceLastVisitMin": 0, "daysSinceLastVisitMax": 7}
    item = {"attributes": {"advertiserId": box.advertiser_id, "name": "visitors", "retargeting": tag}}
    visitors = criteo.post(f"{MS}/audience-segments/create", json={"data": [item]}).json()["data"][0]["id"]
    algebra = {"and": [{"audienceSegmentId": visitors}, {"not": {"audienceSegmentId": held}}]}
    item = {"attributes": {"advertiserId": box.advertiser_id, "name": "visitors but", "algebra": algebra}}
    audience = criteo.post(f"{MS}/audiences/create", json={"data": [item]}).json()["data"][0]["id"]
    link = {"data": {"id": "490", "type": "AdSetAudience", "attributes": {"audienceId": audience}}}
    criteo.put(f"{MS}/ad-sets/490/audience", json=link)
    box.advance(hours=24)
    assert box.books().ever_exposed["site-visitors"] == reached


def test_criteo_claims_organic_orders_too(open_box: Open, vendors: Vendors) -> None:
    box = open_box(profiles=6000)
    _fill(vendors.criteo(box), box, "browse-no-cart", list(range(box.market.people.size)))
    box.advance(hours=24 * 14)
    orders = box.books().orders()
    claimed = sum(bool(by) for by in orders.claimed_by)
    caused = sum(bool(by) for by in orders.caused_by)
    assert claimed > 2 * caused > 0


def test_the_shop_s_database_is_the_ledger_with_dirty_e_mails(open_box: Open, vendors: Vendors) -> None:
    box = open_box(profiles=3000, ad_effect=20.0)
    _fill(vendors.criteo(box), box, "cart-0-4h", list(range(2000)))
    for _ in range(6):
        box.advance(hours=48)
    orders = box.books().orders()
    connection = sqlite3.connect(box.orders_path)
    rows = connection.execute("select order_id, email, ordered_at, revenue, currency from orders").fetchall()
    refunds = connection.execute("select order_id, refunded_at, amount from refunds").fetchall()
    connection.close()
    assert {row[0]: digest(row[1]) for row in rows} == dict(zip(orders.order_id, orders.unit, strict=True))
    assert {row[0]: row[3] for row in rows} == dict(
        zip(orders.order_id, orders.revenue.tolist(), strict=True)
    )
    assert any(row[1] != canonical(row[1]) for row in rows)
    assert all(row[2].endswith("+00:00") and len(row[2]) == 25 for row in rows)
    assert min(row[2] for row in rows) < (START - timedelta(days=110)).isoformat()
    assert {row[4] for row in rows} == {"EUR"}
    assert 0 < len(refunds) < 0.06 * len(rows)


def test_late_orders_appear_a_day_later_and_none_is_lost(open_box: Open) -> None:
    box = open_box(profiles=8000, late_orders=0.5)

    def written() -> int:
        connection = sqlite3.connect(box.orders_path)
        (count,) = connection.execute("select count(*) from orders").fetchone()
        connection.close()
        return int(count)

    box.advance(hours=48)
    happened = len(box.books().orders())
    assert written() < happened
    box.advance(hours=49)
    later = box.books().orders()
    assert written() >= happened
    assert written() < len(later)


def test_the_true_increment_counts_what_ads_caused_inside_the_window_only(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(profiles=4000, ad_effect=30.0)
    _fill(vendors.criteo(box), box, "cart-0-4h", list(range(2000)))
    box.advance(hours=96)
    books, orders = box.books(), box.books().orders()
    entered = dict.fromkeys(box.market.people.units, START.timestamp())
    first_day = books.true_incremental(entered, window_days=1)
    expected = [
        revenue
        for at, revenue, by in zip(orders.ordered_at, orders.revenue, orders.caused_by, strict=True)
        if by and at < START.timestamp() + 86_400
    ]
    assert (first_day.orders, first_day.revenue) == (len(expected), pytest.approx(sum(expected)))
    assert books.true_incremental(entered, ad_sets=["lapsed"]).orders == 0
    assert books.true_incremental({}).revenue == 0
    assert books.true_incremental(entered).orders > first_day.orders > 0


def test_people_have_one_unit_however_their_profiles_spell_it(open_box: Open) -> None:
    people = open_box(profiles=5000).market.people
    usable = [
        profile for profile in people.profiles if profile.email and digest(profile.email) in set(people.units)
    ]
    assert all(digest(profile.email) == people.units[profile.person] for profile in usable)
    assert 0.96 < len(usable) / len(people.profiles) < 1
    assert people.size == round(0.95 * 5000)
    assert any(not email.isascii() for email in people.emails)
    assert all(email.partition("@")[2].endswith("example.com") for email in people.emails)
    assert any(profile.email is None for profile in people.profiles)


def test_segments_follow_the_events(open_box: Open) -> None:
    box = open_box(profiles=6000)
    box.advance(hours=24 * 3)
    market, now = box.market, box.clock.epoch()
    age = now - market.shop.cart_at
    assert box.members("cart-0-4h") == {
        market.people.units[p] for p in np.flatnonzero((age >= 0) & (age < 4 * 3600))
    }
    sizes = {name: len(box.members(name)) for name in SEGMENTS}
    assert all(sizes.values()), sizes
    assert not box.members("recent-purchasers") & box.members("lapsed")
    bought_last = {
        unit
        for unit, at in zip(box.books().orders().unit, box.books().orders().ordered_at.tolist(), strict=True)
        if at >= now - 7 * 86_400
    }
    assert box.members("recent-purchasers") == bought_last


def test_the_clock_needs_a_zone_and_never_runs_backwards(box: Sandbox) -> None:
    with pytest.raises(ValueError, match="time zone"):
        Clock(START.replace(tzinfo=None))
    with pytest.raises(ValueError, match="backwards"):
        box.clock.advance(-1)
    box.advance(hours=1.5)
    assert box.clock.now() == START + timedelta(hours=1.5)
    box.advance(hours=0)
    assert box.clock.now() == START + timedelta(hours=1.5)
