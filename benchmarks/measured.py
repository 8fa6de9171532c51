"""What one measurement found, as a frozen value, and how its time grows with the size. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from typing import Literal

Part = Literal["sync", "latency", "analysis", "report"]
"""`latency` is a sync where pages and requests take as long as over the internet."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a whole process took: seconds, seconds of processor time, and megabytes (2²⁰ bytes) at its peak."""

    seconds: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One piece of work at one size, beside the least that it can take and beside the straightforward script."""

    part: Part
    database: str
    what: str
    size: int
    cost: Cost
    disk: float | None = None
    """Megabytes of the database after it."""
    floors: Mapping[str, float] = field(default_factory=dict)
    """Seconds of what it cannot do without, each by its name and alone, without the start of a process."""
    script: float | None = None
    """Seconds of the straightforward script's process."""

    @property
    def floor(self) -> float | None:
        """Seconds of all that it cannot do without; None where that was not measured."""
        return sum(self.floors.values()) if self.floors else None


def growth(smaller: Measured, larger: Measured) -> float:
    """The exponent b of seconds ~ sizeᵇ between two sizes: 1 is linear. Raises ValueError where they are one."""
    if smaller.size == larger.size:
        raise ValueError("growth is seen between two sizes, not at one")
    return log(larger.cost.seconds / smaller.cost.seconds) / log(larger.size / smaller.size)
