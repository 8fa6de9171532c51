"""How many people, how large a holdout and how many weeks an answer takes. Pure.

Statistics note B9. Variances are per unit; `effect` is a difference of means in the outcome's units; a
holdout share h is the held-out part of all units, so the arms are never assumed to be equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, sqrt

from scipy.special import ndtri

from analysis.estimators.intervals import Estimate, Interval, critical_value

SHARES = tuple(percent / 100.0 for percent in range(1, 51))


class Design(StrEnum):
    """How results will be read: once, at planned looks, or whenever one likes."""

    FIXED = "one planned look"
    GROUP_SEQUENTIAL = "planned looks"
    ALWAYS_VALID = "always valid"


INFLATION = {Design.FIXED: 1.0, Design.GROUP_SEQUENTIAL: 1.10, Design.ALWAYS_VALID: 1.75}


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance of one unit's outcome in each arm."""

    holdout: float
    treatment: float

    def __post_init__(self) -> None:
        if min(self.holdout, self.treatment) < 0.0:
            raise ValueError("a variance cannot be negative")


def conversion_spread(rate: float, lift: float) -> tuple[Spread, float]:
    """p(1 − p) in both arms and the difference p·lift. Raises ValueError where a rate leaves (0, 1)."""
    treated = rate * (1.0 + lift)
    if not (0.0 < rate < 1.0 and 0.0 < treated < 1.0):
        raise ValueError(f"conversion rates {rate} and {treated} must lie within 0 to 1")
    return Spread(rate * (1.0 - rate), treated * (1.0 - treated)), treated - rate


def z_sum(alpha: float = 0.05, power: float = 0.8) -> float:
    """z_{1−α/2} + z_power. Raises ValueError for α or power outside 0 to 1."""
    if not 0.0 < power < 1.0:
        raise ValueError(f"a power of {power}")
    return critical_value(alpha) + float(ndtri(power))


def units_needed(
    spread: Spread, effect: float, share: float, *, k: float | None = None, design: Design = Design.FIXED
) -> float:
    """N = k²·(σ²_t/(1 − h) + σ²_c/h)/δ² units in both arms, times the design's factor; k as `z_sum`.

    Assumes near-normal means. Raises ValueError for no effect or a share outside 0 to 1. The usual two-sample
    size (Cohen 1988), with unequal arms.
    """
    _check_share(share)
    if effect == 0.0:
        raise ValueError("no number of units finds an effect of zero")
    return INFLATION[design] * _k(k) ** 2 * _unit_variance(spread, share) / effect**2


def detectable_effect(
    spread: Spread, units: float, share: float, *, k: float | None = None, design: Design = Design.FIXED
) -> float:
    """δ = k·√((σ²_t/(1 − h) + σ²_c/h)·factor/N), the smallest difference found with the power in k.

    In the outcome's units per unit. Assumes near-normal means. Raises ValueError for no units or a share outside
    0 to 1. `units_needed` solved for δ (Cohen 1988).
    """
    _check_share(share)
    if units <= 0.0:
        raise ValueError("nothing is detectable without units")
    return _k(k) * sqrt(INFLATION[design] * _unit_variance(spread, share) / units)


def smallest_holdout(spread: Spread, effect: float, units: float, *, k: float | None = None) -> float | None:
    """The smaller root h of M·h² + (σ²_t − σ²_c − M)·h + σ²_c = 0, M = Nδ²/k²; None where none finds δ.

    A share of the units. Assumes near-normal means, as `units_needed`, of which it is the root in h (Cohen 1988).
    Raises ValueError for no effect or no units.
    """
    if effect == 0.0 or units <= 0.0:
        raise ValueError("a holdout is sized for an effect and a number of units")
    m = units * effect**2 / _k(k) ** 2
    b = spread.treatment - spread.holdout - m
    discriminant = b**2 - 4.0 * m * spread.holdout
    if discriminant < 0.0 or b >= 0.0:
        return None
    share = 2.0 * spread.holdout / (-b + sqrt(discriminant))
    return share if 0.0 < share < 1.0 else None


def best_share(spread: Spread) -> float:
    """h = σ_c/(σ_c + σ_t), the share of units with the narrowest interval: about one half.

    Assumes that a unit costs the same in either arm (Neyman 1934). Raises ValueError where no outcome varies.
    """
    total = sqrt(spread.holdout) + sqrt(spread.treatment)
    if total == 0.0:
        raise ValueError("outcomes without variance need no experiment")
    return sqrt(spread.holdout) / total


def holdout_cost_per_week(
    share: float, units_per_week: float, effect: Estimate, spend_per_unit: float, margin: float
) -> Estimate:
    """h·N_w·(margin·Δ − spend per unit) in currency a week, Δ with its interval; negative is a saving.

    Assumes that the effect and the spend on a unit stay what they were. Raises ValueError for a share outside
    0 to 1. Plain accounting, section B12 of the statistics note.
    """
    _check_share(share)

    def weekly(difference: float) -> float:
        return share * units_per_week * (margin * difference - spend_per_unit)

    estimate = None if effect.estimate is None else weekly(effect.estimate)
    return Estimate(estimate, effect.interval.mapped(weekly), "cost of the holdout per week")


def cost_sentence(cost: Interval) -> str:
    """Which signs of the weekly cost the data still allow."""
    if cost.is_above(0.0):
        return "the holdout costs money each week"
    if cost.is_below(0.0):
        return "the holdout saves money each week: the ads cost more than they bring"
    return "the holdout may cost or save money: the data allow both"


@dataclass(frozen=True, slots=True)
class Duration:
    """What is detectable after so many weeks, by design."""

    weeks: int
    units: float
    fixed: float
    group_sequential: float
    always_valid: float


def durations(
    spread: Spread, units_per_week: float, share: float, weeks: Sequence[int], *, k: float | None = None
) -> tuple[Duration, ...]:
    """The smallest detectable difference after each number of weeks, for the three designs.

    Unequal arms throughout; factors on N: 1 (one look), 1.10 (planned looks), 1.75 (always valid).
    """

    def at(week: int, design: Design) -> float:
        return detectable_effect(spread, week * units_per_week, share, k=k, design=design)

    return tuple(
        Duration(
            weeks=week,
            units=week * units_per_week,
            fixed=at(week, Design.FIXED),
            group_sequential=at(week, Design.GROUP_SEQUENTIAL),
            always_valid=at(week, Design.ALWAYS_VALID),
        )
        for week in weeks
    )


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A holdout share, the weeks it takes, and one sentence; `weeks` None where no share is enough."""

    share: float
    weeks: int | None
    detectable: float
    sentence: str


def recommend(
    spread: Spread,
    effect: float,
    units_per_week: float,
    weeks: int,
    *,
    k: float | None = None,
    design: Design = Design.ALWAYS_VALID,
) -> Recommendation:
    """The smallest share of 1 to 50 % that finds `effect` within `weeks`, else the one that comes nearest.

    Raises ValueError for no effect, no units or no weeks.
    """
    if weeks < 1 or units_per_week <= 0.0:
        raise ValueError("a recommendation needs weeks and people")
    units = weeks * units_per_week
    needed = [(share, units_needed(spread, effect, share, k=k, design=design)) for share in SHARES]
    for share, required in needed:
        if required <= units:
            took = ceil(required / units_per_week)
            found = detectable_effect(spread, units, share, k=k, design=design)
            sentence = f"hold out {share:.0%}: the effect shows within {took} week{'s' if took != 1 else ''}"
            return Recommendation(share, took, found, sentence)
    share, required = min(needed, key=lambda pair: pair[1])
    found = detectable_effect(spread, units, share, k=k, design=design)
    took = ceil(required / units_per_week)
    sentence = (
        f"no holdout shows this effect within {weeks} weeks; at {share:.0%} it takes about {took} weeks, "
        f"and an effect {abs(found / effect):.1f} times as large shows in time"
    )
    return Recommendation(share, None, found, sentence)


def one_off_test_size(units: float, outcome_sd: float, effect_prior_sd: float) -> float:
    """Test size per arm for a one-off decision, for comparison: √(N/4·q² + (¾q²)²) − ¾q², q = s/σ.

    Units in one arm. Assumes normal outcomes and a normal prior of the effect around zero. Raises ValueError
    without units or spreads. Feit & Berman (2019). Always-on programmes raise and lower the holdout instead.
    """
    if units <= 0.0 or outcome_sd <= 0.0 or effect_prior_sd <= 0.0:
        raise ValueError("test and roll needs units, an outcome's sd and a prior sd")
    square = (outcome_sd / effect_prior_sd) ** 2
    return sqrt(units / 4.0 * square + (0.75 * square) ** 2) - 0.75 * square


def _k(k: float | None) -> float:
    return z_sum() if k is None else k


def _unit_variance(spread: Spread, share: float) -> float:
    return spread.treatment / (1.0 - share) + spread.holdout / share


def _check_share(share: float) -> None:
    if not 0.0 < share < 1.0:
        raise ValueError(f"a holdout share of {share}")
