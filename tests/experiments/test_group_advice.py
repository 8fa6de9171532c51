"""`check` says what the holdout groups do to the comparisons, and whom audiences share."""

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import Engine

from experiments.audiences import Audience, Programme
from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.group_advice import Overlap, advice
from experiments.ledger import open_phase, record_entrants
from experiments.overlap import overlaps
from experiments.phases import Holdout, assign


def window(name: str, group: str, priority: int = 1) -> Audience:
    return Audience(name, 1, "include", name, holdout_ppm=100_000, holdout_group=group, priority=priority)


CART, LATER, LAPSED = window("cart-0-4h", "cart"), window("cart-2-7d", "cart", 2), window("lapsed", "lapsed")


def programme(*audiences: Audience) -> Programme:
    return Programme("1", "EUR", 0.45, audiences)


def said(
    asked: Programme,
    shares: dict[str, int] | None = None,
    before: dict[str, str] | None = None,
    shared: tuple[Overlap, ...] = (),
) -> str:
    in_force = {each.name: 100_000 for each in asked.includes} | (shares or {})
    return "\n".join(
        f"{each.subject}: {each.sentence}" for each in advice(asked, in_force, before or {}, shared)
    )


def test_a_programme_without_fault_needs_no_advice() -> None:
    assert said(programme(CART, LATER, LAPSED)) == ""


def test_different_shares_in_one_group_are_named_with_what_they_cost() -> None:
    text = said(programme(CART, LATER), {"cart-2-7d": 200_000})
    assert "holdout group cart: its audiences hold out different shares" in text
    assert "cart-0-4h 10 %, cart-2-7d 20 %" in text
    assert "the 10 % between" in text
    assert "advertised to in another" in text
    assert "one percentage for all, such as 20 %" in text


def test_a_group_that_holds_nobody_out_of_some_window_measures_nothing() -> None:
    assert "nothing can be measured" in said(programme(LAPSED), {"lapsed": 0})
    assert "nothing can be measured" in said(programme(CART, LATER), {"cart-2-7d": 0})


def test_windows_whose_names_begin_alike_but_whose_groups_differ_are_named() -> None:
    text = said(programme(CART, replace(LATER, holdout_group="other"), LAPSED))
    assert (
        "cart-0-4h and cart-2-7d: their names begin alike, but their holdout groups are cart and other"
        in text
    )
    assert text.count("\n") == 0


def test_audiences_that_share_most_of_their_people_are_one_journey_whatever_their_names() -> None:
    shared = (Overlap(("cart-0-4h", "lapsed"), (1_000, 400), 250),)
    text = said(programme(CART, LAPSED), shared=shared)
    assert "62% of the smaller one are in both, but their holdout groups" in text
    assert "250 people entered both, 62% of the smaller audience" in text


def test_a_small_overlap_is_shown_and_no_fault() -> None:
    text = said(programme(CART, LAPSED), shared=(Overlap(("cart-0-4h", "lapsed"), (1_000, 400), 20),))
    assert text == "cart-0-4h and lapsed: 20 people entered both, 5% of the smaller audience"


def test_a_change_of_group_says_that_arms_are_drawn_anew() -> None:
    text = said(programme(CART), before={"cart-0-4h": "baskets"})
    assert "its holdout group was baskets and the file says cart" in text
    assert "draws its arms anew" in text


@pytest.mark.parametrize(("people", "both", "share"), [((10, 4), 2, 0.5), ((0, 4), 0, 0.0)])
def test_an_overlap_is_measured_by_the_smaller_audience(
    people: tuple[int, int], both: int, share: float
) -> None:
    assert Overlap(("a", "b"), people, both).share == share


def test_overlaps_are_counted_in_the_ledger(engine: Engine) -> None:
    holdout = Holdout("s", 100_000, "u", 0)
    entering = {"cart-0-4h": range(60), "lapsed": range(50, 90), "cart-2-7d": range(0)}
    asked = programme(CART, LATER, LAPSED)
    with writing(engine) as connection:
        for name, numbers in entering.items():
            units = DigestSet.of(hashlib.sha256(b"%d" % number).digest() for number in numbers)
            phase = open_phase(connection, asked.audience(name), holdout, 100)
            record_entrants(connection, phase, assign(units, holdout), 100)
    with reading(engine) as connection:
        found = {each.audiences: (each.people, each.both) for each in overlaps(connection, asked)}
    assert found[("cart-0-4h", "lapsed")] == ((60, 40), 10)
    assert found[("cart-0-4h", "cart-2-7d")] == ((60, 0), 0)


def test_an_audience_that_was_never_synced_overlaps_with_nobody(engine: Engine) -> None:
    with reading(engine) as connection:
        assert overlaps(connection, programme(CART, LAPSED)) == ()
