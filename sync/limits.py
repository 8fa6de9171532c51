"""How often a service may be asked, by this process alone or by all that share a Prefect server. I/O."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal, Protocol

import httpx

from experiments.errors import Rejected, Retryable

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

Name = Literal["customerio", "customerio-track", "criteo", "criteo-reports"]

log = logging.getLogger(__name__)


class Limiter(Protocol):
    """Something that a call waits for."""

    def acquire(self) -> None:
        """Return as soon as one more request may be sent."""

    def close(self) -> None:
        """Let go of what the limit is kept with."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once and `per_second` after that."""

    per_second: float
    burst: int


RATES: Final[Mapping[Name, Rate]] = {
    "customerio": Rate(per_second=8, burst=2),
    "customerio-track": Rate(per_second=10, burst=5),
    "criteo": Rate(per_second=4, burst=10),
    "criteo-reports": Rate(per_second=0.6, burst=4),
}
"""Burst and refill together stay within the vendors' 10 a second, 250 a minute and 40 a minute."""

SHARED_RATES: Final[Mapping[Name, Rate]] = {
    "customerio": Rate(per_second=6, burst=1),
    "customerio-track": Rate(per_second=10, burst=5),
    "criteo": Rate(per_second=4, burst=8),
    "criteo-reports": Rate(per_second=0.6, burst=3),
}
"""The same for all processes together: with half a second to spare between a slot and its request's arrival."""

FRESH = 0.25
"""Seconds that a slot may be on its way to whoever asked for it."""
LONGEST_PAUSE = 0.2
"""Seconds after which a slot is asked for again; the server's advice grows with each refusal, far beyond the rate."""


class Unlimited:
    """No waiting, for a service on this machine whose limits are switched off."""

    def acquire(self) -> None:
        """Return at once."""

    def close(self) -> None:
        """Nothing is held."""


class TokenBucket:
    """A limit kept by this process, for all its threads."""

    def __init__(
        self,
        rate: Rate,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1 / rate.per_second
        self._credit = (rate.burst - 1) * self._gap
        self._clock = clock
        self._sleep = sleep
        self._lock = Lock()
        self._due = float("-inf")

    def acquire(self) -> None:
        """Take the next free moment, then wait for it."""
        with self._lock:
            now = self._clock()
            due = max(self._due, now - self._credit)
            self._due = due + self._gap
        if due > now:
            self._sleep(due - now)

    def close(self) -> None:
        """Nothing is held."""


class SharedLimit:
    """A global concurrency limit of the Prefect server, for all processes that ask it.

    `otherwise` takes over for good where the server fails; without one the call fails, for a process that
    then kept a pace of its own would come on top of the others.
    """

    def __init__(
        self,
        name: str,
        otherwise: Limiter | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._otherwise = otherwise
        self._clock = clock
        self._sleep = sleep
        self._turn = Lock()
        self._lost = False
        self._client: SyncPrefectClient | None = None

    def close(self) -> None:
        """Close the connection to the server."""
        if self._client is not None:
            self._client.__exit__(None, None, None)
            self._client = None

    def acquire(self) -> None:
        """Wait for a slot of the shared limit; raises Retryable where there is none and nothing else either."""
        if not self._lost and self._acquire_shared():
            return
        if self._otherwise is None:
            raise Retryable(
                f"Prefect's shared limit {self._name!r} does not answer, and without it all runs together could "
                "ask too often; nothing was sent, run again",
                may_have_acted=False,
            )
        self._otherwise.acquire()

    def _acquire_shared(self) -> bool:
        try:
            with self._turn:
                self._wait_for_slot()
        except (_NoSuchLimit, httpx.HTTPError, RuntimeError) as error:
            log.warning("The shared limit %r fails (%s)", self._name, type(error).__name__)
            self._lost = self._otherwise is not None
            return False
        return True

    def _wait_for_slot(self) -> None:
        """A slot is good for the moment in which it was given; one that took long to arrive is let go."""
        while True:
            asked = self._clock()
            pause = self._ask()
            if pause is None and self._clock() - asked <= FRESH:
                return
            self._sleep(min(pause or 0.0, LONGEST_PAUSE))

    def _ask(self) -> float | None:
        """Takes one slot; gives the seconds to wait first where none is free."""
        if self._client is None:
            from prefect.client.orchestration import get_client

            self._client = get_client(sync_client=True).__enter__()
        try:
            taken = self._client.increment_concurrency_slots([self._name], 1, mode="rate_limit").json()
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.LOCKED:
                raise
            return float(error.response.headers["Retry-After"])
        if not taken:
            raise _NoSuchLimit
        return None


class _NoSuchLimit(Exception):
    """The server has no limit of this name, or an inactive one, which would let everything through."""


def limiter(
    name: Name, environ: Mapping[str, str] = os.environ, *, brand: str = "", must_share: bool = False
) -> Limiter:
    """The limit that all processes share where the Prefect server has one of this name, else a local one.

    With `must_share` there is no local one: the process is one of several of one sync. Raises Rejected
    where the server has no such limit then.
    """
    shared = shared_name(name, brand)
    is_shared = bool(environ.get("PREFECT_API_URL")) and _is_shared(shared)
    if must_share and not is_shared:
        raise Rejected(
            f"Prefect has no active limit {shared!r}, which the runs of one sync share; "
            "create it with `python -m flows.shared_limits`"
        )
    local = TokenBucket(RATES[name])
    if not is_shared:
        return local
    return SharedLimit(shared, None if must_share else local)


def shared_name(name: Name, brand: str = "") -> str:
    """How the limit is called on the Prefect server."""
    return f"{brand}-{name}" if brand else name


def _is_shared(name: str) -> bool:
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    try:
        with get_client(sync_client=True) as client:
            limit = client.read_global_concurrency_limit_by_name(name)
            return limit.active and limit.slot_decay_per_second > 0
    except ObjectNotFound:
        return False
    except (httpx.HTTPError, RuntimeError) as error:
        log.warning(
            "Prefect did not answer about %r (%s); this process keeps its own rate",
            name,
            type(error).__name__,
        )
        return False
