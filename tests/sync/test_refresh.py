"""A list is rebuilt beside the one that ads use, and nobody is off the air or on it by mistake meanwhile."""

import uuid
from dataclasses import replace

import httpx
import pytest
from programmes import LOOSE, digest, exclude, include, people, programme
from refreshing import AT_ONCE, advertise, begin, reached, states, sync
from sqlalchemy import Engine
from tiny_criteo import TinyCriteo

from experiments.audiences import Bounds, CriteoClock, Programme
from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.errors import Rejected, Retryable
from experiments.identifiers import Form, read_identifiers
from experiments.ledger import change_holdout, current_phase
from experiments.phases import assign
from sync import erasing, pushes, refresh
from sync.applying import apply
from sync.decision import decide, holdout_list
from sync.delivery import Courier
from sync.firewall_reading import held_out_and_listed
from sync.gathering import read_facts
from sync.lists import list_named
from sync.plan import Membership

CART = include("cart", 1, holdout_ppm=200_000, exclude=("buyers",))
SHOP = replace(programme(CART, exclude("buyers", 2)), criteo=AT_ONCE)
HOURS = 3_600
NIGHTLY = replace(SHOP, criteo=CriteoClock((0, 12 * HOURS), 5 * HOURS))
NUMBERS = {"cart": range(200), "buyers": range(20)}


def shop(engine: Engine, tiny: TinyCriteo, chosen: Programme = SHOP) -> None:
    """A synced programme with an ad that subtracts people held out, as it should."""
    sync(engine, tiny, chosen, NUMBERS, 0)
    advertise(tiny, "ad", "cart", less=(holdout_list("cart"), "buyers"))


def wanted(engine: Engine, numbers: range) -> set[str]:
    with reading(engine) as connection:
        phase = current_phase(connection, "cart")
    assert phase is not None
    return {unit.hex() for unit in assign(people(numbers), phase.holdout).treated}


def test_a_new_list_takes_the_place_of_the_old_one_and_its_name(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    before = reached(tiny, "ad")
    begin(engine, tiny, SHOP, "cart", 1)
    (new, old) = sync(engine, tiny, SHOP, NUMBERS, 1)
    assert (new.stage, old.stage) == ("current", "deleted")
    assert tiny.names[new.list_id] == "cart"
    assert old.list_id not in tiny.names
    assert reached(tiny, "ad") == before == frozenset(tiny.lists[new.list_id])
    with reading(engine) as connection:
        known = list_named(connection, "cart")
    assert known is not None
    assert known.id == new.list_id


def test_a_refresh_mends_a_list_that_drifted(engine: Engine) -> None:
    """Somebody emptied half of it in Criteo and put strangers and held-out people on it."""
    tiny = TinyCriteo()
    shop(engine, tiny)
    (number,) = states(engine, "cart")
    held_out = {unit.hex() for unit in people(range(20, 200))} - tiny.lists[number]
    strangers = {digest(n).hex() for n in range(5_000, 5_050)} | held_out
    tiny.lists[number] = set(sorted(tiny.lists[number])[:60]) | strangers
    begin(engine, tiny, SHOP, "cart", 1)
    sync(engine, tiny, SHOP, NUMBERS, 1)
    assert tiny.named("cart") == wanted(engine, range(20, 200))


def test_the_sync_after_a_refresh_works_on_the_new_list(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    begin(engine, tiny, SHOP, "cart", 1)
    sync(engine, tiny, SHOP, NUMBERS, 1)
    tiny.log.clear()
    assert sync(engine, tiny, SHOP, NUMBERS | {"cart": range(10, 210)}, 2) == ()
    assert {name for name, *_ in tiny.log} <= {"cart", holdout_list("cart")}
    assert tiny.named("cart") == wanted(engine, range(20, 210))


def test_it_waits_until_criteo_can_show_the_new_list_before_the_swap_and_the_swap_before_the_drain(
    engine: Engine,
) -> None:
    """Criteo takes changes over at 00:00 and 12:00 and shows them five hours later."""
    tiny = TinyCriteo()
    shop(engine, tiny, NIGHTLY)
    (old,) = states(engine, "cart")
    begin(engine, tiny, NIGHTLY, "cart", 1 * HOURS)
    stages = {}
    for hour in (1, 4, 16, 17, 20, 28, 29, 32):
        sync(engine, tiny, NIGHTLY, NUMBERS, hour * HOURS)
        found = states(engine, "cart")
        stages[hour] = (found.get(old), next((state for number, state in found.items() if number != old)))
        assert reached(tiny, "ad") == frozenset(wanted(engine, range(20, 200)))
    assert stages == {
        1: ("current", "filled"),
        4: ("current", "filled"),
        16: ("current", "filled"),
        17: ("leaving", "current"),
        20: ("leaving", "current"),
        28: ("leaving", "current"),
        29: (None, "current"),
        32: (None, "current"),
    }


def test_both_lists_follow_the_segment_while_there_are_two(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny, NIGHTLY)
    begin(engine, tiny, NIGHTLY, "cart", 1 * HOURS)
    sync(engine, tiny, NIGHTLY, NUMBERS, 1 * HOURS)
    sync(engine, tiny, NIGHTLY, NUMBERS | {"cart": range(50, 260)}, 4 * HOURS)
    standing = [tiny.lists[number] for number in states(engine, "cart")]
    assert standing == [wanted(engine, range(50, 260))] * 2
    sync(engine, tiny, NIGHTLY, NUMBERS | {"cart": range(50, 260)}, 20 * HOURS)
    sync(engine, tiny, NIGHTLY, NUMBERS | {"cart": range(80, 300)}, 22 * HOURS)
    by_state = {state: tiny.lists[number] for number, state in states(engine, "cart").items()}
    assert by_state["current"] == wanted(engine, range(80, 300))
    assert by_state["leaving"] == wanted(engine, range(80, 260)), "people only leave it"


def test_a_raised_holdout_takes_its_band_off_both_lists_at_once(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny, NIGHTLY)
    begin(engine, tiny, NIGHTLY, "cart", 1 * HOURS)
    for hour in (1, 20):
        sync(engine, tiny, NIGHTLY, NUMBERS, hour * HOURS)
    assert sorted(states(engine, "cart").values()) == ["current", "leaving"]
    with writing(engine) as connection:
        change_holdout(connection, "cart", 500_000, at=21 * HOURS, route="form", who="ada", reason="sooner")
    sync(engine, tiny, NIGHTLY, NUMBERS, 22 * HOURS)
    allowed = wanted(engine, range(20, 200))
    assert all(tiny.lists[number] <= allowed for number in states(engine, "cart"))
    assert held_out_and_listed(engine, NIGHTLY) == {"cart": 0}


def test_a_held_out_person_on_the_list_beside_is_found_by_the_proof_too(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny, NIGHTLY)
    begin(engine, tiny, NIGHTLY, "cart", 1 * HOURS)
    sync(engine, tiny, NIGHTLY, NUMBERS, 1 * HOURS)
    (beside,) = [number for number, state in states(engine, "cart").items() if state == "filled"]
    with writing(engine) as connection:
        phase = current_phase(connection, "cart")
        assert phase is not None
        held_out = assign(people(range(20, 200)), phase.holdout).held_out
        pushes.write_ahead(connection, beside, "add", held_out, 2 * HOURS)
    assert held_out_and_listed(engine, NIGHTLY) == {"cart": len(held_out)}


def test_a_count_that_is_not_what_was_accepted_keeps_the_old_list(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    begin(engine, tiny, SHOP, "cart", 1)
    real = tiny._amend

    def losing(number: str, wanted: dict[str, object]) -> httpx.Response:
        answer = real(number, wanted)
        if "after" in tiny.names[number]:
            tiny.lists[number] = set(sorted(tiny.lists[number])[:40])
        return answer

    tiny._amend = losing  # type: ignore[method-assign]
    (step,) = sync(engine, tiny, SHOP, NUMBERS, 1)
    assert step.stage == "filled"
    assert "not swapped in: Criteo counts 40" in step.sentence
    assert tiny.algebra == [], "no audience was touched"


def test_a_list_that_criteo_has_not_counted_yet_is_not_swapped_in(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    begin(engine, tiny, SHOP, "cart", 1)
    tiny.uncounted = True
    (step,) = sync(engine, tiny, SHOP, NUMBERS, 1)
    assert (step.stage, tiny.algebra) == ("filled", [])
    tiny.uncounted = False
    assert [each.stage for each in sync(engine, tiny, SHOP, NUMBERS, 2)] == ["current", "deleted"]


def test_a_refused_plan_keeps_both_lists_and_the_refresh_waits(engine: Engine) -> None:
    careful = replace(
        programme(replace(CART, bounds=Bounds()), exclude("buyers", 2, bounds=LOOSE)), criteo=AT_ONCE
    )
    tiny = TinyCriteo()
    sync(engine, tiny, careful, NUMBERS, 0)
    advertise(tiny, "ad", "cart")
    before = reached(tiny, "ad")
    begin(engine, tiny, careful, "cart", 1)
    (step,) = sync(engine, tiny, careful, NUMBERS | {"cart": range(40)}, 1)
    assert step.stage == "filling"
    assert tiny.lists[step.list_id] == set()
    assert reached(tiny, "ad") == before


def test_nobody_is_added_beside_while_an_exclusion_cannot_be_trusted(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    begin(engine, tiny, SHOP, "cart", 1)
    (step,) = sync(engine, tiny, SHOP, {"cart": range(200)}, 1)
    assert (step.stage, tiny.lists[step.list_id]) == ("filling", set())


def test_an_exclusion_and_a_list_of_people_held_out_are_refreshed_alike(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    before = reached(tiny, "ad")
    lists = {name: tiny.named(name) for name in ("buyers", holdout_list("cart"))}
    for at, name in enumerate(lists, 1):
        begin(engine, tiny, SHOP, name, at)
        assert [each.stage for each in sync(engine, tiny, SHOP, NUMBERS, at)] == ["current", "deleted"]
    assert reached(tiny, "ad") == before
    assert {name: tiny.named(name) for name in lists} == lists


def test_every_audience_that_is_made_of_the_list_is_turned(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    advertise(tiny, "other ad", "cart")
    advertise(tiny, "an ad of other people", "buyers", less=("cart",))
    begin(engine, tiny, SHOP, "cart", 1)
    sync(engine, tiny, SHOP, NUMBERS, 1)
    assert {number for number, _ in tiny.algebra} == {"ad", "other ad", "an ad of other people"}
    assert len(reached(tiny, "other ad")) > 100


def test_an_audience_that_cannot_be_read_stops_the_swap_before_any_other_is_turned(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    strange = {"name": "strange", "algebra": {"xor": []}, "adSetIds": []}
    tiny.audiences["strange"] = {"id": "strange", "type": "Audience", "attributes": strange}
    begin(engine, tiny, SHOP, "cart", 1)
    (step,) = sync(engine, tiny, SHOP, NUMBERS, 1)
    assert step.stage == "swapping"
    assert isinstance(step.failure, Rejected)
    assert "audience strange" in step.sentence
    assert tiny.algebra == []
    del tiny.audiences["strange"]
    assert [each.stage for each in sync(engine, tiny, SHOP, NUMBERS, 2)] == ["current", "deleted"]


def test_a_list_that_something_else_uses_is_emptied_and_kept(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    begin(engine, tiny, NIGHTLY, "cart", 1 * HOURS)
    for hour in (1, 20):
        sync(engine, tiny, NIGHTLY, NUMBERS, hour * HOURS)
    (old,) = [number for number, state in states(engine, "cart").items() if state == "leaving"]
    advertise(tiny, "an old hand", tiny.names[old])
    (step,) = sync(engine, tiny, NIGHTLY, NUMBERS, 40 * HOURS)
    assert (step.stage, tiny.lists[old]) == ("former", set())
    assert "still uses it" in step.sentence
    del tiny.audiences["an old hand"]
    (step,) = sync(engine, tiny, NIGHTLY, NUMBERS, 41 * HOURS)
    assert (step.stage, old in tiny.names) == ("deleted", False)


def test_a_list_that_was_deleted_in_criteo_is_made_anew(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    (old,) = states(engine, "cart")
    tiny.gone.add(old)
    begin(engine, tiny, SHOP, "cart", 1)
    assert [each.stage for each in sync(engine, tiny, SHOP, NUMBERS, 1)] == ["current", "deleted"]
    assert reached(tiny, "ad") == frozenset(wanted(engine, range(20, 200)))


def test_a_new_list_that_was_deleted_in_criteo_gives_the_refresh_up(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny, NIGHTLY)
    begin(engine, tiny, NIGHTLY, "cart", 1 * HOURS)
    (step,) = sync(engine, tiny, NIGHTLY, NUMBERS, 1 * HOURS)
    tiny.gone.add(step.list_id)
    (step,) = sync(engine, tiny, NIGHTLY, NUMBERS, 20 * HOURS)
    assert step.stage == "deleted"
    assert "begin again" in step.sentence
    assert list(states(engine, "cart").values()) == ["current"]


def test_an_audience_that_leaves_the_file_takes_its_refresh_with_it(engine: Engine) -> None:
    tiny = TinyCriteo()
    both = replace(programme(include("cart", 1), include("other", 3)), criteo=NIGHTLY.criteo)
    sync(engine, tiny, both, {"cart": range(50), "other": range(50, 60)}, 0)
    begin(engine, tiny, both, "cart", 1 * HOURS)
    (step,) = sync(engine, tiny, both, {"cart": range(50), "other": range(50, 60)}, 1 * HOURS)
    alone = replace(programme(include("other", 3)), criteo=NIGHTLY.criteo)
    (step,) = sync(engine, tiny, alone, {"other": range(50, 60)}, 2 * HOURS)
    assert (step.stage, step.list_id in tiny.names) == ("deleted", False)
    assert len(tiny.named("cart")) == 50, "what ads use waits for somebody's word"


def test_asking_again_goes_on_with_the_refresh_that_is_under_way(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny, NIGHTLY)
    for hour in (1, 2, 3):
        begin(engine, tiny, NIGHTLY, "cart", hour * HOURS)
    assert sorted(states(engine, "cart").values()) == ["current", "filling"]
    sync(engine, tiny, NIGHTLY, NUMBERS, 4 * HOURS)
    begin(engine, tiny, NIGHTLY, "cart", 5 * HOURS)
    assert sorted(states(engine, "cart").values()) == ["current", "filled"], "it does not begin anew"


@pytest.mark.parametrize(("filled", "live"), [(11, 17), (12, 29)])
def test_what_comes_at_the_very_tick_is_taken_to_miss_it(engine: Engine, filled: int, live: int) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny, NIGHTLY)
    begin(engine, tiny, NIGHTLY, "cart", filled * HOURS)
    sync(engine, tiny, NIGHTLY, NUMBERS, filled * HOURS)
    sync(engine, tiny, NIGHTLY, NUMBERS, live * HOURS - 1)
    assert sorted(states(engine, "cart").values()) == ["current", "filled"]
    sync(engine, tiny, NIGHTLY, NUMBERS, live * HOURS)
    assert sorted(states(engine, "cart").values()) == ["current", "leaving"]


def test_a_list_on_which_somebody_is_missing_is_not_swapped_in(engine: Engine) -> None:
    """Criteo will not change the other window's list, so nobody who moved from there may be added here."""
    hot = include("hot", 1, holdout_group="cart", priority=1)
    windows = replace(programme(hot, include("cold", 2, holdout_group="cart", priority=2)), criteo=AT_ONCE)
    tiny = TinyCriteo()
    sync(engine, tiny, windows, {"hot": range(50), "cold": range(50, 90)}, 0)
    (cold,) = states(engine, "cold")
    tiny.gone.add(cold)
    begin(engine, tiny, windows, "hot", 1)
    (step,) = sync(engine, tiny, windows, {"hot": range(60), "cold": range(60, 90)}, 1)
    assert (step.stage, step.sentence) == ("filling", "50 of 60 identifiers are on the new list")


def test_a_list_that_goes_by_another_name_in_criteo_is_replaced_by_one_of_the_right_name(
    engine: Engine,
) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny, NIGHTLY)
    (old,) = states(engine, "cart")
    tiny.names[old] = "renamed by hand"
    begin(engine, tiny, NIGHTLY, "cart", 1 * HOURS)
    for hour in (1, 20):
        sync(engine, tiny, NIGHTLY, NUMBERS, hour * HOURS)
    (new,) = [number for number, state in states(engine, "cart").items() if state == "current"]
    assert (tiny.names[new], tiny.names[old]) == ("cart", "renamed by hand")


def test_a_list_made_by_a_run_that_died_before_writing_it_down_is_found(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    (old,) = states(engine, "cart")
    made = tiny.make(f"cart · after {old}")
    begin(engine, tiny, SHOP, "cart", 1)
    assert states(engine, "cart")[made] == "filling"


def test_a_list_of_strangers_is_not_filled(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    (old,) = states(engine, "cart")
    tiny.make(f"cart · after {old}", {digest(9_999).hex()})
    with pytest.raises(Rejected, match="holds 1 people whom this ledger never sent"):
        begin(engine, tiny, SHOP, "cart", 1)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "'nobody' is no audience; choose one of cart, buyers, holdout · cart"),
        ("by-id", "name it by its name first"),
        ("unsynced", "has no list in Criteo yet"),
    ],
)
def test_what_cannot_be_refreshed_is_said(engine: Engine, name: str, sentence: str) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    chosen = SHOP
    if name != "nobody":
        chosen = programme(
            CART, exclude("buyers", 2), include("by-id", 5, list="7001"), include("unsynced", 6)
        )
    with pytest.raises(Rejected, match=sentence):
        begin(engine, tiny, chosen, name, 1)


def test_a_list_that_a_lookalike_grows_from_is_left_alone(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    (old,) = states(engine, "cart")
    tiny.seeds[tiny.make("people like these")] = old
    with pytest.raises(Rejected, match="lookalike segment 'people like these'"):
        begin(engine, tiny, SHOP, "cart", 1)


def test_a_person_who_is_erased_leaves_both_lists(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny, NIGHTLY)
    begin(engine, tiny, NIGHTLY, "cart", 1 * HOURS)
    sync(engine, tiny, NIGHTLY, NUMBERS, 1 * HOURS)
    person = bytes.fromhex(min(tiny.named("cart")))
    erasing.erase(Courier(engine, tiny.client(), "12345", 2 * HOURS), person)
    assert all(person.hex() not in tiny.lists[number] for number in states(engine, "cart"))


def test_where_criteo_fails_the_next_sync_goes_on(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    before = reached(tiny, "ad")
    begin(engine, tiny, SHOP, "cart", 1)
    tiny.fault = lambda request: "503-after" if request.url.path.endswith("/audiences") else ""
    with pytest.raises(Retryable):
        sync(engine, tiny, SHOP, NUMBERS, 1)
    assert reached(tiny, "ad") == before
    tiny.fault = lambda _: ""
    assert [each.stage for each in sync(engine, tiny, SHOP, NUMBERS, 2)] == ["current", "deleted"]
    assert reached(tiny, "ad") == before


def test_people_are_refreshed_as_what_they_are_sent_as(engine: Engine) -> None:
    """Devices for some, MD5 for all: the new list holds the same identifiers, and the texts are not forgotten."""
    forms = (Form("md5"), Form("madid", "device"))
    chosen = replace(programme(include("cart", 1, forms=forms)), criteo=NIGHTLY.criteo)
    emails = [f"p{n}@example.com" for n in range(40)]
    devices = [str(uuid.UUID(int=n + 1)) if n % 2 else None for n in range(40)]
    members = Membership(
        people(range(40)), 40, reported=40, identifiers=read_identifiers(forms, emails, {"device": devices})
    )
    tiny = TinyCriteo()

    def run(at: int, members: Membership) -> tuple[refresh.Step, ...]:
        plan = decide(read_facts(engine, chosen, {"cart": members}))
        apply(engine, tiny.client(), chosen, plan, at)
        return refresh.advance(Courier(engine, tiny.client(), "12345", at), chosen, plan)

    run(0, members)
    before = tiny.named("cart")
    assert len(before) == 60
    begin(engine, tiny, chosen, "cart", 1 * HOURS)
    (step,) = run(1 * HOURS, members)
    assert tiny.lists[step.list_id] == before
    less = Membership(people(range(30)), 30, reported=30, identifiers=members.identifiers)
    run(2 * HOURS, less)
    assert [tiny.lists[number] for number in states(engine, "cart")] == [tiny.named("cart")] * 2
    assert len(tiny.named("cart")) == 45
    run(20 * HOURS, less)
    run(40 * HOURS, less)
    assert list(states(engine, "cart").values()) == ["current"]
    assert len(tiny.named("cart")) == 45


def test_a_list_that_is_gone_keeps_nobody_from_being_erased(engine: Engine) -> None:
    tiny = TinyCriteo()
    shop(engine, tiny)
    (old,) = states(engine, "cart")
    tiny.gone.add(old)
    begin(engine, tiny, SHOP, "cart", 1)
    sync(engine, tiny, SHOP, NUMBERS, 1)
    person = bytes.fromhex(min(tiny.lists[next(iter(states(engine, "cart")))]))
    assert erasing.erase(Courier(engine, tiny.client(), "12345", 2), person) == 1
    with reading(engine) as connection:
        assert len(pushes.mentioned(connection) & DigestSet.of([person])) == 0
