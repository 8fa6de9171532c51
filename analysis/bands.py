"""Who may be compared across a change of the holdout percentage. Pure.

Raising a percentage moves one band of buckets from treated to held out, lowering it moves that band back.
Membership of the band depends on the hash alone, so leaving it out biases nothing. Statistics note B14.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Comparable = Literal["holdout", "treatment"]


@dataclass(frozen=True, slots=True)
class Band:
    """Buckets from `low` up to but not including `high` changed arms within the window."""

    low: float
    high: float

    def arm(self, bucket: float) -> Comparable | None:
        """`holdout` below the band, `treatment` from its end on, None inside it (leave the unit out)."""
        if bucket < self.low:
            return "holdout"
        return "treatment" if bucket >= self.high else None


def switch_band(thresholds: Sequence[float]) -> Band:
    """The band between the smallest and the largest threshold in force during a window.

    Thresholds and buckets in one unit: shares in [0, 1), or integer buckets of 32 bits. Raises ValueError
    for no threshold or a negative one.
    """
    if not thresholds or min(thresholds) < 0:
        raise ValueError("a window has at least one threshold, none of them negative")
    return Band(min(thresholds), max(thresholds))


def is_washed_out(switched_at: datetime, entered_at: datetime, washout: timedelta) -> bool:
    """Whether a newly held-out unit may serve as a control: it entered a full wash-out after the switch."""
    if washout < timedelta(0):
        raise ValueError("a wash-out cannot be negative")
    return entered_at - switched_at >= washout
