"""From a ledger to the facts of each experiment: what is frozen at the first look serves at every later one."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, insert
from test_measuring_new_draws import OLD, PROGRAMME, UNTIL, WINDOW, enter, people, person

from analysis.measuring import gather_all
from experiments.database import writing
from experiments.phases import assign
from experiments.schema import orders

START = 10_000_000


def buy(engine: Engine, numbers: range, at: int, cents: int = 1_000) -> None:
    rows = [
        {"order_id": f"{at}-{n}", "unit": person(n), "ordered_at": at, "revenue": cents, "loaded_at": at}
        for n in numbers
    ]
    with writing(engine) as connection:
        connection.execute(insert(orders), rows)


def test_the_cap_frozen_at_the_first_look_cuts_orders_at_every_look(engine: Engine) -> None:
    everyone = range(1_100)
    enter(engine, everyone, OLD, START, START)
    buy(engine, everyone, START - 100, cents=1_000)
    buy(engine, range(50), START + 100, cents=90_000)
    treated = len(assign(people(range(50)), OLD).treated)
    for look in (1, 2):
        (facts,) = gather_all(engine, PROGRAMME, START + look * UNTIL)
        assert facts.cap is not None
        assert facts.cap.cents == 1_000
        arm = facts.since_entry[0].treatment
        assert arm.revenue.y == pytest.approx(900.0 * treated)
        assert arm.capped.y == pytest.approx(10.0 * treated)
        buy(engine, range(1_100, 1_200), START + look, cents=500_000)


def test_the_early_look_is_taken_until_half_of_the_windows_have_closed(engine: Engine) -> None:
    enter(engine, range(60), OLD, START, START)
    (young,) = gather_all(engine, PROGRAMME, START + WINDOW - 1)
    assert young.early is not None
    assert sum(each.n for each in young.early) == sum(
        each.holdout.revenue.n + each.treatment.revenue.n for each in young.since_entry
    )
    (ripe,) = gather_all(engine, PROGRAMME, START + WINDOW)
    assert ripe.early is None
