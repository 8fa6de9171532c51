"""Phases: one holdout for a stretch of time, and the arms that follow from it."""

import hashlib
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from experiments.assignment import threshold
from experiments.audiences import Audience
from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.ledger import current_phase, entrants_of, open_phase, phases_of, record_entrants
from experiments.phases import Entered, Holdout, Phase, Rule, assign, place

CART = Audience("cart", 1, "include", "cart", holdout_group="cart")
TEN = Holdout("holdout:v1:cart:s0", 100_000, "holdout:v1:universal:s0", 20_000)
TWENTY = Holdout("holdout:v1:cart:s0", 200_000, "holdout:v1:universal:s0", 20_000)


def people(count: int) -> DigestSet:
    return numbered(range(count))


def numbered(numbers: Iterable[int]) -> DigestSet:
    return DigestSet.of(hashlib.sha256(b"%d" % number).digest() for number in numbers)


def test_a_phase_stays_open_while_nothing_changes(engine: Engine) -> None:
    with writing(engine) as connection:
        first = open_phase(connection, CART, TEN, 100)
        assert open_phase(connection, CART, TEN, 200) == first
    assert (first.number, first.opened_at, first.holdout) == (1, 100, TEN)


@pytest.mark.parametrize(
    "changed",
    [
        TWENTY,
        Holdout("holdout:v1:cart:s1", 100_000, "holdout:v1:universal:s0", 20_000),
        Holdout("holdout:v1:cart:s0", 100_000, "holdout:v1:universal:s1", 20_000),
        Holdout("holdout:v1:cart:s0", 100_000, "holdout:v1:universal:s0", 0),
    ],
)
def test_whatever_decides_arms_opens_a_phase_when_it_changes(engine: Engine, changed: Holdout) -> None:
    with writing(engine) as connection:
        first = open_phase(connection, CART, TEN, 100)
        second = open_phase(connection, CART, changed, 200)
    with reading(engine) as connection:
        assert phases_of(connection, ["cart"]) == (first, second)
        assert current_phase(connection, "cart") == second
    assert (second.number, second.opened_at, second.holdout) == (2, 200, changed)


def test_an_audience_that_changes_its_group_opens_a_phase(engine: Engine) -> None:
    moved = Audience("cart", 1, "include", "cart", holdout_group="all-carts")
    with writing(engine) as connection:
        open_phase(connection, CART, TEN, 100)
        assert open_phase(connection, moved, TEN, 200).number == 2


def test_an_audience_that_was_never_synced_has_no_phase(engine: Engine) -> None:
    with reading(engine) as connection:
        assert current_phase(connection, "cart") is None
        assert phases_of(connection, ["cart", "lapsed"]) == ()


def test_entrants_are_written_once_for_both_arms_alike(engine: Engine) -> None:
    everybody = people(500)
    assigned = assign(everybody, TEN)
    with writing(engine) as connection:
        phase = open_phase(connection, CART, TEN, 100)
        record_entrants(connection, phase, assigned, 100)
        new = assign(people(600), TEN).without(entrants_of(connection, phase.id))
        record_entrants(connection, phase, new, 200)
    with reading(engine) as connection:
        assert len(new.units) == 100
        assert entrants_of(connection, phase.id) == people(600)
        assert entrants_of(connection, phase.id, held_out=True) == assign(people(600), TEN).held_out
        assert entrants_of(connection, phase.id, held_out=False) == assign(people(600), TEN).treated


shares = st.integers(0, 500_000)


@given(shares, shares, shares)
def test_a_change_moves_only_the_band_and_nobody_who_is_held_out_of_everything(
    before: int, after: int, everywhere: int
) -> None:
    low, high = sorted((before, after))
    found = [assign(people(200), Holdout("g", ppm, "u", everywhere)) for ppm in (low, high)]
    moved = (found[0].rules != found[1].rules).nonzero()[0]
    in_band = (found[0].buckets >= threshold(low)) & (found[0].buckets < threshold(high))
    expected = in_band & (found[0].universal_buckets >= threshold(everywhere))
    assert moved.tolist() == expected.nonzero()[0].tolist()
    assert (found[1].rules[moved] == Rule.GROUP).all()


@given(st.lists(shares, min_size=2, max_size=4), shares)
def test_holdouts_of_one_group_are_nested_whatever_the_universal_one(
    several: list[int], everywhere: int
) -> None:
    held = [assign(people(200), Holdout("g", ppm, "u", everywhere)).held_out for ppm in sorted(several)]
    for inner, outer in pairwise(held):
        assert len(inner - outer) == 0


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)), st.integers(0, 1_000_000))
def test_whoever_entered_keeps_the_arm_that_was_written_down_and_the_others_are_drawn(
    before: set[int], now: set[int], ppm: int
) -> None:
    holdout = Holdout("g", ppm, "u", 100_000)
    recorded = assign(numbered(before), holdout)
    entered = Entered(Phase(1, "cart", 1, "g", holdout, 0), {rule: recorded.by(rule) for rule in Rule})
    arms, entering = place(numbered(now), holdout, entered)
    assert entering.units == numbered(now - before)
    assert len(entered) == len(before)
    expected = assign(numbered(now), holdout)
    assert [arms.units, arms.held_out, arms.treated] == [expected.units, expected.held_out, expected.treated]
    assert place(numbered(now), holdout, None)[1].units == numbered(now)


def test_a_written_arm_is_believed_against_the_hash() -> None:
    holdout = Holdout("g", 0, "u", 0)
    entered = Entered(Phase(1, "cart", 1, "g", holdout, 0), {Rule.GROUP: numbered([1])})
    assert place(numbered([1, 2]), holdout, entered)[0].held_out == numbered([1])
