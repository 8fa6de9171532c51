"""What another currency was worth on a day, by a dated table that the team keeps. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite

HOLDS_FOR = timedelta(days=31)
"""A rate serves from its day on, but no longer than this: a table that nobody keeps must not go on converting."""


@dataclass(frozen=True, slots=True)
class RateTable:
    """Rates by currency, in the order of their days: one unit of it in units of the programme's currency."""

    rates: Mapping[str, tuple[tuple[date, float], ...]]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, date, float]]) -> RateTable:
        """From (currency, day, rate); raises ValueError for a rate that is not positive or a day given twice."""
        found: dict[str, dict[date, float]] = {}
        for currency, day, rate in rows:
            days = found.setdefault(currency, {})
            if not (isfinite(rate) and rate > 0.0):
                raise ValueError(f"the rate of {currency} on {day} is {rate}; it must be a positive number")
            if day in days:
                raise ValueError(f"the rate of {currency} on {day} stands there twice")
            days[day] = rate
        return cls({currency: tuple(sorted(days.items())) for currency, days in found.items()})

    def on(self, currency: str, day: date) -> float | None:
        """The newest rate of at most 31 days before the day, or of the day itself; None where there is none."""
        known = self.rates.get(currency, ())
        at = bisect_right(known, day, key=lambda each: each[0]) - 1
        if at < 0 or day - known[at][0] > HOLDS_FOR:
            return None
        return known[at][1]


NO_RATES = RateTable({})
