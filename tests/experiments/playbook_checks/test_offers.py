"""One offer policy: mail and ads, early and late, new and repeat, from and until."""

from dataclasses import replace
from datetime import date

import pytest
from shops import CART, EXCLUDES, LAPSED, TEN, codes, known, shop, the, with_programme

from experiments.audiences import Offer
from experiments.playbook.facts import Campaign, Noted, Snapshot

FIFTEEN = Offer("fifteen", 0.15)


def offering(*names: str, offers: tuple[Offer, ...] = (TEN, FIFTEEN)) -> Snapshot:
    """The three cart windows with these offers, VIPs left aside."""
    cart = tuple(replace(each, offer=name) for each, name in zip(CART, names, strict=True))
    return with_programme(audiences=(*cart, LAPSED, *EXCLUDES), offers=offers)


def test_a_journey_that_says_another_price_cut_is_a_conflict_with_its_margin() -> None:
    mailing = replace(offering("none", "none", "ten"), campaigns=(Campaign("Cart", ("fifteen",), (9,)),))
    found = the(mailing, "offers.conflict")
    assert (found.audience, found.severity, found.figure) == ("cart-1-7d", "high", pytest.approx(0.05))
    assert found.cost is not None
    assert found.cost.amount == pytest.approx(250.0)


def test_a_journey_with_an_offer_conflicts_with_ads_that_say_nothing() -> None:
    mailing = replace(offering("none", "none", "none"), campaigns=(Campaign("Cart", ("ten",), (8,)),))
    assert codes(mailing) == [("offers.conflict", "cart-4-24h")]


def test_the_same_offer_another_segment_or_an_unread_workspace_is_no_conflict() -> None:
    assert codes(shop()) == []
    assert codes(shop(campaigns=(Campaign("Cart", ("ten",), (99,)),))) == []
    assert codes(shop(campaigns=None)) == []


def test_a_price_cut_that_shrinks_along_the_journey_is_a_conflict_of_its_own() -> None:
    found = the(
        offering(
            "none", "fifteen", "ten", offers=(replace(TEN, first_touch=1), replace(FIFTEEN, first_touch=1))
        ),
        "offers.journey-conflict",
    )
    assert (found.audience, found.figure) == ("cart-1-7d", pytest.approx(0.05))


def test_an_incentive_before_its_touch_is_too_early() -> None:
    found = the(offering("none", "ten", "ten"), "offers.too-early")
    assert (found.audience, found.figure) == ("cart-4-24h", 2)
    assert found.cost is not None
    assert found.cost.amount == pytest.approx(500.0)
    assert codes(offering("none", "ten", "ten", offers=(replace(TEN, first_touch=2),))) == []


def test_an_audience_that_is_no_journey_has_no_touches() -> None:
    alone = with_programme(audiences=(*CART, replace(LAPSED, offer="ten"), *EXCLUDES))
    assert codes(alone) == []


@pytest.mark.parametrize(("buyers", "bought", "share"), [("new", 360, 0.1), ("repeat", 3_240, 0.1)])
def test_an_offer_for_others_than_its_people_costs_their_part(buyers: str, bought: int, share: float) -> None:
    first = Offer("first", 0.20, buyers=buyers)  # type: ignore[arg-type]  # a parameter
    snapshot = with_programme(
        audiences=(*CART, replace(LAPSED, offer="first"), *EXCLUDES), offers=(TEN, first)
    )
    facts = {**snapshot.known, "lapsed-60-120d": known(ever_bought=bought)}
    found = the(replace(snapshot, known=facts), "offers.wrong-buyers")
    assert found.figure == pytest.approx(share)
    assert found.cost is not None
    assert found.cost.amount == pytest.approx(0.2 * share * 5_000)


@pytest.mark.parametrize(
    ("buyers", "bought"), [("new", 179), ("repeat", 3_500), ("all", 1_800), ("new", None)]
)
def test_an_offer_for_the_people_it_is_shown_to_is_fine(buyers: str, bought: int | None) -> None:
    first = Offer("first", 0.20, buyers=buyers)  # type: ignore[arg-type]  # a parameter
    snapshot = with_programme(
        audiences=(*CART, replace(LAPSED, offer="first"), *EXCLUDES), offers=(TEN, first)
    )
    assert (
        codes(replace(snapshot, known={**snapshot.known, "lapsed-60-120d": known(ever_bought=bought)})) == []
    )


@pytest.mark.parametrize(
    ("starts", "ends", "days"),
    [(None, date(2026, 11, 19), 1), (date(2026, 11, 22), None, 2), (None, date(2026, 11, 20), None)],
)
def test_an_offer_outside_of_its_dates_fails_at_checkout(
    starts: date | None, ends: date | None, days: int | None
) -> None:
    snapshot = replace(with_programme(offers=(replace(TEN, starts=starts, ends=ends),)), campaigns=())
    if days is None:
        assert codes(snapshot) == []
    else:
        assert the(snapshot, "offers.dates").figure == days


def noting(**noted: object) -> Snapshot:
    told = replace(shop().known["cart-4-24h"], noted=Noted(**noted))  # type: ignore[arg-type]  # as given
    named = with_programme(offer_attribute="last_offer", offers=(TEN, FIFTEEN))
    return replace(named, known={**named.known, "cart-4-24h": told})


def test_an_offer_that_people_s_attribute_names_conflicts_with_the_ad_and_costs_their_part() -> None:
    found = the(noting(looked_at=200, people={"fifteen": 50}), "offers.conflict")
    assert (found.audience, found.severity, found.figure) == ("cart-4-24h", "high", pytest.approx(0.15))
    assert (
        found.sentence
        == "50 of 200 people, by their 'last_offer', were offered 15% (fifteen), the ad says nothing"
    )
    assert found.cost is not None
    assert found.cost.amount == pytest.approx(0.15 * 0.25 * 5_000)


@pytest.mark.parametrize(
    "noted",
    [{"people": {"fifteen": 9}}, {"people": {}}, {"people": {"gone": 200}}, {"people": {}, "unlisted": 9}],
    ids=["a few people", "nobody", "no offer of the file", "a few odd values"],
)
def test_an_attribute_of_few_people_is_no_finding(noted: dict[str, object]) -> None:
    assert codes(noting(looked_at=200, **noted)) == []
    assert codes(noting(looked_at=0, people={})) == []


def test_the_same_offer_by_attribute_and_ad_is_no_conflict_and_odd_values_are_told() -> None:
    agreeing = replace(noting(looked_at=200, people={"ten": 200}), campaigns=())
    assert codes(agreeing) == [("offers.conflict", "cart-4-24h")]
    cart = tuple(replace(each, offer="ten") for each in CART)
    late = (replace(TEN, first_touch=1),)
    same = replace(
        agreeing, programme=replace(agreeing.programme, audiences=(*cart, LAPSED, *EXCLUDES), offers=late)
    )
    assert codes(same) == []
    odd = the(noting(looked_at=200, people={}, unlisted=10), "offers.unlisted")
    assert (odd.audience, odd.figure) == ("cart-4-24h", 10)


def test_a_running_journey_whose_offer_is_over_is_found_too() -> None:
    over = with_programme(offers=(TEN, replace(FIFTEEN, ends=date(2026, 8, 31))))
    found = the(replace(over, campaigns=(Campaign("Old", ("fifteen",), (99,)),)), "offers.dates")
    assert (found.audience, found.subject, found.figure) == (None, "Old: fifteen", 81)


def test_a_journey_with_an_offer_that_the_file_does_not_list_is_a_finding() -> None:
    assert codes(shop(campaigns=(Campaign("Cart", ("twenty",), (99,)),))) == [("offers.unlisted", None)]
    assert codes(shop(campaigns=(Campaign("Cart", (), (9,)),))) == []
