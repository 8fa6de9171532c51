"""Outcomes in a window from entry while some units are still inside it. Pure.

The clock starts at entry to the audience, identically in both arms. Matured units are the primary estimand;
the partitioned estimator is the early look. Statistics note B13.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

from analysis.estimators.intervals import Estimate, normal_estimate, not_estimable


def last_matured_entry(watermark: date, window_days: int) -> date:
    """The last day of entry whose window is over at the watermark: entry + N ≤ watermark."""
    _check_window(window_days)
    return watermark - timedelta(days=window_days)


def observed_days(entry: date, watermark: date, window_days: int) -> int:
    """How many whole days of its window a unit has been seen: day d counts where entry + d < watermark."""
    _check_window(window_days)
    return min(window_days, max(0, (watermark - entry).days))


@dataclass(frozen=True, slots=True)
class WindowDay:
    """One day of the window, day 0 being the day of entry: units seen on it, Σy and Σy² of that day."""

    at_risk: int
    total: float
    total_sq: float = 0.0

    def __add__(self, other: "WindowDay") -> "WindowDay":
        return WindowDay(
            self.at_risk + other.at_risk, self.total + other.total, self.total_sq + other.total_sq
        )


@dataclass(frozen=True, slots=True)
class WindowMean:
    """A mean per unit over the whole window; None where nobody has been seen on some day of it."""

    mean: float | None
    se: float | None


def partitioned_mean(days: Sequence[WindowDay]) -> WindowMean:
    """μ̂ = Σ_d Σ_i y_id/#at risk(d), SE² = Σ_d s²_d/#at risk(d).

    Units: outcome per unit and window. Unbiased when being unseen depends on the date of entry alone
    (administrative censoring) and entry cohorts buy alike. The SE takes a unit's purchases on different
    days as uncorrelated, which rare purchases nearly are. Raises ValueError for an empty window. Bang &
    Tsiatis (2000); Lin, Feuer, Etzioni & Wax (1997).
    """
    if not days:
        raise ValueError("a window has at least one day")
    if any(day.at_risk == 0 for day in days):
        return WindowMean(None, None)
    variances = [_day_variance(day) for day in days]
    known = [v for v in variances if v is not None]
    return WindowMean(
        mean=sum(day.total / day.at_risk for day in days),
        se=sqrt(sum(known)) if len(known) == len(days) else None,
    )


def partitioned_conversion(days: Sequence[WindowDay]) -> WindowMean:
    """P(convert within the window) = 1 − Π(1 − h_d), h_d = first conversions/#at risk and unconverted(d).

    Unit: share of units. SE by Greenwood (1926): S·√Σh_d/((1 − h_d)·#at risk). Assumptions as
    `partitioned_mean`; `at_risk` counts units seen that day which had not converted before, `total` their
    first conversions. Raises ValueError for an empty window or more conversions than units.
    """
    if not days:
        raise ValueError("a window has at least one day")
    surviving, relative = 1.0, 0.0
    for day in days:
        if not 0.0 <= day.total <= day.at_risk:
            raise ValueError("a unit converts first on one day at most")
        if day.at_risk == 0:
            return WindowMean(None, None)
        hazard = day.total / day.at_risk
        surviving *= 1.0 - hazard
        relative += hazard / ((1.0 - hazard) * day.at_risk) if hazard < 1.0 else 0.0
    return WindowMean(mean=1.0 - surviving, se=surviving * sqrt(relative))


def window_difference(holdout: WindowMean, treatment: WindowMean, alpha: float = 0.05) -> Estimate:
    """Treatment − holdout of two window means with a normal interval; not estimable where one is missing.

    Units: outcome per unit and window. Assumes that people who entered lately behave by day of the window as those
    before them. An early look, never the verdict. Raises ValueError for α outside 0 to 1. Bang & Tsiatis (2000).
    """
    method = "partitioned"
    if holdout.mean is None or treatment.mean is None:
        return not_estimable(method)
    if holdout.se is None or treatment.se is None:
        return Estimate(treatment.mean - holdout.mean, not_estimable(method).interval, method)
    se = sqrt(holdout.se**2 + treatment.se**2)
    return normal_estimate(treatment.mean - holdout.mean, se, method, alpha)


def _day_variance(day: WindowDay) -> float | None:
    if day.at_risk < 2:
        return None
    centred = max(0.0, day.total_sq - day.total**2 / day.at_risk)
    return centred / (day.at_risk - 1) / day.at_risk


def _check_window(window_days: int) -> None:
    if window_days < 1:
        raise ValueError(f"a window of {window_days} days")
