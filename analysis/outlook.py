"""When an experiment can be decided: weeks until a lift of 5, 10 and 20 % shows at the holdout in force. Pure."""

from __future__ import annotations

from typing import Any

from analysis.planning import Past, weeks_needed

LIFTS = (0.05, 0.10, 0.20)
LONGEST = 520
"""Weeks: what takes longer than ten years is said never to show."""


def outlook(past: Past, weeks_so_far: float) -> dict[str, Any]:
    """For `report.json`; weeks are null where the lift never shows.

    Counted from the first entry, at the volume of the last four weeks, results read whenever one likes.
    """
    return {
        "people_per_week": past.units_per_week,
        "holdout": past.share,
        "conversion": past.rate,
        "weeks_so_far": weeks_so_far,
        "answers": [{"lift": lift, "weeks": _weeks(past, lift)} for lift in LIFTS],
    }


def _weeks(past: Past, lift: float) -> float | None:
    if not 0 < past.rate < 1 / (1 + lift):
        return None
    weeks = weeks_needed(past, lift, past.share)
    return weeks if weeks <= LONGEST else None
