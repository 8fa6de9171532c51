"""The checks on the data: each catches what it is for, and a year of weekly reading raises no false alarm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import report_documents as made
from page_reading import text_of
from scipy import stats
from test_measurement import PROGRAMME, WATERMARK, _facts

from analysis.document import document
from analysis.estimators.balance import Covariates, balance, balance_over
from analysis.estimators.sequential import log_e_value, log_e_value_of_many
from analysis.estimators.sums import ArmSums, Floats
from analysis.facts import ArmOutcomes, Facts
from analysis.measurement import measure
from analysis.report.rendering import render_page
from analysis.validity import ALARM, check_validity
from analysis.verdict import State


def _people(rng: np.random.Generator, n: int, shift: float = 0.0) -> Floats:
    """Revenue, orders and recency of people of whom one in twelve had bought."""
    bought = rng.random(n) < 0.08
    revenue = np.where(bought, np.exp(rng.normal(4.0, 1.0, n)), 0.0)
    orders = np.where(bought, 1.0 + rng.poisson(0.3, n), 0.0)
    recency = np.where(bought, np.clip(28.0 * rng.random(n) + shift, 0.0, 28.0), 0.0)
    return np.column_stack([revenue, orders, recency])


def _arm(outcomes: ArmOutcomes, history: Floats) -> ArmOutcomes:
    return replace(
        outcomes, before=ArmSums.from_values(history[:, 0]), history=Covariates.from_matrix(history)
    )


def _with_history(held: Floats, treated: Floats) -> Facts:
    facts = _facts()
    outcome = facts.since_entry[0]
    both = replace(outcome, holdout=_arm(outcome.holdout, held), treatment=_arm(outcome.treatment, treated))
    return replace(facts, since_entry=(both,))


def test_alike_arms_pass_every_check() -> None:
    rng = np.random.default_rng(2)
    found = check_validity(_with_history(_people(rng, 8_000), _people(rng, 32_000)))
    assert found.failure is None
    assert [gate.passed for gate in found.gates] == [True] * 4
    assert "standard deviations, in" in found.gates[3].figure


def test_arms_that_differ_only_in_when_they_last_bought_are_not_alike() -> None:
    rng = np.random.default_rng(3)
    facts = _with_history(_people(rng, 8_000), _people(rng, 32_000, shift=9.0))
    found = measure(facts)
    assert [gate.passed for gate in found.validity.gates] == [True, True, True, False]
    assert found.verdict.state is State.INVALID
    assert "in recency" in found.verdict.sentence


def test_a_balance_of_few_buyers_is_not_judged() -> None:
    held, treated = np.zeros((8_000, 3)), np.zeros((32_000, 3))
    held[:19] = (50.0, 1.0, 20.0)
    found = check_validity(_with_history(held, treated))
    assert found.failure is None
    assert found.balance_log_e == 0.0
    assert found.gates[2].figure == "not judged: 19 held-out people had bought, 20 are needed"
    assert found.gates[3].figure == "not judged: too few held-out people had bought"


def test_balance_over_one_stratum_is_the_t_squared_of_the_textbook() -> None:
    rng = np.random.default_rng(4)
    held, treated = _people(rng, 900), _people(rng, 2_100)
    found = balance_over([(Covariates.from_matrix(held), Covariates.from_matrix(treated))])
    gap = treated.mean(axis=0) - held.mean(axis=0)
    variance = np.cov(held.T) / 900 + np.cov(treated.T) / 2_100
    assert found is not None
    assert found.chi2 == pytest.approx(gap @ np.linalg.solve(variance, gap), rel=1e-9)
    assert found.p_value == pytest.approx(stats.chi2.sf(found.chi2, 3), rel=1e-9)


def test_a_changed_share_with_a_changed_crowd_is_no_imbalance() -> None:
    """Pooled, the arms differ because each phase had another crowd; each phase within itself is alike."""
    rng = np.random.default_rng(5)
    first = _people(rng, 2_000), _people(rng, 38_000)
    second = _people(rng, 20_000) * 3.0, _people(rng, 20_000) * 3.0
    strata = [tuple(Covariates.from_matrix(arm) for arm in phase) for phase in (first, second)]
    pooled = balance(strata[0][0] + strata[1][0], strata[0][1] + strata[1][1])
    found = balance_over([(held, treated) for held, treated in strata])
    assert pooled is not None
    assert found is not None
    assert pooled.is_flagged
    assert not found.is_flagged


def test_evidence_in_one_direction_is_the_evidence_of_its_z() -> None:
    assert log_e_value_of_many(3.2**2, 1, 7.0) == pytest.approx(log_e_value(3.2, 7.0), rel=1e-12)
    assert log_e_value_of_many(0.0, 3, 7.0) < 0.0
    with pytest.raises(ValueError, match="negative"):
        log_e_value_of_many(1.0, 3, -1.0)


def test_a_year_of_weekly_looks_raises_fewer_false_alarms_than_one_in_a_hundred() -> None:
    """A fixed test at one in a thousand would raise one in some 60 programmes over 52 looks."""
    rng = np.random.default_rng(6)
    programmes, weeks, df = 4_000, 52, 3
    steps = rng.normal(size=(programmes, weeks, df)).cumsum(axis=1)
    share = np.arange(1, weeks + 1)
    chi2 = (steps**2).sum(axis=2) / share
    times = 7.936 * share / 13
    log_e = 0.5 * (times / (1 + times) * chi2 - df * np.log1p(times))
    assert log_e[3, 7] == pytest.approx(log_e_value_of_many(chi2[3, 7], df, times[7]), rel=1e-12)
    assert (log_e.max(axis=1) >= ALARM).mean() <= 0.0025
    assert (stats.chi2.sf(chi2, df) < 0.001).any(axis=1).mean() > 0.008


def test_the_document_has_the_placebo_with_its_interval_and_the_balance() -> None:
    rng = np.random.default_rng(7)
    found = measure(_with_history(_people(rng, 8_000), _people(rng, 32_000)))
    told = document(PROGRAMME, [found], WATERMARK, WATERMARK)["experiments"][0]
    assert told["placebo"]["estimate"] == found.validity.placebo.always_valid.estimate.estimate
    assert told["placebo"]["interval"][0] < 0.0 < told["placebo"]["interval"][1]
    assert set(told["balance"]["standardised"]) == {"revenue", "orders", "recency"}
    assert len(told["gates"]) == 4
    bare = document(PROGRAMME, [measure(_facts())], WATERMARK, WATERMARK)["experiments"][0]
    assert bare["balance"] is None


def test_the_page_shows_the_placebo_with_its_range_or_says_why_not() -> None:
    told = made.report([made.unprofitable()])
    assert "Placebo +1.3" in text_of(render_page(told, []))
    told["experiments"][0]["placebo"]["precision"] = "no statement"
    assert "Placebo not judged: fewer than 20" in text_of(render_page(told, []))
