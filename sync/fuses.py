"""Rules that refuse a plan before anything is sent: better a stale list than a wrong one. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from experiments.audiences import Audience
from sync.plan import Former, ListPlan, Membership, Refusal

_BINOMIAL_DEVIATIONS = 5.0
"""A right share strays further in fewer than one sync in a million."""


@dataclass(frozen=True, slots=True)
class Case:
    """All that a fuse may look at."""

    audience: Audience
    membership: Membership
    plan: ListPlan
    last_units: int | None
    """Usable units of the last applied sync; None before the first."""
    held: int
    """How many people the list holds at most, by the ledger."""
    leaving: int
    """How many of them would be on it no more."""
    renamed: int = 0
    """How many would stay, but be off the list until they are added again in another form."""


Fuse = Callable[[Case], str | None]


def _unfinished(case: Case) -> str | None:
    if case.membership.finished:
        return None
    return "the segment is still being built; run again when Customer.io shows it as finished"


def _empty(case: Case) -> str | None:
    before = max(case.last_units or 0, case.held, case.membership.reported or 0)
    if case.membership.profiles or not before:
        return None
    return f"the segment is empty, it had {before:,} people"


def _disagreement(case: Case) -> str | None:
    reported, read = case.membership.reported, case.membership.profiles
    if reported is None or abs(reported - read) <= max(10, case.audience.bounds.disagreement * reported):
        return None
    return f"Customer.io counts {reported:,} people in the segment but listed {read:,}"


def _shrink(case: Case) -> str | None:
    last, now = case.last_units, len(case.membership.units)
    if not last or now >= last * (1 - case.audience.bounds.shrink):
        return None
    return f"the segment shrank from {last:,} to {now:,}, more than the {case.audience.bounds.shrink:.0%} allowed"


def _growth(case: Case) -> str | None:
    before, after = case.held, len(case.plan.desired)
    allowed = before * (1 + case.audience.bounds.growth)
    if before < case.audience.bounds.growth_from or after <= allowed:
        return None
    return f"the list would grow from {before:,} to {after:,}, above the {allowed:,.0f} allowed"


def _removal(case: Case) -> str | None:
    removed = case.leaving - case.plan.band
    if case.held < case.audience.bounds.growth_from or removed <= case.held * case.audience.bounds.removal:
        return None
    return f"{removed:,} of {case.held:,} people would be removed at once"


def _renaming(case: Case) -> str | None:
    allowed = case.held * case.audience.bounds.removal
    if case.held < case.audience.bounds.growth_from or case.renamed <= allowed:
        return None
    return (
        f"{case.renamed:,} of {case.held:,} people would leave the list before they come back as another "
        "identifier; name both for a while, as in `identifier: [md5, sha256]`, sync, and drop the old one then"
    )


def _unusable(case: Case) -> str | None:
    unusable, profiles = sum(case.membership.unusable.values()), case.membership.profiles
    if not profiles or unusable <= profiles * case.audience.bounds.unusable:
        return None
    return f"{unusable:,} of {profiles:,} profiles have no usable e-mail or identifier"


def _holdout_share(case: Case) -> str | None:
    plan = case.plan
    if plan.arms is None or plan.holdout is None:
        return None
    n = plan.counts.eligible - plan.counts.held_out_universally
    share = plan.holdout.ppm / 1_000_000
    held = plan.counts.held_out - plan.counts.held_out_universally
    if abs(held - n * share) <= _BINOMIAL_DEVIATIONS * sqrt(n * share * (1 - share)) + 1:
        return None
    return f"{held:,} of {n:,} people are held out, which chance does not make of {share:.2%}"


DOUBTING_SOURCE = frozenset({"unfinished", "empty", "disagreement", "shrink"})
"""Fuses that mean: the source may have named only a part of its people."""
BEYOND_APPROVAL = frozenset({"unfinished"})
"""Fuses that nobody can let a plan through: the segment was not even read."""

FUSES: tuple[tuple[str, Fuse], ...] = (
    ("unfinished", _unfinished),
    ("empty", _empty),
    ("disagreement", _disagreement),
    ("shrink", _shrink),
    ("growth", _growth),
    ("removal", _removal),
    ("identifier", _renaming),
    ("unusable", _unusable),
    ("holdout-share", _holdout_share),
)


def former_refusal(former: Former) -> Refusal | None:
    """Refuses to empty a list that the audiences file gave up, until a person says that this was meant."""
    if former.replaced:
        return None
    held = len(former.holding.at_most)
    return Refusal(
        "former",
        f"no audience of the audiences file keeps this list any more, and it holds {held:,} people whom "
        "no sync looks after; approve to empty it, or put its audience back",
    )


def refusals(case: Case) -> tuple[Refusal, ...]:
    """Every fuse that refuses this plan, in the order of the list; empty where it may go."""
    found = ((name, fuse(case)) for name, fuse in FUSES)
    return tuple(Refusal(name, reason) for name, reason in found if reason is not None)
