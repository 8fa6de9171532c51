"""Whether Criteo can know the people it is sent: coverage, spelling, repeats, match rates, counts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

from experiments.playbook.facts import DAY, Known, Snapshot, Sync
from experiments.playbook.finding import Finding, check

UNCOVERED, BARELY_COVERED = 0.10, 0.30
MALFORMED, TYPOS, REPEATED = 0.02, 0.005, 0.10
DEVIATIONS = 5.0
"""Chance alone goes this far in fewer than one look in a million."""
HALF, SEGMENT_FROM = 0.5, 200
"""A list below this share of its segment deserves a reason; small segments do not."""
SMALLEST_FALL = 0.01
SMALLEST_GAP = 0.05
"""Audiences differ a little in whom they hold; below this nobody could act on it."""
DOUBT = 3.0
"""A sample must lie this many standard deviations above a bound to be said to break it."""


@check("identity.coverage")
def coverage(snapshot: Snapshot) -> Iterator[Finding]:
    """A segment many of whose profiles have no e-mail that could be sent."""
    for audience in snapshot.programme.audiences:
        last = snapshot.of(audience).last_sync
        if last is None or not _is_above(last.unusable, last.members, UNCOVERED):
            continue
        share = last.unusable / last.members
        yield Finding(
            "high" if share >= BARELY_COVERED else "medium",
            audience.name,
            share,
            f"{last.unusable:,} of {last.members:,} profiles, {share:.0%}, have no usable e-mail",
            "ask for the e-mail earlier in the shop, or bound the segment to people who have one",
        )


@check("identity.malformed")
def malformed(snapshot: Snapshot) -> Iterator[Finding]:
    """E-mails that are none, or that arrive hashed in a way nobody can undo."""
    for audience in snapshot.programme.audiences:
        sample = snapshot.of(audience).sample
        if sample is None:
            continue
        wrong = sample.malformed + sample.hashed
        if not _is_above(wrong, sample.looked_at, MALFORMED):
            continue
        yield Finding(
            "medium",
            audience.name,
            wrong / sample.looked_at,
            f"of {sample.looked_at:,} profiles {sample.malformed:,} have a malformed e-mail and {sample.hashed:,} one hashed elsewhere",
            "let the form refuse what is no e-mail, and send Customer.io the plain address",
        )


@check("identity.typos")
def typos(snapshot: Snapshot) -> Iterator[Finding]:
    """Domains one slip of the finger from a big provider's: nobody ever gets that mail."""
    for audience in snapshot.programme.audiences:
        sample = snapshot.of(audience).sample
        if sample is None or not _is_above(sample.typos, sample.looked_at, TYPOS):
            continue
        yield Finding(
            "low",
            audience.name,
            sample.typos / sample.looked_at,
            f"{sample.typos:,} of {sample.looked_at:,} profiles have a likely typo in the domain, like gmial.com",
            "offer the right spelling in the form; old profiles can be corrected in Customer.io",
        )


@check("identity.duplicates")
def duplicates(snapshot: Snapshot) -> Iterator[Finding]:
    """Profiles that are the same person twice: counts of the segment and of the list then differ for good."""
    for audience in snapshot.programme.audiences:
        sample = snapshot.of(audience).sample
        if sample is None or not _is_above(sample.repeated, sample.looked_at, REPEATED):
            continue
        share = sample.repeated / sample.looked_at
        yield Finding(
            "low",
            audience.name,
            share,
            f"{sample.repeated:,} of {sample.looked_at:,} profiles, {share:.0%}, repeat the e-mail of another",
            "merge the profiles, and identify people by e-mail when they sign in",
        )


@check("identity.match-fell")
def match_fell(snapshot: Snapshot) -> Iterator[Finding]:
    """A match rate below the binomial band around its own history."""
    for audience in snapshot.programme.audiences:
        known = snapshot.of(audience)
        rates = [rate for rate in map(_rate, known.syncs) if rate is not None]
        if len(rates) < 3:
            continue
        before, now = _middle(rates[:-1]), rates[-1]
        fall = before.share - now.share
        if fall <= max(SMALLEST_FALL, _band(before, now)):
            continue
        yield Finding(
            "high",
            audience.name,
            fall,
            f"Criteo recognises {now.share:.0%} of its people where {before.share:.0%} were usual; {_cause(known)}",
            "look at what changed in the e-mails of this segment: a form, an import, a change of encoding",
        )


@check("identity.match-low")
def match_low(snapshot: Snapshot) -> Iterator[Finding]:
    """A match rate below that of all other include audiences together, beyond chance."""
    rates = {each.name: _rate(snapshot.of(each).last_sync) for each in snapshot.programme.includes}
    for audience in snapshot.programme.includes:
        own = rates[audience.name]
        others = [rate for name, rate in rates.items() if rate is not None and name != audience.name]
        if own is None or not others:
            continue
        rest = sum(others, start=_Rate(0, 0))
        gap = rest.share - own.share
        if gap <= max(SMALLEST_GAP, _band(rest, own)):
            continue
        yield Finding(
            "medium",
            audience.name,
            gap,
            f"Criteo recognises {own.share:.0%} of its people and {rest.share:.0%} of the other audiences'; {_cause(snapshot.of(audience))}",
            "compare where the profiles of this segment come from with the others'",
        )


@check("identity.segment-gap")
def segment_gap(snapshot: Snapshot) -> Iterator[Finding]:
    """A list that holds less than half of its segment, for another reason than the holdout."""
    for audience in snapshot.programme.audiences:
        last = snapshot.of(audience).last_sync
        if last is None or last.pushed is None or last.members < SEGMENT_FROM:
            continue
        listed = last.pushed if last.identifiers is None else last.identifiers
        causes = sorted(_lost(last), key=lambda each: -each.people)
        if listed >= HALF * last.members or not causes[0].people or causes[0].what_to_do is None:
            continue
        told = ", ".join(f"{each.people:,} {each.words}" for each in causes if each.people)
        yield Finding(
            "medium",
            audience.name,
            listed / last.members,
            f"its segment has {last.members:,} profiles and its list {listed:,} people, most likely because of the first of these: {told}",
            causes[0].what_to_do,
        )


@check("identity.count-gap")
def count_gap(snapshot: Snapshot) -> Iterator[Finding]:
    """A list of which Criteo counts fewer or more people than the ledger ever had there in two days."""
    for audience in snapshot.programme.audiences:
        syncs = snapshot.of(audience).syncs
        last = syncs[-1] if syncs else None
        if last is None or not last.identifiers or snapshot.now - syncs[0].at < 2 * DAY:
            continue
        held = [each.pushed for each in syncs if each.pushed is not None and each.at > last.at - 2 * DAY]
        if not held or 0.95 * min(held) <= last.identifiers <= 1.05 * max(held):
            continue
        nearest = min(held) if last.identifiers < min(held) else max(held)
        gap = last.identifiers / nearest - 1 if nearest else 1.0
        cause = "Criteo has not processed the last changes" if gap < 0 else "somebody else writes to the list"
        yield Finding(
            "medium",
            audience.name,
            gap,
            f"Criteo counts {last.identifiers:,} people on the list, the ledger {nearest:,}; most likely {cause}",
            "look at the list in Criteo; `holdouts sync` sends what is missing, a refresh replaces the list",
        )


@dataclass(frozen=True, slots=True)
class _Loss:
    """People between the segment and the list."""

    people: int
    words: str
    what_to_do: str | None
    """None where it is meant."""


def _lost(sync: Sync) -> tuple[_Loss, ...]:
    """Where the people of a segment went on their way to the list."""
    repeated = sync.members - sync.unusable - sync.units
    wanted = sync.units - sync.excluded - sync.claimed - sync.held_out
    pushed = sync.pushed or 0
    uncounted = 0 if sync.identifiers is None else pushed - sync.identifiers
    return tuple(
        _Loss(max(0, people), words, what_to_do)
        for people, words, what_to_do in (
            (sync.unusable, "have no usable e-mail", "bound the segment to people who have an e-mail"),
            (repeated, "are second profiles", "merge the profiles of one person in Customer.io"),
            (
                sync.excluded,
                "stand in an exclusion",
                "look at the exclusions: so large a one is often another segment than was meant",
            ),
            (
                sync.claimed,
                "are in a window of higher priority",
                "let the windows meet instead of overlap, so that each has people of its own",
            ),
            (sync.held_out, "are held out", None),
            (
                wanted - pushed,
                "were not sent yet",
                "look at the last runs of sync-audiences: `holdouts status` shows what was refused",
            ),
            (
                uncounted,
                "were sent and are not counted by Criteo",
                "wait for Criteo's next batch; if it stays, look at the identifiers that it calls invalid",
            ),
        )
    )


@dataclass(frozen=True, slots=True)
class _Rate:
    """Matches among identifiers."""

    matches: int
    identifiers: int

    @property
    def share(self) -> float:
        return self.matches / self.identifiers

    def __add__(self, other: _Rate) -> _Rate:
        return _Rate(self.matches + other.matches, self.identifiers + other.identifiers)


def _rate(sync: Sync | None) -> _Rate | None:
    if sync is None or not sync.identifiers or sync.matches is None:
        return None
    # Counts of different hours, so that there may be more matches than identifiers.
    return _Rate(min(sync.matches, sync.identifiers), sync.identifiers)


def _middle(rates: Sequence[_Rate]) -> _Rate:
    """The rate in the middle of a history, on that sync's own counts."""
    return sorted(rates, key=lambda each: each.share)[len(rates) // 2]


def _band(one: _Rate, other: _Rate) -> float:
    """5 · √(p(1 − p)(1/n₀ + 1/n₁)), p the share of both together."""
    p = (one + other).share
    return DEVIATIONS * sqrt(p * (1 - p) * (1 / one.identifiers + 1 / other.identifiers))


def _is_above(count: int, looked_at: int, bound: float) -> bool:
    """k > nb + 3 · √(nb(1 − b))."""
    return looked_at > 0 and count > looked_at * bound + DOUBT * sqrt(looked_at * bound * (1 - bound))


def _cause(known: Known) -> str:
    """The likeliest reason why Criteo does not know people, by what else is known of them."""
    last, sample = known.last_sync, known.sample
    if sample is not None and sample.looked_at:
        if sample.hashed >= 0.01 * sample.looked_at:
            return "most likely because e-mails arrive hashed elsewhere"
        if sample.typos + sample.malformed >= MALFORMED * sample.looked_at:
            return "most likely because e-mails are misspelt"
    if last is not None and last.pushed and last.identifiers and last.identifiers < 0.9 * last.pushed:
        return "most likely because Criteo has not processed the last changes"
    return "most likely because these people are new or use an address that no shop of Criteo's has seen"
