"""How a sync ended: who was refused, what failed; a value that one run can tell another. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from experiments.errors import HoldoutsError, Leaked, Refused, Rejected, Retryable
from sync.plan import Plan

_KINDS = {kind.__name__: kind for kind in (Retryable, Rejected, Refused, Leaked)}


@dataclass(frozen=True, slots=True)
class Ending:
    """What is left to say after everybody who could be served was served."""

    refused: tuple[str, ...] = ()
    """Each plan that a fuse stopped, with its hash and the reason."""
    failures: tuple[HoldoutsError, ...] = ()

    @classmethod
    def of(cls, plan: Plan, failures: Sequence[HoldoutsError] = ()) -> Self:
        """The ending of a plan that was carried out as far as it went."""
        refused = (f"{each.name} (plan {each.hash}): {each.refusals[0].reason}" for each in plan.refused)
        return cls(tuple(refused), tuple(failures))

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The ending that another run told."""
        failures = (_KINDS.get(kind, HoldoutsError)(sentence) for kind, sentence in document["failures"])
        return cls(tuple(document["refused"]), tuple(failures))

    @property
    def document(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "refused": list(self.refused),
            "failures": [[type(each).__name__, str(each)] for each in self.failures],
        }

    def __add__(self, other: Self) -> Ending:
        return Ending(self.refused + other.refused, self.failures + other.failures)

    def conclude(self, opening: str) -> None:
        """Ends the run as the gravest of it: a leak, a refusal, the first failure; returns where there is none."""
        for leak in self.failures:
            if isinstance(leak, Leaked):
                raise leak
        if self.refused:
            raise Refused(opening + "; ".join(self.refused))
        if self.failures:
            raise self.failures[0]
