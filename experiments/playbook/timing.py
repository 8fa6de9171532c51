"""Window physics: whether an ad can reach people while they are still in the window it is for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from experiments.audiences import Audience, CriteoClock
from experiments.playbook.clock import HOUR, overrun, reach, schedule_for, shortest, shortest_ever
from experiments.playbook.facts import DAY, Snapshot, stay_of
from experiments.playbook.finding import Finding, check, money
from experiments.stays import Stay, stem_of_name

CANNOT, THIN, WORKS = 0.10, 0.40, 0.60
"""Shares of a window's people: below the first it cannot work, below the second it mostly does not, and advice
aims at the third."""
LATE = 2 * DAY


@dataclass(frozen=True, slots=True)
class Window:
    """One row of the table: how much of a window the clock leaves."""

    audience: str
    stay: Stay
    reached: float
    """Share of its people who can be advertised to while they are in it."""
    covered: float
    """Share of the hours that its people spend in it."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What the table is reckoned with, and which of it was measured."""

    interval: int
    """Seconds between two syncs."""
    is_seen: bool
    """Whether the syncs are those that ran; else the deployed schedule is assumed."""
    push: int | None
    """Measured seconds from reading a segment to Criteo's answer; None is reckoned as no time."""
    criteo: CriteoClock

    def __str__(self) -> str:
        seen = "as in the last two weeks" if self.is_seen else "as deployed, which is assumed"
        push = (
            "no time from segment to list, which is assumed, for no sync has measured it"
            if self.push is None
            else f"{_span(self.push)} from segment to list, as measured"
        )
        return f"a sync every {_span(self.interval)}, {seen}; {push}; {_criteo(self.criteo)}"


def basis(snapshot: Snapshot) -> Basis:
    """What is known of the way from a segment to the campaigns."""
    return Basis(snapshot.interval, snapshot.sees_syncs, snapshot.push, snapshot.programme.criteo)


def windows(snapshot: Snapshot) -> tuple[Window, ...]:
    """Every include audience with a window."""
    found = []
    for audience in snapshot.programme.includes:
        stay = stay_of(audience)
        if stay is not None:
            left = reach(stay.length, snapshot.rhythm)
            found.append(Window(audience.name, stay, left.reached, left.covered))
    return tuple(found)


@check("timing.unreachable")
def unreachable(snapshot: Snapshot) -> Iterator[Finding]:
    """A window that is over for nearly everybody before an ad can be shown."""
    yield from (_finding(snapshot, each, "high") for each in windows(snapshot) if each.reached < CANNOT)


@check("timing.thin")
def thin(snapshot: Snapshot) -> Iterator[Finding]:
    """A window of which the clock leaves most people out."""
    yield from (
        _finding(snapshot, each, "medium") for each in windows(snapshot) if CANNOT <= each.reached < THIN
    )


@check("timing.late-exit")
def late_exit(snapshot: Snapshot) -> Iterator[Finding]:
    """A clock so slow that people are advertised to for days after they left or bought."""
    late = overrun(snapshot.rhythm)
    if not snapshot.programme.includes or late <= LATE:
        return
    yield Finding(
        "medium",
        None,
        late / HOUR,
        f"who leaves a segment, by buying too, is advertised to for {late / HOUR:.0f} h more on average{_assumed(snapshot)}",
        "sync more often, just before Criteo processes its lists",
    )


def _finding(snapshot: Snapshot, window: Window, severity: str) -> Finding:
    audience = snapshot.programme.audience(window.audience)
    spend = snapshot.of(audience).spend
    return Finding(
        "high" if severity == "high" else "medium",
        window.audience,
        window.reached,
        f"of the people in its {window.stay.length / HOUR:g} h, {window.reached:.0%} can be advertised to while still in it; the others' ads come too late{_assumed(snapshot)}",
        _advice(snapshot, audience, window.stay),
        money(snapshot, None if spend is None else spend * (1 - window.reached)),
    )


def _assumed(snapshot: Snapshot) -> str:
    """What of the clock nobody has measured: the truth can only be later."""
    return "" if snapshot.push is not None else ", even if segment to list, not measured yet, takes no time"


def _span(seconds: int) -> str:
    if seconds < 5_400 and seconds != HOUR:
        return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.0f} min"
    return f"{seconds / HOUR:.3g} h"


def _criteo(clock: CriteoClock) -> str:
    if not clock.processing:
        return f"Criteo at once and {_span(clock.delay)}" if clock.delay else "Criteo at once"
    times = " and ".join(f"{time // HOUR:02}:{time % HOUR // 60:02}" for time in clock.processing)
    return f"Criteo at {times} UTC and {_span(clock.delay)}"


def _advice(snapshot: Snapshot, audience: Audience, stay: Stay) -> str:
    """A schedule under which the window works, else the nearest cut point that works under some schedule."""
    rhythm = snapshot.rhythm
    schedule = schedule_for(stay.length, WORKS, rhythm)
    if schedule is not None:
        share = reach(stay.length, type(rhythm)(schedule.moments, rhythm.push, rhythm.criteo)).reached
        return f"sync {schedule.words}: {share:.0%} are reached then"
    now, ever = shortest(WORKS, rhythm), shortest_ever(WORKS, rhythm)
    if ever is None:
        return "no schedule and no window of up to a month can work with Criteo's clock; use another channel"
    name = _renamed(audience, stay, ever)
    today = f", or {_renamed(audience, stay, now)} with today's" if now is not None and now > ever else ""
    return (
        f"no schedule can make it work; the nearest window that can is {name} with the best schedule{today}"
    )


def _renamed(audience: Audience, stay: Stay, hours: int) -> str:
    stem = stem_of_name(audience.name) or audience.name
    return f"{stem}-{Stay(stay.start, stay.start + hours * HOUR)}"
