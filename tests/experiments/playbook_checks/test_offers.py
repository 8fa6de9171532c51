"""One offer policy: mail and ads, early and late, new and repeat, from and until."""

from dataclasses import replace
from datetime import date

import pytest
from shops import CART, EXCLUDES, LAPSED, TEN, codes, known, shop, the, with_programme

from experiments.audiences import Offer
from experiments.playbook.facts import Campaign, Snapshot

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
    snapshot = with_programme(offers=(replace(TEN, starts=starts, ends=ends),))
    if days is None:
        assert codes(snapshot) == []
    else:
        assert the(snapshot, "offers.dates").figure == days


def test_a_journey_with_an_offer_that_the_file_does_not_list_is_a_finding() -> None:
    assert codes(shop(campaigns=(Campaign("Cart", ("twenty",), (99,)),))) == [("offers.unlisted", None)]
    assert codes(shop(campaigns=(Campaign("Cart", (), (9,)),))) == []
