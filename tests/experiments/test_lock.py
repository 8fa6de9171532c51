"""The lock of a sync: one holder, and free again however that one ends."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from postgres import fresh_database
from sqlalchemy import Engine, text

from experiments.database import connect, writing
from experiments.errors import Refused
from experiments.lock import exclusive, is_held, together

_HOLD = """
import sys, time
from experiments.database import connect
from experiments.lock import exclusive
with exclusive(connect(sys.argv[1]), "sync"):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def another_process(url: str) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen([sys.executable, "-c", _HOLD, url], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
    finally:
        child.kill()
        child.communicate()


def _take(engine: Engine) -> str:
    with exclusive(engine, "sync"):
        return "taken"


@pytest.fixture
def other(ledger_url: str) -> Iterator[Engine]:
    engine = connect(ledger_url)
    yield engine
    engine.dispose()


def test_a_second_holder_is_refused_at_once(engine: Engine, other: Engine) -> None:
    with exclusive(engine, "sync"):
        with pytest.raises(Refused, match="another sync of this ledger is running"):
            _take(other)
        with exclusive(engine, "something else"):
            pass
    assert _take(other) == "taken"


def test_the_lock_is_free_again_after_an_error(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(engine, "sync"):
        raise ZeroDivisionError
    assert _take(engine) == "taken"


def test_the_lock_dies_with_its_holder(engine: Engine, ledger_url: str) -> None:
    with another_process(ledger_url) as child:
        with pytest.raises(Refused):
            _take(engine)
        child.kill()
        child.wait()
        for _ in range(100):
            try:
                assert _take(engine) == "taken"
            except Refused:  # the server has not noticed yet that its client is gone
                continue
            return
    pytest.fail("the lock outlived its holder")


def test_several_hold_a_lock_together_and_nobody_alone(engine: Engine, other: Engine) -> None:
    with together(engine, "sync"), together(other, "sync"), pytest.raises(Refused):
        _take(other)
    with exclusive(engine, "sync"), pytest.raises(Refused), together(other, "sync"):
        pass
    assert _take(other) == "taken"


@pytest.fixture
def postgres_engine(postgres_server: str) -> Iterator[Engine]:
    with fresh_database(postgres_server) as url:
        engine = connect(url)
        yield engine
        engine.dispose()


@pytest.mark.postgres
def test_a_look_says_whether_a_lock_is_held_and_takes_it_from_nobody(postgres_engine: Engine) -> None:
    names = [f"sync of group-{number}" for number in range(8)]  # keys of both signs
    assert not any(is_held(postgres_engine, name) for name in names)
    for name in names:
        with exclusive(postgres_engine, name):
            assert [each for each in names if is_held(postgres_engine, each)] == [name]
    with together(postgres_engine, "sync"):
        assert is_held(postgres_engine, "sync")


@pytest.mark.postgres
def test_a_killed_holder_is_seen_to_hold_nothing(postgres_engine: Engine) -> None:
    with another_process(postgres_engine.url.render_as_string(hide_password=False)) as child:
        assert is_held(postgres_engine, "sync")
        child.kill()
        child.wait()
        deadline = time.monotonic() + 5
        while is_held(postgres_engine, "sync") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_held(postgres_engine, "sync")


@pytest.mark.postgres
def test_two_ledgers_in_schemas_of_one_database_lock_apart(postgres_engine: Engine) -> None:
    with writing(postgres_engine) as connection:
        connection.execute(text("CREATE SCHEMA acme"))
    url = postgres_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    acme = connect(f"{url}?options=-csearch_path%3Dacme")
    with exclusive(postgres_engine, "sync"):
        assert _take(acme) == "taken"
        assert not is_held(acme, "sync")
    acme.dispose()
