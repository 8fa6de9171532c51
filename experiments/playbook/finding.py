"""A finding of the playbook, and the check that finds it under a code that never changes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from experiments.audiences import Accepted
from experiments.playbook.facts import Snapshot

Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Money:
    """What something costs in a week."""

    amount: float
    currency: str

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:,.0f} a week"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a consultant would bring up."""

    severity: Severity
    audience: str | None
    """None where it concerns the whole programme."""
    figure: float
    """The number behind it; the sentence says what it counts."""
    sentence: str
    what_to_do: str
    cost: Money | None = None
    """None where it cannot be computed."""
    subject: str = ""
    """What it is about besides the audience: an ad set, a journey. The same trouble keeps the same subject."""
    code: str = ""
    """Given by the check that yields the finding."""
    accepted: Accepted | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has accepted it."""
        return self.accepted is None

    def document(self) -> dict[str, Any]:
        """For machines."""
        accepted = self.accepted
        return {
            "code": self.code,
            "severity": self.severity,
            "audience": self.audience,
            "subject": self.subject,
            "figure": self.figure,
            "cost_per_week": None if self.cost is None else self.cost.amount,
            "currency": None if self.cost is None else self.cost.currency,
            "sentence": self.sentence,
            "what_to_do": self.what_to_do,
            "accepted": None
            if accepted is None
            else {"reason": accepted.reason, "until": accepted.until.isoformat()},
        }


Look = Callable[[Snapshot], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """A function over a snapshot; whatever it yields bears its code."""

    code: str
    look: Look

    def __call__(self, snapshot: Snapshot) -> Iterator[Finding]:
        """What is wrong, if anything is."""
        return (replace(found, code=self.code) for found in self.look(snapshot))


def check(code: str) -> Callable[[Look], Check]:
    """Makes a function a check of the playbook."""
    return lambda look: Check(code, look)


def money(snapshot: Snapshot, amount: float | None) -> Money | None:
    """A week's cost in the programme's currency, never below nothing; None where it is not known."""
    return None if amount is None else Money(max(0.0, amount), snapshot.programme.currency)
