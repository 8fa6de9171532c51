"""Simulated time: it stands still until the caller moves it. Pure."""

from datetime import UTC, datetime


class Clock:
    """A UTC clock that never reads the machine's; everything simulated is dated by it."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("the sandbox's start must carry a time zone")
        self._epoch = start.timestamp()

    def now(self) -> datetime:
        """The simulated moment, aware, in UTC."""
        return datetime.fromtimestamp(self._epoch, UTC)

    def epoch(self) -> float:
        """The simulated moment as seconds since 1970."""
        return self._epoch

    def advance(self, seconds: float) -> None:
        """Move forward; the past is closed."""
        if seconds < 0:
            raise ValueError("the sandbox's clock does not run backwards")
        self._epoch += seconds
