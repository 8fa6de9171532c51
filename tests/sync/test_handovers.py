"""What the runs of one sync tell each other, and that a sync in parts decides what a sync in one piece decides."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from programmes import digest, exclude, facts, include, members, people, programme
from sqlalchemy import Engine, func, select

from experiments.database import reading, writing
from experiments.digests import EMPTY, DigestSet
from experiments.forgetting import forget
from experiments.phases import Holdout
from experiments.schema import handovers
from sync.decision import (
    UNIVERSAL_LIST,
    Exclusions,
    HeldOut,
    decide,
    decide_exclusions,
    decide_group,
    decide_rest,
)
from sync.handovers import (
    Handover,
    clear_handovers,
    exclusions_handed_over,
    hand_over,
    hand_over_exclusions,
    handed_over,
    held_out_handed_over,
)

PROGRAMME = programme(
    include("hot", 1, holdout_group="cart", priority=1, exclude=("bought",)),
    include("warm", 2, holdout_group="cart", priority=2, exclude=("bought", "angry")),
    include("lapsed", 3, exclude=("angry",)),
    include("quiet", 4),
    exclude("bought", 5),
    exclude("angry", 6),
    universal_ppm=100_000,
    private=frozenset({"quiet"}),
)
NAMES = [each.name for each in PROGRAMME.audiences]
some_people = st.sets(st.integers(0, 40)).map(people)
sources = st.fixed_dictionaries({}, optional={name: st.tuples(some_people, st.booleans()) for name in NAMES})


@settings(max_examples=150, deadline=None)
@given(
    sources,
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys((*NAMES, UNIVERSAL_LIST, "holdout · cart"), some_people)
    ),
)
def test_a_sync_in_parts_decides_what_a_sync_in_one_piece_decides(
    read: Mapping[str, tuple[DigestSet, bool]], held: Mapping[str, DigestSet]
) -> None:
    """Whatever was read, unfinished or not at all, and whatever the lists hold."""
    known = facts(
        PROGRAMME,
        {name: members(units, finished=finished) for name, (units, finished) in read.items()},
        held,
        {
            each.name: Holdout(
                f"holdout:v1:{each.holdout_group}:s0", 200_000, "holdout:v1:universal:s0", 100_000
            )
            for each in PROGRAMME.includes
        },
    )
    plans, exclusions = decide_exclusions(known)
    groups = {group: decide_group(known, group, exclusions) for group in PROGRAMME.groups}
    parts = [*plans, *decide_rest(known, [held for _, held in groups.values()])]
    parts += [plan for group, _ in groups.values() for plan in group.lists]
    whole = decide(known).lists
    assert {each.name: each.hash for each in parts} == {each.name: each.hash for each in whole}
    assert {each.name: each.refusals for each in parts} == {each.name: each.refusals for each in whole}
    assert len(parts) == len(whole)


def test_exclusions_arrive_as_they_were_left(engine: Engine) -> None:
    many = people(range(40_000))
    left = Exclusions({"bought": many, "angry": EMPTY}, frozenset({"angry"}))
    with writing(engine) as connection:
        hand_over_exclusions(connection, 7, left)
    with reading(engine) as connection:
        assert exclusions_handed_over(connection, 7) == left
        assert exclusions_handed_over(connection, 8) == Exclusions({}, frozenset())


def test_a_group_that_told_nothing_holds_out_nobody_known_and_not_all(engine: Engine) -> None:
    with writing(engine) as connection:
        hand_over(connection, "group", "cart", 7, Handover(people(1, 2), {"is_all": True}))
        hand_over(connection, "group", "late", 6, Handover(people(3), {"is_all": True}))
        assert held_out_handed_over(connection, 7, ["cart", "late"]) == [
            HeldOut(people(1, 2), people(1, 2), is_all=True),
            HeldOut(EMPTY, EMPTY, is_all=False),
        ]


def test_what_is_left_again_takes_the_place_of_what_lay_there(engine: Engine) -> None:
    with writing(engine) as connection:
        hand_over(connection, "group", "cart", 7, Handover(people(range(70_000)), {"n": 1}))
        hand_over(connection, "group", "cart", 7, Handover(people(5), {"n": 2}))
        assert handed_over(connection, "group", 7) == {"cart": Handover(people(5), {"n": 2})}
        clear_handovers(connection)
        assert connection.scalar(select(func.count()).select_from(handovers)) == 0


def test_whoever_is_forgotten_is_in_no_handover(engine: Engine) -> None:
    with writing(engine) as connection:
        hand_over(connection, "exclusion", "bought", 7, Handover(people(1, 2), {"unsure": False}))
        forget(connection, digest(1))
        assert exclusions_handed_over(connection, 7).units["bought"] == people(2)


@pytest.mark.parametrize("kind", ["exclusion", "group"])
def test_nothing_is_read_where_nothing_was_left(engine: Engine, kind: str) -> None:
    with reading(engine) as connection:
        assert handed_over(connection, kind, 7) == {}  # type: ignore[arg-type]  # one of the two kinds
