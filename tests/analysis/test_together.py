"""Many audiences at once: a claim must stand among all, and the best of them is drawn to the rest."""

from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
import pytest
import report_documents as made
from page_reading import text_of
from statsmodels.stats.meta_analysis import combine_effects
from test_measurement import PROGRAMME, WATERMARK, _facts

from analysis.document import document
from analysis.facts import Kind
from analysis.measurement import Measurement, measure
from analysis.report.rendering import render_page
from analysis.together import read_together
from analysis.verdict import State


def _measured(name: str, lift: float, seed: int, n: int = 20_000, kind: Kind = "audience") -> Measurement:
    facts = _facts(lift=lift, n=n, seed=seed)
    return measure(replace(facts, experiment=replace(facts.experiment, name=name, kind=kind)))


SIX = [_measured(f"a{at}", lift, seed=at) for at, lift in enumerate((0.6, 0.0, 0.1, 0.0, 0.5, 0.05))]


def test_claims_stand_by_the_definition_of_e_bh() -> None:
    found = read_together(SIX).claims
    logs = sorted((each.log_e_value for each in found), reverse=True)
    passing = [k for k, value in enumerate(logs, 1) if value >= log(6 / (k * 0.05))]
    cut = logs[max(passing) - 1]
    assert [each.stands for each in found] == [each.log_e_value >= cut for each in found]
    assert [each.name for each in found if each.stands] == ["a0", "a4"]


def test_a_claim_that_stands_alone_may_fall_among_all() -> None:
    one = next(
        found
        for lift in np.arange(0.20, 0.60, 0.01)
        if log(20.0)
        < (found := _measured("weak", float(lift), seed=3)).conversions.always_valid.log_e_value
        < log(100.0)
    )
    assert read_together([one]).claims[0].stands
    crowd = [_measured(f"n{seed}", 0.0, seed=seed, n=2_000) for seed in range(20, 26)]
    assert not read_together([one, *crowd]).claims[0].stands


def test_a_range_that_was_picked_is_wider_and_still_excludes_no_lift() -> None:
    found = {each.name: each for each in read_together(SIX).claims}
    picked, alone = found["a0"].interval, SIX[0].conversions.always_valid.estimate.interval
    assert picked is not None
    assert found["a1"].interval is None
    assert picked.low is not None
    assert alone.low is not None
    assert 0.0 < picked.low < alone.low


def test_the_spread_agrees_with_statsmodels() -> None:
    found = read_together(SIX).shrinkage
    assert found is not None
    theta, variance = [], []
    for each in SIX:
        (arms,) = each.revenue.strata
        ratio = arms.treatment.mean / arms.holdout.mean
        parts = [arm.m2 / (arm.n - 1) / arm.n / arm.mean**2 for arm in (arms.holdout, arms.treatment)]
        theta.append(log(ratio))
        variance.append(sum(parts))
    theirs = combine_effects(np.array(theta), np.array(variance), method_re="iterated", atol=1e-14)
    assert found.tau == pytest.approx(theirs.tau2**0.5, rel=1e-6)
    assert log(1 + found.mean) == pytest.approx(theirs.mean_effect_re, rel=1e-6)
    best = max(found.drawn, key=lambda each: each.lift)
    assert found.mean < best.drawn < best.lift
    assert best.drawn_interval.low is not None
    assert best.interval.low is not None


def test_four_audiences_are_too_few_to_shrink() -> None:
    assert read_together(SIX[:4]).shrinkage is None


def test_windows_the_programme_and_failed_checks_are_not_compared() -> None:
    window = measure(replace(_facts(), experiment=replace(_facts().experiment, has_money=False)))
    failed = measure(replace(_facts(), failed_audit="3 of 9 do not"))
    assert failed.verdict.state is State.INVALID
    programme = _measured("programme", 0.3, seed=5, kind="programme")
    assert read_together([window, failed, programme]).claims == ()


def test_few_control_conversions_count_among_those_compared_and_claim_nothing() -> None:
    small = _measured("small", 3.0, seed=9, n=1_000)
    (claim,) = read_together([small]).claims
    assert (claim.log_e_value, claim.stands) == (0.0, False)


def test_the_document_has_every_claim_and_the_spread() -> None:
    told = document(PROGRAMME, SIX, WATERMARK, WATERMARK)["together"]
    assert [each["name"] for each in told["claims"]] == [f"a{at}" for at in range(6)]
    found = read_together(SIX)
    assert found.shrinkage is not None
    assert told["shrinkage"]["tau"] == found.shrinkage.tau
    assert told["shrinkage"]["drawn"][0]["drawn"] == found.shrinkage.drawn[0].drawn


def test_the_page_says_what_stands_the_spread_and_the_programme() -> None:
    text = text_of(render_page(made.every_state(), []))
    assert "What stands once that is allowed for: cart, newsletter" in text
    assert "τ = 0.07 (log ratio)" in text
    assert (
        "All audiences as one programme, from the people held out of everything: lift in buyers +12.0" in text
    )
    few = text_of(render_page(made.full_report(), []))
    assert "Lifts are drawn to their mean from 5 audiences" in few
    assert 'id="together"' in render_page(made.full_report(), [])
    assert 'id="together"' not in render_page(made.report([made.unprofitable()]), [])
