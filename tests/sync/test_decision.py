"""What each list should hold: who is taken away in which order, and what a doubtful source may never do."""

from programmes import NOBODY, digest, exclude, facts, include, members, people, programme

from experiments.audiences import Bounds
from experiments.digests import EMPTY
from experiments.phases import Holdout, assign
from sync.decision import UNIVERSAL_LIST, decide, former_list, holdout_list
from sync.plan import Former, Holding

TENTH = Holdout("holdout:v1:g:s0", 100_000, "holdout:v1:universal:s0", 20_000)
CART = include("cart", 1, exclude=("buyers",))
BUYERS = exclude("buyers", 2)
SHRINKING = exclude("buyers", 2, bounds=Bounds(shrink=0.2))


def test_a_list_gets_who_is_missing_and_loses_who_has_left() -> None:
    plan = decide(
        facts(programme(include("cart", 1)), {"cart": members(people(1, 2))}, {"cart": people(2, 3)})
    )
    assert (plan.named("cart").adds, plan.named("cart").removes) == (people(1), people(3))


def test_whatever_may_have_been_sent_counts_as_sent() -> None:
    doubtful = Holding(people(1), people(2, 3))
    plan = decide(facts(programme(include("cart", 1)), {"cart": members(people(1, 2))}, {"cart": doubtful}))
    assert plan.named("cart").adds == people(2), "it may be missing, so it is added again"
    assert plan.named("cart").removes == people(3), "it may be there, so it is removed"


def test_the_excluded_leave_before_arms_are_assigned() -> None:
    read = {"cart": members(people(range(200))), "buyers": members(people(range(100)))}
    plan = decide(facts(programme(CART, BUYERS), read, holdouts={"cart": TENTH})).named("cart")
    assert plan.counts.excluded == {"buyers": 100}
    assert plan.arms is not None
    assert plan.arms.units == people(range(100, 200))
    assert plan.desired == assign(people(range(100, 200)), TENTH).treated


def test_in_a_group_the_window_of_higher_priority_claims_a_person() -> None:
    first = include("hot", 1, holdout_group="g", priority=1)
    second = include("cold", 2, holdout_group="g", priority=2)
    read = {"hot": members(people(1, 2)), "cold": members(people(2, 3))}
    plan = decide(facts(programme(second, first), read, {"hot": people(1), "cold": people(2)}))
    assert plan.named("hot").adds == people(2)
    assert plan.named("cold").counts.claimed == {"hot": 1}
    assert plan.named("cold").removes == people(2)


def test_a_window_that_was_not_read_goes_on_claiming_its_people() -> None:
    first = include("hot", 1, holdout_group="g", priority=1)
    second = include("cold", 2, holdout_group="g", priority=2)
    plan = decide(facts(programme(first, second), {"cold": members(people(1, 2))}, {"hot": people(1)}))
    assert plan.named("cold").adds == people(2)
    assert [each.name for each in plan.lists] == ["cold"]


def test_a_raised_holdout_moves_the_band_and_nobody_else() -> None:
    everybody = people(range(500))
    before, after = (
        assign(everybody, TENTH),
        assign(everybody, Holdout("holdout:v1:g:s0", 200_000, TENTH.universal_salt, 20_000)),
    )
    plan = decide(
        facts(
            programme(include("cart", 1)),
            {"cart": members(everybody)},
            {"cart": before.treated},
            {"cart": Holdout("holdout:v1:g:s0", 200_000, TENTH.universal_salt, 20_000)},
        )
    ).named("cart")
    assert (plan.adds, plan.removes) == (EMPTY, before.treated - after.treated)
    assert plan.band == len(plan.removes) > 0


def test_held_out_people_stand_in_the_lists_of_their_rule() -> None:
    everybody = people(range(500))
    plan = decide(
        facts(programme(include("cart", 1)), {"cart": members(everybody)}, holdouts={"cart": TENTH})
    )
    found = assign(everybody, TENTH)
    listed = plan.named(holdout_list("cart")).adds | plan.named(UNIVERSAL_LIST).adds
    assert listed == found.held_out
    assert not len(listed & plan.named("cart").adds)


def test_a_private_group_pushes_nobody_who_is_held_out() -> None:
    chosen = programme(include("cart", 1), private=frozenset({"cart"}))
    plan = decide(facts(chosen, {"cart": members(people(range(500)))}, holdouts={"cart": TENTH}))
    assert [each.name for each in plan.lists] == ["cart"]


def test_nobody_leaves_a_holdout_list_while_one_of_its_windows_is_unread() -> None:
    first = include("hot", 1, holdout_group="g", priority=1)
    second = include("cold", 2, holdout_group="g", priority=2)
    held = {holdout_list("g"): people(range(50)), UNIVERSAL_LIST: people(range(50, 60))}
    plan = decide(facts(programme(first, second), {"hot": members(people(range(500)))}, held, {"hot": TENTH}))
    assert not len(plan.named(holdout_list("g")).removes)
    assert not len(plan.named(UNIVERSAL_LIST).removes)


def test_an_exclusion_that_was_never_read_lets_nobody_new_in() -> None:
    plan = decide(facts(programme(CART, BUYERS), {"cart": members(people(1, 2, 3))}, {"cart": people(1, 9)}))
    cart = plan.named("cart")
    assert (cart.adds, cart.removes) == (EMPTY, people(9))
    assert (cart.waits_for, cart.waiting) == (("buyers",), 2)
    assert cart.arms is not None
    assert not len(cart.arms.units), "nobody enters, in either arm"


def test_an_exclusion_that_answers_in_part_keeps_its_people_and_lets_nobody_new_in() -> None:
    read = {"cart": members(people(range(20))), "buyers": members(people(1, 2))}
    known = facts(programme(CART, SHRINKING), read, {"buyers": people(range(10))}, last_units={"buyers": 10})
    plan = decide(known)
    assert [each.fuse for each in plan.named("buyers").refusals] == ["shrink"]
    assert plan.named("cart").counts.excluded == {"buyers": 10}
    assert plan.named("cart").adds == EMPTY


def test_an_exclusion_that_merely_grows_too_fast_is_believed_at_once() -> None:
    careful = exclude("buyers", 2, bounds=Bounds(growth=0.1, growth_from=1))
    read = {"cart": members(people(range(20))), "buyers": members(people(range(5)))}
    plan = decide(facts(programme(CART, careful), read, {"buyers": people(0)}))
    assert [each.fuse for each in plan.named("buyers").refusals] == ["growth"]
    assert plan.named("cart").adds == people(range(5, 20))


def test_an_approved_plan_passes_its_fuses_and_another_does_not() -> None:
    read = {"cart": members(people(range(20))), "buyers": members(people(1))}
    known = facts(programme(CART, SHRINKING), read, {"buyers": people(range(10))}, last_units={"buyers": 10})
    wanted = decide(known).named("buyers").hash
    again = facts(
        programme(CART, SHRINKING),
        read,
        {"buyers": people(range(10))},
        last_units={"buyers": 10},
        approved={"buyers": frozenset({wanted})},
    )
    assert decide(again).refused == ()
    moved = facts(
        programme(CART, SHRINKING),
        {**read, "buyers": members(people(2))},
        {"buyers": people(range(10))},
        last_units={"buyers": 10},
        approved={"buyers": frozenset({wanted})},
    )
    assert [each.name for each in decide(moved).refused] == ["buyers"]


def test_nobody_can_approve_a_segment_that_was_not_read() -> None:
    read = {"buyers": members(EMPTY, finished=False, reported=None)}
    known = facts(programme(BUYERS), read, {"buyers": people(range(10))})
    wanted = decide(known).named("buyers").hash
    approved = facts(
        programme(BUYERS), read, {"buyers": people(range(10))}, approved={"buyers": frozenset({wanted})}
    )
    assert [each.fuse for each in decide(approved).named("buyers").refusals] == ["unfinished"]


def test_a_list_that_the_file_gave_up_is_named_and_emptied_once_approved() -> None:
    left = Former("777", "old", "include", Holding(people(1), people(2)))
    known = facts(programme(include("cart", 1)), {"cart": members(people(1))}, formers=(left,))
    plan = decide(known).named(former_list("old"))
    assert plan.removes == people(1, 2)
    assert [each.fuse for each in plan.refusals] == ["former"]
    again = facts(
        programme(include("cart", 1)),
        {"cart": members(people(1))},
        formers=(left,),
        approved={plan.name: frozenset({plan.hash})},
    )
    assert decide(again).named(former_list("old")).refusals == ()


def test_a_list_that_a_refresh_replaced_is_emptied_without_a_question() -> None:
    left = Former("777", "cart", "include", Holding(people(1)), replaced=True)
    plan = decide(facts(programme(include("cart", 1)), {"cart": members(people(1))}, formers=(left,)))
    assert plan.named(former_list("cart")).refusals == ()
    gone = Former("777", "cart", "include", Holding(), replaced=True)
    assert len(decide(facts(programme(include("cart", 1)), {}, formers=(gone,))).lists) == 0


def test_a_hash_names_exactly_one_plan() -> None:
    def hashed(units: tuple[int, ...], holdout: Holdout = NOBODY, name: str = "cart") -> str:
        read = {name: members(people(units))}
        return (
            decide(facts(programme(include(name, 1)), read, {name: people(9)}, {name: holdout}))
            .named(name)
            .hash
        )

    assert hashed((1, 2)) == hashed((2, 1))
    assert (
        len({hashed((1,)), hashed((1, 2)), hashed((1, 9)), hashed((1,), TENTH), hashed((1,), name="other")})
        == 5
    )
    assert len(digest(1)) == 32
