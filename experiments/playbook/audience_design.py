"""Audiences that are too vague, too small, or in each other's way. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from experiments.audiences import Audience
from experiments.playbook.facts import DAY, WEEK, Known, Snapshot, stay_of
from experiments.playbook.finding import Finding, check
from experiments.playbook.sharing import shared_lists
from experiments.stays import Stay, is_bounded, journey_of_name

GIANT, ENORMOUS = 0.20, 0.40
"""Shares of the base: a retargeting audience is a moment in few people's week, not a fifth of everybody."""
SLOW = 0.05
"""A segment of which fewer enter in a week is a state, not a moment."""
FAR = 0.25
"""Of the share that is due to be new in a week: seasons move it, and not so far."""
SHARED = 0.25
SHARED_FROM = 50
SHOWN_FROM, SHOWN_SURELY = 500, 1_000
"""Recognised people: lists below are shown hardly or not at all (reference/criteo-api.md, 4.12)."""
YEAR = 52.0

Journey = Sequence[tuple[Audience, Stay]]


@check("design.giant")
def giant(snapshot: Snapshot) -> Iterator[Finding]:
    """An include audience that holds much of everybody whom the shop could write to."""
    for audience in snapshot.programme.includes:
        people = snapshot.of(audience).people
        if people is None or not snapshot.base or people < GIANT * snapshot.base:
            continue
        share = people / snapshot.base
        yield Finding(
            "high" if share >= ENORMOUS else "medium",
            audience.name,
            share,
            f"{people:,} people are {share:.0%} of the whole base of {snapshot.base:,}",
            "split it by what people did and when, so that an ad has a reason",
        )


@check("design.vague")
def vague(snapshot: Snapshot) -> Iterator[Finding]:
    """An include audience without any time bound, in which hardly anybody is new."""
    for audience in snapshot.programme.includes:
        known = snapshot.of(audience)
        turnover = _turnover(known)
        if turnover is None or turnover >= SLOW or _is_bounded(audience, known):
            continue
        yield Finding(
            "medium",
            audience.name,
            turnover,
            f"neither its name nor its segment's says a time, and only {turnover:.1%} of it is new in a week",
            "bound it by time, like `lapsed-60-120d`, or say it with `member_for`",
        )


@check("design.stuck")
def stuck(snapshot: Snapshot) -> Iterator[Finding]:
    """An audience whose window is said and whose people hardly change: the segment does not let them go."""
    for audience in snapshot.programme.includes:
        stay, turnover = stay_of(audience), _turnover(snapshot.of(audience))
        if stay is None or turnover is None:
            continue
        due = min(1.0, WEEK / stay.length)
        if turnover >= FAR * due:
            continue
        yield Finding(
            "medium",
            audience.name,
            turnover,
            f"{turnover:.1%} of it is new in a week; people who stay {_days(stay.length)} would make it {due:.0%}",
            "look whether the segment's conditions end when the window does, or say another `member_for`",
        )


@check("design.windows-gap")
def windows_gap(snapshot: Snapshot) -> Iterator[Finding]:
    """A stretch between the windows of one journey in which nobody is advertised to."""
    for journey in _journeys(snapshot.programme.includes).values():
        for at, (after, late) in enumerate(journey[1:], start=1):
            before, reached = max(journey[:at], key=lambda each: each[1].end)
            if late.start <= reached.end:
                continue
            hours = (late.start - reached.end) / 3_600
            yield Finding(
                "low",
                after.name,
                hours,
                f"between {before.name} and {after.name} nobody is advertised to for {hours:g} h",
                f"let {after.name} begin where {before.name} ends, or accept the gap if another channel fills it",
            )


@check("design.windows-overlap")
def windows_overlap(snapshot: Snapshot) -> Iterator[Finding]:
    """Two windows of one journey that hold a person at the same time."""
    for journey in _journeys(snapshot.programme.includes).values():
        for (before, early), (after, late) in combinations(journey, 2):
            if late.start >= early.end:
                continue
            apart = before.holdout_group != after.holdout_group
            hours = (min(early.end, late.end) - late.start) / 3_600
            yield Finding(
                "medium" if apart else "low",
                after.name,
                hours,
                f"{before.name} and {after.name} hold the same people for {hours:g} h"
                + (", held out by different salts" if apart else ""),
                "give both one holdout_group, and cut points that meet"
                if apart
                else "let the windows meet: until then the one of higher priority claims the person",
                subject=before.name,
            )


@check("design.overlap")
def overlap(snapshot: Snapshot) -> Iterator[Finding]:
    """Two include audiences that share too many people, who are bid for twice and measured twice."""
    for pair in shared_lists(snapshot):
        if pair.people < SHARED_FROM or pair.most < SHARED:
            continue
        size = snapshot.of(pair.smaller).on_list or 0
        yield Finding(
            "medium",
            pair.smaller,
            pair.most,
            f"{pair.people:,} of its {size:,} people, {pair.most:.0%}, are advertised to by {pair.bigger} as well",
            "make them windows of one holdout_group, where priority decides, or exclude one from the other",
            subject=pair.bigger,
        )


@check("design.too-small")
def too_small(snapshot: Snapshot) -> Iterator[Finding]:
    """An include audience of fewer people than Criteo shows ads to."""
    for audience in snapshot.programme.includes:
        people, word = _shown(snapshot.of(audience))
        if people is None or people >= SHOWN_SURELY:
            continue
        yield Finding(
            "medium" if people < SHOWN_FROM else "low",
            audience.name,
            people,
            f"{people:,} {word}: Criteo may show their ads rarely, or never below {SHOWN_FROM}",
            "merge it with the next window of the journey, or widen its segment",
        )


@check("design.too-small-to-measure")
def too_small_to_measure(snapshot: Snapshot) -> Iterator[Finding]:
    """An audience in which no holdout, however large, answers within a year."""
    for audience in snapshot.programme.includes:
        answer = snapshot.of(audience).answer
        if answer is None or answer.weeks_at_half <= YEAR:
            continue
        yield Finding(
            "low",
            audience.name,
            answer.weeks_at_half,
            f"even with half of it held out, a lift of {answer.lift:.0%} would show after {answer.weeks_at_half:,.0f} weeks",
            "read it together with others in one holdout_group, or by the universal holdout",
        )


def _days(seconds: int) -> str:
    return f"{seconds / DAY:g} days" if seconds >= 2 * DAY else f"{seconds / 3_600:g} hours"


def _is_bounded(audience: Audience, known: Known) -> bool:
    return stay_of(audience) is not None or is_bounded(audience.name) or is_bounded(known.segment_name or "")


def _turnover(known: Known) -> float | None:
    """Adds in a week as a share of the list; the first sync is left out, for it fills the list."""
    later = known.syncs[1:]
    if not known.on_list or len(later) < 2 or later[-1].at - known.syncs[0].at < WEEK:
        return None
    weeks = (later[-1].at - known.syncs[0].at) / WEEK
    return sum(each.adds for each in later) / weeks / known.on_list


def _journeys(includes: Sequence[Audience]) -> Mapping[str, Journey]:
    """Audiences with windows by what their names say besides the time, else by holdout group; in order of time."""
    found: dict[str, list[tuple[Audience, Stay]]] = {}
    for audience in includes:
        stay = stay_of(audience)
        if stay is not None:
            found.setdefault(journey_of_name(audience.name) or audience.holdout_group, []).append(
                (audience, stay)
            )
    return {name: sorted(windows, key=lambda each: each[1].start) for name, windows in found.items()}


def _shown(known: Known) -> tuple[int | None, str]:
    last = known.last_sync
    if last is not None and last.matches is not None and last.identifiers:
        return last.matches, "recognised people"
    if known.on_list is not None:
        return known.on_list, "people on the list"
    return known.people, "people in the segment"
