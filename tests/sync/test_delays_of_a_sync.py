"""What a sync writes down about the wait of the people whom it added, on both databases."""

import httpx
import pytest
from programmes import exclude, include, members, people, programme
from sqlalchemy import Engine
from tiny_criteo import TinyCriteo

from experiments.database import reading
from experiments.errors import Retryable
from sync import history
from sync.applying import apply
from sync.decision import decide
from sync.delays import Delays
from sync.delivery import Stopwatch
from sync.gathering import read_facts

SHOP = programme(include("cart", 1), exclude("buyers", 2))


def sync(
    engine: Engine, tiny: TinyCriteo, cart: range, at: int, *, slow: int = 0, chunk: int = 50_000
) -> None:
    read = {"cart": members(people(cart)), "buyers": members(people())}
    plan = decide(read_facts(engine, SHOP, read))
    watch = Stopwatch(at)
    watch = Stopwatch(at, watch.began - slow)
    apply(engine, tiny.client(), SHOP, plan, at, watch=watch, chunk=chunk)


def delays_of(engine: Engine) -> Delays:
    with reading(engine) as connection:
        row = history.last_syncs(connection)["cart"]
    return Delays(row.delay_p50, row.delay_p95)


def test_the_time_from_the_run_s_beginning_to_criteo_s_answer_is_written_down(engine: Engine) -> None:
    sync(engine, TinyCriteo(), range(30), 1_000, slow=40)
    assert delays_of(engine) == Delays(40, 40)


def test_who_waits_for_a_later_sync_has_waited_since_the_first(engine: Engine) -> None:
    tiny = TinyCriteo()
    tiny.fault = lambda request: "503-before" if request.method == "PATCH" else ""
    with pytest.raises(Retryable):
        sync(engine, tiny, range(60), 1_000)
    tiny.fault = lambda _: ""
    sync(engine, tiny, range(100), 5_000)
    assert delays_of(engine) == Delays(4_000, 4_000), "60 of 100 waited since 1,000"


def test_a_process_that_died_leaves_nobody_s_wait_out(engine: Engine) -> None:
    """It wrote down who entered and no row of the sync."""
    tiny = TinyCriteo()
    sync(engine, tiny, range(10), 1_000)

    class Death(BaseException):
        pass

    def die(request: httpx.Request) -> str:
        if request.method == "PATCH":
            raise Death
        return ""

    tiny.fault = die
    with pytest.raises(Death):
        sync(engine, tiny, range(20), 2_000)
    tiny.fault = lambda _: ""
    sync(engine, tiny, range(20), 2_600)
    assert delays_of(engine) == Delays(600, 600)


def test_who_left_and_comes_back_is_not_counted_as_waiting(engine: Engine) -> None:
    tiny = TinyCriteo()
    sync(engine, tiny, range(20), 1_000)
    sync(engine, tiny, range(10), 2_000)
    sync(engine, tiny, range(20), 90_000)
    assert delays_of(engine) == Delays(None, None)
    sync(engine, tiny, range(10), 91_000)
    sync(engine, tiny, range(21), 92_000, slow=7)
    assert delays_of(engine) == Delays(7, 7), "one is new, ten came back"


def test_a_sync_that_adds_nobody_has_no_delay_and_the_last_one_is_still_known(engine: Engine) -> None:
    tiny = TinyCriteo()
    sync(engine, tiny, range(20), 1_000, slow=3)
    sync(engine, tiny, range(20), 2_000)
    assert delays_of(engine) == Delays()
    with reading(engine) as connection:
        assert history.last_delays(connection) == {"cart": Delays(3, 3)}
