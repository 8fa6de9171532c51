"""One experiment, from its sums to its verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.document import document, sum_of
from analysis.estimators.increment import Increment
from analysis.estimators.intervals import UNBOUNDED, Interval
from analysis.estimators.sums import ArmSums
from analysis.facts import ArmOutcomes, Entered, Experiment, Facts, SpanOutcomes, SpendTotal
from analysis.measurement import Measurement, measure
from analysis.timeline import Span
from analysis.verdict import State
from experiments.assignment import BUCKETS
from experiments.audience_file import parse_programme
from experiments.phases import Holdout, Phase

DAY = 86_400
START = 1_700_000_000
WATERMARK = START + 56 * DAY
SHARE = 0.2
PROGRAMME = parse_programme(
    'advertiser: "1"\ncurrency: EUR\nmargin: 45%\naudiences: [{name: cart, segment: 1, holdout: 20%, ad_sets: ["401"]}]'
)


def _arm(rng: np.random.Generator, n: int, rate: float) -> ArmOutcomes:
    bought = rng.random(n) < rate
    revenue = np.where(bought, np.exp(rng.normal(4.0, 0.5, n)), 0.0)
    before = np.where(rng.random(n) < 0.05, 50.0, 0.0)
    return ArmOutcomes(
        ArmSums.from_values(revenue, covariate=before),
        ArmSums.from_values(bought.astype(float), covariate=before),
        ArmSums.from_values(before),
    )


def _facts(lift: float = 0.5, n: int = 40_000, spend: float = 4_000.0, seed: int = 1) -> Facts:
    rng = np.random.default_rng(seed)
    cut = int(BUCKETS * SHARE)
    span = Span(START, WATERMARK, cut, cut, 0)
    held = round(n * SHARE)
    outcomes = (SpanOutcomes(span, _arm(rng, held, 0.05), _arm(rng, n - held, 0.05 * (1 + lift))),)
    phase = Phase(1, "cart", 1, "cart", Holdout("s", 200_000, "u", 0), START)
    return Facts(
        experiment=Experiment("cart", "audience", ("cart",), 14 * DAY, ("401",), has_money=True),
        watermark=WATERMARK,
        entered=(Entered(phase, held, n - held, 0),),
        matured=outcomes,
        since_entry=outcomes,
        spend=SpendTotal(spend, spend * 8, 500),
        ever_treated=n - held,
        margin=0.45,
        planned_information=n * SHARE * (1 - SHARE),
    )


def test_ads_that_work_and_are_cheap_are_profitable() -> None:
    found = measure(_facts())
    assert found.verdict.state is State.PROFITABLE
    assert found.money is not None
    assert found.money.iroas.interval.is_above(found.money.break_even)
    assert found.money.platform_roas == pytest.approx(8.0)


def test_a_buyer_s_cost_is_the_spend_over_the_extra_buyers_and_without_limit_where_none_is_sure() -> None:
    sure = measure(_facts())
    assert sure.money is not None
    assert sure.conversions_added.total is not None
    spend, added = sure.money.spend, sure.conversions_added
    assert sure.money.icpa.estimate == pytest.approx(spend / sure.conversions_added.total)
    assert sure.money.icpa.interval.low == pytest.approx(spend / (added.interval.high or 0))
    assert sure.money.icpa.interval.high == pytest.approx(spend / (added.interval.low or 0))
    idle = measure(_facts(lift=0.0))
    assert idle.money is not None
    assert (idle.money.icpa.estimate, idle.money.icpa.interval.high) == (None, None)


def test_ads_that_work_and_are_dear_are_unprofitable() -> None:
    assert measure(_facts(spend=200_000.0)).verdict.state is State.UNPROFITABLE


def test_ads_that_do_nothing_are_never_called_incremental() -> None:
    found = measure(_facts(lift=0.0))
    assert found.verdict.state in {State.INCONCLUSIVE, State.NOT_INCREMENTAL}
    assert not found.conversions.always_valid.estimate.interval.excludes(0.0)


def test_few_control_conversions_give_no_number_at_all() -> None:
    found = measure(_facts(n=1_000))
    assert found.verdict.state is State.NOT_ENOUGH_DATA
    assert found.money is not None
    assert found.money.increment.total is None
    assert found.money.iroas.interval == UNBOUNDED


def test_a_failed_audit_withholds_the_verdict() -> None:
    found = measure(replace(_facts(), failed_audit="3 of 9 do not"))
    assert found.verdict.state is State.INVALID
    assert "3 of 9 do not" in found.verdict.sentence


def test_a_split_that_chance_does_not_make_withholds_the_verdict() -> None:
    facts = _facts()
    wrong = replace(facts.since_entry[0].span, control_below=BUCKETS // 4, treated_from=BUCKETS // 4)
    found = measure(replace(facts, since_entry=(replace(facts.since_entry[0], span=wrong),)))
    assert found.verdict.state is State.INVALID


def test_arms_that_bought_differently_before_entry_withhold_the_verdict() -> None:
    facts = _facts()
    outcome = facts.since_entry[0]
    richer = replace(outcome.treatment, before=outcome.treatment.revenue)
    found = measure(replace(facts, since_entry=(replace(outcome, treatment=richer),)))
    assert found.verdict.state is State.INVALID
    assert "before they entered" in found.verdict.sentence


def test_spend_is_shared_by_the_people_compared_and_those_ever_treated() -> None:
    facts = _facts()
    found = measure(replace(facts, ever_treated=2 * facts.ever_treated))
    assert found.money is not None
    assert found.money.spend == pytest.approx(facts.spend.cost / 2)


def test_a_window_of_a_group_carries_no_money() -> None:
    facts = _facts()
    assert measure(replace(facts, experiment=replace(facts.experiment, has_money=False))).money is None


def test_nobody_at_all_is_not_enough_data_and_no_error() -> None:
    facts = replace(
        _facts(), matured=(), since_entry=(), entered=(), ever_treated=0, spend=SpendTotal(0, 0, 0)
    )
    found = measure(facts)
    assert found.verdict.state is State.NOT_ENOUGH_DATA
    assert document(PROGRAMME, [found], WATERMARK, WATERMARK)["total"]["iroas"] is None


def _sums(*parts: Increment) -> Increment:
    return sum_of(parts)


def test_independent_totals_add_with_their_half_widths_in_quadrature() -> None:
    part = Increment(100.0, Interval(70.0, 140.0), None, UNBOUNDED)
    found = _sums(part, part)
    assert found.total == 200.0
    assert found.interval.low == pytest.approx(200 - 30 * 2**0.5)
    assert found.interval.high == pytest.approx(200 + 40 * 2**0.5)


def test_an_open_side_of_a_part_leaves_the_sum_open() -> None:
    closed = Increment(100.0, Interval(70.0, 140.0), None, UNBOUNDED)
    found = _sums(closed, Increment(10.0, Interval(5.0, None), None, UNBOUNDED))
    assert found.interval.high is None
    assert found.interval.low is not None


def test_the_document_says_what_the_measurement_found() -> None:
    found: Measurement = measure(_facts())
    told = document(PROGRAMME, [found], WATERMARK, WATERMARK)
    row = told["experiments"][0]
    assert found.money is not None
    assert row["money"]["iroas"]["estimate"] == found.money.iroas.estimate
    assert row["verdict"]["state"] == "incremental and profitable"
    assert told["total"]["iroas"] == pytest.approx(found.money.iroas.estimate)
    assert told["break_even"] == pytest.approx(1 / 0.45)
