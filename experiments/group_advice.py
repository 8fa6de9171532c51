"""What the holdout groups of a programme do to the comparisons, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from experiments.audiences import Audience, Programme
from experiments.percent import show_percent

JOURNEY = 0.5
"""From this part of the smaller audience on, two audiences are stations of one journey."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to know about a group or a pair of audiences."""

    subject: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """People who entered two audiences, beside how many entered each."""

    audiences: tuple[str, str]
    people: tuple[int, int]
    both: int

    @property
    def share(self) -> float:
        """Part of the smaller audience that is in the other one too."""
        smaller = min(self.people)
        return self.both / smaller if smaller else 0.0


def advice(
    programme: Programme,
    in_force: Mapping[str, int],
    groups_before: Mapping[str, str],
    overlaps: Sequence[Overlap],
) -> tuple[Advice, ...]:
    """Everything worth saying about the groups.

    `in_force` has each audience's percentage (ppm), `groups_before` the group of its open phase.
    """
    return (
        *_differences(programme, in_force),
        *_moves(programme, groups_before),
        *_journeys(programme, overlaps),
        *_overlaps(overlaps),
    )


def _differences(programme: Programme, in_force: Mapping[str, int]) -> Iterator[Advice]:
    for group, windows in programme.groups.items():
        shares = {each.name: in_force[each.name] for each in windows}
        subject = f"holdout group {group}"
        low, high = min(shares.values()), max(shares.values())
        if low != high:
            named = ", ".join(f"{name} {show_percent(ppm)}" for name, ppm in shares.items())
            sentence = (
                f"its audiences hold out different shares ({named}): the {show_percent(high - low)} between the "
                "smallest and the largest are held out of one window and advertised to in another, so they leave "
                f"the group's comparison; one percentage for all, such as {show_percent(high)}, keeps them"
            )
            yield Advice(subject, sentence)
        if not low:
            yield Advice(subject, "nobody is held out of every window, so nothing can be measured")


def _moves(programme: Programme, groups_before: Mapping[str, str]) -> Iterator[Advice]:
    for audience in programme.includes:
        before = groups_before.get(audience.name, audience.holdout_group)
        if before != audience.holdout_group:
            sentence = (
                f"its holdout group was {before} and the file says {audience.holdout_group}: the next sync draws "
                "its arms anew by that group's salt, and its new comparison starts after the wash-out"
            )
            yield Advice(audience.name, sentence)


def _journeys(programme: Programme, overlaps: Sequence[Overlap]) -> Iterator[Advice]:
    known = {each.audiences: each for each in overlaps}
    for one, other in combinations(programme.includes, 2):
        if one.holdout_group == other.holdout_group:
            continue
        shared = known.get((one.name, other.name)) or known.get((other.name, one.name))
        why = _journey(one, other, shared)
        if why:
            sentence = (
                f"{why}, but their holdout groups are {one.holdout_group} and {other.holdout_group}: people held "
                "out of one are advertised to in the other, which hides what the ads add; give them one "
                "holdout_group, if they are stations of one journey"
            )
            yield Advice(f"{one.name} and {other.name}", sentence)


def _journey(one: Audience, other: Audience, shared: Overlap | None) -> str | None:
    if _stem(one.name) == _stem(other.name):
        return "their names begin alike"
    if shared is not None and shared.share >= JOURNEY:
        return f"{shared.share:.0%} of the smaller one are in both"
    return None


def _stem(name: str) -> str:
    return name.partition("-")[0]


def _overlaps(overlaps: Sequence[Overlap]) -> Iterator[Advice]:
    for each in overlaps:
        if each.both:
            one, other = each.audiences
            sentence = f"{each.both:,} people entered both, {each.share:.0%} of the smaller audience"
            yield Advice(f"{one} and {other}", sentence)
