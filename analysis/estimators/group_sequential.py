"""The alternative with a planned end: boundaries of a group-sequential test that spends α·t^ρ. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from analysis.estimators.sums import Floats

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
    if not fractions or fractions[-1] > 1.0 + 1e-12:
        raise ValueError("information fractions must rise within 0 to 1")
    return spending_boundaries(fractions, fractions, alpha, rho)


def spending_boundaries(
    information: Sequence[float], times: Sequence[float], alpha: float = 0.05, rho: float = 3.0
) -> tuple[Boundary, ...]:
    """As `boundaries`, with the error spent by another clock than the information: α·t^ρ at `times`.

    Spent by the calendar, α is used up at the planned end however much information came in by then, and
    nothing about the data decides how much of it a look may use. `information` is in any unit, for only its
    ratios count. Raises ValueError unless both rise, the times within (0, 1]. Lan & DeMets (1989).
    """
    _check(information, times, alpha, rho)
    found: list[Boundary] = []
    points, mass = np.zeros(1), np.ones(1)
    before = spent = 0.0
    for now, time in zip(information, times, strict=True):
        share = now / information[-1]
        step = sqrt(share - before)
        target = alpha * time**rho
        limit = _limit(points, mass, step, target - spent)
        found.append(Boundary(time, limit / sqrt(share), target))
        points, mass = _survivors(points, mass, step, min(limit, _FARTHEST * sqrt(share)))
        before, spent = share, target
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


def _check(information: Sequence[float], times: Sequence[float], alpha: float, rho: float) -> None:
    if not times or not _rises(times) or times[-1] > 1.0 + 1e-12:
        raise ValueError("the times of the looks must rise within 0 to 1")
    if not _rises(information):
        raise ValueError("the information must rise from look to look")
    if not 0.0 < alpha < 1.0 or rho <= 0.0:
        raise ValueError(f"cannot spend {alpha}·t^{rho}")


def _rises(values: Sequence[float]) -> bool:
    return all(a < b for a, b in zip((0.0, *values), values, strict=False))
