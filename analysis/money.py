"""What the increment is worth beside what was paid for it. Pure.

One currency throughout; spend and outcome of the same entrants and dates. Statistics note B6.
"""

from dataclasses import dataclass
from math import sqrt

from scipy.special import ndtr

from analysis.estimators.increment import Increment
from analysis.estimators.intervals import (
    UNBOUNDED,
    Estimate,
    Interval,
    critical_value,
    normal_estimate,
    not_estimable,
)
from analysis.estimators.ratio import Means, fieller_set


def break_even(margin: float) -> float:
    """The iROAS at which ads pay for themselves: 1/margin. Raises ValueError outside 0 < margin ≤ 1."""
    if not 0.0 < margin <= 1.0:
        raise ValueError(f"a margin of {margin} is outside 0 to 1")
    return 1.0 / margin


def iroas(revenue: Increment, spend: float) -> Estimate:
    """Incremental revenue/spend, with the interval of the revenue divided by the spend (taken as known).

    Unit: currency per currency spent. Valid at every look where the revenue's interval is. Without spend
    not estimable. Raises ValueError for negative spend.
    """
    _check_spend(spend)
    if spend == 0.0:
        return not_estimable("iROAS")
    estimate = None if revenue.total is None else revenue.total / spend
    return Estimate(estimate, revenue.interval.mapped(lambda total: total / spend), "iROAS")


def iroas_uncertain_spend(
    revenue: float, revenue_se: float, spend: float, spend_se: float, alpha: float = 0.05
) -> Estimate:
    """Incremental revenue/spend where the spend is modelled: Var ≈ Var(R)/C² + R²Var(C)/C⁴, independent.

    Unit as `iroas`. Assumes both near normal. Raises ValueError for spend or an SE that is not positive or
    zero, and for α outside 0 to 1.
    """
    _check_spend(spend)
    if spend == 0.0:
        return not_estimable("iROAS, modelled spend (delta)")
    variance = revenue_se**2 / spend**2 + revenue**2 * spend_se**2 / spend**4
    return normal_estimate(revenue / spend, sqrt(variance), "iROAS, modelled spend (delta)", alpha)


def iroas_fieller(
    revenue: float, revenue_se: float, spend: float, spend_se: float, alpha: float = 0.05
) -> Estimate:
    """As `iroas_uncertain_spend`, by Fieller's set: unbounded where the spend may be zero."""
    _check_spend(spend)
    found = fieller_set(Means(spend, revenue, spend_se**2, revenue_se**2), critical_value(alpha))
    estimate = revenue / spend if spend > 0.0 else None
    method = "iROAS, modelled spend (Fieller)"
    if found.kind != "interval":
        return Estimate(estimate, UNBOUNDED, f"{method}, unbounded: {found.kind}")
    return Estimate(estimate, found.interval.mapped(lambda lift: lift + 1.0), method)


def icpa(buyers: Increment, spend: float) -> Estimate:
    """Spend/extra buyers, by inverting the interval of the extra buyers.

    Unit: currency per extra buyer. A number only where the interval lies above zero; where it covers zero the
    cost is at least spend/upper end and has no upper limit, and `method` says so. Assumes that the spend is known
    without error. Without spend not estimable. Raises ValueError for negative spend. Statistics note B6.
    """
    _check_spend(spend)
    if spend == 0.0:
        return not_estimable("iCPA")
    low, high = buyers.interval.low, buyers.interval.high
    if high is not None and high <= 0.0:
        return Estimate(None, UNBOUNDED, "iCPA, unbounded: no buyer was added")
    floor = 0.0 if high is None else spend / high
    if low is None or low <= 0.0 or buyers.total is None:
        return Estimate(None, Interval(floor, None), "iCPA, unbounded")
    return Estimate(spend / buyers.total, Interval(floor, spend / low), "iCPA")


def roas(revenue: float, spend: float) -> float | None:
    """Revenue/spend: blended with all treated revenue, platform with what Criteo claims. None without spend."""
    _check_spend(spend)
    return revenue / spend if spend > 0.0 else None


def incrementality_factor(incremental: Estimate, platform_roas: float | None) -> Estimate:
    """iROAS/platform ROAS: the part of what the platform claims that really was added."""
    if platform_roas is None or platform_roas <= 0.0:
        return not_estimable("incrementality factor")
    estimate = None if incremental.estimate is None else incremental.estimate / platform_roas
    interval = incremental.interval.mapped(lambda value: value / platform_roas)
    return Estimate(estimate, interval, "incrementality factor")


def claimed_not_incremental(claimed: float, revenue: Increment) -> Estimate:
    """Revenue that the platform claims and the ads did not add: claimed − incremental, in currency."""
    low, high = revenue.interval.low, revenue.interval.high
    return Estimate(
        estimate=None if revenue.total is None else claimed - revenue.total,
        interval=Interval(None if high is None else claimed - high, None if low is None else claimed - low),
        method="claimed − incremental",
    )


def contribution(revenue: Increment, spend: float, margin: float) -> Estimate:
    """Incremental revenue × margin − spend, in currency: above zero exactly when iROAS > 1/margin."""
    break_even(margin)
    _check_spend(spend)
    estimate = None if revenue.total is None else revenue.total * margin - spend
    interval = revenue.interval.mapped(lambda total: total * margin - spend)
    return Estimate(estimate, interval, "contribution")


def probability_of_profit(revenue: float, revenue_se: float, spend: float, margin: float) -> float | None:
    """P(iROAS > 1/margin) by the normal approximation. A fixed look: label it so, never watch it weekly."""
    _check_spend(spend)
    needed = spend * break_even(margin)
    return float(ndtr((revenue - needed) / revenue_se)) if revenue_se > 0.0 else None


@dataclass(frozen=True, slots=True)
class CostOfMeasuring:
    """What the holdout forgoes (gross revenue) and what it costs net of the ads it did not buy.

    A negative `net` is a saving: the ads lose money, so not showing them earns some.
    """

    revenue_forgone: Estimate
    net: Estimate


def cost_of_measuring(
    revenue: Increment, *, held_out: int, treated: int, spend: float, margin: float
) -> CostOfMeasuring:
    """n_c/n_t of the incremental revenue is forgone; net = forgone × margin − n_c/n_t of the spend.

    Unit: currency. Assumes that held-out people would have responded and cost like treated ones. Not
    estimable without treated units. Raises ValueError for negative spend or a bad margin.
    """
    break_even(margin)
    _check_spend(spend)
    if treated <= 0:
        return CostOfMeasuring(not_estimable("revenue forgone"), not_estimable("net cost of measuring"))
    scale = held_out / treated
    total = None if revenue.total is None else scale * revenue.total
    forgone = revenue.interval.mapped(lambda value: scale * value)
    saved = scale * spend
    return CostOfMeasuring(
        revenue_forgone=Estimate(total, forgone, "revenue forgone"),
        net=Estimate(
            None if total is None else total * margin - saved,
            forgone.mapped(lambda value: value * margin - saved),
            "net cost of measuring",
        ),
    )


def _check_spend(spend: float) -> None:
    if not spend >= 0.0:
        raise ValueError(f"a spend of {spend}")
