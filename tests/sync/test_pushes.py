"""The ledger of requests: what a list holds follows from what was asked and what was answered."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programmes import digest, people
from sqlalchemy import Engine, delete, func, select

from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.schema import requests, snapshots
from sync import pushes

_STEP = st.tuples(
    st.sampled_from(["add", "remove"]),
    st.sampled_from(["sending", "confirmed", "void"]),
    st.frozensets(st.integers(0, 6), min_size=1, max_size=4),
)


def ask(
    engine: Engine, operation: pushes.Operation, units: DigestSet, state: pushes.State = "confirmed"
) -> int:
    with writing(engine) as connection:
        number = pushes.write_ahead(connection, "7", operation, units, 1)
        if state != "sending":
            pushes.settle(connection, number, state, at=2, valid=len(units), invalid=0)
    return number


def held(engine: Engine) -> tuple[DigestSet, DigestSet]:
    with reading(engine) as connection:
        found = pushes.holding(connection, "7")
    return found.surely, found.perhaps


def test_a_confirmed_add_is_held_and_a_confirmed_remove_is_not(engine: Engine) -> None:
    ask(engine, "add", people(1, 2, 3))
    ask(engine, "remove", people(2))
    assert held(engine) == (people(1, 3), people())


def test_an_add_that_was_never_answered_may_be_there(engine: Engine) -> None:
    ask(engine, "add", people(1))
    ask(engine, "add", people(1, 2), "sending")
    assert held(engine) == (people(1), people(2))


def test_a_remove_that_was_never_answered_may_not_have_happened(engine: Engine) -> None:
    ask(engine, "add", people(1, 2))
    ask(engine, "remove", people(2, 3), "sending")
    assert held(engine) == (people(1), people(2))


def test_an_answer_settles_what_was_in_doubt(engine: Engine) -> None:
    ask(engine, "add", people(1, 2), "sending")
    ask(engine, "remove", people(1))
    ask(engine, "add", people(2))
    assert held(engine) == (people(2), people())


def test_a_request_that_surely_was_not_carried_out_counts_for_nothing(engine: Engine) -> None:
    ask(engine, "add", people(1))
    ask(engine, "remove", people(1), "void")
    ask(engine, "add", people(2), "void")
    assert held(engine) == (people(1), people())


def test_lists_are_kept_apart(engine: Engine) -> None:
    ask(engine, "add", people(1))
    with reading(engine) as connection:
        assert pushes.holding(connection, "8").at_most == people()


def test_the_row_is_the_audit_trail(engine: Engine) -> None:
    number = ask(engine, "add", people(1, 2))
    with reading(engine) as connection:
        row = connection.execute(select(requests).where(requests.c.id == number)).one()
    assert (row.operation, row.state, row.size, row.valid, row.invalid) == ("add", "confirmed", 2, 2, 0)
    assert (row.written_at, row.answered_at, bytes(row.digests)) == (1, 2, people(1, 2).pack())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("always_compacting")
@given(st.lists(_STEP, max_size=12), st.integers(0, 12))
def test_what_is_held_bounds_every_way_that_the_requests_may_have_gone(
    engine: Engine, steps: list[tuple[pushes.Operation, pushes.State, frozenset[int]]], compacted: int
) -> None:
    with writing(engine) as connection:
        connection.execute(delete(requests))
        connection.execute(delete(snapshots))
    least: set[bytes] = set()
    most: set[bytes] = set()
    for at, (operation, state, numbers) in enumerate(steps):
        ask(engine, operation, people(numbers), state)
        units = {digest(n) for n in numbers}
        if state == "confirmed":
            least, most = (
                (least | units, most | units) if operation == "add" else (least - units, most - units)
            )
        elif state == "sending":
            least, most = (least, most | units) if operation == "add" else (least - units, most)
        if at == compacted:
            compact(engine)
    surely, perhaps = held(engine)
    assert (set(surely), set(surely | perhaps)) == (least, most)
    assert not len(surely & perhaps)


def compact(engine: Engine) -> None:
    with writing(engine) as connection:
        pushes.compact(connection, "7")


@pytest.fixture
def always_compacting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushes, "_REPLAY", 1)
    monkeypatch.setattr(pushes, "_PART", 2)


@pytest.mark.usefixtures("always_compacting")
def test_a_snapshot_changes_nothing_but_the_length_of_the_replay(engine: Engine) -> None:
    ask(engine, "add", people(range(9)))
    ask(engine, "add", people(20, 21), "sending")
    ask(engine, "remove", people(3), "sending")
    before = held(engine)
    compact(engine)
    assert held(engine) == before
    ask(engine, "remove", people(4, 20))
    compact(engine)
    assert held(engine) == (people(0, 1, 2, 5, 6, 7, 8), people(3, 21))
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(snapshots)) == 5


@pytest.mark.usefixtures("always_compacting")
def test_a_snapshot_of_an_emptied_list_is_empty(engine: Engine) -> None:
    ask(engine, "add", people(1))
    ask(engine, "remove", people(1))
    compact(engine)
    assert held(engine) == (people(), people())


def test_few_requests_make_no_snapshot(engine: Engine) -> None:
    ask(engine, "add", people(1))
    compact(engine)
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(snapshots)) == 0
