"""From the effect on everyone offered to the sync to the effect per person whom the ads could reach. Pure."""

from dataclasses import dataclass
from math import sqrt

from analysis.estimators.intervals import Estimate, Interval, normal_estimate, not_estimable


@dataclass(frozen=True, slots=True)
class MatchRate:
    """Share m of treated units that Criteo matched, its bounds, and the share l of held-out units reached."""

    rate: float
    low: float
    high: float
    leak: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.low <= self.rate <= self.high <= 1.0:
            raise ValueError(f"a match rate of {self.rate} between {self.low} and {self.high}")
        if not 0.0 <= self.leak < self.low:
            raise ValueError(f"a leak of {self.leak} at a match rate from {self.low}")


def per_reached(effect: Estimate, match: MatchRate) -> Estimate:
    """LATE = ITT/(m − l): the effect per reached person, with ITT's interval widened to both bounds of m.

    Units of the effect. Assumes that ads change nothing for people whom they cannot reach; non-compliance is
    one-sided where l = 0 (Bloom 1984; Imbens & Angrist 1994). A low end is divided by whichever bound makes it
    lower, a high end by whichever makes it higher. Raises nothing: `MatchRate` refuses impossible rates itself.
    """
    small, large = match.low - match.leak, match.high - match.leak
    low, high = effect.interval.low, effect.interval.high
    interval = Interval(
        low=None if low is None else min(low / small, low / large),
        high=None if high is None else max(high / small, high / large),
    )
    estimate = None if effect.estimate is None else effect.estimate / (match.rate - match.leak)
    return Estimate(estimate, interval, f"{effect.method}, per reached person", effect.p_value)


def per_reached_estimated(effect: Estimate, rate: float, rate_se: float, alpha: float = 0.05) -> Estimate:
    """LATE = ITT/m with SE² = SE²/m² + ITT²·Var(m)/m⁴, m estimated independently of the effect.

    Units of the effect. Assumes a normal estimate of a rate well away from zero (delta method), and as
    `per_reached` (Bloom 1984). Not estimable without the effect's SE. Raises ValueError for a rate outside
    0 < m ≤ 1 or α outside 0 to 1.
    """
    method = f"{effect.method}, per reached person"
    if not 0.0 < rate <= 1.0:
        raise ValueError(f"a match rate of {rate}")
    if effect.estimate is None or effect.se is None:
        return not_estimable(method)
    variance = effect.se**2 / rate**2 + effect.estimate**2 * rate_se**2 / rate**4
    return normal_estimate(effect.estimate / rate, sqrt(variance), method, alpha)


def units_needed_scale(rate: float) -> float:
    """1/m²: how many times more units a match rate of m asks for than one of 1."""
    if not 0.0 < rate <= 1.0:
        raise ValueError(f"a match rate of {rate}")
    return 1.0 / rate**2
