"""Requests are written down before they leave, and whatever may have been sent counts as sent."""

from collections.abc import Callable

import httpx
import pytest
from programmes import NOBODY, digest, include, people, programme
from sqlalchemy import Engine, select
from tiny_criteo import ADVERTISER, Crash, TinyCriteo

from experiments.database import reading, writing
from experiments.digests import EMPTY, DigestSet
from experiments.errors import Leaked, Refused, Rejected, Retryable
from experiments.ledger import change_holdout, open_phase, read_file_holdouts, record_entrants
from experiments.phases import Holdout, Phase, assign
from experiments.schema import requests
from sync import pushes
from sync.delivery import Courier, Sent, Target, add, prove, transmit
from sync.lists import KnownList, list_named, remember_list
from sync.opening import open_list
from sync.plan import ListPlan

TENTH = Holdout("holdout:v1:cart:s0", 100_000, "holdout:v1:universal:s0", 0)
CART = include("cart", 1)
GUARDED = Target("7000", "cart")


@pytest.fixture
def tiny() -> TinyCriteo:
    tiny = TinyCriteo()
    tiny.make("cart")
    return tiny


@pytest.fixture
def courier(engine: Engine, tiny: TinyCriteo) -> Courier:
    with writing(engine) as connection:
        remember_list(connection, KnownList("7000", "cart", "include", "current"))
        open_phase(connection, CART, NOBODY, 1)
    return Courier(engine, tiny.client(), ADVERTISER, 1, chunk=10)


def states(engine: Engine) -> list[tuple[str, str, int]]:
    with reading(engine) as connection:
        rows = connection.execute(select(requests).order_by(requests.c.id)).all()
    return [(row.operation, row.state, row.size) for row in rows]


def hexes(units: DigestSet) -> set[str]:
    return {unit.hex() for unit in units}


def at_request(tiny: TinyCriteo, look: Callable[[], str]) -> None:
    tiny.fault = lambda request: look() if request.method == "PATCH" else ""


def test_many_people_go_in_requests_of_one_size(courier: Courier, tiny: TinyCriteo) -> None:
    assert transmit(courier, GUARDED, "add", people(range(95))) == Sent(95, 0)
    assert tiny.named("cart") == hexes(people(range(95)))
    assert sorted(size for _, _, size in states(courier.engine)) == [5, *[10] * 9]
    assert {state for _, state, _ in states(courier.engine)} == {"confirmed"}


def test_nobody_makes_no_request(courier: Courier, tiny: TinyCriteo) -> None:
    assert transmit(courier, GUARDED, "add", EMPTY) == Sent()
    assert (tiny.log, states(courier.engine)) == ([], [])


def test_a_request_is_on_the_disk_before_it_leaves(courier: Courier, tiny: TinyCriteo) -> None:
    seen: list[list[tuple[str, str, int]]] = []

    def look() -> str:
        seen.append(states(courier.engine))
        return ""

    at_request(tiny, look)
    transmit(courier, GUARDED, "add", people(1, 2))
    assert seen == [[("add", "sending", 2)]]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("429", "void"),
        ("503-before", "sending"),
        ("503-after", "sending"),
        ("drop-before", "sending"),
        ("drop-after", "sending"),
    ],
)
def test_only_a_request_that_surely_was_not_carried_out_is_void(
    courier: Courier, tiny: TinyCriteo, fault: str, state: str
) -> None:
    at_request(tiny, lambda: fault)
    with pytest.raises(Retryable):
        transmit(courier, GUARDED, "add", people(1))
    assert states(courier.engine) == [("add", state, 1)]


def test_a_process_that_dies_in_a_request_leaves_it_in_doubt(courier: Courier, tiny: TinyCriteo) -> None:
    def die() -> str:
        raise Crash

    at_request(tiny, die)
    with pytest.raises(Crash):
        transmit(courier, GUARDED, "add", people(1))
    with reading(courier.engine) as connection:
        assert pushes.holding(connection, "7000").perhaps == people(1)


def test_a_held_out_person_stops_the_request_before_it_is_written_down(
    courier: Courier, tiny: TinyCriteo
) -> None:
    with writing(courier.engine) as connection:
        open_phase(connection, CART, TENTH, 2)
    everybody = people(range(100))
    with pytest.raises(Leaked):
        transmit(courier, GUARDED, "add", everybody)
    assert not tiny.named("cart") & hexes(assign(everybody, TENTH).held_out)
    assert all(state == "confirmed" for _, state, _ in states(courier.engine))
    transmit(courier, Target("7000"), "add", assign(everybody, TENTH).held_out)
    transmit(courier, GUARDED, "remove", everybody)
    assert tiny.named("cart") == set()


def test_nobody_is_added_where_no_phase_tells_people_apart(courier: Courier, tiny: TinyCriteo) -> None:
    with pytest.raises(Refused, match="no phase is open"):
        transmit(courier, Target("7000", "unknown"), "add", people(1))
    assert tiny.log == []


@pytest.mark.parametrize("name", ["cart", "universal"])
def test_a_holdout_raised_while_the_sync_runs_stops_the_adds(
    courier: Courier, tiny: TinyCriteo, name: str
) -> None:
    with writing(courier.engine) as connection:
        read_file_holdouts(connection, programme(CART), 1)
        change_holdout(connection, name, 0, at=2, route="form", who="ada", reason="as it was")
    transmit(courier, GUARDED, "add", people(1))
    with writing(courier.engine) as connection:
        change_holdout(connection, name, 50_000, at=2, route="form", who="ada", reason="decide sooner")
    with pytest.raises(Refused, match="raised while the sync ran"):
        transmit(courier, GUARDED, "add", people(2))
    assert tiny.named("cart") == hexes(people(1))


def test_an_add_waits_while_a_sibling_window_may_hold_the_person(courier: Courier, tiny: TinyCriteo) -> None:
    tiny.make("cold")
    with writing(courier.engine) as connection:
        remember_list(connection, KnownList("7001", "cold", "include", "current"))
        pushes.write_ahead(connection, "7001", "add", people(1), 1)
    plan = ListPlan("cart", "cart", "include", people(1, 2), people(1, 2), EMPTY)
    assert add(courier, GUARDED, plan, ["cold", "never synced"]) == (Sent(1, 0), 1)
    assert tiny.named("cart") == hexes(people(2))


def test_the_proof_finds_a_held_out_entrant_who_may_stand_in_the_list(courier: Courier) -> None:
    prove(courier.engine, include("never synced", 2))
    everybody = people(range(100))
    with writing(courier.engine) as connection:
        phase: Phase = open_phase(connection, CART, TENTH, 2)
        record_entrants(connection, phase, assign(everybody, TENTH), 2)
        pushes.write_ahead(connection, "7000", "add", assign(everybody, TENTH).treated, 2)
    prove(courier.engine, CART)
    leak = next(iter(assign(everybody, TENTH).held_out))
    with writing(courier.engine) as connection:
        pushes.write_ahead(connection, "7000", "add", DigestSet.of([leak]), 2)
    with pytest.raises(Leaked, match="cart: 1 people who are held out may stand"):
        prove(courier.engine, CART)


def test_criteo_counting_identifiers_as_invalid_is_told(courier: Courier, tiny: TinyCriteo) -> None:
    tiny.refuses = {digest(1).hex()}
    assert transmit(courier, GUARDED, "add", people(1, 2)) == Sent(2, 1)


def test_a_new_list_is_created_and_written_down(engine: Engine, tiny: TinyCriteo) -> None:
    number = open_list(engine, tiny.client(), ADVERTISER, "new", "include")
    assert tiny.names[number] == "new"
    with reading(engine) as connection:
        assert list_named(connection, "new") == KnownList(number, "new", "include", "current")


def test_a_list_may_be_named_by_its_id(engine: Engine, tiny: TinyCriteo) -> None:
    assert open_list(engine, tiny.client(), ADVERTISER, "7000", "include") == "7000"
    with pytest.raises(Rejected, match="no contact list 9999"):
        open_list(engine, tiny.client(), ADVERTISER, "9999", "include")


def test_a_list_with_people_whom_the_ledger_never_sent_is_not_taken(engine: Engine, tiny: TinyCriteo) -> None:
    tiny.make("filled", hexes(people(1, 2)))
    with pytest.raises(Rejected, match="holds 2 people whom this ledger never sent"):
        open_list(engine, tiny.client(), ADVERTISER, "filled", "include")
    with reading(engine) as connection:
        assert list_named(connection, "filled") is None


def test_a_list_of_ours_under_another_name_is_not_planned_for_blindly(
    courier: Courier, tiny: TinyCriteo
) -> None:
    with pytest.raises(Rejected, match="keeps as 'cart'"):
        open_list(courier.engine, tiny.client(), ADVERTISER, "7000", "include")
    with reading(courier.engine) as connection:
        assert list_named(connection, "7000") == KnownList("7000", "7000", "include", "current")


def test_a_create_whose_answer_was_lost_is_found_by_the_next_run(engine: Engine, tiny: TinyCriteo) -> None:
    def lost(request: httpx.Request) -> str:
        return "drop-after" if request.url.path.endswith("/create") else ""

    tiny.fault = lost
    assert tiny.names[open_list(engine, tiny.client(), ADVERTISER, "new", "include")] == "new"
    assert list(tiny.names.values()).count("new") == 1
