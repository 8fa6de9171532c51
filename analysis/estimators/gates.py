"""How many control conversions a statement needs, and when baskets differ too much. Pure."""

from enum import StrEnum

from analysis.estimators.difference import is_binary
from analysis.estimators.sums import Strata, comparable, pooled

NO_STATEMENT_BELOW = 20
LOW_PRECISION_BELOW_CONVERSIONS = 50
LOW_PRECISION_BELOW_REVENUE = 100
DISPERSION_CHECKED_FROM = 200
DISPERSION_RATIO = 1.5


class Precision(StrEnum):
    """What the number of control conversions allows one to say."""

    NONE = "no statement"
    LOW = "low precision"
    FULL = "full"


def precision(control_conversions: int, *, revenue: bool) -> Precision:
    """No statement below 20 control conversions; low precision below 50 (conversions) or 100 (revenue)."""
    if control_conversions < NO_STATEMENT_BELOW:
        return Precision.NONE
    low = LOW_PRECISION_BELOW_REVENUE if revenue else LOW_PRECISION_BELOW_CONVERSIONS
    return Precision.LOW if control_conversions < low else Precision.FULL


def control_conversions(strata: Strata) -> int:
    """Converting held-out units of the strata in which both arms have a unit."""
    return pooled(comparable(strata)).holdout.conversions


def is_revenue(strata: Strata) -> bool:
    """Whether the outcome is more than 0 or 1."""
    total = pooled(strata)
    return not (is_binary(total.holdout) and is_binary(total.treatment))


def dispersion_ratio(strata: Strata) -> float | None:
    """φ̂_c/φ̂_t with φ = Σy²/Σy, checked from 200 control conversions; None where it is not checked."""
    total = pooled(comparable(strata))
    if total.holdout.conversions < DISPERSION_CHECKED_FROM:
        return None
    if total.holdout.y <= 0.0 or total.treatment.y <= 0.0:
        return None
    return (total.holdout.yy / total.holdout.y) / (total.treatment.yy / total.treatment.y)


def baskets_differ(strata: Strata) -> bool:
    """Whether φ̂_c/φ̂_t leaves [1/1.5, 1.5]: the revenue interval then rests on a false assumption."""
    found = dispersion_ratio(strata)
    return found is not None and not 1.0 / DISPERSION_RATIO <= found <= DISPERSION_RATIO
