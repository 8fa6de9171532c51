"""What an estimator answers: a number, an interval whose sides may be open, and the method's name. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scipy.special import ndtr, ndtri, stdtr, stdtrit

FiellerKind = Literal["interval", "complement", "line"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval; None is an open side (the data exclude nothing there)."""

    low: float | None
    high: float | None

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise ValueError(f"an interval from {self.low} to {self.high}")

    @property
    def is_bounded(self) -> bool:
        """Whether both sides are finite."""
        return self.low is not None and self.high is not None

    def excludes(self, value: float) -> bool:
        """Whether `value` lies outside."""
        return self.is_above(value) or self.is_below(value)

    def is_above(self, value: float) -> bool:
        """Whether the whole interval lies above `value`."""
        return self.low is not None and self.low > value

    def is_below(self, value: float) -> bool:
        """Whether the whole interval lies below `value`."""
        return self.high is not None and self.high < value

    def mapped(self, rising: Callable[[float], float]) -> "Interval":
        """The image under an increasing function; open sides stay open."""
        return Interval(
            low=None if self.low is None else rising(self.low),
            high=None if self.high is None else rising(self.high),
        )

    def intersected(self, other: "Interval") -> "Interval":
        """What both allow; where they are disjoint, the point of `other` nearest to this interval."""
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        low, high = max(lows, default=None), min(highs, default=None)
        if low is not None and high is not None and low > high:
            nearest = other.low if self.high == high else other.high
            return Interval(nearest, nearest)
        return Interval(low, high)


UNBOUNDED = Interval(None, None)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its interval; `estimate` None means that it could not be made, never "no effect".

    `p_value` belongs to the hypothesis of no effect and comes from the statistic that the interval
    inverts, so that it is below α exactly when the interval excludes zero.
    """

    estimate: float | None
    interval: Interval
    method: str
    p_value: float | None = None
    se: float | None = None


def not_estimable(method: str) -> Estimate:
    """The answer of a method whose data do not suffice."""
    return Estimate(estimate=None, interval=UNBOUNDED, method=method)


def critical_value(alpha: float) -> float:
    """z_{1−α/2}. Raises ValueError outside 0 < α < 1."""
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"α = {alpha} is outside 0 to 1")
    return float(-ndtri(alpha / 2.0))


def two_sided_p(z: float) -> float:
    """2·Φ(−|z|)."""
    return float(2.0 * ndtr(-abs(z)))


def normal_estimate(estimate: float, se: float, method: str, alpha: float) -> Estimate:
    """estimate ± z·se with the p-value of z = estimate/se; a zero se gives no interval and no p-value."""
    if se <= 0.0:
        return Estimate(estimate, UNBOUNDED, method, se=se)
    half = critical_value(alpha) * se
    interval = Interval(estimate - half, estimate + half)
    return Estimate(estimate, interval, method, two_sided_p(estimate / se), se)


def student_estimate(estimate: float, se: float, df: float, method: str, alpha: float) -> Estimate:
    """estimate ± t_{df}·se with the p-value of t = estimate/se; a zero se gives neither."""
    critical_value(alpha)
    if se <= 0.0:
        return Estimate(estimate, UNBOUNDED, method, se=se)
    half = float(-stdtrit(df, alpha / 2.0)) * se
    p_value = float(2.0 * stdtr(df, -abs(estimate / se)))
    return Estimate(estimate, Interval(estimate - half, estimate + half), method, p_value, se)
