"""Phases of different shares are compared with themselves before they are combined."""

import numpy as np
import pytest
from reference_cases import CASES, binary, close, strata

from analysis.estimators.ratio import delta, fieller, log_delta
from analysis.estimators.strata import (
    heterogeneity,
    inverse_variance,
    measurable,
    overlap_weighted,
    per_treated,
    per_treated_total,
    post_stratified,
    post_stratified_means,
)
from analysis.estimators.sums import ArmSums, Stratum

VISIT = CASES["changing_holdout"]["visit"]
PHASES = strata(VISIT["sufficient_stats"]["control"], VISIT["sufficient_stats"]["treatment"])


def test_the_post_stratified_difference_agrees_with_the_reference() -> None:
    case, found = VISIT["poststrat"], post_stratified(PHASES)
    assert (found.estimate, found.se, found.p_value) == close((case["diff"], case["se"], case["p"]))
    assert (found.interval.low, found.interval.high) == close(case["ci"])
    assert post_stratified(PHASES, superpopulation=True).se == close(case["se_superpop"])


def test_the_post_stratified_ratio_agrees_with_the_reference() -> None:
    case, pair = VISIT["poststrat"], post_stratified_means(PHASES)
    assert pair is not None
    assert (pair.holdout, pair.treatment) == close((case["control_mean"], case["treatment_mean"]))
    assert delta(pair).se == close(case["rel"]["se"])
    assert log_delta(pair).se == close(case["rel_log"]["se_log"])
    found = fieller(pair).interval
    assert (found.low, found.high) == close(case["rel_fieller"]["ci"])


def test_the_per_treated_total_agrees_with_the_reference() -> None:
    case, total, mean = VISIT["att_weighted"], per_treated_total(PHASES), per_treated(PHASES)
    assert (total.estimate, total.se) == close((case["total_incremental"], case["total_incremental_se"]))
    assert (mean.estimate, mean.se) == close((case["diff"], case["se"]))
    assert (mean.interval.low, mean.interval.high) == close(case["ci"])


def test_inverse_variance_and_overlap_weights_agree_with_the_reference() -> None:
    for case, found in (
        (VISIT["ivw"], inverse_variance(PHASES)),
        (VISIT["overlap_weighted"], overlap_weighted(PHASES)),
    ):
        assert (found.estimate, found.se) == close((case["diff"], case["se"]))
        assert (found.interval.low, found.interval.high) == close(case["ci"])


def test_heterogeneity_agrees_with_the_reference() -> None:
    found = heterogeneity(PHASES)
    assert found is not None
    assert (found.q, found.df, found.p_value) == close(
        (VISIT["ivw"]["Q"], VISIT["ivw"]["Q_df"], VISIT["ivw"]["Q_p"])
    )
    assert not found.is_reportable


def test_a_phase_without_a_standard_error_is_left_out() -> None:
    lone = Stratum(ArmSums.from_values(np.array([1.0])), binary(500, 20), "one held out")
    empty = Stratum(ArmSums.empty(), binary(500, 20), "none held out")
    assert measurable((*PHASES, lone, empty)) == PHASES
    assert post_stratified((*PHASES, lone, empty)) == post_stratified(PHASES)


def test_without_a_measurable_phase_nothing_is_estimated() -> None:
    lone = (Stratum(ArmSums.empty(), binary(500, 20)),)
    for method in (post_stratified, per_treated, per_treated_total, inverse_variance, overlap_weighted):
        assert method(lone).estimate is None
    assert post_stratified_means(lone) is None
    assert heterogeneity(lone) is None
    assert heterogeneity(PHASES[:1]) is None


def test_a_phase_without_spread_has_no_inverse_variance() -> None:
    flat = (Stratum(binary(10, 0), binary(90, 0)),)
    assert inverse_variance(flat).estimate is None
    assert post_stratified(flat).estimate == pytest.approx(0.0)
