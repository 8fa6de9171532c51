"""One state per audience, from the rules in their order."""

from dataclasses import replace

import pytest

from analysis.estimators.intervals import UNBOUNDED, Interval
from analysis.verdict import Evidence, NextStep, State, Verdict, verdict, weeks_until_statement

OPEN = Evidence(
    control_conversions=120,
    lift=Interval(-0.05, 0.4),
    practical_lift=0.1,
    return_on_spend=Interval(-1.0, 5.0),
    break_even=2.0,
    conversions_per_week=6.0,
)
POSITIVE = replace(OPEN, lift=Interval(0.05, 0.4))


def state(evidence: Evidence) -> State:
    return verdict(evidence).state


def test_a_failed_gate_comes_before_everything() -> None:
    found = verdict(replace(POSITIVE, failed_gate="three stored arms differ from the hash"))
    assert (found.state, found.next_step) == (State.INVALID, NextStep.REPAIR)
    assert "three stored arms differ from the hash" in found.sentence


def test_below_twenty_control_conversions_it_says_how_many_weeks_more() -> None:
    found = verdict(replace(POSITIVE, control_conversions=7))
    assert (found.state, found.weeks_more) == (State.NOT_ENOUGH_DATA, 3)
    assert "about 3 more weeks" in found.sentence
    assert verdict(replace(POSITIVE, control_conversions=19)).sentence.endswith("about 1 more week.")
    stalled = verdict(replace(POSITIVE, control_conversions=7, conversions_per_week=0.0))
    assert stalled.weeks_more is None
    assert "none is coming in" in stalled.sentence


def test_the_side_of_break_even_decides_profit() -> None:
    assert state(replace(POSITIVE, return_on_spend=Interval(2.1, 9.0))) is State.PROFITABLE
    assert state(replace(POSITIVE, return_on_spend=Interval(0.1, 1.9))) is State.UNPROFITABLE
    assert state(POSITIVE) is State.INCONCLUSIVE
    assert state(replace(POSITIVE, return_on_spend=None)) is State.INCREMENTAL


def test_less_than_the_practical_lift_is_not_incremental() -> None:
    assert state(replace(OPEN, lift=Interval(-0.2, 0.09))) is State.NOT_INCREMENTAL
    assert state(replace(OPEN, lift=Interval(-0.5, -0.1))) is State.NOT_INCREMENTAL


def test_an_open_question_asks_for_a_larger_holdout() -> None:
    for evidence in (OPEN, POSITIVE, replace(OPEN, lift=UNBOUNDED)):
        found = verdict(evidence)
        assert (found.state, found.next_step) == (State.INCONCLUSIVE, NextStep.RAISE)


def test_a_return_below_break_even_is_told_even_before_the_lift_is_certain() -> None:
    found = verdict(replace(OPEN, return_on_spend=Interval(-1.0, 1.5)))
    assert found.state is State.INCONCLUSIVE
    assert "does not pay" in found.sentence


def test_a_decided_audience_goes_down_to_a_maintenance_holdout() -> None:
    decided: list[Verdict] = [
        verdict(replace(POSITIVE, return_on_spend=Interval(2.1, 9.0))),
        verdict(replace(POSITIVE, return_on_spend=Interval(0.1, 1.9))),
        verdict(replace(OPEN, lift=Interval(-0.2, 0.05))),
    ]
    assert {found.next_step for found in decided} == {NextStep.LOWER}
    assert all("2–5 %" in found.next_sentence for found in decided)


def test_every_sentence_is_one_sentence() -> None:
    for evidence in (OPEN, POSITIVE, replace(OPEN, failed_gate="sample ratio")):
        found = verdict(evidence)
        assert found.sentence.endswith(".")
        assert found.sentence.count(". ") == 0


def test_the_wait_is_over_at_twenty() -> None:
    assert weeks_until_statement(20, None) == 0


def test_a_practical_lift_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        verdict(replace(OPEN, practical_lift=0.0))
