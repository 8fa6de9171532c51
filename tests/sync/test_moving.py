"""Who would move because of another percentage, counted before anything happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programmes import exclude, facts, include, people, programme

from experiments.audiences import Programme
from experiments.digests import EMPTY, DigestSet
from experiments.phases import Holdout, Rule, assign
from sync.decision import UNIVERSAL_LIST, Facts, holdout_list
from sync.moving import movement

EVERYBODY = people(range(400))
PPM = 10_000


def holdout(percent: int, universal: int = 0) -> Holdout:
    return Holdout("holdout:v1:cart:s0", percent * PPM, "holdout:v1:universal:s0", universal * PPM)


def chosen(private: bool = False) -> Programme:
    return programme(
        include("hot", 1, holdout_group="cart", priority=1),
        include("cold", 2, holdout_group="cart", priority=2),
        exclude("buyers", 3),
        private=frozenset({"cart"}) if private else frozenset(),
    )


def one(private: bool = False) -> Programme:
    return programme(
        include("hot", 1, holdout_group="cart"), private=frozenset({"cart"}) if private else frozenset()
    )


def settled(asked: Programme, now: Holdout, **members: DigestSet) -> tuple[Facts, dict[str, DigestSet]]:
    """The facts after a sync that put everybody where they belong."""
    assigned = {name: assign(units, now) for name, units in members.items()}
    holdings = {name: each.treated for name, each in assigned.items()}
    for name, rule in ((holdout_list("cart"), Rule.GROUP), (UNIVERSAL_LIST, Rule.UNIVERSAL)):
        held = EMPTY
        for each in assigned.values():
            held |= each.by(rule)
        holdings[name] = held
    return (
        facts(asked, {}, holdings, dict.fromkeys(members, now)),
        {name: each.held_out for name, each in assigned.items()},
    )


percents = st.integers(0, 50)


@given(percents, percents, st.integers(0, 5))
def test_it_is_what_the_next_sync_moves(before: int, after: int, universal: int) -> None:
    now, then = holdout(before, universal), holdout(after, universal)
    known, held_out = settled(one(), now, hot=EVERYBODY)
    found = movement(known, "hot", after * PPM, held_out)
    old, new = assign(EVERYBODY, now), assign(EVERYBODY, then)
    assert (found.listed, found.off, found.back) == (
        len(old.treated),
        len(old.treated - new.treated),
        len(new.treated - old.treated),
    )
    assert not found.back_is_at_most
    assert not (found.off and found.back)


@given(percents, percents, percents)
def test_the_universal_holdout_moves_people_of_every_audience(before: int, after: int, group: int) -> None:
    now, then = holdout(group, before), holdout(group, after)
    members = {"hot": people(range(250)), "cold": people(range(250, 400))}
    known, held_out = settled(chosen(), now, **members)
    found = movement(known, None, after * PPM, held_out)
    old, new = assign(EVERYBODY, now), assign(EVERYBODY, then)
    assert (found.off, found.back) == (len(old.treated - new.treated), len(new.treated - old.treated))


def test_only_the_audience_s_own_list_counts() -> None:
    known, held_out = settled(chosen(), holdout(10), hot=people(range(250)), cold=people(range(250, 400)))
    found = movement(known, "cold", 300_000, held_out)
    old, new = (assign(people(range(250, 400)), holdout(percent)) for percent in (10, 30))
    assert (found.listed, found.off, found.back) == (len(old.treated), len(old.treated - new.treated), 0)


@pytest.mark.parametrize(("asked", "at_most"), [(one(), False), (chosen(), True), (one(private=True), True)])
def test_people_who_come_back_are_at_most_so_many_where_nobody_can_tell(
    asked: Programme, at_most: bool
) -> None:
    members = {each.name: EVERYBODY if each.name == "hot" else EMPTY for each in asked.includes}
    known, held_out = settled(asked, holdout(30), **members)
    found = movement(known, "hot", 100_000, held_out)
    assert found.back > 0
    assert found.back_is_at_most is at_most


def test_somebody_who_left_the_segment_does_not_come_back() -> None:
    known, held_out = settled(one(), holdout(30), hot=people(range(100)))
    gone = {"hot": assign(EVERYBODY, holdout(30)).held_out}
    assert movement(known, "hot", 0, gone) == movement(known, "hot", 0, held_out)


def test_the_same_percentage_moves_nobody() -> None:
    known, held_out = settled(one(), holdout(10), hot=EVERYBODY)
    found = movement(known, "hot", 100_000, held_out)
    assert (found.off, found.back) == (0, 0)
