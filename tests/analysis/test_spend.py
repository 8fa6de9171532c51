"""Spend is kept by ad set and day, read over again, and refused in another currency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine

from analysis.facts import SpendTotal
from analysis.spend import store_spend, total_spend
from experiments.database import connect
from experiments.errors import Rejected

AT = datetime(2026, 9, 10, tzinfo=UTC)
DAY = 86_400
FIRST = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Row:
    ad_set: str
    day: date
    cost: float
    attributed_revenue: float = 0.0
    attributed_orders: int = 0
    displays: int = 0
    clicks: int = 0
    currency: str = "EUR"


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    engine = connect(ledger_url)
    yield engine
    engine.dispose()


def test_a_later_reading_of_a_day_replaces_the_earlier_one(ledger: Engine) -> None:
    store_spend(ledger, [Row("401", date(2026, 9, 1), 10.0, 50.0, 1)], "EUR", AT)
    store_spend(ledger, [Row("401", date(2026, 9, 1), 12.5, 80.0, 2)], "EUR", AT)
    found = total_spend(ledger, ["401"], FIRST, FIRST + DAY)
    assert found == SpendTotal(12.5, 80.0, 2)
    assert (type(found.cost), type(found.attributed_revenue)) == (float, float)


def test_only_the_asked_ad_sets_and_days_are_summed(ledger: Engine) -> None:
    rows = [Row("401", date(2026, 9, day), 1.0) for day in (1, 2, 3)] + [Row("402", date(2026, 9, 2), 100.0)]
    store_spend(ledger, rows, "EUR", AT)
    assert total_spend(ledger, ["401"], FIRST + DAY, FIRST + 2 * DAY).cost == 1.0
    assert total_spend(ledger, ["401", "402"], FIRST, FIRST + 9 * DAY).cost == 103.0
    assert total_spend(ledger, [], FIRST, FIRST + 9 * DAY) == SpendTotal(0.0, 0.0, 0)


def test_another_currency_is_rejected_before_anything_is_written(ledger: Engine) -> None:
    rows = [Row("401", date(2026, 9, 1), 1.0), Row("401", date(2026, 9, 2), 1.0, currency="USD")]
    with pytest.raises(Rejected, match="USD"):
        store_spend(ledger, rows, "EUR", AT)
    assert total_spend(ledger, ["401"], FIRST, FIRST + 9 * DAY).cost == 0.0
