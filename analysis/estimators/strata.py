"""Estimates over phases of different holdout shares, each compared with itself before they are combined. Pure."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import chdtrc

from analysis.estimators.intervals import Estimate, normal_estimate, not_estimable
from analysis.estimators.ratio import Means
from analysis.estimators.sums import Floats, Strata


@dataclass(frozen=True, slots=True, eq=False)
class _Differences:
    """Per measurable stratum: units of each arm, Δ_k, and the variance of each arm's mean."""

    n_c: Floats
    n_t: Floats
    mean_c: Floats
    mean_t: Floats
    var_c: Floats
    var_t: Floats

    @property
    def n(self) -> Floats:
        return self.n_c + self.n_t

    @property
    def difference(self) -> Floats:
        return self.mean_t - self.mean_c

    @property
    def variance(self) -> Floats:
        return self.var_c + self.var_t


def measurable(strata: Strata) -> Strata:
    """The strata with two or more units in both arms: those whose difference has a standard error."""
    return tuple(s for s in strata if s.holdout.n > 1 and s.treatment.n > 1)


def post_stratified(strata: Strata, alpha: float = 0.05, *, superpopulation: bool = False) -> Estimate:
    """Δ = Σ(N_k/N)Δ_k with SE² = Σ(N_k/N)²SE_k², the mean effect on everyone who entered.

    Units: outcome per unit. Assumes independent units, and shares that are constant within a stratum.
    `superpopulation` adds Σ(N_k/N)(Δ_k − Δ)²/N, for entrants to come. Strata
    with fewer than two units in an arm are left out; without any, not estimable. Raises ValueError for α
    outside 0 to 1. Miratrix, Sekhon & Yu (2013).
    """
    found = _differences(strata)
    if found is None:
        return not_estimable("post-stratified")
    weights = found.n / found.n.sum()
    estimate = float(weights @ found.difference)
    variance = float(weights**2 @ found.variance)
    if superpopulation:
        variance += float(weights @ (found.difference - estimate) ** 2) / float(found.n.sum())
    return normal_estimate(estimate, sqrt(variance), "post-stratified", alpha)


def post_stratified_means(strata: Strata) -> Means | None:
    """ȳ_a = Σ(N_k/N)ȳ_ak and their variances: what `analysis.estimators.ratio` needs for the stratified ratio."""
    found = _differences(strata)
    if found is None:
        return None
    weights = found.n / found.n.sum()
    return Means(
        holdout=float(weights @ found.mean_c),
        treatment=float(weights @ found.mean_t),
        holdout_variance=float(weights**2 @ found.var_c),
        treatment_variance=float(weights**2 @ found.var_t),
    )


def per_treated(strata: Strata, alpha: float = 0.05) -> Estimate:
    """Δ = Σ(n_tk/n_t)Δ_k, the mean effect on those who were advertised to (ATT), per treated unit.

    Units: outcome per unit. Assumes, leaves out and raises what `post_stratified` does; section B5 of the
    statistics note.
    """
    found = _differences(strata)
    return _weighted(found, None if found is None else found.n_t, "per treated", alpha)


def per_treated_total(strata: Strata, alpha: float = 0.05) -> Estimate:
    """Σ n_tkΔ_k with SE² = Σ n_tk²SE_k², the incremental total in the outcome's own units.

    Units: the outcome's own. Assumes, leaves out and raises what `post_stratified` does; a stratum that is left out
    adds nothing. Section B5 of the statistics note.
    """
    found = _differences(strata)
    if found is None:
        return not_estimable("per-treated total")
    total = float(found.n_t @ found.difference)
    return normal_estimate(total, sqrt(float(found.n_t**2 @ found.variance)), "per-treated total", alpha)


def inverse_variance(strata: Strata, alpha: float = 0.05) -> Estimate:
    """Δ weighted by 1/SE_k²: most precise for one common Δ.

    Units: outcome per unit. Assumes one common Δ and variances that do not follow the means, so it is not for few
    control conversions. Raises and leaves out what `post_stratified` does. Cochran (1954).
    """
    found = _differences(strata)
    if found is None or not np.all(found.variance > 0.0):
        return not_estimable("inverse variance")
    return _weighted(found, 1.0 / found.variance, "inverse variance", alpha)


def overlap_weighted(strata: Strata, alpha: float = 0.05) -> Estimate:
    """Δ weighted by W_k = n_ckn_tk/(n_ck + n_tk) (Mantel–Haenszel, overlap): weights without the outcome.

    Units: outcome per unit. Assumes, leaves out and raises what `post_stratified` does. Li, Morgan & Zaslavsky (2018).
    """
    found = _differences(strata)
    weights = None if found is None else found.n_c * found.n_t / found.n
    return _weighted(found, weights, "overlap", alpha)


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Cochran's Q over strata; report a different effect per phase where `p_value` < 0.01."""

    q: float
    df: int
    p_value: float

    @property
    def is_reportable(self) -> bool:
        """Whether the phases differ by more than chance (p < 0.01)."""
        return self.p_value < 0.01


def heterogeneity(strata: Strata) -> Heterogeneity | None:
    """Q = Σ((Δ_k − Δ_ivw)/SE_k)², χ² with K − 1 df; None below two measurable strata with spread."""
    found = _differences(strata)
    if found is None or found.n.size < 2 or not np.all(found.variance > 0.0):
        return None
    weights = 1.0 / found.variance
    centre = float(weights @ found.difference / weights.sum())
    q, df = float(weights @ (found.difference - centre) ** 2), int(found.n.size) - 1
    return Heterogeneity(q, df, float(chdtrc(df, q)))


def _weighted(found: _Differences | None, raw: Floats | None, method: str, alpha: float) -> Estimate:
    if found is None or raw is None:
        return not_estimable(method)
    weights = raw / raw.sum()
    se = sqrt(float(weights**2 @ found.variance))
    return normal_estimate(float(weights @ found.difference), se, method, alpha)


def _differences(strata: Strata) -> _Differences | None:
    used = measurable(strata)
    if not used:
        return None
    return _Differences(
        n_c=np.array([s.holdout.n for s in used], dtype=np.float64),
        n_t=np.array([s.treatment.n for s in used], dtype=np.float64),
        mean_c=np.array([s.holdout.mean for s in used]),
        mean_t=np.array([s.treatment.mean for s in used]),
        var_c=np.array([s.holdout.mean_variance for s in used], dtype=np.float64),
        var_t=np.array([s.treatment.mean_variance for s in used], dtype=np.float64),
    )
