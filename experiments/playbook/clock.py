"""How much of a window is left once Criteo advertises to its people: exact, over all entry times. Pure.

A person enters at t, evenly spread over the syncs' moments s₀ < s₁ < …, and stays for W. The first sync at or
after t finds the person; the change is processed at the next batch and goes live some hours later, at L(s).
L is a step function of t, so between two syncs everything is a polynomial of t and integrates exactly:

    reached(W) = Σ max(0, sₖ − max(sₖ₋₁, L(sₖ) − W)) / (sₙ − s₀)
    covered(W) = Σ ∫ max(0, t + W − L(sₖ)) dt / (W · (sₙ − s₀))
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from experiments.audiences import CriteoClock

HOUR = 3_600
DAY = 24 * HOUR
_QUARTER = 900
_LONGEST = 31 * 24
FOUR_HOURLY = tuple(range(0, DAY + 1, 4 * HOUR))
"""The schedule that `prefect.yaml` deploys."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When segments are read, how long a push takes, and when Criteo goes live with it."""

    syncs: tuple[int, ...]
    """Moments in order; people enter evenly between the first and the last."""
    push: int
    criteo: CriteoClock


@dataclass(frozen=True, slots=True)
class Reach:
    """What is left of a window: shares of its people, and of the hours that they spend in it."""

    reached: float
    covered: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """A daily schedule of syncs, and how it is said."""

    words: str
    moments: tuple[int, ...]


def live_at(sync: int, rhythm: Rhythm) -> int:
    """When the changes of one sync reach the campaigns."""
    written = sync + rhythm.push
    if not rhythm.criteo.processing:
        return written + rhythm.criteo.delay
    day, second = divmod(written, DAY)
    today = [time for time in rhythm.criteo.processing if time >= second]
    batch = day * DAY + today[0] if today else (day + 1) * DAY + rhythm.criteo.processing[0]
    return batch + rhythm.criteo.delay


def reach(length: int, rhythm: Rhythm) -> Reach:
    """The shares of a window of `length` seconds in which its people can be advertised to."""
    reached = covered = 0.0
    for opened, sync in pairwise(rhythm.syncs):
        live = live_at(sync, rhythm)
        first = max(opened, live - length)
        if first < sync:
            reached += sync - first
            covered += ((sync + length - live) ** 2 - (first + length - live) ** 2) / 2
    span = rhythm.syncs[-1] - rhythm.syncs[0]
    return Reach(reached / span, covered / (length * span))


def waits(rhythm: Rhythm) -> Iterator[tuple[int, int, int]]:
    """Per stretch between two syncs: its start, its end, and when its people are advertised to."""
    return ((opened, sync, live_at(sync, rhythm)) for opened, sync in pairwise(rhythm.syncs) if sync > opened)


def overrun(rhythm: Rhythm) -> float:
    """Seconds for which people are advertised to after they left: the mean of L(t) − t, whatever the window."""
    late = sum((sync - opened) * (live - (opened + sync) / 2) for opened, sync, live in waits(rhythm))
    return late / (rhythm.syncs[-1] - rhythm.syncs[0])


def shortest(share: float, rhythm: Rhythm) -> int | None:
    """The fewest whole hours a window must last so that `share` of its people are reached; None beyond a month."""
    hours = range(1, _LONGEST + 1)
    # Who is reached in a short window is reached in a longer one, so the shares stand in order.
    at = bisect_left(hours, share, key=lambda each: reach(each * HOUR, rhythm).reached)
    return hours[at] if at < len(hours) else None


def schedules(rhythm: Rhythm) -> Iterator[Schedule]:
    """Schedules to choose from, few syncs first: just before each batch, then ever more often."""
    times = sorted({(time - rhythm.push) % DAY // _QUARTER * _QUARTER for time in rhythm.criteo.processing})
    before = [Schedule(f"at {_and([_clock(time) for time in times])} UTC", _day(times))] if times else []
    evenly = [
        Schedule(
            "every hour" if hours == 1 else f"every {hours} hours", tuple(range(0, DAY + 1, hours * HOUR))
        )
        for hours in (24, 12, 8, 6, 4, 3, 2, 1)
    ]
    yield from sorted((*before, *evenly), key=lambda each: len(each.moments))


def schedule_for(length: int, share: float, rhythm: Rhythm) -> Schedule | None:
    """The schedule of fewest syncs under which `share` of a window's people are reached."""
    return next(
        (each for each in schedules(rhythm) if reach(length, _under(each, rhythm)).reached >= share), None
    )


def shortest_ever(share: float, rhythm: Rhythm) -> int | None:
    """The shortest window that works under any of the schedules, in whole hours."""
    found = (shortest(share, _under(each, rhythm)) for each in schedules(rhythm))
    return min((hours for hours in found if hours is not None), default=None)


def _under(schedule: Schedule, rhythm: Rhythm) -> Rhythm:
    return Rhythm(schedule.moments, rhythm.push, rhythm.criteo)


def _day(times: list[int]) -> tuple[int, ...]:
    return (*times, times[0] + DAY)


def _clock(second: int) -> str:
    return f"{second // HOUR:02}:{second % HOUR // 60:02}"


def _and(words: list[str]) -> str:
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
