"""The early look: what the window will show, while most people are still inside it. Pure.

Each day of the window is read from everyone who has been seen that day, so that people still inside count
for the days behind them. It is a look ahead and never a verdict. Statistics note B13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, sqrt

from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.estimators.intervals import UNBOUNDED, Estimate, Interval
from analysis.estimators.sequential import factor, information_time
from analysis.estimators.windows import WindowDay, partitioned_conversion

METHOD = "partitioned over the days of the window: early, no verdict"
WORTH_BELOW = 0.5
"""From this share of entrants with a closed window on they say more by themselves than a look ahead adds."""


_DAY = 86_400


def window_days(window: int) -> tuple[int, int]:
    """How many days a window of so many seconds is read in, and their length; a short one is a single day."""
    days = max(1, window // _DAY)
    return days, window // days


@dataclass(frozen=True, slots=True)
class Seen:
    """One arm of one span: how long people have been seen, and when they first bought.

    `people` has units by whole days seen (at most those of the window); `first` has buyers by (days seen,
    day of the first order), the day of entry being 0.
    """

    people: Mapping[int, int] = field(default_factory=dict)
    first: Mapping[tuple[int, int], int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Units of the arm."""
        return sum(self.people.values())

    @property
    def buyers(self) -> int:
        """Units that have bought so far."""
        return sum(self.first.values())

    def days(self, window: int) -> tuple[WindowDay, ...]:
        """First orders of each day, of those seen on it who had not bought before."""
        return tuple(
            WindowDay(
                at_risk=sum(n for seen, n in self.people.items() if seen > day)
                - sum(n for (seen, at), n in self.first.items() if seen > day and at < day),
                total=sum(n for (_, at), n in self.first.items() if at == day),
            )
            for day in range(window)
        )


@dataclass(frozen=True, slots=True)
class SeenSpan:
    """Both arms of one span."""

    holdout: Seen
    treatment: Seen

    @property
    def n(self) -> int:
        """Units of both arms."""
        return self.holdout.n + self.treatment.n


@dataclass(frozen=True, slots=True)
class EarlyLook:
    """The lift in buyers that the window seems to be heading for."""

    estimate: Estimate
    holdout_buyers: int
    """Held-out people who have bought so far, in a window that may still be open."""
    people: int


@dataclass(frozen=True, slots=True)
class _Share:
    mean: float
    se: float


def read_early(spans: Sequence[SeenSpan], window: int, planned_information: float) -> EarlyLook:
    """p_t/p_c − 1 with p_a = Σ(N_k/N)p_ak over spans, p_ak = 1 − Π(1 − h_d) by day of the window (days).

    Unit: share. The interval is r·exp(±f(u)·√(SE_t²/p_t² + SE_c²/p_c²)), f the always-valid factor at the
    information of everyone seen: wider than one look needs, because this is read weekly too. Open below 20
    held-out buyers. Spans in which nobody of an arm has been seen for a whole window are left out. Assumes that those seen longest
    buy like those who came later. Bang & Tsiatis (2000); Greenwood (1926); Katz et al. (1978).
    """
    used = [
        (each, held, treated)
        for each in spans
        if (held := _bought(each.holdout, window)) is not None
        and (treated := _bought(each.treatment, window)) is not None
    ]
    units = sum(each.n for each, *_ in used)
    buyers = sum(each.holdout.buyers for each, *_ in used)
    if not units:
        return EarlyLook(Estimate(None, UNBOUNDED, METHOD), buyers, units)
    weights = [each.n / units for each, *_ in used]
    held = _mean(weights, [held for _, held, _ in used])
    treated = _mean(weights, [treated for *_, treated in used])
    known = sum(each.holdout.n * each.treatment.n / each.n for each, *_ in used)
    time = information_time(known, planned_information)
    return EarlyLook(_lift(held, treated, buyers, time), buyers, units)


def _bought(arm: Seen, window: int) -> _Share | None:
    """The share who buy within the window; None where nobody has been seen for a whole one."""
    found = partitioned_conversion(arm.days(window))
    return None if found.mean is None or found.se is None else _Share(found.mean, found.se)


def _mean(weights: Sequence[float], parts: Sequence[_Share]) -> _Share:
    """Σ(N_k/N)p_k."""
    return _Share(
        sum(w * part.mean for w, part in zip(weights, parts, strict=True)),
        sqrt(sum((w * part.se) ** 2 for w, part in zip(weights, parts, strict=True))),
    )


def _lift(held: _Share, treated: _Share, buyers: int, time: float) -> Estimate:
    if not held.mean or not treated.mean:
        return Estimate(None, UNBOUNDED, METHOD)
    ratio = treated.mean / held.mean
    if buyers < NO_STATEMENT_BELOW or time <= 0.0:
        return Estimate(ratio - 1.0, UNBOUNDED, METHOD)
    half = factor(time) * sqrt((treated.se / treated.mean) ** 2 + (held.se / held.mean) ** 2)
    return Estimate(ratio - 1.0, Interval(ratio * exp(-half) - 1.0, ratio * exp(half) - 1.0), METHOD)
