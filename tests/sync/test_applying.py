"""A plan is carried out in the order that lets nobody be advertised to a moment too long."""

from collections.abc import Mapping
from dataclasses import replace

import httpx
import pytest
from programmes import exclude, include, members, people, programme
from sqlalchemy import Engine
from tiny_criteo import TinyCriteo

from experiments.audiences import Bounds, Programme
from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.errors import Leaked, Rejected, Retryable
from experiments.ledger import change_holdout, count_entrants, current_phase, entrants_of, phases_of
from experiments.phases import assign
from experiments.schema import entrants
from sync import history
from sync.applying import ListResult, apply
from sync.decision import UNIVERSAL_LIST, decide, former_list, holdout_list
from sync.gathering import read_facts
from sync.plan import Membership, Plan

HOT = include("hot", 1, holdout_group="cart", priority=1, holdout_ppm=100_000, exclude=("buyers",))
COLD = include("cold", 2, holdout_group="cart", priority=2, holdout_ppm=100_000, exclude=("buyers",))
SHOP = programme(HOT, COLD, exclude("buyers", 3), universal_ppm=20_000)
Numbers = Mapping[str, range | tuple[int, ...]]


def planned(engine: Engine, chosen: Programme, numbers: Numbers) -> Plan:
    read: dict[str, Membership] = {name: members(people(each)) for name, each in numbers.items()}
    return decide(read_facts(engine, chosen, read))


def run(
    engine: Engine, tiny: TinyCriteo, numbers: Numbers, chosen: Programme = SHOP, at: int = 1
) -> tuple[ListResult, ...]:
    return apply(engine, tiny.client(), chosen, planned(engine, chosen, numbers), at)


def on(tiny: TinyCriteo, name: str) -> DigestSet:
    return DigestSet.of(map(bytes.fromhex, tiny.named(name)))


def test_each_list_becomes_what_it_should_be(engine: Engine) -> None:
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(300), "cold": range(200, 600), "buyers": range(50)})
    with reading(engine) as connection:
        phase = current_phase(connection, "hot")
    assert phase is not None
    hot, cold = assign(people(range(50, 300)), phase.holdout), assign(people(range(300, 600)), phase.holdout)
    assert on(tiny, "hot") == hot.treated
    assert on(tiny, "cold") == cold.treated
    assert on(tiny, "buyers") == people(range(50))
    assert on(tiny, holdout_list("cart")) | on(tiny, UNIVERSAL_LIST) == hot.held_out | cold.held_out


def test_a_second_sync_of_the_same_people_sends_nothing(engine: Engine) -> None:
    tiny, numbers = TinyCriteo(), {"hot": range(30), "cold": range(60), "buyers": range(5)}
    run(engine, tiny, numbers)
    tiny.log.clear()
    results = run(engine, tiny, numbers, at=2)
    assert tiny.log == []
    assert {each.delivery.outcome for each in results} == {"applied"}
    assert sum(each.entrants for each in results) == 0


def test_people_leave_include_lists_first_and_exclusions_last(engine: Engine) -> None:
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(10, 40), "cold": (), "buyers": range(10)})
    tiny.log.clear()
    run(engine, tiny, {"hot": range(40), "cold": range(30, 60), "buyers": range(10, 20)}, at=2)
    order = [(name, operation) for name, operation, _ in tiny.log]
    includes, guards = {"hot", "cold"}, {"buyers", holdout_list("cart"), UNIVERSAL_LIST}

    def places(names: set[str], wanted: str) -> list[int]:
        return [at for at, (name, operation) in enumerate(order) if name in names and operation == wanted]

    assert max(places(includes, "remove")) < min(places(guards, "add"))
    assert max(places(guards, "add")) < min(places(includes, "add"))
    assert max(places(includes, "add")) < min(places(guards, "remove"))


def test_moving_to_another_window_is_one_remove_and_one_add_and_never_both_lists(engine: Engine) -> None:
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(30), "cold": range(30, 60), "buyers": ()})
    tiny.log.clear()
    run(engine, tiny, {"hot": range(15, 45), "cold": range(60), "buyers": ()}, at=2)
    standing = {"hot": set(on(tiny, "hot")), "cold": set(on(tiny, "cold"))}
    for name, operation, identifiers in reversed(tiny.log):
        if name not in standing:
            continue
        assert not standing["hot"] & standing["cold"]
        units = {bytes.fromhex(each) for each in identifiers}
        standing[name] = standing[name] - units if operation == "add" else standing[name] | units
    assert [operation for name, operation, _ in tiny.log if name == "hot"] == ["remove", "add"]


def test_entrants_of_both_arms_are_written_down_before_anything_is_sent(engine: Engine) -> None:
    tiny = TinyCriteo()
    tiny.fault = lambda request: "503-before" if request.method == "PATCH" else ""
    with pytest.raises(Retryable):
        run(engine, tiny, {"hot": range(300), "cold": (), "buyers": ()})
    with reading(engine) as connection:
        phase = current_phase(connection, "hot")
        assert phase is not None
        assert entrants_of(connection, phase.id) == people(range(300))
        assert (
            entrants_of(connection, phase.id, held_out=True)
            == assign(people(range(300)), phase.holdout).held_out
        )


def test_a_raised_holdout_opens_a_phase_and_takes_the_band_off(engine: Engine) -> None:
    tiny, numbers = TinyCriteo(), {"hot": range(500), "cold": (), "buyers": ()}
    run(engine, tiny, numbers)
    before = on(tiny, "hot")
    with writing(engine) as connection:
        change_holdout(connection, "hot", 200_000, at=2, route="form", who="ada", reason="sooner")
    run(engine, tiny, numbers, at=3)
    with reading(engine) as connection:
        first, second = phases_of(connection, ["hot"])
        assert count_entrants(connection, first.id) == 500, "no earlier data are dropped"
    assert on(tiny, "hot") == assign(people(range(500)), second.holdout).treated
    assert len(on(tiny, "hot") - before) == 0


def test_a_refused_list_keeps_its_state_and_the_others_go_on(engine: Engine) -> None:
    careful = programme(replace(HOT, bounds=Bounds()), COLD, exclude("buyers", 3))
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(100), "cold": range(100, 200), "buyers": ()}, careful)
    before = on(tiny, "hot")
    results = run(engine, tiny, {"hot": range(10), "cold": range(100, 220), "buyers": ()}, careful, at=2)
    assert on(tiny, "hot") == before
    assert {each.plan.name: each.delivery.outcome for each in results}["hot"] == "refused"
    assert len(on(tiny, "cold")) > 90


def test_an_approved_plan_is_applied_once(engine: Engine) -> None:
    careful = programme(replace(HOT, bounds=Bounds()), exclude("buyers", 3))
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(100), "buyers": ()}, careful)
    smaller = {"hot": range(10), "buyers": ()}
    plan = planned(engine, careful, smaller).named("hot")
    with writing(engine) as connection:
        history.approve(connection, "hot", plan.hash, at=2, who="ada", reason="right")
    run(engine, tiny, smaller, careful, at=3)
    assert len(on(tiny, "hot") - people(range(10))) == 0
    with reading(engine) as connection:
        assert history.open_approvals(connection) == {}


def test_an_approval_is_not_spent_by_a_sync_that_failed(engine: Engine) -> None:
    careful = programme(replace(HOT, bounds=Bounds()), exclude("buyers", 3))
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(100), "buyers": ()}, careful)
    smaller = {"hot": range(10), "buyers": ()}
    plan = planned(engine, careful, smaller).named("hot")
    with writing(engine) as connection:
        history.approve(connection, "hot", plan.hash, at=2, who="ada", reason="right")
    tiny.fault = lambda request: "429" if request.method == "PATCH" else ""
    with pytest.raises(Retryable):
        run(engine, tiny, smaller, careful, at=3)
    with reading(engine) as connection:
        assert history.open_approvals(connection) == {"hot": frozenset({plan.hash})}
        assert history.last_syncs(connection)["hot"].outcome == "failed"


def test_a_list_that_criteo_rejects_does_not_stop_the_others(engine: Engine) -> None:
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(50), "cold": range(50, 100), "buyers": ()})
    tiny.gone = {number for number, name in tiny.names.items() if name == "hot"}
    results = run(engine, tiny, {"hot": range(10, 50), "cold": range(60, 110), "buyers": ()}, at=2)
    failed = {each.plan.name: each for each in results if each.failure}
    assert list(failed) == ["hot"]
    assert isinstance(failed["hot"].failure, Rejected)
    assert failed["hot"].delivery.outcome == "failed"
    assert not len(on(tiny, "cold") - people(range(60, 110)))


def test_where_criteo_fails_what_was_done_is_recorded(engine: Engine) -> None:
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(50), "cold": (), "buyers": range(100, 105)})

    def fault(request: httpx.Request) -> str:
        is_hot = any(
            name == "hot" and f"/{number}/" in request.url.path for number, name in tiny.names.items()
        )
        return "503-before" if is_hot and b'"add"' in request.content else ""

    tiny.fault = fault
    with pytest.raises(Retryable):
        run(engine, tiny, {"hot": range(60), "cold": (), "buyers": range(100, 106)}, at=2)
    with reading(engine) as connection:
        found = {name: row.outcome for name, row in history.last_syncs(connection).items()}
    assert found["hot"] == "failed"
    assert on(tiny, "buyers") == people(range(100, 106))


def test_counts_that_do_not_come_are_left_open(engine: Engine) -> None:
    tiny = TinyCriteo()
    tiny.fault = lambda request: (
        "503-before" if request.url.path.endswith("/statistics") and len(tiny.log) > 2 else ""
    )
    chosen = programme(include("hot", 1), include("cold", 2))
    results = run(engine, tiny, {"hot": range(5), "cold": range(5, 9)}, chosen)
    assert [(each.state.pushed, each.state.identifiers) for each in results] == [(4, 4), (5, 5)]
    tiny.log += [("", "", frozenset())] * 3
    results = run(engine, tiny, {"hot": range(6), "cold": range(5, 9)}, chosen, at=2)
    assert [(each.state.pushed, each.state.identifiers) for each in results] == [(4, None), (6, None)]


def test_two_audiences_that_swap_their_lists_swap_their_people(engine: Engine) -> None:
    tiny, numbers = TinyCriteo(), {"a": range(30), "b": range(100, 140)}
    run(engine, tiny, numbers, programme(include("a", 1, list="one"), include("b", 2, list="two")))
    run(engine, tiny, numbers, programme(include("a", 1, list="two"), include("b", 2, list="one")), at=2)
    assert (on(tiny, "one"), on(tiny, "two")) == (people(range(100, 140)), people(range(30)))


def test_a_renamed_audience_that_names_its_old_list_keeps_it(engine: Engine) -> None:
    tiny = TinyCriteo()
    run(engine, tiny, {"old": range(30)}, programme(include("old", 1)))
    tiny.log.clear()
    run(engine, tiny, {"new": range(5, 30)}, programme(include("new", 1, list="old")), at=2)
    assert tiny.log == [("old", "remove", frozenset(unit.hex() for unit in people(range(5))))]


def test_the_list_of_an_audience_that_left_the_file_is_emptied_once_approved(engine: Engine) -> None:
    tiny = TinyCriteo()
    chosen = programme(include("cart", 2))
    run(engine, tiny, {"old": range(30), "cart": ()}, programme(include("old", 1), include("cart", 2)))
    results = run(engine, tiny, {"cart": ()}, chosen, at=2)
    plan = next(each.plan for each in results if each.plan.name == former_list("old"))
    assert plan.refusals
    assert on(tiny, "old") == people(range(30))
    with writing(engine) as connection:
        history.approve(connection, plan.name, plan.hash, at=3, who="ada", reason="meant")
    run(engine, tiny, {"cart": ()}, chosen, at=4)
    assert len(on(tiny, "old")) == 0
    assert [each.plan.name for each in run(engine, tiny, {"cart": ()}, chosen, at=5)] == ["cart"]


def test_nobody_enters_while_an_exclusion_cannot_be_trusted(engine: Engine) -> None:
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(300), "cold": ()})
    with reading(engine) as connection:
        phase = current_phase(connection, "hot")
        assert phase is not None
        assert count_entrants(connection, phase.id) == 0
    assert tiny.log == []
    run(engine, tiny, {"hot": range(300), "cold": (), "buyers": ()}, at=2)
    assert len(on(tiny, "hot")) > 200


def forge_an_arm(engine: Engine, numbers: range, *, treated: bool) -> bytes:
    """Turns the recorded arm of one entrant of the audience `hot` round; gives that entrant."""
    with writing(engine) as connection:
        phase = current_phase(connection, "hot")
        assert phase is not None
        found = assign(people(numbers), phase.holdout)
        one = next(iter(found.treated if treated else found.held_out))
        forged = entrants.update().where(entrants.c.unit == one).values(arm=1 if treated else 0)
        connection.execute(forged)
    return one


def test_whoever_the_ledger_calls_held_out_is_taken_off(engine: Engine) -> None:
    tiny, numbers = TinyCriteo(), {"hot": range(300), "cold": (), "buyers": ()}
    run(engine, tiny, numbers)
    one = forge_an_arm(engine, range(300), treated=True)
    run(engine, tiny, numbers, at=2)
    assert one not in on(tiny, "hot")


def test_whoever_the_ledger_wrongly_calls_treated_is_never_added(engine: Engine) -> None:
    """A sync believes the arms that were written down, and the last look before a request hashes again."""
    tiny, numbers = TinyCriteo(), {"hot": range(300), "cold": (), "buyers": ()}
    run(engine, tiny, numbers)
    one = forge_an_arm(engine, range(300), treated=False)
    with pytest.raises(Leaked, match="nothing was sent"):
        run(engine, tiny, numbers, at=2)
    assert one not in on(tiny, "hot")


def test_entrants_are_worked_out_anew_where_the_ledger_moved_on_under_a_plan(engine: Engine) -> None:
    tiny = TinyCriteo()
    run(engine, tiny, {"hot": range(100), "cold": (), "buyers": ()})
    plan = planned(engine, SHOP, {"hot": range(200), "cold": (), "buyers": ()})
    run(engine, tiny, {"hot": range(150), "cold": (), "buyers": ()}, at=2)
    apply(engine, tiny.client(), SHOP, plan, 3)
    with reading(engine) as connection:
        phase = current_phase(connection, "hot")
        assert phase is not None
        assert entrants_of(connection, phase.id) == people(range(200))


def test_several_requests_at_once_leave_one_ledger(engine: Engine) -> None:
    tiny = TinyCriteo()
    for at, (hot, buyers) in enumerate([(range(200), range(300, 340)), (range(100, 300), range(320, 360))]):
        plan = planned(engine, SHOP, {"hot": hot, "cold": (), "buyers": buyers})
        apply(engine, tiny.client(), SHOP, plan, at, chunk=7)
    assert on(tiny, "buyers") == people(range(320, 360))
    with reading(engine) as connection:
        phase = current_phase(connection, "hot")
    assert phase is not None
    assert on(tiny, "hot") == assign(people(range(100, 300)), phase.holdout).treated
