"""A correction by earlier purchases is used where it achieves something, and phases may differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import report_documents as made
import statsmodels.api as sm
from page_reading import text_of
from scipy import stats
from test_measurement import PROGRAMME, WATERMARK, _facts

from analysis.document import document
from analysis.estimators.sequential import factor
from analysis.estimators.sums import ArmSums, Floats
from analysis.facts import Facts
from analysis.measurement import measure
from analysis.report.rendering import render_page


def _people(rng: np.random.Generator, n: int, share: float) -> tuple[Floats, Floats]:
    """Revenue before, and revenue after, of which `share` follows from before."""
    before = np.where(rng.random(n) < 0.3, rng.gamma(2.0, 20.0, n), 0.0)
    noise = np.where(rng.random(n) < 0.3, rng.gamma(2.0, 20.0, n), 0.0)
    return before, share * before + (1.0 - share) * noise


def _with(share: float) -> tuple[Facts, tuple[Floats, ...]]:
    rng = np.random.default_rng(12)
    (x_c, y_c), (x_t, y_t) = _people(rng, 2_000, share), _people(rng, 8_000, share)
    y_t = y_t + np.where(y_t > 0, 1.0, 0.0)
    facts = _facts()
    outcome = facts.matured[0]
    both = replace(
        outcome,
        holdout=replace(outcome.holdout, revenue=ArmSums.from_values(y_c, covariate=x_c)),
        treatment=replace(outcome.treatment, revenue=ArmSums.from_values(y_t, covariate=x_t)),
    )
    return replace(facts, matured=(both,)), (x_c, y_c, x_t, y_t)


def test_a_covariate_that_tells_much_is_used_and_agrees_with_a_regression_with_interactions() -> None:
    facts, (x_c, y_c, x_t, y_t) = _with(0.8)
    found = measure(facts)
    assert found.corrected is not None
    assert found.corrected.revenue is not None
    arm = np.concatenate([np.zeros(len(y_c)), np.ones(len(y_t))])
    x = np.concatenate([x_c, x_t])
    centred = x - x.mean()
    design = sm.add_constant(np.column_stack([arm, centred, arm * centred]))
    theirs = sm.OLS(np.concatenate([y_c, y_t]), design).fit(cov_type="HC2")
    difference = found.corrected.revenue.difference
    assert difference is not None
    assert difference.estimate == pytest.approx(theirs.params[1], rel=1e-9)
    assert difference.interval.low is not None
    half = factor(found.revenue.time) * theirs.bse[1]
    assert theirs.params[1] - difference.interval.low == pytest.approx(half, rel=0.02)
    assert found.corrected.revenue.variance_reduction > 0.8


def test_a_covariate_that_tells_nothing_is_not_used_and_its_reduction_is_said() -> None:
    found = measure(_with(0.0)[0])
    assert found.corrected is not None
    assert found.corrected.revenue is not None
    assert abs(found.corrected.revenue.variance_reduction) < 0.01
    assert found.corrected.revenue.difference is None
    told = document(PROGRAMME, [found], WATERMARK, WATERMARK)["experiments"][0]["corrected"]
    assert told["revenue"]["variance_reduction"] == found.corrected.revenue.variance_reduction


def test_nothing_known_of_before_is_no_correction() -> None:
    facts, _ = _with(0.8)
    outcome = facts.matured[0]
    bare = replace(outcome, holdout=replace(outcome.holdout, revenue=ArmSums.from_values(np.ones(50))))
    found = measure(replace(facts, matured=(bare,)))
    assert found.corrected is not None
    assert found.corrected.revenue is None


def test_the_headline_never_rests_on_the_correction() -> None:
    facts, _ = _with(0.8)
    outcome = facts.matured[0]
    plain = {
        name: replace(
            getattr(outcome, name),
            revenue=replace(getattr(outcome, name).revenue, x=0.0, x_m2=0.0, xy_m2=0.0),
        )
        for name in ("holdout", "treatment")
    }
    bare = measure(replace(facts, matured=(replace(outcome, **plain),)))
    assert measure(facts).revenue.always_valid == bare.revenue.always_valid
    assert measure(facts).verdict == bare.verdict


def test_phases_that_respond_differently_are_told() -> None:
    strong, none = _facts(lift=1.5, seed=1).matured[0], _facts(lift=0.0, seed=2).matured[0]
    found = measure(replace(_facts(), matured=(strong, none))).between_phases
    assert found is not None
    z = []
    for span in (strong, none):
        held, treated = span.holdout.conversions, span.treatment.conversions
        variance = sum(arm.m2 / (arm.n - 1) / arm.n for arm in (held, treated))
        z.append((treated.mean - held.mean, variance))
    centre = sum(d / v for d, v in z) / sum(1 / v for _, v in z)
    q = sum((d - centre) ** 2 / v for d, v in z)
    assert found.q == pytest.approx(q, rel=1e-9)
    assert found.p_value == pytest.approx(stats.chi2.sf(q, 1), rel=1e-9)
    assert found.is_reportable
    alike = measure(replace(_facts(), matured=(strong, strong))).between_phases
    assert alike is not None
    assert not alike.is_reportable
    assert measure(_facts()).between_phases is None


def test_the_page_says_what_it_achieved_and_whether_phases_differ() -> None:
    told = made.report([made.unprofitable()])
    text = text_of(render_page(told, []))
    assert "Buyers per 1 000, corrected not used: earlier purchases explain 0.1 % of the variance" in text
    assert "Revenue per person, corrected €0.42, surely between €0.07 and €0.77 more" in text
    assert "Difference between phases no more than chance makes it (p = 0.294)" in text
    told["experiments"][0]["between_phases"] |= {"p_value": 0.001, "reportable": True}
    assert "differs more than chance makes it (p = 0.001)" in text_of(render_page(told, []))
    assert "0.42" not in text_of(render_page(made.report([made.invalid()]), []))
