"""The lock of a sync: one holder, and free again however that one ends."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from experiments.database import connect
from experiments.errors import Refused
from experiments.lock import exclusive

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
