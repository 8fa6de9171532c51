"""The mistakes that the shop can be told to make, as the vendors' APIs show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.mistakes import Mistakes

if TYPE_CHECKING:
    from conftest import Open, Vendors


def test_a_sound_shop_s_journeys_name_no_offer(open_box: Open, vendors: Vendors) -> None:
    found = vendors.customerio(open_box()).get("/v1/campaigns").json()["campaigns"]
    running = [each for each in found if each["state"] == "running"]
    assert {"id", "name", "active", "tags", "trigger_segment_ids", "filter_segment_ids"} <= set(found[0])
    assert not [tag for each in running for tag in each["tags"] if tag.startswith("offer:")]


def test_a_mailed_offer_stands_in_the_tags_of_the_cart_journey(open_box: Open, vendors: Vendors) -> None:
    box = open_box(mistakes=Mistakes(mailed_offer="ten"))
    found = vendors.customerio(box).get("/v1/campaigns").json()["campaigns"]
    (cart,) = (each for each in found if "offer:ten" in each["tags"])
    assert cart["trigger_segment_ids"] == [box.segment_ids["cart-2-7d"]]


def test_a_noted_offer_is_an_attribute_of_those_in_the_cart_segment_and_of_nobody_else(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(mistakes=Mistakes(noted_offer="ten"))
    client = vendors.customerio(box)
    for name, offer in (("cart-2-7d", "ten"), ("recent-purchasers", None)):
        found = client.get(f"/v1/segments/{box.segment_ids[name]}/membership?limit=50").json()["identifiers"]
        asked = client.post(
            "/v1/customers/attributes?id_type=cio_id", json={"ids": [each["cio_id"] for each in found]}
        ).json()
        offers = {each["customer"]["attributes"].get("last_offer") for each in asked["customers"]}
        assert offers == {offer}


def test_everybody_stands_in_a_segment_that_changes_no_other_s_number(open_box: Open) -> None:
    sound, box = open_box(), open_box(mistakes=Mistakes(everyone=True))
    assert len(box.members("everyone")) == 380
    assert sound.segment_ids == {name: at for name, at in box.segment_ids.items() if name != "everyone"}


def test_a_deaf_exclusion_holds_nobody_though_people_buy(open_box: Open) -> None:
    assert open_box().members("recent-purchasers")
    assert not open_box(mistakes=Mistakes(deaf_exclusion=True)).members("recent-purchasers")


def test_a_sloppy_form_leaves_people_as_they_are_and_spoils_some_e_mails(open_box: Open) -> None:
    sound, box = open_box(), open_box(mistakes=Mistakes(sloppy_form=True))
    assert box.market.people.units == sound.market.people.units
    emails = [each.email or "" for each in box.market.people.profiles]
    assert sum(each.endswith("@gmial.com") for each in emails) > 5
    assert sum(each.endswith(" at home") for each in emails) > 10


def test_nameless_leads_have_no_e_mail_and_stay_the_people_they_are(open_box: Open) -> None:
    sound, box = open_box(), open_box(mistakes=Mistakes(nameless_leads=True))
    assert box.market.people.units == sound.market.people.units
    without = sum(not each.email for each in box.market.people.profiles)
    assert without > 0.2 * len(box.market.people.profiles)
    assert all(each.id for each in box.market.people.profiles if each.email is None)


def test_twin_profiles_are_more_profiles_of_the_same_people(open_box: Open) -> None:
    sound, box = open_box().market.people, open_box(mistakes=Mistakes(twin_profiles=True)).market.people
    assert box.units == sound.units
    assert len(box.profiles) == len(box.person_of) > 1.2 * len(sound.profiles)
    assert len({each.cio_id for each in box.profiles}) == len(box.profiles)
    assert all(each.person == at for each, at in zip(box.profiles, box.person_of.tolist(), strict=True))


def test_stale_addresses_are_those_of_the_lapsed(open_box: Open) -> None:
    sound, box = open_box(), open_box(mistakes=Mistakes(stale_addresses=True))
    lost = sound.market.account.matchable & ~box.market.account.matchable
    assert lost.any()
    assert not (lost & ~box.market.members("lapsed")).any()


def test_an_exclusion_is_halved_from_its_moment_on(open_box: Open) -> None:
    sound = open_box(profiles=4_000)
    half_an_hour = 1_800
    box = open_box(
        profiles=4_000, mistakes=Mistakes(halved_exclusion_from=sound.clock.epoch() + half_an_hour)
    )
    before = box.members("recent-purchasers")
    assert before == sound.members("recent-purchasers")
    box.advance(1)
    assert 0 < len(box.members("recent-purchasers")) < 0.8 * len(before)


def test_mistakes_move_nobody_in_the_shop(open_box: Open) -> None:
    sound, box = open_box(), open_box(mistakes=Mistakes(everyone=True, mailed_offer="ten"))
    for each in (sound, box):
        each.advance(24)
    assert sound.members("browse-no-cart") == box.members("browse-no-cart")
    assert sound.books().orders().order_id == box.books().orders().order_id
