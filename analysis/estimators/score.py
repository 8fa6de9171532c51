"""The default for relative lift: a score test with pooled dispersion and a skew term, over strata. Pure.

A compound-Poisson analogue of Miettinen & Nurminen (1985) with the skewness correction of Gart & Nam
(1990), ours; statistics note B1.4 and B4. One stratum is the unstratified case of the same code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, log, nextafter

import numpy as np
from scipy.optimize import brentq

from analysis.estimators.difference import is_binary
from analysis.estimators.intervals import Estimate, Interval, critical_value, not_estimable, two_sided_p
from analysis.estimators.ratio import fieller
from analysis.estimators.skew import CLIP, reach, required_quantile
from analysis.estimators.strata import post_stratified_means
from analysis.estimators.sums import ArmSums, Floats, Strata, comparable, pooled

HYBRID_FROM = 200
HYBRID_SCALE = 150
POOLED = "score, pooled dispersion with skew term"
HYBRID = "score, hybrid dispersion with skew term (zero lift decided by the pooled test)"
FALLBACK = "outcomes below zero rule out the score"

_SPAN = 20.0  # in log r, either side of the estimate
_GRID_POINTS = 201
_ROOT_TOLERANCE = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Sales:
    """Units n and sums S of both arms, strata along the last axis; leading axes hold whole experiments."""

    n_c: Floats
    s_c: Floats
    n_t: Floats
    s_t: Floats

    @property
    def weights(self) -> Floats:
        """W_k = n_ck·n_tk/(n_ck + n_tk), the effective number of units of each stratum."""
        return self.n_c * self.n_t / (self.n_c + self.n_t)


@dataclass(frozen=True, slots=True, eq=False)
class Dispersion:
    """φ = Σy²/Σy and ψ = Σy³/Σy of each arm, equal in both where they are pooled."""

    holdout_phi: float | Floats
    holdout_psi: float | Floats
    treatment_phi: float | Floats
    treatment_psi: float | Floats

    @classmethod
    def pooled(cls, phi: float | Floats, psi: float | Floats) -> "Dispersion":
        """The same in both arms."""
        return cls(phi, psi, phi, psi)


def statistic(ratio: float | Floats, sales: Sales, by: Dispersion) -> tuple[Floats, Floats]:
    """T(r) and its skewness κ(r) for a hypothesised ratio r, summed over the last axis.

    With W_k of `Sales`, μ_ck = (S_ck + S_tk)/(n_ck + r·n_tk), μ_tk = r·μ_ck, v(μ) = φμ − μ² and
    k(μ) = ψμ − 3φμ² + 2μ³:
    T = ΣW_k(ȳ_tk − rȳ_ck)/√V, V = ΣW_k²[v(μ_tk)/n_tk + r²v(μ_ck)/n_ck],
    κ = ΣW_k³[k(μ_tk)/n_tk² − r³k(μ_ck)/n_ck²]/V^{3/2}.
    Variances are kept at zero or more; where V is zero, T is 0 or infinite with the sign of its numerator.
    """
    r, w = ratio, sales.weights
    mu_c = (sales.s_c + sales.s_t) / (sales.n_c + r * sales.n_t)
    mu_t = r * mu_c
    v_c = np.maximum(0.0, mu_c * (by.holdout_phi - mu_c))
    v_t = np.maximum(0.0, mu_t * (by.treatment_phi - mu_t))
    k_c = mu_c * (by.holdout_psi - mu_c * (3.0 * by.holdout_phi - 2.0 * mu_c))
    k_t = mu_t * (by.treatment_psi - mu_t * (3.0 * by.treatment_phi - 2.0 * mu_t))
    gap = (w * (sales.s_t / sales.n_t - r * sales.s_c / sales.n_c)).sum(axis=-1)
    variance = (w**2 * (v_t / sales.n_t + r**2 * v_c / sales.n_c)).sum(axis=-1)
    third = (w**3 * (k_t / sales.n_t**2 - r**3 * k_c / sales.n_c**2)).sum(axis=-1)
    has_spread = variance > 0.0
    spread = np.sqrt(np.where(has_spread, variance, 1.0))
    t = np.where(has_spread, gap / spread, np.where(gap == 0.0, 0.0, np.copysign(inf, gap)))
    return t, np.where(has_spread, third / spread**3, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTest:
    """One experiment's sales with its pooled dispersion, and the one that its interval uses.

    `share` is λ, the weight of each arm's own dispersion in `dispersion`; 0 means pooled.
    """

    sales: Sales
    pooled: Dispersion
    dispersion: Dispersion
    share: float

    @property
    def ratio(self) -> float:
        """r̂ = ΣW_kȳ_tk/ΣW_kȳ_ck, where T is zero (Mantel–Haenszel); infinite without control sales."""
        sold, w = self.sales, self.sales.weights
        top, bottom = w @ (sold.s_t / sold.n_t), w @ (sold.s_c / sold.n_c)
        return float(top / bottom) if bottom > 0.0 else inf

    def null(self) -> tuple[float, float]:
        """T(1) and κ(1) with pooled dispersion: exact under identical distributions in both arms."""
        t, skew = statistic(1.0, self.sales, self.pooled)
        return float(t), float(skew)

    def null_quantile(self) -> float:
        """The skew-corrected |z| against no lift; `two_sided_p` of it is the p-value."""
        return required_quantile(*self.null())

    def margins(self, ratios: Floats, q: float) -> tuple[Floats, Floats]:
        """How far T(r) stays below its upper limit and above its lower one; both ≥ 0 accepts r."""
        column = ratios[:, np.newaxis]
        t, skew = statistic(column, self.sales, self.dispersion)
        if self.share == 0.0:
            return reach(q, skew) - t, t + reach(q, -skew)
        _, skew = statistic(column, self.sales, self.pooled)
        own = self.share
        term = skew * ((1.0 - own) * (q**2 - 1.0) - own * (2.0 * q**2 + 1.0)) / 6.0
        term = np.clip(term, -CLIP * q, CLIP * q)
        return q + term - t, t + q - term


def score_test(strata: Strata, *, hybrid: bool | None = None) -> ScoreTest | None:
    """The score test of non-negative outcomes; None where nobody bought in either arm.

    Strata with an empty arm say nothing and are left out. `hybrid` forces or forbids the hybrid dispersion
    (B1.4), which by default serves revenue from 200 control conversions. Raises ValueError for outcomes
    below zero: `score` handles those.
    """
    used = comparable(strata)
    total = pooled(used)
    if _has_negatives(total.holdout) or _has_negatives(total.treatment):
        raise ValueError("the score test needs outcomes of zero or more")
    if total.holdout.y + total.treatment.y <= 0.0:
        return None
    share = _hybrid_share(total.holdout, total.treatment, hybrid)
    sales = Sales(
        n_c=np.array([s.holdout.n for s in used], dtype=np.float64),
        s_c=np.array([s.holdout.y for s in used]),
        n_t=np.array([s.treatment.n for s in used], dtype=np.float64),
        s_t=np.array([s.treatment.y for s in used]),
    )
    return ScoreTest(
        sales=sales,
        pooled=_pooled_dispersion(total.holdout, total.treatment),
        dispersion=_dispersion(total.holdout, total.treatment, share),
        share=share,
    )


def lift_set(test: ScoreTest, q: float, *, null_accepted: bool | None = None) -> Interval:
    """The lifts r − 1 that the score accepts at critical value q (z_{1−α/2}, or a sequential factor).

    Unit: share. Assumes what the test assumes, above all equal dispersion of baskets in both arms. Raises nothing of
    its own. Section B4 of the statistics note. Bracketed on a grid of log r, then Brent. The lower side is −1 where no root exists, the upper side
    open. Zero lift is decided first, by the pooled test (or by the caller, who holds its p-value), and
    each bound is sought on the side which that decision allows: so the interval excludes zero exactly when
    the test rejects it.
    """
    accepted = test.null_quantile() <= q if null_accepted is None else null_accepted
    ratio = test.ratio
    centre = ratio if 0.0 < ratio < inf else 1.0
    bottom, top = centre * exp(-_SPAN), centre * exp(_SPAN)
    best = min(max(ratio, bottom), top)
    near, far = best, bottom
    if ratio > 1.0:
        near, far = (1.0, far) if accepted else (near, nextafter(1.0, inf))
    low = _outermost(lambda r: test.margins(r, q)[0], far, near)
    near, far = best, top
    if ratio < 1.0:
        near, far = (1.0, far) if accepted else (near, nextafter(1.0, 0.0))
    high = _outermost(lambda r: test.margins(r, q)[1], far, near)
    return Interval(
        low=-1.0 if low <= bottom else low - 1.0,
        high=None if high >= top else high - 1.0,
    )


def score(strata: Strata, alpha: float = 0.05, *, hybrid: bool | None = None) -> Estimate:
    """Relative lift r̂ − 1 with {r: −q + a ≤ T(r) ≤ q + a}, a = clip((q² − 1)κ(r)/6, ±0.4q), q = z_{1−α/2}.

    Unit: share (0.2 is +20 %). For 0/1 outcomes no shape is assumed; for revenue the p-value is exact
    under identical distributions, and the interval away from zero assumes equal basket dispersion in both
    arms (below 200 control conversions) or mixes each arm's own in (above). Over strata one common ratio is
    assumed. Nothing bought in either arm: not estimable; nothing bought in the holdout: no estimate and an
    open upper side. Outcomes below zero fall back to Fieller, named so in `method`. Raises ValueError for α
    outside 0 to 1. Statistics note B1.4, B4 (ours).
    """
    q = critical_value(alpha)
    total = pooled(comparable(strata))
    if _has_negatives(total.holdout) or _has_negatives(total.treatment):
        return _fallback(strata, alpha)
    test = score_test(strata, hybrid=hybrid)
    if test is None:
        return not_estimable(POOLED)
    p_value = two_sided_p(test.null_quantile())
    interval = lift_set(test, q, null_accepted=p_value >= alpha)
    estimate = test.ratio - 1.0 if test.ratio < inf else None
    return Estimate(estimate, interval, HYBRID if test.share else POOLED, p_value)


def _fallback(strata: Strata, alpha: float) -> Estimate:
    pair = post_stratified_means(strata)
    if pair is None:
        return not_estimable(f"Fieller ({FALLBACK})")
    found = fieller(pair, alpha)
    return Estimate(found.estimate, found.interval, f"{found.method} ({FALLBACK})", found.p_value)


def _outermost(margin: Callable[[Floats], Floats], far: float, near: float) -> float:
    """The accepted ratio farthest from `near` on the way to `far`, `far` itself where no root lies between."""
    path = np.geomspace(far, near, _GRID_POINTS)
    path[0], path[-1] = far, near
    accepted = np.flatnonzero(margin(path) >= 0.0)
    if accepted.size == 0:
        return near
    first = int(accepted[0])
    if first == 0:
        return far
    bracket = log(path[first - 1]), log(path[first])
    root = brentq(lambda x: float(margin(np.array([exp(x)]))[0]), *bracket, xtol=_ROOT_TOLERANCE)
    outer, inner = sorted((far, near))
    return min(max(exp(root), outer), inner)


def _has_negatives(arm: ArmSums) -> bool:
    return arm.negatives > 0 or arm.y < 0.0 or arm.yyy < 0.0


def _pooled_dispersion(holdout: ArmSums, treatment: ArmSums) -> Dispersion:
    total = holdout.y + treatment.y
    return Dispersion.pooled((holdout.yy + treatment.yy) / total, (holdout.yyy + treatment.yyy) / total)


def _hybrid_share(holdout: ArmSums, treatment: ArmSums, hybrid: bool | None) -> float:
    """λ = k_c/(k_c + 150) where the hybrid serves, else 0."""
    possible = holdout.y > 0.0 and treatment.y > 0.0
    is_count = is_binary(holdout) and is_binary(treatment)
    wanted = holdout.conversions >= HYBRID_FROM and not is_count if hybrid is None else hybrid
    return holdout.conversions / (holdout.conversions + HYBRID_SCALE) if wanted and possible else 0.0


def _dispersion(holdout: ArmSums, treatment: ArmSums, share: float) -> Dispersion:
    """φ_t = Q_t/S_t, φ_c = λQ_c/S_c + (1 − λ)φ_t and the same for ψ; pooled where λ = 0."""
    if share == 0.0:
        return _pooled_dispersion(holdout, treatment)
    phi, psi = treatment.yy / treatment.y, treatment.yyy / treatment.y
    return Dispersion(
        holdout_phi=share * holdout.yy / holdout.y + (1.0 - share) * phi,
        holdout_psi=share * holdout.yyy / holdout.y + (1.0 - share) * psi,
        treatment_phi=phi,
        treatment_psi=psi,
    )
