"""Whether the arms were alike before entry, covariate by covariate and all at once. Pure."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import chdtrc

from analysis.sums import Floats

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
    """SMD_j = (x̄_tj − x̄_cj)/√((s²_tj + s²_cj)/2), χ² = dᵀΣ⁻¹d with Σ = S_t/n_t + S_c/n_c, df = rank Σ.

    Unit: standard deviations. Assumes near-normal means. None below two units in an arm; a covariate that
    varies in neither arm has no SMD and no degree of freedom. Raises ValueError where the arms hold
    different covariates.
    """
    if holdout.mean.shape != treatment.mean.shape:
        raise ValueError("the arms hold different covariates")
    if min(holdout.n, treatment.n) < 2:
        return None
    cov_c, cov_t = holdout.scatter / (holdout.n - 1), treatment.scatter / (treatment.n - 1)
    gap = treatment.mean - holdout.mean
    spread = (np.diag(cov_c) + np.diag(cov_t)) / 2.0
    chi2, df = _omnibus(gap, cov_c / holdout.n + cov_t / treatment.n)
    return Balance(
        standardised=tuple(
            float(d) / sqrt(float(v)) if v > 0.0 else None for d, v in zip(gap, spread, strict=True)
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
