"""Whether the arms were alike before entry, covariate by covariate and all at once. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import chdtrc

from analysis.estimators.sums import Floats

FLAG_BELOW = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Covariates:
    """Means and centred cross products Σ(x−x̄)(x−x̄)ᵀ of one arm's pre-entry covariates; adds with `+`."""

    n: int
    mean: Floats
    scatter: Floats

    @classmethod
    def from_matrix(cls, values: Floats) -> "Covariates":
        """From one row per unit, one column per covariate."""
        if values.ndim != 2:
            raise ValueError("covariates come as one row per unit")
        mean = values.mean(axis=0) if len(values) else np.zeros(values.shape[1])
        centred = values - mean
        return cls(len(values), mean, centred.T @ centred)

    @classmethod
    def from_sums(cls, n: int, sums: Floats, squares: Floats) -> "Covariates":
        """From Σx and Σxxᵀ, as a database adds them."""
        mean = sums / n if n else np.zeros_like(sums)
        return cls(n, mean, squares - np.outer(sums, mean))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Covariates):
            return NotImplemented
        same = np.array_equal(self.mean, other.mean) and np.array_equal(self.scatter, other.scatter)
        return self.n == other.n and same

    __hash__ = None  # type: ignore[assignment]  # held by arrays, which have no hash

    def __add__(self, other: "Covariates") -> "Covariates":
        if self.n == 0 or other.n == 0:
            return other if self.n == 0 else self
        n, gap = self.n + other.n, other.mean - self.mean
        scatter = self.scatter + other.scatter + np.outer(gap, gap) * (self.n * other.n / n)
        return Covariates(n, self.mean + gap * (other.n / n), scatter)


@dataclass(frozen=True, slots=True)
class Balance:
    """Standardised mean differences in the order of the covariates, with the omnibus test."""

    standardised: tuple[float | None, ...]
    chi2: float
    df: int
    p_value: float

    @property
    def is_flagged(self) -> bool:
        """Whether so much imbalance is a one-in-a-thousand event."""
        return self.p_value < FLAG_BELOW


def balance(holdout: Covariates, treatment: Covariates) -> Balance | None:
    """`balance_over` of one stratum."""
    return balance_over([(holdout, treatment)])


def balance_over(strata: Sequence[tuple[Covariates, Covariates]]) -> Balance | None:
    """SMD_j = d_j/√(Σw_k(s²_tjk + s²_cjk)/2), χ² = dᵀΣ⁻¹d, over strata of (holdout, treatment).

    d = Σw_k(x̄_tk − x̄_ck), Σ = Σw²_k(S_tk/n_tk + S_ck/n_ck), w_k = N_k/N, df = rank Σ. Unit: standard
    deviations. Assumes near-normal means. Strata with fewer than two units in an arm are left out, None if
    all are; a covariate that varies in neither arm has no SMD and no degree of freedom. Raises ValueError
    where the arms hold different covariates.
    """
    if any(c.mean.shape != t.mean.shape for c, t in strata):
        raise ValueError("the arms hold different covariates")
    used = [(c, t) for c, t in strata if min(c.n, t.n) > 1]
    if not used:
        return None
    units = sum(c.n + t.n for c, t in used)
    weights = [(c.n + t.n) / units for c, t in used]
    spreads = [(c.scatter / (c.n - 1), t.scatter / (t.n - 1)) for c, t in used]
    gap = sum(w * (t.mean - c.mean) for w, (c, t) in zip(weights, used, strict=True))
    spread = sum(
        w * (np.diag(s_c) + np.diag(s_t)) / 2.0 for w, (s_c, s_t) in zip(weights, spreads, strict=True)
    )
    variance = sum(
        w**2 * (s_c / c.n + s_t / t.n) for w, (s_c, s_t), (c, t) in zip(weights, spreads, used, strict=True)
    )
    chi2, df = _omnibus(np.asarray(gap), np.asarray(variance))
    return Balance(
        standardised=tuple(
            float(d) / sqrt(float(v)) if v > 0.0 else None
            for d, v in zip(np.asarray(gap), np.asarray(spread), strict=True)
        ),
        chi2=chi2,
        df=df,
        p_value=float(chdtrc(df, chi2)) if df else 1.0,
    )


def _omnibus(gap: Floats, variance: Floats) -> tuple[float, int]:
    """dᵀΣ⁺d and the rank of Σ, on the correlation scale so that units of measurement do not matter."""
    scale = np.sqrt(np.diag(variance))
    varies = scale > 0.0
    if not varies.any():
        return 0.0, 0
    scale = scale[varies]
    correlation = variance[np.ix_(varies, varies)] / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(correlation)
    kept = values > 1e-10
    projected = vectors.T[kept] @ (gap[varies] / scale)
    return float(np.sum(projected**2 / values[kept])), int(kept.sum())
