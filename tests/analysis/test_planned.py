"""A planned end: frozen before anything was read, narrower ranges up to it, and nothing after it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import report_documents as made
from page_reading import text_of
from sqlalchemy import Engine, insert, select
from test_gathered import START, buy
from test_measurement import PROGRAMME, WATERMARK, _facts
from test_measuring_new_draws import CART, DAY, OLD, WINDOW, enter
from test_measuring_new_draws import PROGRAMME as SHOP

from analysis.document import document
from analysis.estimators.group_sequential import spending_boundaries
from analysis.estimators.intervals import UNBOUNDED
from analysis.estimators.score import Dispersion, Sales, score_test, statistic
from analysis.estimators.skew import required_quantile
from analysis.estimators.sums import ArmSums, Stratum
from analysis.measurement import measure
from analysis.measuring import gather_all
from analysis.planned import Look, Plan, planned_lift, rising
from analysis.report.rendering import render_page
from experiments.audiences import Programme
from experiments.database import writing
from experiments.schema import looks, planned_ends, tunings

WEEK = 7 * DAY
LASTS = 26 * WEEK


def _plan(weeks: int) -> Plan:
    return Plan(0, LASTS, tuple(Look(at * WEEK, 100.0 * at) for at in range(1, weeks + 1)))


def test_26_weekly_looks_end_at_the_boundary_of_the_reference() -> None:
    assert _plan(26).boundary == pytest.approx(2.1454, abs=2e-4)
    assert _plan(26).is_over
    assert not _plan(25).is_over
    assert Plan(0, LASTS).boundary is None


def test_a_look_without_new_information_is_part_of_the_one_before() -> None:
    seen = (Look(1, 5.0), Look(2, 5.0), Look(3, 9.0))
    assert rising(seen) == (Look(2, 5.0), Look(3, 9.0))
    stands = Plan(0, 10, (Look(4, 8.0), Look(6, 8.0)))
    assert stands.boundary == spending_boundaries([8.0], [0.6])[-1].z


def test_the_interval_is_what_the_boundary_leaves_and_excludes_zero_exactly_beyond_it() -> None:
    rng = np.random.default_rng(3)
    facts = _facts(lift=0.25, n=20_000)
    strata = measure(facts).conversions.strata
    test = score_test(strata)
    assert test is not None
    z = test.null_quantile()
    beside = measure(facts).conversions.always_valid
    assert planned_lift(strata, z - 1e-6, beside).estimate.interval.excludes(0.0)
    assert not planned_lift(strata, z + 1e-6, beside).estimate.interval.excludes(0.0)
    assert planned_lift(strata, None, beside).estimate.interval == UNBOUNDED
    assert planned_lift(strata, float("inf"), beside).estimate.interval == UNBOUNDED
    few = (Stratum(ArmSums.from_values((rng.random(300) < 0.03).astype(float)), strata[0].treatment),)
    assert few[0].holdout.conversions < 20
    assert planned_lift(few, 2.0, beside).estimate.interval == UNBOUNDED


def test_refunds_beyond_purchases_still_have_an_interval() -> None:
    facts = _facts()
    strata = measure(facts).revenue.strata
    values = np.concatenate([np.full(200, 60.0), [-5.0], np.zeros(4_000)])
    lift = planned_lift(
        (Stratum(ArmSums.from_values(values), strata[0].treatment),), 2.2, measure(facts).revenue.always_valid
    )
    assert lift.estimate.interval.is_bounded
    assert "Fieller" in lift.estimate.method


def test_a_planned_end_is_narrower_and_changes_nothing_else() -> None:
    facts = _facts(lift=0.2)
    ends = Plan(facts.watermark - LASTS, facts.watermark, (Look(facts.watermark, 6_000.0),))
    plain, found = measure(facts), measure(replace(facts, plan=ends))
    wide, narrow = (each.conversions.always_valid.estimate.interval for each in (plain, found))
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low < narrow.low
    assert found.money == plain.money
    assert found.conversions.always_valid.log_e_value == plain.conversions.always_valid.log_e_value
    told = document(PROGRAMME, [found], WATERMARK, WATERMARK)["experiments"][0]
    assert told["conversions"]["method"].startswith("planned end: score")
    assert told["conversions"]["p_value"] is None
    assert told["planned_end"]["state"] == "over"
    assert told["planned_end"]["boundary"] == pytest.approx(1.959964)
    asked = replace(facts, experiment=replace(facts.experiment, lasts=LASTS))
    late = document(PROGRAMME, [measure(asked)], 1, 1)["experiments"][0]["planned_end"]
    assert late == {"state": "too late"}


def _programme(lasts: int | None) -> Programme:
    return replace(SHOP, audiences=(replace(CART, planned_end=lasts),))


def _shop(engine: Engine) -> None:
    for week in range(8):
        people = range(1_000 * week, 1_000 * (week + 1))
        enter_more = {"opened_at": START, "entered_at": START + week * WEEK}
        enter(engine, people, OLD, **enter_more)
        buy(engine, people[:300], START + week * WEEK + 60)


def _rows(engine: Engine) -> tuple[list[tuple[int, int]], list[tuple[int, float]]]:
    with writing(engine) as connection:
        ends = connection.execute(select(planned_ends.c.started_at, planned_ends.c.ends_at)).all()
        seen = connection.execute(select(looks.c.looked_at, looks.c.information).order_by(looks.c.looked_at))
        return [tuple(each) for each in ends], [tuple(each) for each in seen]


def test_the_plan_is_frozen_at_the_first_look_and_ends_what_is_read(engine: Engine) -> None:
    _shop(engine)
    for week, lasts in ((2, 6 * WEEK), (3, 60 * WEEK), (3, None), (5, 6 * WEEK)):
        (facts,) = gather_all(engine, _programme(lasts), START + week * WEEK)
        assert facts.plan is not None
        assert facts.plan.ends_at == START + 6 * WEEK
    ends, seen = _rows(engine)
    assert ends == [(START, START + 6 * WEEK)]
    assert [at for at, _ in seen] == [START + week * WEEK for week in (2, 3, 5)]
    (at_end,) = gather_all(engine, _programme(None), START + 7 * WEEK)
    (later,) = gather_all(engine, _programme(None), START + 9 * WEEK)
    assert at_end.plan == later.plan
    assert later.plan is not None
    assert later.plan.is_over
    assert at_end.matured == later.matured
    last = START + 6 * WEEK - WINDOW
    entered = sum(1_000 for week in range(8) if START + week * WEEK <= last)
    band = sum(each.holdout.revenue.n + each.treatment.revenue.n for each in later.matured)
    assert 0.97 * entered < band <= entered
    everyone = sum(each.holdout.revenue.n + each.treatment.revenue.n for each in later.since_entry)
    assert everyone > band


def test_a_plan_that_comes_after_the_first_look_is_left_alone(engine: Engine) -> None:
    _shop(engine)
    (before,) = gather_all(engine, _programme(None), START + 3 * WEEK)
    assert before.plan is None
    (after,) = gather_all(engine, _programme(6 * WEEK), START + 4 * WEEK)
    assert after.plan is None
    assert _rows(engine) == ([], [])


def test_nothing_to_say_is_no_look(engine: Engine) -> None:
    enter(engine, range(100), OLD, START, START)
    (facts,) = gather_all(engine, _programme(6 * WEEK), START + WEEK)
    assert facts.plan is not None
    assert facts.plan.looks == ()
    assert measure(facts).conversions.always_valid.estimate.interval == UNBOUNDED


def test_a_tuning_without_a_plan_counts_as_a_first_look(engine: Engine) -> None:
    _shop(engine)
    with writing(engine) as connection:
        connection.execute(insert(tunings).values(experiment="cart", information=9.0, frozen_at=1))
    (facts,) = gather_all(engine, _programme(6 * WEEK), START + 3 * WEEK)
    assert facts.plan is None


def test_the_page_says_by_which_plan_it_is_read() -> None:
    told = made.report([made.unprofitable()])
    found = told["experiments"][0]["planned_end"]
    text = text_of(render_page(told, []))
    assert "Read up to a planned end on 29 Mar 2027, frozen before the first look; ranges hold" in text
    found["state"] = "over"
    assert "reached: no later window counts; looks so far: 7" in text_of(render_page(told, []))
    told["experiments"][0]["planned_end"] = {"state": "too late"}
    assert "the planned end came after the first reading" in text_of(render_page(told, []))


def test_half_a_year_of_weekly_looks_at_nothing_claims_a_lift_as_rarely_as_promised() -> None:
    """5 % holdout, 1 % buy, four control conversions a week: the corner in which the usual test fails."""
    rng = np.random.default_rng(26)
    programmes, weeks, held, treated, rate = 3_000, 26, 400, 7_600, 0.01
    week = np.arange(1, weeks + 1)
    sold = [rng.binomial(n, rate, (programmes, weeks)).cumsum(axis=1).astype(float) for n in (held, treated)]
    people = [np.broadcast_to(n * week, (programmes, weeks)).astype(float) for n in (held, treated)]
    one = [each[..., np.newaxis] for each in (people[0], sold[0], people[1], sold[1])]
    t, skew = statistic(1.0, Sales(*one), Dispersion.pooled(1.0, 1.0))
    z = np.vectorize(required_quantile)(t, skew)
    first = np.argmax(sold[0] >= 20, axis=1)
    limits = np.full((programmes, weeks), np.inf)
    for start in set(first.tolist()):
        looks = [float(each) for each in week[start:]]
        found = spending_boundaries(looks, [each / weeks for each in looks], rho=3.0)
        limits[first == start, start:] = [each.z for each in found]
    rejected = z >= limits
    assert (rejected & (t > 0)).any(axis=1).mean() <= 0.03
    assert rejected.any(axis=1).mean() <= 0.055
    seen = np.arange(weeks) >= first[:, np.newaxis]
    assert (seen & (z >= 1.96)).any(axis=1).mean() > 0.15
