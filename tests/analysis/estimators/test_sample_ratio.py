"""Sample-ratio tests respect the share of each phase and may be read at every look."""

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_cases import CASES, close

from analysis.estimators.sample_ratio import (
    ALARM_LOG_BAYES_FACTOR,
    PhaseCounts,
    log_bayes_factor,
    sample_ratio,
)

SEQUENTIAL = CASES["sequential_sample_ratio"]


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_the_bayes_factor_agrees_with_the_reference_at_every_look(name: str) -> None:
    case = SEQUENTIAL[name]
    totals = np.cumsum(case["batches"], axis=0)
    for concentration in (100, 10_000):
        for (c, t), expected in zip(totals, case[f"log_bf_k{concentration}"], strict=True):
            counts = PhaseCounts(int(c), int(t), case["share"])
            assert log_bayes_factor(counts, concentration) == pytest.approx(expected, rel=1e-9, abs=1e-10)


def test_a_broken_split_alarms_and_a_healthy_one_does_not() -> None:
    for name, alarming in (("healthy_5pct_12_weeks", False), ("broken_5pct_12_weeks", True)):
        c, t = np.sum(SEQUENTIAL[name]["batches"], axis=0)
        found = sample_ratio([PhaseCounts(int(c), int(t), 0.05)])
        assert found.is_alarming is alarming
        assert found.chi2 == pytest.approx(SEQUENTIAL[name]["chi2"]["chi2"], rel=1e-9, abs=1e-12)
        assert found.p_value == close(SEQUENTIAL[name]["chi2"]["p"])


def test_phases_are_tested_against_their_own_share() -> None:
    case = CASES["changing_holdout"]
    reference, counts = case["sample_ratio"], case["phase_counts"]
    found = sample_ratio(
        [PhaseCounts(c, t, h) for (c, t), h in zip(counts, reference["phase_shares"], strict=True)]
    )
    assert (found.chi2, found.df, found.p_value) == close(
        (reference["chi2"], reference["df"], reference["p"])
    )
    assert found.log_bayes_factor == close(reference["seq_log_bf_k100"])
    naive = sample_ratio([PhaseCounts(sum(c for c, _ in counts), sum(t for _, t in counts), 0.5)])
    assert naive.chi2 == close(case["naive_sample_ratio"]["chi2"])


def test_a_phase_without_chance_adds_nothing_and_cannot_be_violated() -> None:
    nothing = PhaseCounts(0, 500, 0.0)
    assert log_bayes_factor(nothing) == 0.0
    assert sample_ratio([nothing]).p_value is None
    assert not sample_ratio([nothing]).is_alarming
    leaked = sample_ratio([PhaseCounts(3, 497, 0.0)])
    assert leaked.is_alarming
    assert leaked.sequential_p_value == 0.0


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.02, 0.5))
def test_the_factor_is_one_on_average_over_the_next_unit(c: int, t: int, share: float) -> None:
    """A martingale: E[BF after one more unit] = BF."""
    now = log_bayes_factor(PhaseCounts(c, t, share))
    held = log_bayes_factor(PhaseCounts(c + 1, t, share))
    treated = log_bayes_factor(PhaseCounts(c, t + 1, share))
    assert share * exp(held - now) + (1 - share) * exp(treated - now) == pytest.approx(1.0, rel=1e-9)


def test_the_alarm_is_a_factor_of_a_thousand() -> None:
    assert exp(ALARM_LOG_BAYES_FACTOR) == pytest.approx(1_000.0)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        PhaseCounts(-1, 5, 0.1)
    with pytest.raises(ValueError, match="positive"):
        log_bayes_factor(PhaseCounts(1, 5, 0.1), 0.0)
