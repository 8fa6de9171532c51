"""What a pipeline's own audit found: how often it errs where nothing was added, and what it finds of what was. Pure.

Draws are independent: people and orders stay, the arms are drawn anew with another salt. Statistics note B8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any, Literal

import numpy as np
from scipy.special import bdtrc, betaincinv, smirnov, stdtr

from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.estimators.intervals import Interval
from analysis.measurement import Measurement
from analysis.readings import Lift

VERSION = 1
ALPHA = 0.05
COVERAGE = {"conversions": 0.935, "revenue": 0.9}
"""What the fixed 95 % interval must cover at least; revenue has heavy tails."""
FALSE_ALARMS = 0.01
"""How often an audit may fail though nothing is wrong, over all its checks together."""
GATES_FAIL = 0.01
"""How often a check of the data may fail in a single draw though nothing is wrong."""

Outcome = Literal["conversions", "revenue"]
OUTCOMES: tuple[Outcome, ...] = ("conversions", "revenue")


@dataclass(frozen=True, slots=True)
class Draw:
    """One experiment's outcome with arms drawn anew; `effect` is the lift that was put in, 0 for none."""

    experiment: str
    outcome: Outcome
    effect: float
    p_value: float | None
    log_e_value: float
    fixed: Interval
    always_valid: Interval
    control_conversions: int
    mean_holdout: float
    mean_treatment: float
    gates_failed: int


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened in so many draws."""

    times: int
    draws: int

    @property
    def share(self) -> float | None:
        """times ÷ draws; None without a draw."""
        return self.times / self.draws if self.draws else None

    @property
    def interval(self) -> Interval:
        """The exact 95 % interval of the share: quantiles of Beta(k, n−k+1) and Beta(k+1, n−k). Clopper & Pearson (1934)."""
        k, n = self.times, self.draws
        if not n:
            return Interval(0.0, 1.0)
        low = float(betaincinv(k, n - k + 1, 0.025)) if k else 0.0
        return Interval(low, float(betaincinv(k + 1, n - k, 0.975)) if k < n else 1.0)

    def chance_above(self, share: float) -> float:
        """P(so many or more) where it truly happens in `share` of the draws: the exact binomial tail."""
        return float(bdtrc(self.times - 1, self.draws, share)) if self.times else 1.0


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the pipeline, with the chance of so bad an answer if nothing is wrong."""

    question: str
    chance: float


@dataclass(frozen=True, slots=True)
class Row:
    """One experiment's outcome over all draws."""

    experiment: str
    outcome: Outcome
    control_conversions: float
    """The median over draws without an effect."""
    single_look: Rate
    """Draws without an effect in which the fixed p-value is below 5 %."""
    always_valid: Rate
    """Draws without an effect in which the e-value says that there is one."""
    gates_failed: Rate
    deciles: tuple[int, ...]
    """Fixed p-values without an effect by tenths, the smallest first; even where all is well."""
    smallness: float
    """One-sided Kolmogorov–Smirnov p-value against p-values that are too small."""
    effect: float
    recovered: float | None
    """ΣΔȳ_t/Σȳ_c − 1 over the draws with an effect."""
    recovery_chance: float
    missed: Rate
    """Draws with an effect whose fixed 95 % interval leaves it out."""
    always_missed: Rate

    @property
    def is_judged(self) -> bool:
        """Whether there are enough held-out buyers for any statement; the others are shown and not judged."""
        return self.control_conversions >= NO_STATEMENT_BELOW

    @property
    def checks(self) -> tuple[Check, ...]:
        """The questions that this row answers; none where it is not judged."""
        if not self.is_judged:
            return ()
        name = f"{self.experiment}, {self.outcome}"
        allowed = 1.0 - COVERAGE[self.outcome]
        return (
            Check(
                f"{name}: a single look finds an effect where none is", self.single_look.chance_above(ALPHA)
            ),
            Check(
                f"{name}: the headline finds an effect where none is", self.always_valid.chance_above(ALPHA)
            ),
            Check(f"{name}: p-values are too small where no effect is", self.smallness),
            Check(
                f"{name}: checks of the data fail where nothing is wrong",
                self.gates_failed.chance_above(GATES_FAIL),
            ),
            Check(f"{name}: the effect that was put in is not found again", self.recovery_chance),
            Check(
                f"{name}: the fixed interval leaves the true effect out", self.missed.chance_above(allowed)
            ),
            Check(f"{name}: the headline leaves the true effect out", self.always_missed.chance_above(ALPHA)),
        )


@dataclass(frozen=True, slots=True)
class ReportCard:
    """Every row, and what failed among all their checks."""

    rows: tuple[Row, ...]
    mismatched: int
    """Arms of a draw that do not agree with their hash."""

    @property
    def failures(self) -> tuple[str, ...]:
        """What is wrong, by Bonferroni over all checks at `FALSE_ALARMS`; empty where nothing is."""
        checks = [check for row in self.rows for check in row.checks]
        level = FALSE_ALARMS / len(checks) if checks else 0.0
        wrong = [f"{check.question} (chance {check.chance:.1g})" for check in checks if check.chance < level]
        arms = f"{self.mismatched:,} arms do not agree with their hash"
        return (*wrong, arms) if self.mismatched else tuple(wrong)

    @property
    def is_judged(self) -> bool:
        """Whether any row was."""
        return any(row.is_judged for row in self.rows)

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


def draw_of(found: Measurement, outcome: Outcome, effect: float) -> Draw:
    """One draw's numbers from its measurement."""
    lift: Lift = found.conversions if outcome == "conversions" else found.revenue
    return Draw(
        experiment=found.experiment.name,
        outcome=outcome,
        effect=effect,
        p_value=lift.fixed.p_value,
        log_e_value=lift.always_valid.log_e_value,
        fixed=lift.fixed.interval,
        always_valid=lift.always_valid.estimate.interval,
        control_conversions=lift.control_conversions,
        mean_holdout=lift.mean_holdout,
        mean_treatment=lift.mean_treatment,
        gates_failed=sum(not gate.passed for gate in found.validity.gates),
    )


def report_card(draws: Sequence[Draw], mismatched: int = 0) -> ReportCard:
    """All draws by experiment and outcome, in the order in which they first appear."""
    by: dict[tuple[str, Outcome], list[Draw]] = {}
    for each in draws:
        by.setdefault((each.experiment, each.outcome), []).append(each)
    return ReportCard(tuple(_row(own) for own in by.values()), mismatched)


def _row(draws: Sequence[Draw]) -> Row:
    without = [each for each in draws if not each.effect]
    with_effect = [each for each in draws if each.effect]
    p = np.array([1.0 if each.p_value is None else each.p_value for each in without])
    effect = with_effect[0].effect if with_effect else 0.0
    recovered, chance = _recovered(with_effect, effect)
    return Row(
        experiment=draws[0].experiment,
        outcome=draws[0].outcome,
        control_conversions=float(np.median([each.control_conversions for each in without])) if without else 0.0,
        single_look=Rate(int((p < ALPHA).sum()), len(p)),
        always_valid=Rate(sum(each.log_e_value >= -log(ALPHA) for each in without), len(without)),
        gates_failed=Rate(sum(each.gates_failed > 0 for each in without), len(without)),
        deciles=tuple(int(count) for count in np.histogram(p, bins=10, range=(0.0, 1.0))[0]),
        smallness=_smallness(p),
        effect=effect,
        recovered=recovered,
        recovery_chance=chance,
        missed=Rate(sum(not _holds(each.fixed, effect) for each in with_effect), len(with_effect)),
        always_missed=Rate(sum(not _holds(each.always_valid, effect) for each in with_effect), len(with_effect)),
    )  # fmt: skip


def _smallness(p: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    """P(D⁺ as large) for D⁺ = max(i/n − p₍ᵢ₎), the exact one-sided test of Smirnov (1944); 1 without a draw."""
    if not len(p):
        return 1.0
    above = float(np.max(np.arange(1, len(p) + 1) / len(p) - np.sort(p)))
    return float(smirnov(len(p), max(0.0, above)))


def _recovered(draws: Sequence[Draw], effect: float) -> tuple[float | None, float]:
    """The lift of all draws together, and the two-sided chance of so large a miss.

    t = d̄/(s_d/√K) of d = ȳ_t − (1 + L)ȳ_c with K − 1 degrees of freedom: given the people and their orders
    the draws are independent and E d = 0.
    """
    held, treated = (
        np.array([getattr(each, name) for each in draws]) for name in ("mean_holdout", "mean_treatment")
    )
    if len(draws) < 2 or not held.sum():
        return None, 1.0
    gap = treated - (1.0 + effect) * held
    spread = float(gap.std(ddof=1))
    if not spread:
        return float(treated.sum() / held.sum()) - 1.0, 0.0 if gap.any() else 1.0
    t = float(gap.mean()) / (spread / sqrt(len(draws)))
    return float(treated.sum() / held.sum()) - 1.0, 2.0 * float(stdtr(len(draws) - 1, -abs(t)))  # fmt: skip


def _holds(interval: Interval, value: float) -> bool:
    low = -1.0 if interval.low is None else interval.low
    return low <= value and (interval.high is None or value <= interval.high)


def card_document(card: ReportCard, about: Mapping[str, Any]) -> dict[str, Any]:
    """The card as plain numbers, after what it is about (time, version, seed, draws)."""
    return {
        "version": VERSION,
        **about,
        "passed": card.passed,
        "is_judged": card.is_judged,
        "failures": list(card.failures),
        "mismatched": card.mismatched,
        "rows": [_document(row) for row in card.rows],
    }


def _document(row: Row) -> dict[str, Any]:
    return {
        "experiment": row.experiment,
        "outcome": row.outcome,
        "control_conversions": row.control_conversions,
        "is_judged": row.is_judged,
        "single_look": _rate(row.single_look),
        "always_valid": _rate(row.always_valid),
        "gates_failed": _rate(row.gates_failed),
        "p_value_deciles": list(row.deciles),
        "smallness": row.smallness,
        "effect": row.effect,
        "recovered": row.recovered,
        "recovery_chance": row.recovery_chance,
        "missed": _rate(row.missed),
        "always_missed": _rate(row.always_missed),
    }


def _rate(rate: Rate) -> dict[str, Any]:
    found = rate.interval
    return {
        "times": rate.times,
        "draws": rate.draws,
        "share": rate.share,
        "interval": [found.low, found.high],
    }
