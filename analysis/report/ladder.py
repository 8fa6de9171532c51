"""Returns of all audiences on one scale: what Criteo claims, blended, added with its interval. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Literal

from analysis.report.wording import Sentence

Kind = Literal["claimed", "blended", "added"]
_MARGIN = 1.08
_FARTHEST = 1.6
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis for every ladder of a report; places are percentages of its width."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value stands, held inside the axis."""
        share = (value - self.low) / (self.high - self.low)
        return round(100.0 * min(1.0, max(0.0, share)), 2)

    def shows(self, value: float) -> bool:
        """Whether the axis reaches as far as the value."""
        return self.low <= value <= self.high

    def ticks(self) -> tuple[float, ...]:
        """Round values from end to end, five or so."""
        step = _round_up((self.high - self.low) / _TICKS)
        first, last = ceil(self.low / step), floor(self.high / step)
        return tuple(round(at * step, 6) for at in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Rung:
    """One return: its point, and for what was added the interval; a side may run off or be open."""

    kind: Kind
    label: str
    said: Sentence
    point: float | None
    start: float | None = None
    end: float | None = None
    runs_on_below: bool = False
    runs_on_above: bool = False


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs from the claim down to what was added, where zero stands and where break-even does."""

    rungs: tuple[Rung, ...]
    zero: float
    break_even: float


def scale(points: Iterable[float], intervals: Sequence[Sequence[float | None]], break_even: float) -> Scale:
    """An axis that shows every point and break-even, and intervals as far as that leaves them readable."""
    shown = [0.0, break_even, *points]
    reach = max(abs(value) for value in shown) * _FARTHEST
    ends = [end for interval in intervals for end in interval if end is not None]
    low = min([*shown, *(max(end, -reach / 2) for end in ends)])
    high = max([*shown, *(min(end, reach) for end in ends)])
    return Scale(low * _MARGIN, high * _MARGIN)


def flat_rung(kind: Kind, label: str, value: float | None, said: Sentence, axis: Scale) -> Rung:
    """A return that is a plain quotient."""
    return Rung(kind, label, said, None if value is None else axis.at(value))


def added_rung(value: float | None, interval: Sequence[float | None], said: Sentence, axis: Scale) -> Rung:
    """What the ads added, with its interval drawn open where it is open or leaves the axis."""
    if value is None:
        return Rung("added", "Added", said, None)
    low, high = interval
    return Rung(
        "added",
        "Added",
        said,
        axis.at(value),
        start=0.0 if low is None else axis.at(low),
        end=100.0 if high is None else axis.at(high),
        runs_on_below=low is None or low < axis.low,
        runs_on_above=high is None or high > axis.high,
    )


def _round_up(step: float) -> float:
    power = 10.0 ** floor(log10(step))
    return next(each * power for each in (1.0, 2.0, 5.0, 10.0) if each * power >= step * 0.999)
