"""Limits: never more than the vendor allows, shared where a Prefect server is, local where it fails."""

import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from sync import limits
from sync.limits import RATES, Name, Rate, SharedLimit, TokenBucket, Unlimited, limiter

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

    unreachable = "http://127.0.0.1:9/api"
    with temporary_settings({PREFECT_API_URL: unreachable, PREFECT_CLIENT_MAX_RETRIES: 0}):
        assert isinstance(limiter("criteo", {"PREFECT_API_URL": unreachable}), TokenBucket)
    assert "keeps its own rate" in caplog.text


class Counted(Unlimited):
    def __init__(self) -> None:
        self.calls = 0

    def acquire(self) -> None:
        self.calls += 1


def test_a_shared_limit_that_fails_once_is_replaced_for_good(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError

    asked: list[str] = []

    def rate_limit(name: str, *, strict: bool) -> None:
        asked.append(name)
        assert strict, "a missing limit would be no limit"
        if len(asked) == 3:
            raise ConcurrencySlotAcquisitionError("gone")

    fake = ModuleType("prefect.concurrency.sync")
    fake.rate_limit = rate_limit  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "prefect.concurrency.sync", fake)
    own = Counted()
    shared = SharedLimit("criteo", own)
    for _ in range(5):
        shared.acquire()
    assert (asked, own.calls) == (["criteo"] * 3, 3)
    assert len(caplog.records) == 1
