"""When requests reached a server, in real time: whoever limits their rate is judged by it. Pure."""

from collections import deque

KEPT = 100_000
"""Requests that are remembered; a year of syncs has more."""


class Arrivals:
    """The moments of the newest requests, in seconds of a clock that never jumps."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque(maxlen=KEPT)

    def note(self, moment: float) -> None:
        """One more request."""
        self._moments.append(moment)

    def __len__(self) -> int:
        return len(self._moments)

    def most_within(self, seconds: float) -> int:
        """The largest number of requests in any stretch of so many seconds, its end not included."""
        moments, first, most = list(self._moments), 0, 0
        for last, moment in enumerate(moments):
            while moment - moments[first] >= seconds:
                first += 1
            most = max(most, last - first + 1)
        return most
