"""Which arm a unit was in, of which audience, from when to when and by which rule. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from experiments.digests import DigestSet
from experiments.phases import Phase, Rule, assign


@dataclass(frozen=True, slots=True)
class Placement:
    """A unit's arm of one audience for as long as one phase lasted."""

    phase: Phase
    until: int | None
    """When the next phase began; None for the open one."""
    rule: Rule
    bucket: int
    universal_bucket: int
    entered_at: int | None
    """When the unit entered the audience in this phase; None where it never did."""


def arm_history(phases: Sequence[Phase], unit: bytes, entered: Mapping[int, int]) -> tuple[Placement, ...]:
    """One placement for each phase of one audience, oldest first; `entered` has times by phase id."""
    in_order = sorted(phases, key=lambda phase: phase.number)
    ends = [later.opened_at for _, later in pairwise(in_order)] + [None] * bool(in_order)
    return tuple(_placement(phase, end, unit, entered) for phase, end in zip(in_order, ends, strict=True))


def arm_at(history: Sequence[Placement], moment: int) -> Placement | None:
    """The placement in force at a moment (seconds); None before the audience's first phase."""
    for placement in reversed(history):
        if placement.phase.opened_at <= moment:
            return placement
    return None


def _placement(phase: Phase, until: int | None, unit: bytes, entered: Mapping[int, int]) -> Placement:
    found = assign(DigestSet.of([unit]), phase.holdout)
    return Placement(
        phase,
        until,
        Rule(int(found.rules[0])),
        int(found.buckets[0]),
        int(found.universal_buckets[0]),
        entered.get(phase.id),
    )
