"""When which requests reached a server, in real time: whoever limits their rate is judged by it. Pure."""

from collections import deque
from dataclasses import dataclass

KEPT = 100_000
"""Requests that are remembered; a year of syncs has more."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: seconds of a clock that never jumps, what was asked, and the bytes of its body."""

    moment: float
    method: str
    path: str
    size: int = 0


class Arrivals:
    """The newest requests, in the order in which they came."""

    def __init__(self) -> None:
        self._newest: deque[Arrival] = deque(maxlen=KEPT)

    def note(self, arrival: Arrival) -> None:
        """One more request."""
        self._newest.append(arrival)

    def __len__(self) -> int:
        return len(self._newest)

    def newest(self) -> tuple[Arrival, ...]:
        """All that are remembered, oldest first."""
        return tuple(self._newest)

    def most_within(self, seconds: float) -> int:
        """The largest number of requests in any stretch of so many seconds, its end not included."""
        moments, first, most = [each.moment for each in self._newest], 0, 0
        for last, moment in enumerate(moments):
            while moment - moments[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most
