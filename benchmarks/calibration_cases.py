"""Which programmes the calibration simulates, and what every method concludes of each. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Literal

import numpy as np

from analysis.estimators.intervals import critical_value
from analysis.estimators.score import score_test
from analysis.estimators.sequential import factor, tuned_time
from analysis.estimators.simulation import (
    Conclusions,
    Draws,
    Programme,
    burnt_in,
    claims_by_look,
    conclude,
    draw,
    fieller_rejects,
    fixed_quantiles,
    score_rejects,
    sequential_quantiles,
)
from analysis.estimators.sums import ArmSums, Floats, Stratum

Kind = Literal["one look", "weekly", "hybrid"]
Rejections = tuple[Floats, Floats]

WEEKS = 52
TUNED_WEEK = 13
ORDERS_AT_ONCE = 1_500_000

SHARES = (0.02, 0.05, 0.10, 0.20, 0.50)
RATES = (0.003, 0.01, 0.05)
SIGMAS = (0.8, 1.2, 1.6)


@dataclass(frozen=True, slots=True)
class Case:
    """One programme, read in one way, with the words that the tables find it by."""

    table: str
    kind: Kind
    programme: Programme
    experiments: int
    buyers: float
    stated: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """Of each method: its claims about no effect, about the true effect, and no-effect claims by look."""

    case: Case
    no_effect: dict[str, Conclusions]
    truth: dict[str, Conclusions]
    by_look: dict[str, tuple[float, ...]]


def cases(scale: float = 1.0) -> list[Case]:
    """Every case; `scale` multiplies the experiments of each (1 is the published run)."""
    found = [*_grid(), *_sweep(), *_conversions(), *_baskets(), *_years(), *_changes()]
    return [
        Case(c.table, c.kind, c.programme, max(40, round(c.experiments * scale)), c.buyers, c.stated)
        for c in found
    ]


def _one_look(
    table: str,
    buyers: float,
    share: float,
    rate: float,
    experiments: int,
    *,
    sigma: float | None,
    lift: float = 0.0,
    basket_lift: float = 0.0,
    kind: Kind = "one look",
) -> Case:
    programme = Programme(buyers / (share * rate), (share,), (rate,), lift, sigma, basket_lift)
    stated = {"share": share, "rate": rate, "sigma": sigma or 0.0, "lift": lift, "basket": basket_lift}
    return Case(table, kind, programme, experiments, buyers, stated)


def _grid() -> list[Case]:
    """No effect, 50 control conversions expected, every holdout × rate × tail."""
    return [
        _one_look("grid", 50, share, rate, 10_000, sigma=sigma)
        for share in SHARES
        for rate in RATES
        for sigma in SIGMAS
    ]


def _sweep() -> list[Case]:
    """No effect, 5 % holdout, 1 % conversion, from few control conversions to many."""
    sizes = ((20, 20_000), (50, 20_000), (100, 20_000), (200, 10_000), (800, 4_000))
    return [
        _one_look("sweep", buyers, 0.05, 0.01, experiments, sigma=sigma)
        for buyers, experiments in sizes
        for sigma in SIGMAS
    ]


def _conversions() -> list[Case]:
    """Conversions alone, with and without an effect: coverage and power."""
    return [
        _one_look("conversions", buyers, share, rate, 20_000, sigma=None, lift=lift)
        for rate in RATES
        for share in SHARES
        for buyers in (50, 200)
        for lift in (0.0, 0.2)
    ]


def _baskets() -> list[Case]:
    """Revenue with an effect on baskets: what the pooled and the hybrid interval make of it."""
    return [
        _one_look(
            "baskets", buyers, 0.05, 0.01, 2_000, sigma=1.2, lift=lift, basket_lift=basket, kind="hybrid"
        )
        for buyers in (50, 200, 800)
        for lift, basket in ((0.2, 0.0), (0.0, 0.3), (0.0, -0.3))
    ]


def _years() -> list[Case]:
    """No effect, read every week of a year; buyers are those of the holdout by its end."""
    found = []
    for share in SHARES:
        for sigma in SIGMAS:
            for buyers in (50, 200, 1_000):
                is_required = share == 0.05 and sigma == 1.2
                if buyers == 1_000 and (share == 0.02 or sigma != 1.2):
                    continue
                programme = Programme(
                    buyers / WEEKS / (share * 0.01), (share,) * WEEKS, (0.01,) * WEEKS, sigma=sigma
                )
                stated = {"share": share, "sigma": sigma}
                count = 20_000 if is_required and buyers < 1_000 else 4_000
                found.append(Case("years", "weekly", programme, count, buyers, stated))
    return found


def changing(sigma: float | None, lift: float) -> Programme:
    """5 → 20 → 10 % over a year while the base rate goes .8 → 1.6 → 1.0 %; 10,000 entrants a week."""
    return Programme(
        10_000,
        shares=(0.05,) * 18 + (0.2,) * 17 + (0.1,) * 17,
        rates=(0.008,) * 18 + (0.016,) * 17 + (0.01,) * 17,
        lift=lift,
        sigma=sigma,
    )


def _changes() -> list[Case]:
    """A changing percentage, with and without an effect."""
    return [
        Case(
            "changes",
            "weekly",
            changing(sigma, lift),
            10_000 if lift == 0.0 else 4_000,
            72 + 544 + 170,
            {"sigma": sigma or 0.0, "lift": lift},
        )
        for sigma in (None, *SIGMAS)
        for lift in (0.0, 0.2)
    ]


def run(case: Case, seed: np.random.SeedSequence) -> Found:
    """All methods on the same draws of one case, in pieces that fit in memory."""
    rng = np.random.default_rng(seed)
    programme = case.programme
    orders = programme.units * float(np.sum(programme.rates)) * (1.0 + programme.lift)
    at_once = max(10, int(ORDERS_AT_ONCE / max(orders, 60.0 * len(programme.rates))))
    count = ceil(case.experiments / at_once)
    pieces = [_read(case, draw(programme, ceil(case.experiments / count), rng)) for _ in range(count)]
    return Found(
        case=case,
        no_effect={name: _together([p[0][name] for p in pieces]) for name in pieces[0][0]},
        truth={name: _together([p[1][name] for p in pieces]) for name in pieces[0][1]},
        by_look={name: tuple(np.mean([p[2][name] for p in pieces], axis=0)) for name in pieces[0][2]},
    )


def _read(
    case: Case, draws: Draws
) -> tuple[dict[str, Conclusions], dict[str, Conclusions], dict[str, Sequence[float]]]:
    if case.kind == "hybrid":
        return {}, _read_hybrid(case.programme, draws), {}
    methods = _one_look_methods if case.kind == "one look" else _weekly_methods
    null = methods(case.programme, draws, 1.0)
    truth = methods(case.programme, draws, case.programme.ratio)
    by_look = (
        {} if case.kind == "one look" else {name: claims_by_look(sides[0]) for name, sides in null.items()}
    )
    return _concluded(null), _concluded(truth), by_look


def _concluded(rejections: dict[str, Rejections]) -> dict[str, Conclusions]:
    return {name: conclude(sides) for name, sides in rejections.items()}


def _one_look_methods(programme: Programme, draws: Draws, ratio: float) -> dict[str, Rejections]:
    looks = len(programme.shares)
    once = fixed_quantiles(looks)
    tuned = np.full(looks, factor(tuned_time()))
    return {
        "score": score_rejects(draws, ratio, once),
        "Welch, Fieller": fieller_rejects(draws, ratio, once),
        "plain sequence": fieller_rejects(draws, ratio, tuned),
    }


def _weekly_methods(programme: Programme, draws: Draws, ratio: float) -> dict[str, Rejections]:
    limits = sequential_quantiles(draws, programme, TUNED_WEEK)
    once, spoken = fixed_quantiles(len(limits)), burnt_in(draws)
    above, below = score_rejects(draws, ratio, limits)
    last = np.zeros(len(limits))
    last[-1] = 1.0
    end_above, end_below = score_rejects(draws, ratio, once)
    return {
        "score": (above * spoken, below * spoken),
        "score, last look": (end_above * last, end_below * last),
        "Welch, Fieller": fieller_rejects(draws, ratio, once),
        "plain sequence": fieller_rejects(draws, ratio, limits),
        "stratified sequence": fieller_rejects(draws, ratio, limits, stratified=True),
    }


def _read_hybrid(programme: Programme, draws: Draws) -> dict[str, Conclusions]:
    """Where the true ratio lies to the pooled and to the product's own choice of interval."""
    q = critical_value(0.05)
    sides: dict[str, list[tuple[bool, bool]]] = {"pooled": [], "as served": []}
    for k in range(len(draws.buyers_c)):
        strata = (Stratum(_arm(draws, k, "holdout"), _arm(draws, k, "treatment")),)
        for name, hybrid in (("pooled", False), ("as served", None)):
            test = score_test(strata, hybrid=hybrid)
            upper, lower = (
                (0.0, 0.0) if test is None else _margins(test.margins(np.array([programme.ratio]), q))
            )
            sides[name].append((upper < 0.0, lower < 0.0))
    return {
        name: Conclusions(float(np.mean([a for a, _ in found])), float(np.mean([b for _, b in found])))
        for name, found in sides.items()
    }


def _margins(margins: tuple[Floats, Floats]) -> tuple[float, float]:
    return float(margins[0][0]), float(margins[1][0])


def _arm(draws: Draws, k: int, arm: Literal["holdout", "treatment"]) -> ArmSums:
    powers = draws.powers_c if arm == "holdout" else draws.powers_t
    n = draws.n_c if arm == "holdout" else draws.n_t
    y, yy, yyy = (float(power[k, -1, 0]) for power in powers)
    conversions = int(draws.buyers_c[k, -1, 0]) if arm == "holdout" else 0
    return ArmSums.from_sums(int(n[-1, 0]), y, yy, yyy, conversions=conversions)


def _together(parts: Sequence[Conclusions]) -> Conclusions:
    return Conclusions(
        above=float(np.mean([part.above for part in parts])),
        below=float(np.mean([part.below for part in parts])),
    )
