"""The alternative with a planned end: boundaries of a group-sequential test that spends α·t^ρ. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from analysis.sums import Floats

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(256)
_FARTHEST = 12.0


@dataclass(frozen=True, slots=True)
class Boundary:
    """At information fraction `fraction` reject when |z| ≥ `z`; `spent` is the error used up by then."""

    fraction: float
    z: float
    spent: float


def equal_looks(looks: int) -> tuple[float, ...]:
    """Information fractions 1/K, 2/K, …, 1."""
    if looks < 1:
        raise ValueError("a plan needs a look")
    return tuple((k + 1) / looks for k in range(looks))


def boundaries(fractions: Sequence[float], alpha: float = 0.05, rho: float = 3.0) -> tuple[Boundary, ...]:
    """Two-sided symmetric boundaries for spending α(t) = α·t^ρ, by recursive numerical integration.

    z at a look solves P(first crossing there) = α(t_k) − α(t_{k−1}) for a Brownian motion seen at the
    fractions. Assumes independent increments in information and looks that do not follow the results.
    Raises ValueError unless fractions rise within (0, 1] and 0 < α < 1, ρ > 0. Lan & DeMets (1983); Kim &
    DeMets (1987); Armitage, McPherson & Rowe (1969). 26 equal looks: final z 2.2338 (ρ = 2), 2.1454 (ρ = 3).
    """
    _check(fractions, alpha, rho)
    found: list[Boundary] = []
    points, mass = np.zeros(1), np.ones(1)
    before = spent = 0.0
    for fraction in fractions:
        step = sqrt(fraction - before)
        target = alpha * fraction**rho
        limit = _limit(points, mass, step, target - spent)
        found.append(Boundary(fraction, limit / sqrt(fraction), target))
        points, mass = _survivors(points, mass, step, limit)
        before, spent = fraction, target
    return tuple(found)


def _limit(points: Floats, mass: Floats, step: float, error: float) -> float:
    """The |B| beyond which exactly `error` of the surviving mass ends up after a step of this sd."""
    far = float(np.max(np.abs(points))) + _FARTHEST * step

    def excess(limit: float) -> float:
        above, below = ndtr((points - limit) / step), ndtr((-limit - points) / step)
        return float(mass @ (above + below)) - error

    return float(brentq(excess, 0.0, far, xtol=1e-13)) if excess(far) < 0.0 else inf


def _survivors(points: Floats, mass: Floats, step: float, limit: float) -> tuple[Floats, Floats]:
    """Gauss–Legendre nodes within ±limit and the mass that each stands for after the step."""
    nodes = _NODES * limit
    gaps = (nodes[:, np.newaxis] - points) / step
    density = np.exp(-0.5 * gaps**2) @ mass / (step * sqrt(2.0 * np.pi))
    return nodes, density * _WEIGHTS * limit


def _check(fractions: Sequence[float], alpha: float, rho: float) -> None:
    rising = all(a < b for a, b in zip((0.0, *fractions), fractions, strict=False))
    if not fractions or not rising or fractions[-1] > 1.0 + 1e-12:
        raise ValueError("information fractions must rise within 0 to 1")
    if not 0.0 < alpha < 1.0 or rho <= 0.0:
        raise ValueError(f"cannot spend {alpha}·t^{rho}")
