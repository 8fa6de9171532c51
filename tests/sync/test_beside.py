"""A list beside the current one gains and loses what that one does, and its people count as its window's."""

from programmes import exclude, facts, include, members, people, programme

from experiments.digests import EMPTY
from sync.decision import decide, holdout_list
from sync.plan import Beside, Holding

HOT = include("hot", 1, holdout_group="cart", priority=1)
COLD = include("cold", 2, holdout_group="cart", priority=2)
WINDOWS = programme(HOT, COLD)


def beside(*numbers: int, is_leaving: bool = False) -> Beside:
    return Beside("77", "hot", "include", Holding(people(numbers)), is_leaving)


def test_it_holds_what_the_current_list_will_hold() -> None:
    plan = decide(
        facts(
            programme(HOT), {"hot": members(people(1, 2, 3))}, {"hot": people(2, 4)}, besides=(beside(4, 5),)
        )
    )
    main, other = plan.named("hot"), plan.named("refresh · hot")
    assert (main.adds, main.removes) == (people(1, 3), people(4))
    assert (other.adds, other.removes) == (people(1, 2, 3), people(4, 5))
    assert (other.list_id, other.audience) == ("77", "hot")


def test_from_one_that_was_replaced_people_only_leave() -> None:
    known = facts(
        programme(HOT),
        {"hot": members(people(1, 2, 3))},
        {"hot": people(2)},
        besides=(beside(2, 9, is_leaving=True),),
    )
    other = decide(known).named("replaced · hot")
    assert (other.adds, other.removes) == (EMPTY, people(9))


def test_its_people_are_claimed_while_its_source_is_not_read() -> None:
    """They may be advertised to from it; the next window must not have them too."""
    known = facts(WINDOWS, {"cold": members(people(5, 6))}, {"hot": people(1)}, besides=(beside(1, 5),))
    assert decide(known).named("cold").adds == people(6)
    assert [each.name for each in decide(known).lists] == ["cold"], "what was not read keeps both its lists"


def test_its_people_are_claimed_while_its_window_waits() -> None:
    waiting = programme(include("hot", 1, holdout_group="cart", priority=1, exclude=("buyers",)), COLD)
    waiting = programme(*waiting.audiences, exclude("buyers", 3))
    known = facts(
        waiting,
        {"hot": members(people(1)), "cold": members(people(5, 6))},
        {"hot": people(1)},
        besides=(beside(1, 5),),
    )
    plan = decide(known)
    assert plan.named("cold").adds == people(6)
    assert plan.named("refresh · hot").adds == EMPTY


def test_its_plan_has_a_hash_of_its_own() -> None:
    known = facts(programme(HOT), {"hot": members(people(1))}, {"hot": EMPTY}, besides=(beside(),))
    plan = decide(known)
    assert plan.named("hot").hash != plan.named("refresh · hot").hash


def test_a_list_of_people_held_out_that_is_empty_can_be_refreshed_too() -> None:
    empty = Beside("78", holdout_list("cart"), "holdout", Holding())
    plan = decide(facts(programme(HOT), {"hot": members(people(1))}, besides=(empty,)))
    assert plan.named(f"refresh · {holdout_list('cart')}").adds == EMPTY
