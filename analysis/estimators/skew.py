"""How far a skewed, studentised statistic may wander: the Cornish–Fisher reach and its exact inverse. Pure."""

from math import hypot, isinf, sqrt

import numpy as np

from analysis.estimators.sums import Floats

CLIP = 0.4
_NO_SKEW = 1e-12


def skew_term(q: Floats, skew: Floats) -> Floats:
    """a(q, κ) = (q² − 1)·κ/6, kept within ±0.4·q."""
    return np.clip((q**2 - 1.0) * skew / 6.0, -CLIP * q, CLIP * q)


def reach(q: float | Floats, skew: Floats) -> Floats:
    """U(q, κ) = max over q' ≤ q of q' + a(q', κ): the largest T that is accepted at critical value q.

    Accepting −U(q, −κ) ≤ T ≤ U(q, κ) is the interval −q + a ≤ T ≤ q + a wherever q + a(q, κ) rises in q;
    where a strong negative skew makes it dip, the maximum keeps the accepted sets nested, without which no
    p-value could agree with every interval.
    """
    quantile = np.broadcast_to(np.float64(q), skew.shape)
    direct = quantile + skew_term(quantile, skew)
    peak = np.minimum(quantile, _peak(skew))
    return np.maximum(direct, peak + skew_term(peak, skew))


def required_quantile(statistic: float, skew: float) -> float:
    """The smallest q at which `reach` accepts T: a z-value with the skew taken out, without its sign.

    In standard errors, no unit of the outcome. Assumes a skew that describes the tail, as `reach` does (Hall 1992);
    raises nothing. Closed form, piece by piece: a = ±0.4q outside the two points where |q² − 1|·|κ|/6 = 0.4q, a quadratic
    between them. So 2·Φ(−q) is the p-value that inverts the interval in α.
    """
    t, k = (statistic, skew) if statistic >= 0.0 else (-statistic, -skew)
    if abs(k) < _NO_SKEW or t == 0.0 or isinf(t):
        return t
    lower, upper = _clip_points(abs(k))
    first, last = (1.0 - CLIP, 1.0 + CLIP) if k > 0.0 else (1.0 + CLIP, 1.0 - CLIP)
    if t <= first * lower:
        return t / first
    middle = _quadratic_root(t, k)
    if middle is not None and lower * (1.0 - _NO_SKEW) <= middle <= upper:
        return middle
    return t / last


def _quadratic_root(t: float, skew: float) -> float | None:
    """The q on the rising branch of q + (q² − 1)κ/6 = t; None where the parabola stays below t.

    Written as 2c/(−b ∓ √(b² − 4ac)), which does not cancel for a small skew.
    """
    c = t + skew / 6.0
    discriminant = 1.0 + 2.0 * skew * c / 3.0
    return 2.0 * c / (1.0 + sqrt(discriminant)) if discriminant >= 0.0 else None


def _clip_points(strength: float) -> tuple[float, float]:
    """Where (q² − 1)·strength/6 meets −0.4q and +0.4q; their product is 1."""
    half = 3.0 * CLIP / strength
    upper = half + hypot(half, 1.0)
    return 1.0 / upper, upper


def _peak(skew: Floats) -> Floats:
    """The q of the local maximum of q + a(q, κ); infinite where it has none (κ ≥ 0)."""
    strength = np.where(skew < -_NO_SKEW, -skew, np.nan)
    half = 3.0 * CLIP / strength
    upper = half + np.hypot(half, 1.0)
    top = np.maximum(1.0 / upper, 3.0 / strength)
    return np.where(top < upper, top, np.inf)
