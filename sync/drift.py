"""Whether Criteo's count of a list is what the ledger says, and what a difference most likely means. Pure.

Criteo counts late, some say by two days, so what was asked since then may or may not be in its count:

    accepted − added lately ≤ identifiers ≤ surely + perhaps + removed lately,    accepted = surely − invalid

give or take one per cent or ten people, whichever is more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sync.plan import ListRole

LATE = 2 * 86_400
"""Seconds: partner documents speak of 6 to 48 hours."""
_SHARE, _FEW = 0.01, 10


class Verdict(StrEnum):
    """What the two counts say about each other."""

    AGREES = "agrees"
    UNCOUNTED = "uncounted"
    MISSING = "missing"
    SURPLUS = "surplus"
    DOUBLED = "doubled"
    GONE = "gone"


GOOD = frozenset({Verdict.AGREES, Verdict.UNCOUNTED})


@dataclass(frozen=True, slots=True)
class Held:
    """What one list holds by the ledger, and what was asked so lately that Criteo may not have counted it."""

    surely: int
    perhaps: int = 0
    invalid: int = 0
    """Identifiers that Criteo took in and called invalid."""
    added_lately: int = 0
    removed_lately: int = 0

    @property
    def low(self) -> int:
        """The fewest that Criteo can count."""
        return max(0, self.surely - self.invalid - self.added_lately)

    @property
    def high(self) -> int:
        """The most."""
        return self.surely + self.perhaps + self.removed_lately


@dataclass(frozen=True, slots=True)
class Judgement:
    """One list's verdict, said in a sentence, and what to do about it; nothing where all is well."""

    verdict: Verdict
    sentence: str
    advice: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nobody needs to look."""
        return self.verdict in GOOD


def judge(
    name: str, role: ListRole, held: Held, identifiers: int | None, *, is_gone: bool = False
) -> Judgement:
    """Compares the ledger's count of a list with Criteo's; `is_gone` where Criteo does not know the list."""
    refresh = f'run `holdouts sync --refresh "{name}"`: it fills a new list and swaps it in'
    if is_gone:
        sentence = (
            f"Criteo does not know the list any more; the ledger says {held.surely:,}. Somebody deleted it"
        )
        return Judgement(Verdict.GONE, sentence, refresh)
    if identifiers is None:
        return Judgement(Verdict.UNCOUNTED, f"Criteo has not counted it yet; the ledger says {held.surely:,}")
    both = f"Criteo counts {identifiers:,}, the ledger {held.surely:,}"
    if _is_within(identifiers, held.low, held.high):
        return Judgement(Verdict.AGREES, both + _because(held, identifiers))
    if identifiers < held.low:
        cause = "somebody took people off it in Criteo, or Criteo lost a request"
        return Judgement(
            Verdict.MISSING, f"{both}, {held.low - identifiers:,} too few: most likely {cause}", refresh
        )
    if held.low and _is_within(identifiers, 2 * held.low, 2 * held.high):
        cause = "everybody was sent in two formats, each of which counts"
        advice = "nothing is wrong while two formats are sent on purpose; otherwise " + refresh
        return Judgement(Verdict.DOUBLED, f"{both}: most likely {cause}", advice)
    cause = "somebody else writes to it, or the ledger was restored from an older copy"
    held_out = "; nobody can tell whether held-out people are among them" if role == "include" else ""
    too_many = f"{both}, {identifiers - held.high:,} too many: most likely {cause}{held_out}"
    return Judgement(Verdict.SURPLUS, too_many, refresh)


def _is_within(identifiers: int, low: int, high: int) -> bool:
    return low - _slack(low) <= identifiers <= high + _slack(high)


def _slack(count: int) -> float:
    return max(_FEW, _SHARE * count)


def _because(held: Held, identifiers: int) -> str:
    if identifiers == held.surely:
        return ""
    reasons = []
    if held.added_lately or held.removed_lately:
        reasons.append(
            f"{held.added_lately:,} adds and {held.removed_lately:,} removes may not be counted yet"
        )
    if held.perhaps:
        reasons.append(f"{held.perhaps:,} were asked for and never answered")
    if held.invalid:
        reasons.append(f"{held.invalid:,} were called invalid")
    return f" ({'; '.join(reasons)})" if reasons else ""
