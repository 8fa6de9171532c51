"""How long people are advertised to after they bought, and what of the spend went to them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 20
"""Fewer removed buyers make no percentile."""


@dataclass(frozen=True, slots=True)
class Overhang:
    """Seconds that each buyer of the last `period` seconds stood on a list after the purchase."""

    removed: NDArray[np.int64]
    """Of those who were taken off since."""
    waiting: NDArray[np.int64]
    """Of those who are still on it, up to now."""
    period: int


@dataclass(frozen=True, slots=True)
class Suppression:
    """One list's answer; what cannot be told is None."""

    p50: int | None
    """Seconds from purchase to removal."""
    p95: int | None
    removed: int
    still_listed: int
    share: float | None
    """Of the time that people stood on the list, the part after their purchase."""
    spend: float | None
    """The same share of what the list's ads cost in the period."""


def suppression(found: Overhang, *, listed: float, cost: float | None) -> Suppression:
    """`listed` people stood on the list on average, and its ads cost `cost`, both over the period.

    share = Σ seconds after purchase / (listed · period), at most 1. The spend assumes that an hour on the
    list costs the same whoever stands there: Criteo tells spend by ad set, never by person.
    """
    p50, p95 = (
        (int(value) for value in np.percentile(found.removed, [50, 95]))
        if len(found.removed) >= FEWEST
        else (None, None)
    )
    after = float(found.removed.sum() + found.waiting.sum())
    share = min(1.0, after / (listed * found.period)) if listed > 0 and found.period > 0 else None
    return Suppression(
        p50=p50,
        p95=p95,
        removed=len(found.removed),
        still_listed=len(found.waiting),
        share=share,
        spend=None if share is None or cost is None else share * cost,
    )
