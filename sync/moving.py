"""Who would move on or off a list if a holdout were another: the band, counted in what the lists hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from experiments.audiences import Audience
from experiments.digests import EMPTY, DigestSet
from experiments.phases import Holdout, assign
from sync.decision import UNIVERSAL_LIST, Facts, holdout_list


@dataclass(frozen=True, slots=True)
class Movement:
    """How many people the next sync would move because of a percentage, and for nothing else."""

    listed: int
    """People on the lists now."""
    off: int
    """Advertised to now, held out then."""
    back: int
    """Held out now, advertised to then."""
    back_is_at_most: bool
    """Some of them may have left the audience since: nothing but its next sync can tell."""


def movement(facts: Facts, audience: str | None, ppm: int, held_out: Mapping[str, DigestSet]) -> Movement:
    """What another percentage of one audience would move, or of the universal holdout (None).

    `held_out` has, by audience, the units of the open phase that are held out.
    """
    is_universal = audience is None
    touched = [each for each in facts.programme.includes if is_universal or each.name == audience]
    listed, off, back, at_most = EMPTY, EMPTY, EMPTY, False
    for each in touched:
        now = facts.holdouts[each.name]
        then = replace(now, universal_ppm=ppm) if is_universal else replace(now, ppm=ppm)
        on_list = facts.people_on(each.name)
        standing, is_loose = _standing(facts, each, is_universal, held_out.get(each.name, EMPTY))
        listed |= on_list
        off |= assign(on_list, then).held_out - assign(on_list, now).held_out
        freed = _freed(standing, now, then)
        back |= freed
        at_most = at_most or (is_loose and bool(len(freed)))
    return Movement(len(listed), len(off), len(back), at_most)


def _freed(units: DigestSet, now: Holdout, then: Holdout) -> DigestSet:
    return assign(units, now).held_out & assign(units, then).treated


def _standing(
    facts: Facts, audience: Audience, is_universal: bool, held_out: DigestSet
) -> tuple[DigestSet, bool]:
    """Who is held out of the audience and is in its segment still, as far as the ledger knows.

    The list of held-out people says who is in some window of the group; without it nobody does.
    """
    group = audience.holdout_group
    if group in facts.programme.private_groups:
        return held_out, True
    name = UNIVERSAL_LIST if is_universal else holdout_list(group)
    is_shared = is_universal or len(facts.programme.groups[group]) > 1
    return held_out & facts.people_on(name), is_shared
