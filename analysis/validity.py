"""Whether the comparison itself can be believed: checks on the data, none of them on the ads. Pure.

Each is read at every report, so each is made to be: its false alarms are one in a thousand programmes, not
one in a thousand reports. One that fails withholds the verdict. Statistics note B8.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from analysis.estimators.balance import Balance, balance_over
from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.estimators.sample_ratio import PhaseCounts, SampleRatio, sample_ratio
from analysis.estimators.sequential import information, information_time, log_e_value_of_many
from analysis.facts import Facts
from analysis.readings import Lift, read_lift, strata_of

HISTORY = ("revenue", "orders", "recency")
"""What is known of everyone's 28 days before entry; recency grows from 0, no order, to 28, one just before."""
ALARM = log(1_000.0)
"""log of the evidence against a check at which it fails."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One check on the data, passed or not, with its figure."""

    name: str
    passed: bool
    figure: str


@dataclass(frozen=True, slots=True)
class Validity:
    """The checks of one experiment, with what the last two of them rest on."""

    gates: tuple[Gate, ...]
    placebo: Lift
    """The lift in the revenue of the 28 days before entry, which no ad can have made."""
    balance: Balance | None
    balance_log_e: float
    """Evidence that the arms were not alike before entry; 0 where it is not judged."""

    @property
    def failure(self) -> str | None:
        """The first failed check in a few words."""
        return next((f"{gate.name} ({gate.figure})" for gate in self.gates if not gate.passed), None)


def check_validity(facts: Facts) -> Validity:
    """Arms against their hash, sample ratio by phase, placebo and balance before entry."""
    ratio = sample_ratio(
        [
            PhaseCounts(each.holdout.revenue.n, each.treatment.revenue.n, each.span.holdout_share)
            for each in facts.since_entry
        ]
    )
    before = strata_of(facts.since_entry, lambda arm: arm.before)
    placebo = read_lift(before, facts.planned_information, revenue=True)
    found = _balance(facts)
    judged = found is not None and placebo.control_conversions >= NO_STATEMENT_BELOW
    time = information_time(information(before), facts.planned_information)
    evidence = log_e_value_of_many(found.chi2, found.df, time) if found and judged else 0.0
    gates = (
        Gate(
            "every arm agrees with its hash", facts.failed_audit is None, facts.failed_audit or "recomputed"
        ),
        Gate("as many are held out as were meant to be", not ratio.is_alarming, _ratio_figure(ratio)),
        Gate(
            "the arms bought alike before they entered",
            placebo.always_valid.log_e_value < ALARM,
            _placebo_figure(placebo),
        ),
        Gate("the arms were alike before they entered", evidence < ALARM, _balance_figure(found, judged)),
    )
    return Validity(gates, placebo, found, evidence)


def _balance(facts: Facts) -> Balance | None:
    pairs = [(each.holdout.history, each.treatment.history) for each in facts.since_entry]
    return balance_over([(c, t) for c, t in pairs if c is not None and t is not None])


def _ratio_figure(ratio: SampleRatio) -> str:
    p = "no p-value" if ratio.p_value is None else f"p = {ratio.p_value:.3f}"
    return f"{p}, log Bayes factor {ratio.log_bayes_factor:.1f}"


def _placebo_figure(placebo: Lift) -> str:
    if placebo.control_conversions < NO_STATEMENT_BELOW:
        return f"not judged: {placebo.control_conversions} held-out people had bought, 20 are needed"
    return f"p = {placebo.always_valid.p_value:.3f} at any look"


def _balance_figure(found: Balance | None, judged: bool) -> str:
    if found is None or not judged:
        return "not judged: too few held-out people had bought"
    differences = [(abs(each), name) for each, name in zip(found.standardised, HISTORY, strict=True) if each]
    largest = max(differences, default=(0.0, HISTORY[0]))
    return f"largest difference {largest[0]:.3f} standard deviations, in {largest[1]}"
