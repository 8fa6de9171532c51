"""A cap comes from orders that know nothing of the arms, once, and whoever looks whenever gets the same."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import Engine, insert, update

from analysis.cap_freezing import cap_of, freeze_caps
from analysis.heavy_tails import rounded_cap
from experiments.database import writing
from experiments.schema import orders

DAY = 86_400
START = 1_700_000_000
WEEKS = 7 * DAY


def _buy(engine: Engine, cents: list[int], at: list[int], refunded: list[int] | None = None) -> None:
    back = refunded or [0] * len(cents)
    rows = [
        {"order_id": f"{at[0]}-{n}", "unit": b"u" * 32, "ordered_at": moment, "revenue": price,
         "refunded": less, "loaded_at": 0}
        for n, (price, moment, less) in enumerate(zip(cents, at, back, strict=True))
    ]  # fmt: skip
    with writing(engine) as connection:
        connection.execute(insert(orders), rows)


def _prices(n: int, seed: int) -> list[int]:
    return [int(each) for each in np.exp(np.random.default_rng(seed).normal(8.0, 1.2, n))]


def _before(n: int) -> list[int]:
    return [START - 1 - 60 * each for each in range(n)]


def test_the_cap_is_the_99th_percentile_of_what_was_paid_before_the_start(engine: Engine) -> None:
    prices, refunded = _prices(3_000, 1), [0] * 2_900 + [1_000_000] * 100
    _buy(engine, prices, _before(3_000), refunded)
    _buy(engine, [9_000_000] * 200, [START + each for each in range(200)])
    freeze_caps(engine, {"cart": START, "later": START + DAY}, START + 2 * DAY)
    found = cap_of(engine, "cart")
    paid = sorted(prices[:2_900], reverse=True)
    assert found is not None
    assert found.cents == rounded_cap(paid[29])
    assert (found.orders, found.until, found.frozen_at) == (2_900, START, START + 2 * DAY)
    later = cap_of(engine, "later")
    assert later is not None
    assert later.cents == 9_000_000
    assert later.orders == 3_100


def test_too_few_orders_wait_for_whole_stretches_of_four_weeks(engine: Engine) -> None:
    _buy(engine, _prices(999, 2), _before(999))
    late = START + 5 * WEEKS
    _buy(engine, [7_000], [late])
    freeze_caps(engine, {"cart": START}, late + DAY)
    assert cap_of(engine, "cart") is None
    freeze_caps(engine, {"cart": START}, START + 8 * WEEKS - 1)
    assert cap_of(engine, "cart") is None
    freeze_caps(engine, {"cart": START}, START + 8 * WEEKS)
    found = cap_of(engine, "cart")
    assert found is not None
    assert (found.orders, found.until) == (1_000, START + 8 * WEEKS)


@pytest.mark.parametrize("looks", [[8], [9, 30], [5, 6, 7, 8, 12]])
def test_when_somebody_looks_changes_nothing(engine: Engine, looks: list[int]) -> None:
    _buy(engine, _prices(2_000, 3), [START + 3_600 * each for each in range(2_000)])
    for week in looks:
        freeze_caps(engine, {"cart": START}, START + week * WEEKS)
    found = cap_of(engine, "cart")
    first = sorted(_prices(2_000, 3)[:1_344], reverse=True)
    assert found is not None
    assert (found.cents, found.orders, found.until) == (rounded_cap(first[13]), 1_344, START + 8 * WEEKS)


def test_a_cap_that_stands_is_never_changed(engine: Engine) -> None:
    _buy(engine, _prices(2_000, 4), _before(2_000))
    freeze_caps(engine, {"cart": START}, START + DAY)
    found = cap_of(engine, "cart")
    with writing(engine) as connection:
        connection.execute(update(orders).values(revenue=orders.c.revenue * 10))
    freeze_caps(engine, {"cart": START}, START + 30 * DAY)
    assert found is not None
    assert cap_of(engine, "cart") == found


def test_without_orders_there_is_no_cap(engine: Engine) -> None:
    freeze_caps(engine, {"cart": START}, START + 30 * DAY)
    assert cap_of(engine, "cart") is None
