"""How often a service may be asked, by this process alone or by all that share a Prefect server. I/O."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final, Literal, Protocol

import httpx

Name = Literal["customerio", "customerio-track", "criteo", "criteo-reports"]

log = logging.getLogger(__name__)


class Limiter(Protocol):
    """Something that a call waits for."""

    def acquire(self) -> None:
        """Return as soon as one more request may be sent."""


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


class Unlimited:
    """No waiting, for a service on this machine whose limits are switched off."""

    def acquire(self) -> None:
        """Return at once."""


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


class SharedLimit:
    """A global concurrency limit of the Prefect server; this process's own where that fails."""

    def __init__(self, name: Name, otherwise: Limiter) -> None:
        self._name = name
        self._otherwise = otherwise
        self._lost = False

    def acquire(self) -> None:
        """Wait for a slot of the shared limit."""
        if self._lost or not self._acquire_shared():
            self._otherwise.acquire()

    def _acquire_shared(self) -> bool:
        from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
        from prefect.concurrency.sync import rate_limit

        try:
            rate_limit(self._name, strict=True)
        except (ConcurrencySlotAcquisitionError, httpx.HTTPError) as error:
            log.warning(
                "The shared limit %r fails (%s); this process keeps its own rate",
                self._name,
                type(error).__name__,
            )
            self._lost = True
        return not self._lost


def limiter(name: Name, environ: Mapping[str, str] = os.environ) -> Limiter:
    """The limit that all processes share where the Prefect server has one of this name, else a local one."""
    local = TokenBucket(RATES[name])
    return SharedLimit(name, local) if environ.get("PREFECT_API_URL") and _is_shared(name) else local


def _is_shared(name: Name) -> bool:
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
