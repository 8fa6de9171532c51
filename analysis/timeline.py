"""Which units may be compared, when a holdout changed while their windows were open. Pure.

A unit entered at t has an outcome window [t, t + window) and must not have been advertised to
otherwise in the wash-out before t. Over every phase that touches this stretch the thresholds lie between
a smallest and a largest: below the smallest a unit was held out all along, from the largest on it was
treated all along, and the band between is left out of both arms. Buckets are independent of what people
would have bought, so this costs data but no bias (reference: lift statistics, B14).

A new salt draws the arms anew. What was known before it stands as it is and ends there; what is learnt
after it is an epoch of its own, which both arms enter only after the wash-out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Literal

from experiments.assignment import BUCKETS, threshold
from experiments.phases import Phase

Level = Literal["group", "universal"]
FOREVER = 2**62


@dataclass(frozen=True, slots=True)
class Span:
    """A stratum: entries of one stretch of time, with the buckets that may be compared in it."""

    entered_from: int
    entered_until: int
    control_below: int
    treated_from: int
    universal_from: int
    """Units whose universal bucket lies below were held out of everything at some time: in neither arm."""

    @property
    def holdout_share(self) -> float:
        """Expected share of control units among those compared."""
        return self.control_below / (self.control_below + BUCKETS - self.treated_from)


@dataclass(frozen=True, slots=True)
class Epoch:
    """Phases under one salt, in the order of time, and the spans of entry that may be compared in it."""

    phases: tuple[Phase, ...]
    until: int
    """When the next salt came into force, or the watermark: nothing later is an outcome of this epoch."""
    spans: tuple[Span, ...]


def epochs(
    phases: Sequence[Phase], *, window: int | None, washout: int, watermark: int, level: Level = "group"
) -> tuple[Epoch, ...]:
    """The strata of one experiment by salt, oldest first; arguments as in `spans`."""
    in_time = sorted(phases, key=lambda phase: (phase.opened_at, phase.id))
    runs = [tuple(run) for _, run in groupby(in_time, lambda phase: _salts(phase, level, phases))]
    ends = [min(run[0].opened_at, watermark) for run in runs[1:]] + [watermark]
    found = []
    for run, until in zip(runs, ends, strict=False):
        known = spans(phases, window=window, washout=washout, watermark=until, level=level)
        found.append(Epoch(run, until, _since(known, run[0].opened_at)))
    return tuple(found)


def spans(
    phases: Sequence[Phase], *, window: int | None, washout: int, watermark: int, level: Level = "group"
) -> tuple[Span, ...]:
    """The strata of one experiment, oldest first; stretches without a control are left out.

    `phases` are those of one audience, of all audiences of one group, or of the whole programme.
    `window` None means from entry to the watermark. Times are seconds.
    """
    closed = _closings(phases)
    horizon = FOREVER if window is None else window
    edges = {phase.opened_at for phase in phases}
    edges |= {phase.opened_at - horizon for phase in phases} | {end + washout for end in closed.values()}
    start = min((phase.opened_at for phase in phases), default=watermark)
    points = sorted({start, watermark, *(edge for edge in edges if start < edge < watermark)})
    found = []
    for begins, ends in pairwise(points):
        until = watermark if window is None else ends + window
        touching = [
            phase for phase in phases if phase.opened_at < until and closed[phase.id] > begins - washout
        ]
        span = _span(begins, ends, touching, level)
        if span is not None:
            found.append(span)
    return _joined(found)


def _closings(phases: Sequence[Phase]) -> dict[int, int]:
    """When each phase ended, by id; one that was replaced within a second counts as a second long."""
    closed = {}
    for phase in phases:
        later = [
            each.opened_at
            for each in phases
            if each.audience == phase.audience and each.number > phase.number
        ]
        closed[phase.id] = max(min(later, default=FOREVER), phase.opened_at + 1)
    return closed


def _span(begins: int, ends: int, touching: Sequence[Phase], level: Level) -> Span | None:
    universal = [threshold(each.holdout.universal_ppm) for each in touching]
    own = universal if level == "universal" else [threshold(each.holdout.ppm) for each in touching]
    salts = {_salts(each, level, touching) for each in touching}
    if len(salts) != 1 or not min(own):
        return None
    drop = 0 if level == "universal" else max(universal)
    return Span(begins, ends, min(own), max(own), drop)


def _salts(phase: Phase, level: Level, among: Sequence[Phase]) -> tuple[str, str]:
    """What draws the arms of a comparison; a universal holdout that nobody is in draws nothing."""
    holdout = phase.holdout
    if level == "universal":
        return "", holdout.universal_salt
    in_use = any(each.holdout.universal_ppm for each in among)
    return holdout.salt, holdout.universal_salt if in_use else ""


def _since(known: Sequence[Span], begins: int) -> tuple[Span, ...]:
    """What of the spans lies at or after a moment."""
    return tuple(
        replace(span, entered_from=max(span.entered_from, begins))
        for span in known
        if span.entered_until > begins
    )


def _joined(found: list[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in found:
        last = joined[-1] if joined else None
        rules = (span.control_below, span.treated_from, span.universal_from)
        if (
            last
            and last.entered_until == span.entered_from
            and rules
            == (
                last.control_below,
                last.treated_from,
                last.universal_from,
            )
        ):
            joined[-1] = Span(last.entered_from, span.entered_until, *rules)
        else:
            joined.append(span)
    return tuple(joined)
