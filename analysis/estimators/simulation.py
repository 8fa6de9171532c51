"""Programmes with a known lift, drawn as weekly sums, and what each method concludes of them. Pure.

Randomness is an argument. The methods are the product's own functions, with whole experiments along the
leading axes; the calibration and its small test run on the same draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.estimators.intervals import critical_value
from analysis.estimators.score import Dispersion, Sales, statistic
from analysis.estimators.sequential import factor, planned_information, tuned_time
from analysis.estimators.skew import reach
from analysis.estimators.sums import Floats

_ABSENT = 1e-12  # units of a phase that has not begun: its weight is then nothing


@dataclass(frozen=True, slots=True)
class Programme:
    """Weekly entrants, each week's holdout share and base conversion rate, and the true lift of the rate.

    `sigma` is the log-sd of order values in both arms; None simulates conversions alone.
    `basket_lift` multiplies the treated arm's order values.
    """

    units: float
    shares: tuple[float, ...]
    rates: tuple[float, ...]
    lift: float = 0.0
    sigma: float | None = None
    basket_lift: float = 0.0

    @property
    def phases(self) -> tuple[int, ...]:
        """The phase of each week: a new one begins where the share changes."""
        changes = [0, *(int(a != b) for a, b in zip(self.shares, self.shares[1:], strict=False))]
        return tuple(int(k) for k in np.cumsum(changes))

    @property
    def ratio(self) -> float:
        """The true ratio of means."""
        return (1.0 + self.lift) * (1.0 + self.basket_lift)


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Sums up to each look: arrays of experiments × looks × phases, n without the first axis."""

    n_c: Floats
    n_t: Floats
    buyers_c: Floats
    powers_c: tuple[Floats, Floats, Floats]
    powers_t: tuple[Floats, Floats, Floats]


def draw(programme: Programme, experiments: int, rng: np.random.Generator) -> Draws:
    """`experiments` independent years (or single looks, for one week) of a programme."""
    shares, rates = np.array(programme.shares), np.array(programme.rates)
    n_c = np.round(programme.units * shares)
    n_t = np.round(programme.units * (1.0 - shares))
    size = (experiments, len(shares))
    buyers_c = rng.binomial(n_c.astype(np.int64), rates, size)
    buyers_t = rng.binomial(n_t.astype(np.int64), rates * (1.0 + programme.lift), size)
    in_phase = np.eye(max(programme.phases) + 1)[list(programme.phases)]

    def seen(weekly: Floats) -> Floats:
        return np.cumsum(weekly[..., np.newaxis] * in_phase, axis=-2)

    sold_c = _order_sums(buyers_c, programme.sigma, 1.0, rng)
    sold_t = _order_sums(buyers_t, programme.sigma, 1.0 + programme.basket_lift, rng)
    return Draws(
        n_c=seen(n_c),
        n_t=seen(n_t),
        buyers_c=seen(buyers_c.astype(np.float64)),
        powers_c=(seen(sold_c[0]), seen(sold_c[1]), seen(sold_c[2])),
        powers_t=(seen(sold_t[0]), seen(sold_t[1]), seen(sold_t[2])),
    )


def _order_sums(
    buyers: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    sigma: float | None,
    scale: float,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, Floats]:
    """Σ, Σ² and Σ³ of one log-normal order per buyer."""
    if sigma is None:
        count = buyers.astype(np.float64)
        return count, count, count
    owner = np.repeat(np.arange(buyers.size), buyers.ravel())
    value = scale * np.exp(sigma * rng.standard_normal(owner.size))

    def total(amount: Floats) -> Floats:
        sums: Floats = np.bincount(owner, weights=amount, minlength=buyers.size).astype(np.float64)
        return sums.reshape(buyers.shape)

    square = value * value
    return total(value), total(square), total(square * value)


def score_rejects(draws: Draws, ratio: float, quantiles: Floats) -> tuple[Floats, Floats]:
    """Whether the score rejects `ratio` upwards and downwards (1 or 0), per experiment and look."""
    sales = Sales(
        n_c=np.maximum(draws.n_c, _ABSENT),
        s_c=draws.powers_c[0],
        n_t=np.maximum(draws.n_t, _ABSENT),
        s_t=draws.powers_t[0],
    )
    s, q, k = (
        (c + t).sum(axis=-1, keepdims=True) for c, t in zip(draws.powers_c, draws.powers_t, strict=True)
    )
    sold = np.where(s > 0.0, s, 1.0)
    t, skew = statistic(ratio, sales, Dispersion.pooled(q / sold, k / sold))
    return (t > reach(quantiles, skew)).astype(float), (-t > reach(quantiles, -skew)).astype(float)


def fieller_rejects(
    draws: Draws, ratio: float, quantiles: Floats, *, stratified: bool = False
) -> tuple[Floats, Floats]:
    """The same for Fieller's set, at ratio 1 Welch's z; phases pooled as other tools do, or stratified."""
    n_c, n_t, c, t = draws.n_c, draws.n_t, draws.powers_c, draws.powers_t
    if not stratified:
        n_c, n_t = n_c.sum(axis=-1, keepdims=True), n_t.sum(axis=-1, keepdims=True)
        c = (c[0].sum(-1, keepdims=True), c[1].sum(-1, keepdims=True), c[2])
        t = (t[0].sum(-1, keepdims=True), t[1].sum(-1, keepdims=True), t[2])
    units = n_c + n_t
    weight = units / units.sum(axis=-1, keepdims=True)
    mean_c, var_c = _mean(n_c, c[0], c[1])
    mean_t, var_t = _mean(n_t, t[0], t[1])
    gap = (weight * (mean_t - ratio * mean_c)).sum(axis=-1)
    variance = (weight**2 * (var_t + ratio**2 * var_c)).sum(axis=-1)
    z = np.divide(gap, np.sqrt(variance), out=np.zeros_like(gap), where=variance > 0.0)
    return (z > quantiles).astype(float), (-z > quantiles).astype(float)


def _mean(n: Floats, s: Floats, q: Floats) -> tuple[Floats, Floats]:
    """ȳ and s²/n; nothing where a phase has not begun."""
    units = np.maximum(n, 2.0)
    mean = s / units
    return mean, np.maximum(0.0, q - s * mean) / (units - 1.0) / units


def sequential_quantiles(draws: Draws, programme: Programme, tuned_week: int, alpha: float = 0.05) -> Floats:
    """f(u) per look, tuned once to the information of `tuned_week` weeks at the first share."""
    informative = np.divide(
        draws.n_c * draws.n_t, draws.n_c + draws.n_t, out=np.zeros_like(draws.n_c), where=draws.n_c > 0
    )
    planned = planned_information(programme.units * tuned_week, programme.shares[0])
    times = informative.sum(axis=-1) / planned * tuned_time(alpha)
    return np.array([factor(float(time), alpha) for time in times])


def fixed_quantiles(looks: int, alpha: float = 0.05) -> Floats:
    """z_{1−α/2} at every look: what a weekly reader of 95 % intervals uses."""
    return np.full(looks, critical_value(alpha))


def burnt_in(draws: Draws) -> Floats:
    """1 where the holdout has its twenty converting units, else 0."""
    enough: Floats = (draws.buyers_c.sum(axis=-1) >= NO_STATEMENT_BELOW).astype(np.float64)
    return enough


@dataclass(frozen=True, slots=True)
class Conclusions:
    """How often an experiment was claimed to be above, and below, the tested ratio at any of its looks."""

    above: float
    below: float

    @property
    def covered(self) -> float:
        """How often the tested ratio was never excluded."""
        return 1.0 - self.above - self.below


def conclude(rejections: tuple[Floats, Floats], allowed: Floats | float = 1.0) -> Conclusions:
    """The first claim of each experiment decides its side."""
    above, below = (side * allowed > 0.0 for side in rejections)
    first = np.argmax(above | below, axis=-1)
    rows = np.arange(len(above))
    return Conclusions(float(above[rows, first].mean()), float(below[rows, first].mean()))


def claims_by_look(rejections: Floats, allowed: Floats | float = 1.0) -> Sequence[float]:
    """Share of experiments with a claim at or before each look."""
    ever = np.maximum.accumulate(rejections * allowed > 0.0, axis=-1)
    return [float(value) for value in ever.mean(axis=0)]
