"""Planning: what is detectable, the smallest holdout, its price, and one budget for all."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.change import LONG
from analysis.estimators.intervals import Estimate, Interval
from analysis.estimators.power import Design, Spread, detectable_effect
from analysis.planning import (
    LARGEST,
    STEP,
    WEEKS,
    Past,
    advise,
    detectable,
    is_too_small,
    pooled,
    price_per_week,
    smallest_share,
    smallest_shares,
    weeks_needed,
)

CART = Past("cart", ("cart-0-4h", "cart-2-7d"), 0.1, 20_000, 0.05, 4.0, 900.0, 0.03)
LAPSED = Past("lapsed", ("lapsed",), 0.1, 60_000, 0.01, 0.5, 60.0, 0.02)
TINY = Past("vip", ("vip",), 0.1, 40, 0.02, 2.0, 400.0, 0.05)
MINI = replace(TINY, name="mini", audiences=("mini",))
GAIN = Estimate(0.4, Interval(0.1, 0.7), "measured")
LOSS = Estimate(0.01, Interval(-0.05, 0.03), "measured")


def test_the_reference_s_sample_is_found_after_as_many_weeks() -> None:
    """p = 1 %, lift 10 %, h = 10 %: 871,915 people at one look; so after that many the lift is 10 %."""
    past = Past("x", (), 0.1, 871_914.6, 0.01)
    (week,) = detectable(past, 0.1, [1])
    assert week.fixed == pytest.approx(0.1, rel=0.03)  # the reference has the treated arm's own variance
    assert week.group_sequential == pytest.approx(week.fixed * 1.10**0.5)
    assert week.always_valid == pytest.approx(week.fixed * 1.75**0.5)


def test_what_is_detectable_shrinks_with_the_weeks_and_revenue_needs_longer() -> None:
    found = detectable(CART, 0.1)
    assert [each.weeks for each in found] == list(WEEKS)
    assert [each.people for each in found] == [20_000 * week for week in WEEKS]
    always = [each.always_valid for each in found]
    assert always == sorted(always, reverse=True)
    assert all(each.revenue is not None and each.revenue > each.always_valid for each in found)
    effect = detectable_effect(Spread(900, 900), 20_000, 0.1, design=Design.ALWAYS_VALID)
    assert found[0].revenue == pytest.approx(effect / 4.0)


def test_without_revenue_nothing_is_said_of_it() -> None:
    assert detectable(replace(CART, revenue_mean=0.0), 0.1)[0].revenue is None


def test_the_smallest_holdout_shows_the_lift_exactly_in_time() -> None:
    share = smallest_share(CART, 0.1, 13, Design.ALWAYS_VALID)
    assert share is not None
    assert weeks_needed(CART, 0.1, share) == pytest.approx(13)


def test_the_note_s_smallest_holdout_comes_out() -> None:
    """N = 2,000,000, p = 1 %, δ = .001: 4.07 % at one look."""
    found = smallest_shares(Past("x", (), 0.1, 2_000_000, 0.01), 0.1, 1)
    assert found.fixed == pytest.approx(0.0407, abs=5e-5)
    assert found.group_sequential is not None
    assert found.always_valid is not None
    assert found.fixed < found.group_sequential < found.always_valid


def test_where_no_share_is_enough_there_is_none() -> None:
    assert smallest_share(TINY, 0.1, 13, Design.ALWAYS_VALID) is None
    assert smallest_share(replace(TINY, units_per_week=0), 0.1, 13, Design.FIXED) is None
    assert weeks_needed(TINY, 0.1, 0.0) == float("inf")


def test_the_price_is_what_the_effect_brings_less_what_the_ads_cost() -> None:
    """10 % of 20,000 people: 2,000 · (.45·.4 − .03) = 300, from 2,000·(.045 − .03) to 2,000·(.315 − .03)."""
    found = price_per_week(replace(CART, added=GAIN), 0.1, 0.1, 0.45)
    assert found.estimate == pytest.approx(300)
    assert (found.interval.low, found.interval.high) == (pytest.approx(30), pytest.approx(570))
    assert found.method == "measured"


def test_before_anything_was_measured_the_price_assumes_the_lift() -> None:
    found = price_per_week(CART, 0.1, 0.1, 0.45)
    assert found.estimate == pytest.approx(2_000 * (0.45 * 0.4 - 0.03))
    assert not found.interval.is_bounded
    assert found.method == "as if ads added 10%"


def test_a_holdout_of_nobody_costs_nothing() -> None:
    assert price_per_week(CART, 0.0, 0.1, 0.45).estimate == 0.0


def test_without_a_budget_each_gets_the_smallest_holdout_that_answers_in_time() -> None:
    (found,) = advise([CART], lift=0.1, weeks=13, margin=0.45)
    exact = smallest_share(CART, 0.1, 13, Design.ALWAYS_VALID)
    assert exact is not None
    assert exact <= found.share < exact + STEP
    assert found.weeks is not None
    assert found.weeks <= 13
    assert "within 13 weeks" in found.sentence


def test_one_that_cannot_answer_in_time_gets_a_share_that_answers_later() -> None:
    slow = replace(CART, units_per_week=2_000)
    least = weeks_needed(slow, 0.1, LARGEST)
    assert 13 < least < LONG
    (found,) = advise([slow], lift=0.1, weeks=13, margin=0.45)
    assert found.weeks is not None
    assert least <= found.weeks <= min(2 * least, LONG)
    assert "no share shows a lift of 10% within 13 weeks" in found.sentence


def test_one_that_is_too_small_is_told_so_and_with_whom_to_pool() -> None:
    tiny, cart = advise([TINY, CART], lift=0.1, weeks=13, margin=0.45)
    assert (tiny.is_too_small, tiny.share) == (True, 0.0)
    assert "too small ever to answer" in tiny.sentence
    assert "one holdout_group with cart" in tiny.sentence
    assert not cart.is_too_small


def test_several_that_are_too_small_pool_with_each_other_where_that_is_enough() -> None:
    pasts = [replace(TINY, name=f"t{n}", units_per_week=700, rate=0.03) for n in range(3)]
    assert all(is_too_small(past, 0.1) for past in pasts)
    assert not is_too_small(pooled(pasts), 0.1)
    first = advise([*pasts, CART], lift=0.1, weeks=13, margin=0.45)[0]
    assert "with t1" in first.sentence
    assert "cart" not in first.sentence


def test_where_no_pooling_helps_it_says_so() -> None:
    found = advise([TINY, MINI], lift=0.1, weeks=13, margin=0.45)
    assert all("no pooling changes that" in each.sentence for each in found)
    nobody = replace(TINY, units_per_week=0)
    assert "never end" in advise([nobody], lift=0.1, weeks=13, margin=0.45)[0].sentence


def test_a_pool_has_everybody_s_people_and_the_variance_between_them() -> None:
    both = pooled([CART, LAPSED])
    assert both.units_per_week == 80_000
    assert both.rate == pytest.approx(0.02)
    assert both.revenue_mean == pytest.approx(0.25 * 4 + 0.75 * 0.5)
    square = 0.25 * (900 + 16) + 0.75 * (60 + 0.25)
    assert both.revenue_variance == pytest.approx(square - both.revenue_mean**2)
    assert both.audiences == ("cart-0-4h", "cart-2-7d", "lapsed")


def test_a_budget_buys_the_cheapest_answers_first_and_the_rest_of_it_goes_to_the_next() -> None:
    pasts = [replace(CART, added=GAIN), replace(LAPSED, added=GAIN)]
    free = advise(pasts, lift=0.1, weeks=13, margin=0.45)
    prices = [each.price.estimate or 0.0 for each in free]
    cheap, dear = (0, 1) if prices[0] < prices[1] else (1, 0)
    budget = prices[cheap] + 0.5 * prices[dear]
    found = advise(pasts, lift=0.1, weeks=13, margin=0.45, budget=budget)
    assert found[cheap].share == free[cheap].share
    assert 0 < found[dear].share < free[dear].share
    assert "the budget does not pay for" in found[dear].sentence


def test_a_holdout_that_saves_money_is_free_under_any_budget() -> None:
    losing = replace(CART, added=LOSS)
    (found,) = advise([losing], lift=0.1, weeks=13, margin=0.45, budget=0.0)
    assert found.share > 0
    assert (found.price.estimate or 0.0) < 0


pasts = st.builds(
    Past,
    st.just("x"),
    st.just(()),
    st.just(0.1),
    st.floats(10, 200_000),
    st.floats(0.001, 0.3),
    st.floats(0, 50),
    st.floats(0, 5_000),
    st.floats(0, 1),
    st.none()
    | st.builds(lambda centre: Estimate(centre, Interval(centre - 1, centre + 1), "m"), st.floats(-2, 2)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(pasts, min_size=1, max_size=5), st.floats(0, 5_000), st.integers(1, 52))
def test_no_advice_ever_costs_more_than_the_budget_and_a_larger_one_answers_no_less(
    several: list[Past], budget: float, weeks: int
) -> None:
    named = [replace(past, name=f"e{at}") for at, past in enumerate(several)]
    answered = []
    for limit in (budget, 2 * budget, None):
        found = advise(named, lift=0.1, weeks=weeks, margin=0.45, budget=limit)
        cost = sum(max(0.0, each.price.estimate or 0.0) for each in found)
        assert limit is None or cost <= limit + 1e-6 * (1 + limit)
        assert all(0 <= each.share <= LARGEST for each in found)
        answered.append(sum(each.weeks is not None and each.weeks <= weeks for each in found))
    assert answered == sorted(answered)
