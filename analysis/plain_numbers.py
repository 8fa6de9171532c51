"""Estimates as the plain numbers that `report.json` holds: an open side is null. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from analysis.estimators.increment import Increment
from analysis.estimators.intervals import Estimate, Interval
from analysis.readings import Lift

Document = dict[str, Any]


def lift(found: Lift) -> Document:
    """One outcome's lift, with what both arms did."""
    valid = found.always_valid
    return {
        **estimate(valid.estimate),
        "log_e_value": valid.log_e_value,
        "p_value": valid.estimate.p_value,
        "fixed": {**estimate(found.fixed), "p_value": found.fixed.p_value},
        "control_conversions": found.control_conversions,
        "precision": str(found.precision),
        "n_holdout": found.n_holdout,
        "n_treatment": found.n_treatment,
        "mean_holdout": found.mean_holdout,
        "mean_treatment": found.mean_treatment,
    }


def increment(found: Increment) -> Document:
    """A total that was added, and its share."""
    return {
        "total": found.total,
        "interval": interval(found.interval),
        "share": found.share,
        "share_interval": interval(found.share_interval),
    }


def estimate(found: Estimate) -> Document:
    """A number with its interval and the name of its method."""
    return {"estimate": found.estimate, "interval": interval(found.interval), "method": found.method}


def interval(found: Interval) -> list[float | None]:
    """Both ends."""
    return [found.low, found.high]


def iso(seconds: int) -> str:
    """A moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
