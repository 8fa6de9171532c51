"""Rate limits in real time, for they bind real clients: a token bucket and a minute's window. I/O."""

import time
from dataclasses import dataclass


class TokenBucket:
    """`rate` requests a second with a burst of one second's worth; None lets everything through."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._tokens = rate or 0.0
        self._at = time.monotonic()

    def take(self) -> bool:
        """Whether one more request may pass now."""
        if self._rate is None:
            return True
        now = time.monotonic()
        self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(frozen=True, slots=True)
class Quota:
    """What a window says after one call: whether it may pass, and the figures for the headers."""

    allowed: bool
    limit: int
    remaining: int
    reset: int


class MinuteWindow:
    """`limit` calls in each 60 seconds from the first one; None never refuses."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._used = 0
        self._ends = 0.0
        self._reset = 0

    def take(self) -> Quota | None:
        """Count one call; None where there is no limit."""
        if self._limit is None:
            return None
        now = time.monotonic()
        if now >= self._ends:
            self._used, self._ends, self._reset = 0, now + 60, int(time.time()) + 60
        self._used += 1
        return Quota(self._used <= self._limit, self._limit, max(0, self._limit - self._used), self._reset)
