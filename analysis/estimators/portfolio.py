"""Many audiences at once: which claims survive, and how far each estimate shrinks to the rest. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np
from scipy.optimize import brentq

SHRINK_FROM = 5


def benjamini_hochberg(p_values: Sequence[float], alpha: float = 0.05) -> tuple[bool, ...]:
    """Claims at false discovery rate α: the k̂ smallest p, k̂ = max{k: p_(k) ≤ kα/m}.

    For p-values of one planned look, independent or positively dependent. Raises ValueError for α outside 0
    to 1. Benjamini & Hochberg (1995).
    """
    _check_alpha(alpha)
    limits = [alpha * (k + 1) / len(p_values) for k in range(len(p_values))]
    ranked = sorted(p_values)
    passing = [p for p, limit in zip(ranked, limits, strict=True) if p <= limit]
    cut = passing[-1] if passing else -inf
    return tuple(p <= cut for p in p_values)


def e_benjamini_hochberg(log_e_values: Sequence[float], alpha: float = 0.05) -> tuple[bool, ...]:
    """Claims at false discovery rate α from e-values: the k̂ largest, k̂ = max{k: e_(k) ≥ m/(kα)}.

    Holds under any dependence (audiences overlap) and at any look. Takes logs, so no e overflows. Raises
    ValueError for α outside 0 to 1. Wang & Ramdas (2022).
    """
    _check_alpha(alpha)
    m = len(log_e_values)
    ranked = sorted(log_e_values, reverse=True)
    passing = [value for k, value in enumerate(ranked, start=1) if value >= log(m / (k * alpha))]
    cut = passing[-1] if passing else inf
    return tuple(value >= cut for value in log_e_values)


def selected_level(selected: int, audiences: int, alpha: float = 0.05) -> float:
    """1 − level of the intervals shown for selected audiences: α·|R|/m, a share.

    Assumes that each interval comes from an e-value; nothing of how they depend on each other (e-BY: Xu, Wang &
    Ramdas 2022). Raises ValueError for more selected than there are, or α outside 0 to 1.
    """
    _check_alpha(alpha)
    if not 0 < selected <= audiences:
        raise ValueError(f"{selected} of {audiences} audiences selected")
    return alpha * selected / audiences


@dataclass(frozen=True, slots=True)
class Shrunk:
    """One audience's estimate pulled toward the mean of all, with its standard error and weight B."""

    estimate: float
    se: float
    pull: float


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The common mean μ with its SE, the spread τ between audiences, and each audience's shrunk estimate."""

    mean: float
    mean_se: float
    tau: float
    shrunk: tuple[Shrunk, ...]


def shrink(estimates: Sequence[float], ses: Sequence[float]) -> Portfolio | None:
    """θ̃ = Bμ + (1 − B)θ̂ with B = s²/(s² + τ²), Var ≈ (1 − B)s² + B²Var(μ̂), τ² by Paule–Mandel.

    Units of the estimates (log r for revenue). For ranking and budgets; claims rest on the unshrunk
    evidence. Assumes normal estimates with known s and audiences from one normal population. None below
    five audiences. Raises ValueError for an s that is not positive. Paule & Mandel (1982).
    """
    if len(estimates) != len(ses) or any(s <= 0.0 for s in ses):
        raise ValueError("every estimate needs a positive standard error")
    if len(estimates) < SHRINK_FROM:
        return None
    theta, variance = np.array(estimates, dtype=np.float64), np.array(ses, dtype=np.float64) ** 2
    tau2 = _paule_mandel(estimates, ses)
    weights = 1.0 / (variance + tau2)
    mean, mean_variance = float(weights @ theta / weights.sum()), 1.0 / float(weights.sum())
    pulls = variance / (variance + tau2)
    shrunk = tuple(
        Shrunk(
            estimate=float(b * mean + (1.0 - b) * t),
            se=sqrt(float((1.0 - b) * v + b**2 * mean_variance)),
            pull=float(b),
        )
        for t, v, b in zip(theta, variance, pulls, strict=True)
    )
    return Portfolio(mean, sqrt(mean_variance), sqrt(tau2), shrunk)


def _paule_mandel(estimates: Sequence[float], ses: Sequence[float]) -> float:
    """The τ² ≥ 0 at which Σ(θ̂ − μ)²/(s² + τ²) equals m − 1."""
    theta, variance = np.array(estimates, dtype=np.float64), np.array(ses, dtype=np.float64) ** 2

    def excess(tau2: float) -> float:
        weights = 1.0 / (variance + tau2)
        centre = weights @ theta / weights.sum()
        return float(weights @ (theta - centre) ** 2) - (len(theta) - 1)

    if excess(0.0) <= 0.0:
        return 0.0
    far = float(np.sum((theta - theta.mean()) ** 2))
    return float(brentq(excess, 0.0, far, xtol=1e-15 * far, rtol=1e-14))


def _check_alpha(alpha: float) -> None:
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"α = {alpha} is outside 0 to 1")
