"""The judgement over draws, against scipy's own tests and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.estimators.intervals import Interval
from analysis.report_card import ALPHA, Draw, Rate, card_document, report_card

RNG = np.random.default_rng(11)
SOUND = Draw(
    experiment="cart",
    outcome="conversions",
    effect=0.0,
    p_value=0.5,
    log_e_value=-1.0,
    fixed=Interval(-0.2, 0.3),
    always_valid=Interval(-0.4, 0.5),
    control_conversions=80,
    mean_holdout=0.1,
    mean_treatment=0.1,
    gates_failed=0,
)


def _sound(draws: int = 200) -> list[Draw]:
    return [replace(SOUND, p_value=float(p)) for p in RNG.random(draws)]


def _with_effect(draws: int = 60, lift: float = 0.2) -> list[Draw]:
    held = 0.1 + RNG.normal(0, 0.005, draws)
    treated = 0.1 * (1 + lift) + RNG.normal(0, 0.001, draws)
    return [
        replace(SOUND, effect=0.2, mean_holdout=float(c), mean_treatment=float(t))
        for c, t in zip(held, treated, strict=True)
    ]


@pytest.mark.parametrize(("times", "draws"), [(0, 40), (3, 40), (40, 40), (1, 1)])
def test_a_rate_has_the_exact_interval_and_tail_of_the_binomial(times: int, draws: int) -> None:
    rate = Rate(times, draws)
    theirs = stats.binomtest(times, draws).proportion_ci(method="exact")
    assert (rate.interval.low, rate.interval.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    tail = stats.binomtest(times, draws, ALPHA, alternative="greater").pvalue
    assert rate.chance_above(ALPHA) == pytest.approx(tail, rel=1e-9)


def test_a_rate_of_no_draws_says_nothing() -> None:
    assert Rate(0, 0).share is None
    assert (Rate(0, 0).interval, Rate(0, 0).chance_above(0.05)) == (Interval(0.0, 1.0), 1.0)


def test_p_values_that_are_too_small_are_told_by_the_one_sided_test_of_smirnov() -> None:
    draws = [replace(SOUND, p_value=float(p) ** 1.2) for p in RNG.random(150)]
    (row,) = report_card(draws).rows
    theirs = stats.kstest([each.p_value or 0.0 for each in draws], "uniform", alternative="greater").pvalue
    assert row.smallness == pytest.approx(theirs, rel=1e-9)
    assert sum(row.deciles) == 150


def test_the_recovered_effect_is_judged_by_the_t_test_over_draws() -> None:
    draws = _with_effect()
    (row,) = report_card([*_sound(), *draws]).rows
    gaps = [each.mean_treatment - 1.2 * each.mean_holdout for each in draws]
    assert row.recovery_chance == pytest.approx(stats.ttest_1samp(gaps, 0.0).pvalue, rel=1e-9)
    assert row.recovered == pytest.approx(0.2, abs=0.02)


def test_a_sound_pipeline_passes() -> None:
    card = report_card([*_sound(), *_with_effect()])
    assert card.passed
    assert card.is_judged


@pytest.mark.parametrize(
    ("broken", "question"),
    [
        (replace(SOUND, p_value=0.01), "a single look finds an effect where none is"),
        (replace(SOUND, log_e_value=4.0), "the headline finds an effect where none is"),
        (replace(SOUND, p_value=0.06), "p-values are too small where no effect is"),
        (replace(SOUND, gates_failed=1), "checks of the data fail where nothing is wrong"),
        (replace(SOUND, effect=0.2, fixed=Interval(0.3, None)), "the fixed interval leaves the true effect out"),
        (replace(SOUND, effect=0.2, always_valid=Interval(0.3, 0.4)), "the headline leaves the true effect out"),
    ],
)  # fmt: skip
def test_each_way_of_being_wrong_fails_its_own_check(broken: Draw, question: str) -> None:
    card = report_card([*_sound(), *_with_effect(), *([broken] * 60)])
    assert any(each.startswith(f"cart, conversions: {question} (chance ") for each in card.failures)


def test_an_effect_that_is_only_half_found_fails() -> None:
    card = report_card([*_sound(), *_with_effect(lift=0.1)])
    assert [each for each in card.failures if "is not found again" in each]


def test_an_effect_that_shows_in_no_draw_at_all_fails_too() -> None:
    draws = [replace(SOUND, effect=0.2) for _ in range(20)]
    assert not report_card([*_sound(), *draws]).passed


def test_too_few_held_out_buyers_are_shown_and_not_judged() -> None:
    card = report_card([replace(SOUND, control_conversions=19, p_value=0.0) for _ in range(50)])
    assert card.rows[0].single_look.times == 50
    assert (card.passed, card.is_judged) == (True, False)


def test_one_arm_that_disagrees_with_its_hash_fails_the_card() -> None:
    card = report_card(_sound(), mismatched=1)
    assert card.failures == ("1 arms do not agree with their hash",)


def test_the_document_is_plain_numbers() -> None:
    told = card_document(report_card([*_sound(20), *_with_effect(5)]), {"seed": 4})
    assert told["seed"] == 4
    assert told["passed"] is True
    assert told["rows"][0]["single_look"]["draws"] == 20
