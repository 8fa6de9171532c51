"""From gates and intervals to one state per audience, one sentence, and the holdout's next step. Pure.

The rules, in order (statistics note B15): invalid → not enough data → incremental, by the side of
break-even → not incremental beyond the practical size → inconclusive. Intervals are the always-valid ones.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.estimators.intervals import Interval


class State(StrEnum):
    """What may be said about one audience."""

    INVALID = "invalid"
    NOT_ENOUGH_DATA = "not enough data"
    INCONCLUSIVE = "inconclusive"
    INCREMENTAL = "incremental"
    PROFITABLE = "incremental and profitable"
    UNPROFITABLE = "incremental and unprofitable"
    NOT_INCREMENTAL = "not incremental beyond the detectable size"


class NextStep(StrEnum):
    """What to do with the holdout, allowed at any time because a change of percentage costs no data."""

    REPAIR = "repair"
    KEEP = "keep"
    RAISE = "raise"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict rests on.

    `lift` and `return_on_spend` are always-valid intervals (the latter None without spend); `practical_lift`
    is the smallest lift worth having; `failed_gate` says in a few words which audit, sample-ratio or balance
    check failed.
    """

    control_conversions: int
    lift: Interval
    practical_lift: float
    return_on_spend: Interval | None = None
    break_even: float | None = None
    conversions_per_week: float | None = None
    failed_gate: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state with a sentence for the person who reads the report, and the holdout's next step."""

    state: State
    sentence: str
    next_step: NextStep
    next_sentence: str
    weeks_more: int | None = None


def verdict(evidence: Evidence) -> Verdict:
    """The verdict on one audience.

    Share units for lift, currency per currency for the return. Raises ValueError for a practical lift that
    is not positive.
    """
    if evidence.practical_lift <= 0.0:
        raise ValueError("the smallest lift worth having must be positive")
    if evidence.failed_gate is not None:
        return _invalid(evidence.failed_gate)
    if evidence.control_conversions < NO_STATEMENT_BELOW:
        return _not_enough(evidence)
    if evidence.lift.is_above(0.0):
        return _incremental(evidence)
    if evidence.lift.is_below(evidence.practical_lift):
        return _not_incremental(evidence.practical_lift)
    return _inconclusive(evidence)


def weeks_until_statement(control_conversions: int, per_week: float | None) -> int | None:
    """Weeks until 20 control conversions at the present pace; None where nothing is coming in."""
    missing = NO_STATEMENT_BELOW - control_conversions
    if missing <= 0:
        return 0
    return ceil(missing / per_week) if per_week else None


def _invalid(gate: str) -> Verdict:
    return Verdict(
        State.INVALID,
        f"This comparison cannot be trusted: {gate}.",
        NextStep.REPAIR,
        "Find and repair the cause before reading or changing anything; the numbers are withheld until then.",
    )


def _not_enough(evidence: Evidence) -> Verdict:
    weeks = weeks_until_statement(evidence.control_conversions, evidence.conversions_per_week)
    when = (
        f"about {weeks} more week{'s' if weeks != 1 else ''}"
        if weeks
        else "an unknown time: none is coming in"
    )
    return Verdict(
        State.NOT_ENOUGH_DATA,
        f"Too early to say: {evidence.control_conversions} held-out people have bought and "
        f"{NO_STATEMENT_BELOW} are needed, which takes {when}.",
        NextStep.RAISE,
        "Wait, or raise the holdout to get there sooner; nothing gathered so far is lost.",
        weeks,
    )


def _incremental(evidence: Evidence) -> Verdict:
    back, needed = evidence.return_on_spend, evidence.break_even
    if back is None or needed is None:
        return Verdict(
            State.INCREMENTAL,
            "The ads add sales; without their spend nobody can say whether they pay.",
            NextStep.KEEP,
            "Load the spend, and keep the holdout as it is.",
        )
    if back.is_above(needed):
        return Verdict(
            State.PROFITABLE,
            f"The ads add sales and pay for themselves: they return more than the {needed:.2f} per unit of "
            "spend that breaks even.",
            NextStep.LOWER,
            "Decided: lower the holdout to 2–5 % and keep measuring at little cost.",
        )
    if back.is_below(needed):
        return Verdict(
            State.UNPROFITABLE,
            f"The ads add sales but lose money: they return less than the {needed:.2f} per unit of spend "
            "that breaks even.",
            NextStep.LOWER,
            "Decided: cut or change the spend; then lower the holdout to 2–5 %, or raise it for a new offer.",
        )
    return Verdict(
        State.INCONCLUSIVE,
        "The ads add sales, but whether they pay for themselves is still open.",
        NextStep.RAISE,
        "Raise the holdout while the return straddles break-even; earlier data keep counting.",
    )


def _not_incremental(practical: float) -> Verdict:
    return Verdict(
        State.NOT_INCREMENTAL,
        f"If the ads add anything, it is less than the {practical:.0%} lift worth having.",
        NextStep.LOWER,
        "Decided: stop or change these ads; the holdout may go down to 2–5 %.",
    )


def _inconclusive(evidence: Evidence) -> Verdict:
    back, needed = evidence.return_on_spend, evidence.break_even
    loses = back is not None and needed is not None and back.is_below(needed)
    sentence = (
        "Whether the ads add sales is still open, but whatever they add does not pay for them."
        if loses
        else "The data still allow both no effect and a worthwhile one."
    )
    return Verdict(
        State.INCONCLUSIVE,
        sentence,
        NextStep.RAISE,
        "Raise the holdout while this is open; earlier data keep counting.",
    )
