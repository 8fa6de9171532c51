"""Limits: never more than the vendor allows, shared where a Prefect server is, local where it fails."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from experiments.errors import Rejected, Retryable
from sync import limits
from sync.limits import (
    FRESH,
    LONGEST_PAUSE,
    RATES,
    SHARED_RATES,
    Name,
    Rate,
    SharedLimit,
    TokenBucket,
    Unlimited,
    limiter,
)

UNREACHABLE = "http://127.0.0.1:9/api"
PROMISED: dict[Name, tuple[int, float]] = {
    "customerio": (10, 1),
    "customerio-track": (50, 1),
    "criteo": (250, 60),
    "criteo-reports": (40, 60),
}


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def moments(rate: Rate, count: int) -> list[float]:
    clock = Clock()
    bucket = TokenBucket(rate, clock=clock, sleep=clock.sleep)
    taken = []
    for _ in range(count):
        bucket.acquire()
        taken.append(clock.now)
    return taken


@pytest.mark.parametrize("name", RATES)
def test_no_window_of_time_holds_more_calls_than_the_vendor_allows(name: Name) -> None:
    most, window = PROMISED[name]
    taken = moments(RATES[name], 3 * most)
    for start in taken:
        assert sum(start <= moment < start + window for moment in taken) <= most


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    assert moments(Rate(per_second=2, burst=3), 6) == [0, 0, 0, 0.5, 1.0, 1.5]


def test_a_quiet_time_earns_one_burst_and_no_more() -> None:
    clock = Clock()
    bucket = TokenBucket(Rate(per_second=1, burst=2), clock=clock, sleep=clock.sleep)
    clock.now = 1000
    for _ in range(4):
        bucket.acquire()
    assert clock.now == 1002


def test_threads_share_one_bucket() -> None:
    slept: list[float] = []
    bucket = TokenBucket(Rate(per_second=10, burst=1), clock=lambda: 0.0, sleep=slept.append)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            pool.submit(bucket.acquire)
    assert sorted(slept) == pytest.approx([n / 10 for n in range(1, 20)])


def test_without_a_prefect_server_the_limit_is_this_process_own_and_prefect_is_not_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "prefect", None)
    assert isinstance(limiter("criteo", {}), TokenBucket)


def test_a_server_that_has_the_limit_is_asked_and_one_that_lacks_it_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environ = {"PREFECT_API_URL": "http://127.0.0.1:4200/api"}
    monkeypatch.setattr(limits, "_is_shared", lambda name: name == "criteo")
    assert isinstance(limiter("criteo", environ), SharedLimit)
    assert isinstance(limiter("customerio", environ), TokenBucket)


def test_a_server_that_does_not_answer_leaves_the_process_its_own_rate(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    with temporary_settings({PREFECT_API_URL: UNREACHABLE, PREFECT_CLIENT_MAX_RETRIES: 0}):
        assert isinstance(limiter("criteo", {"PREFECT_API_URL": UNREACHABLE}), TokenBucket)
    assert "keeps its own rate" in caplog.text


class Counted(Unlimited):
    def __init__(self) -> None:
        self.calls = 0

    def acquire(self) -> None:
        self.calls += 1


@contextmanager
def nobody_answers() -> Iterator[None]:
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    with temporary_settings({PREFECT_API_URL: UNREACHABLE, PREFECT_CLIENT_MAX_RETRIES: 0}):
        yield


def test_a_shared_limit_that_fails_once_is_replaced_for_good(caplog: pytest.LogCaptureFixture) -> None:
    own = Counted()
    with nobody_answers(), closing(SharedLimit("criteo", own)) as shared:
        for _ in range(5):
            shared.acquire()
    assert own.calls == 5
    assert len(caplog.records) == 1


def test_one_of_several_runs_never_keeps_a_pace_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    with (
        nobody_answers(),
        closing(SharedLimit("criteo", None)) as shared,
        pytest.raises(Retryable, match="does not answer, and without it all runs together") as failed,
    ):
        shared.acquire()
    assert not failed.value.may_have_acted


def test_one_of_several_runs_is_refused_where_the_server_has_no_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_is_shared", lambda _: False)
    with pytest.raises(Rejected, match=r"no active limit 'acme-criteo'.*flows\.shared_limits"):
        limiter("criteo", {"PREFECT_API_URL": UNREACHABLE}, brand="acme", must_share=True)
    with pytest.raises(Rejected, match="no active limit 'criteo'"):
        limiter("criteo", {}, must_share=True)


def slots(monkeypatch: pytest.MonkeyPatch, clock: Clock, *answers: tuple[float, float | None]) -> SharedLimit:
    """A shared limit whose server takes the first of each pair, in seconds, and then says the second."""
    left = list(answers)
    shared = SharedLimit("criteo", None, clock=clock, sleep=clock.sleep)

    def ask() -> float | None:
        seconds, pause = left.pop(0)
        clock.now += seconds
        return pause

    monkeypatch.setattr(shared, "_ask", ask)
    return shared


def test_a_slot_that_was_long_on_its_way_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    slots(monkeypatch, clock, (FRESH * 2, None), (0.01, None)).acquire()
    assert clock.now == pytest.approx(FRESH * 2 + 0.01)


def test_a_server_s_advice_to_wait_is_followed_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    slots(monkeypatch, clock, (0, 0.1), (0, 60), (0, None)).acquire()
    assert clock.now == pytest.approx(0.1 + LONGEST_PAUSE)


@pytest.mark.parametrize("name", SHARED_RATES)
def test_what_all_runs_may_send_stays_within_the_vendor_s_limit_half_a_second_late(name: Name) -> None:
    most, window = PROMISED[name]
    rate = SHARED_RATES[name]
    assert rate.burst + rate.per_second * (window + 0.5) <= most
