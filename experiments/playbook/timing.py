"""Window physics: whether an ad can reach people while they are still in the window it is for. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from experiments.audiences import Audience
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
        f"who leaves a segment, by buying too, is advertised to for {late / HOUR:.0f} h more on average",
        "sync more often, just before Criteo processes its lists",
    )


def _finding(snapshot: Snapshot, window: Window, severity: str) -> Finding:
    audience = snapshot.programme.audience(window.audience)
    spend = snapshot.of(audience).spend
    return Finding(
        "high" if severity == "high" else "medium",
        window.audience,
        window.reached,
        f"of the people in its {window.stay.length / HOUR:g} h, {window.reached:.0%} can be advertised to while still in it; the others' ads come too late",
        _advice(snapshot, audience, window.stay),
        money(snapshot, None if spend is None else spend * (1 - window.reached)),
    )


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
