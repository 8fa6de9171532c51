"""The append-only log of holdouts: the file, the form and the command write it, and none reverts another."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from experiments.audiences import Audience, Programme
from experiments.database import connect, reading, writing
from experiments.ledger import (
    UNIVERSAL,
    Route,
    change_holdout,
    holdout_in_force,
    holdout_log,
    open_phase,
    pending_file_holdouts,
    phases_of,
    read_file_holdouts,
    rerandomise,
    salt_number,
)
from experiments.schema import holdout_changes


def window(name: str, ppm: int, group: str = "cart", priority: int = 1) -> Audience:
    return Audience(name, 1, "include", name, holdout_ppm=ppm, holdout_group=group, priority=priority)


def programme(*audiences: Audience, universal: int = 20_000) -> Programme:
    return Programme("1", "EUR", 0.45, audiences, universal_holdout_ppm=universal)


CART = window("cart-0-4h", 100_000)
LATER = window("cart-2-7d", 100_000, priority=2)
LAPSED = window("lapsed", 50_000, group="lapsed")


def read_file(engine: Engine, asked: Programme, at: int) -> None:
    with writing(engine) as connection:
        read_file_holdouts(connection, asked, at)


def change(engine: Engine, ppm: int, at: int, route: Route = "form", audience: str = "cart-0-4h") -> None:
    with writing(engine) as connection:
        change_holdout(connection, audience, ppm, at=at, route=route, who="ada", reason="sooner")


def percentage(engine: Engine, asked: Programme, audience: Audience = CART) -> int:
    with reading(engine) as connection:
        return holdout_in_force(connection, audience, asked).ppm


def test_the_first_reading_of_the_file_writes_one_entry_for_each_holdout(engine: Engine) -> None:
    read_file(engine, programme(CART, LAPSED), 10)
    with reading(engine) as connection:
        (entry,) = holdout_log(connection, "cart-0-4h")
        (universal,) = holdout_log(connection, UNIVERSAL)
    assert (entry.from_ppm, entry.to_ppm, entry.route, entry.changed_at) == (None, 100_000, "file", 10)
    assert (entry.holdout_group, universal.holdout_group) == ("cart", UNIVERSAL)
    assert entry.who == "audiences.yaml"
    assert universal.to_ppm == 20_000


def test_a_file_that_did_not_change_adds_nothing(engine: Engine) -> None:
    for at in (10, 20, 30):
        read_file(engine, programme(CART), at)
    with reading(engine) as connection:
        assert len(holdout_log(connection, "cart-0-4h")) == 1


def test_an_edit_of_the_file_adds_an_entry(engine: Engine) -> None:
    read_file(engine, programme(CART), 10)
    read_file(engine, programme(replace(CART, holdout_ppm=200_000)), 20)
    with reading(engine) as connection:
        assert [each.to_ppm for each in holdout_log(connection, "cart-0-4h")] == [100_000, 200_000]
        assert holdout_log(connection, "cart-0-4h")[-1].from_ppm == 100_000
        assert len(holdout_log(connection, UNIVERSAL)) == 1


def test_the_file_does_not_silently_revert_the_form(engine: Engine) -> None:
    asked = programme(CART)
    read_file(engine, asked, 10)
    change(engine, 300_000, 20)
    read_file(engine, asked, 30)
    assert percentage(engine, asked) == 300_000


def test_the_form_does_not_silently_revert_an_edit_of_the_file(engine: Engine) -> None:
    read_file(engine, programme(CART), 10)
    change(engine, 300_000, 20)
    edited = programme(replace(CART, holdout_ppm=150_000))
    read_file(engine, edited, 30)
    assert percentage(engine, edited) == 150_000


def test_an_edit_to_the_value_that_the_form_gave_is_an_entry_and_changes_nothing(engine: Engine) -> None:
    read_file(engine, programme(CART), 10)
    change(engine, 300_000, 20)
    edited = programme(replace(CART, holdout_ppm=300_000))
    read_file(engine, edited, 30)
    with reading(engine) as connection:
        last = holdout_log(connection, "cart-0-4h")[-1]
    assert (last.from_ppm, last.to_ppm, last.route) == (300_000, 300_000, "file")


def test_the_command_and_the_form_write_the_same_log(engine: Engine) -> None:
    read_file(engine, programme(CART), 10)
    change(engine, 300_000, 20, "form")
    change(engine, 30_000, 30, "command")
    with reading(engine) as connection:
        log = holdout_log(connection, "cart-0-4h")
    assert [(each.from_ppm, each.to_ppm, each.route) for each in log] == [
        (None, 100_000, "file"),
        (100_000, 300_000, "form"),
        (300_000, 30_000, "command"),
    ]
    assert {each.holdout_group for each in log} == {"cart"}
    assert (log[-1].who, log[-1].reason) == ("ada", "sooner")


def test_an_edit_of_the_file_is_in_force_for_a_dry_run_before_it_is_written(engine: Engine) -> None:
    read_file(engine, programme(CART), 10)
    edited = programme(replace(CART, holdout_ppm=150_000), universal=40_000)
    with reading(engine) as connection:
        assert pending_file_holdouts(connection, edited) == {"cart-0-4h": 150_000, UNIVERSAL: 40_000}
        found = holdout_in_force(connection, CART, edited)
    assert (found.ppm, found.universal_ppm) == (150_000, 40_000)
    with reading(engine) as connection:
        assert len(holdout_log(connection, "cart-0-4h")) == 1


step = st.tuples(st.sampled_from(["file", "form", "sync"]), st.integers(0, 50))


@settings(max_examples=40, deadline=None)
@given(st.lists(step, max_size=12))
def test_the_newest_wish_is_in_force_whatever_the_routes(steps: list[tuple[str, int]]) -> None:
    """An oracle: the file speaks only when its value changes; otherwise the last one who spoke is right."""
    engine = connect("sqlite://")
    asked, in_force, last_given = programme(CART), 10, 10
    read_file(engine, asked, 0)
    for at, (what, percent) in enumerate(steps, start=1):
        if what == "form":
            read_file(engine, asked, at)
            change(engine, percent * 10_000, at)
            in_force = percent
        elif what == "file":
            asked = programme(replace(CART, holdout_ppm=percent * 10_000))
            in_force = percent if percent != last_given else in_force
            last_given = percent
        read_file(engine, asked, at)
        assert percentage(engine, asked) == in_force * 10_000
    with reading(engine) as connection:
        log = holdout_log(connection, "cart-0-4h")
    assert [each.from_ppm for each in log[1:]] == [each.to_ppm for each in log[:-1]]
    engine.dispose()


def test_a_rerandomisation_gives_every_audience_of_the_group_a_new_salt_and_nobody_else(
    engine: Engine,
) -> None:
    asked = programme(CART, LATER, LAPSED)
    read_file(engine, asked, 10)
    change(engine, 300_000, 20)
    with writing(engine) as connection:
        made = rerandomise(connection, asked, "cart", at=30, who="ada", reason="contaminated")
    assert [(each.audience, each.from_ppm, each.to_ppm, each.salt_number) for each in made] == [
        ("cart-0-4h", 300_000, 300_000, 1),
        ("cart-2-7d", 100_000, 100_000, 1),
    ]
    with reading(engine) as connection:
        salts = {each.name: holdout_in_force(connection, each, asked).salt for each in asked.includes}
        universal = holdout_in_force(connection, CART, asked).universal_salt
    assert salts == {
        "cart-0-4h": "holdout:v1:cart:s1",
        "cart-2-7d": "holdout:v1:cart:s1",
        "lapsed": "holdout:v1:lapsed:s0",
    }
    assert universal == "holdout:v1:universal:s0"


def test_the_universal_holdout_can_be_rerandomised_alone(engine: Engine) -> None:
    asked = programme(CART)
    read_file(engine, asked, 10)
    with writing(engine) as connection:
        (made,) = rerandomise(connection, asked, UNIVERSAL, at=30, who="ada", reason="contaminated")
    assert (made.audience, made.to_ppm) == (UNIVERSAL, 20_000)
    with reading(engine) as connection:
        found = holdout_in_force(connection, CART, asked)
    assert (found.salt, found.universal_salt) == ("holdout:v1:cart:s0", "holdout:v1:universal:s1")


def test_no_later_change_of_a_percentage_takes_the_new_salt_back(engine: Engine) -> None:
    asked = programme(CART, LATER)
    read_file(engine, asked, 10)
    with writing(engine) as connection:
        rerandomise(connection, asked, "cart", at=20, who="ada", reason="contaminated")
    change(engine, 200_000, 30)
    edited = programme(CART, replace(LATER, holdout_ppm=200_000))
    read_file(engine, edited, 40)
    with reading(engine) as connection:
        assert {holdout_in_force(connection, each, edited).salt for each in edited.includes} == {
            "holdout:v1:cart:s1"
        }


def test_an_audience_that_joins_a_rerandomised_group_has_the_group_s_salt(engine: Engine) -> None:
    read_file(engine, programme(CART), 10)
    with writing(engine) as connection:
        rerandomise(connection, programme(CART), "cart", at=20, who="ada", reason="contaminated")
    both = programme(CART, LATER)
    for at in (30, 40):
        with reading(engine) as connection:
            assert holdout_in_force(connection, LATER, both).salt == "holdout:v1:cart:s1"
        read_file(engine, both, at)


def test_an_audience_that_moves_brings_no_salt_number_into_its_new_group(engine: Engine) -> None:
    read_file(engine, programme(CART, LAPSED), 10)
    with writing(engine) as connection:
        rerandomise(connection, programme(CART, LAPSED), "cart", at=20, who="ada", reason="contaminated")
    moved = programme(replace(CART, holdout_group="lapsed", priority=2), LAPSED)
    with reading(engine) as connection:
        assert {holdout_in_force(connection, each, moved).salt for each in moved.includes} == {
            "holdout:v1:lapsed:s0"
        }
        assert salt_number(connection, "cart") == 1


def test_a_rerandomisation_never_touches_the_past(engine: Engine) -> None:
    asked = programme(CART, LATER)
    read_file(engine, asked, 10)
    with writing(engine) as connection:
        first = open_phase(connection, CART, holdout_in_force(connection, CART, asked), 10)
        before = connection.execute(select(holdout_changes)).all()
        rerandomise(connection, asked, "cart", at=20, who="ada", reason="contaminated")
        second = open_phase(connection, CART, holdout_in_force(connection, CART, asked), 30)
    with reading(engine) as connection:
        assert phases_of(connection, ["cart-0-4h"]) == (first, second)
        assert connection.execute(select(holdout_changes)).all()[: len(before)] == before
    assert (first.holdout.salt, second.holdout.salt) == ("holdout:v1:cart:s0", "holdout:v1:cart:s1")


def test_a_rerandomisation_of_no_group_changes_nothing(engine: Engine) -> None:
    with writing(engine) as connection:
        assert rerandomise(connection, programme(CART), "browse", at=1, who="ada", reason="why") == ()


@pytest.mark.parametrize("times", [1, 3])
def test_salt_numbers_only_rise(engine: Engine, times: int) -> None:
    asked = programme(CART)
    read_file(engine, asked, 10)
    with writing(engine) as connection:
        for at in range(times):
            rerandomise(connection, asked, "cart", at=20 + at, who="ada", reason="contaminated")
        assert salt_number(connection, "cart") == times
