"""Orders in another currency: refused without a dated rate, converted once with one, and shown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import report_documents as made
from page_reading import text_of
from sqlalchemy import Engine, select

from analysis.order_changes import converted_orders, late_orders
from analysis.orders import OrderLoad, load_orders
from analysis.rate_file import read_rates
from analysis.rates import NO_RATES, RateTable
from analysis.report.rendering import render_page
from experiments.audiences import OrderSource
from experiments.database import reading
from experiments.errors import Rejected
from experiments.schema import orders

SINCE, UNTIL = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
HEAD = "order_id,email,ordered_at,revenue,currency"
RATES = "currency,day,rate\nUSD,2026-09-01,0.90\nUSD,2026-09-10,0.95\nsek ,2026-08-01,0.09\n"


def _load(
    engine: Engine, folder: Path, *rows: str, rates: str | None = RATES, at: datetime = UNTIL
) -> OrderLoad:
    (folder / "orders.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    path = folder / "rates.csv"
    if rates is not None:
        path.write_text(rates)
    source = OrderSource(files=(str(folder / "orders.csv"),), rates=None if rates is None else str(path))
    return load_orders(engine, source, "EUR", since=SINCE, until=UNTIL, at=at)


def _stored(engine: Engine) -> dict[str, tuple[int, int, str | None, float | None]]:
    columns = (orders.c.order_id, orders.c.revenue, orders.c.refunded, orders.c.currency, orders.c.rate)
    with reading(engine) as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(select(*columns))}


def test_an_order_counts_at_the_rate_of_its_day(engine: Engine, tmp_path: Path) -> None:
    load = _load(
        engine,
        tmp_path,
        "a,ann@example.com,2026-09-09T23:59:59Z,100,USD",
        "b,ann@example.com,2026-09-10,100,usd",
        "c,ann@example.com,2026-09-10,100,EUR",
        "d,ann@example.com,2026-09-10,100,",
    )
    assert (load.accepted, load.rejected) == (4, {})
    assert _stored(engine) == {
        "a": (9_000, 0, "USD", 0.9),
        "b": (9_500, 0, "USD", 0.95),
        "c": (10_000, 0, None, None),
        "d": (10_000, 0, None, None),
    }
    assert converted_orders(engine, int(UNTIL.timestamp())) == [
        {"currency": "USD", "orders": 2, "revenue": 185.0, "rates": [0.9, 0.95]}
    ]
    assert converted_orders(engine, int(datetime(2026, 9, 10, tzinfo=UTC).timestamp()))[0]["orders"] == 1


def test_without_a_rate_for_the_day_it_is_refused_and_counted(engine: Engine, tmp_path: Path) -> None:
    load = _load(
        engine,
        tmp_path,
        "a,ann@example.com,2026-09-02,100,GBP",
        "b,ann@example.com,2026-09-02,100,SEK",
        "c,ann@example.com,2026-09-05,-10,GBP",
    )
    assert load.accepted == 0
    assert load.rejected == {
        "currency is not EUR and the rates have none for GBP on that day": 2,
        "currency is not EUR and the rates have none for SEK on that day": 1,
    }
    assert _load(engine, tmp_path, "a,ann@example.com,2026-09-02,100,USD", rates=None).rejected == {
        "currency is not EUR": 1
    }


def test_an_order_keeps_its_rate_and_a_full_refund_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    sale = "a,ann@example.com,2026-09-02,100,USD"
    _load(engine, tmp_path, sale)
    dearer = RATES.replace("0.90", "0.50")
    _load(engine, tmp_path, sale.replace("100", "120"), "a,,2026-09-20,-120,USD", rates=dearer)
    assert _stored(engine)["a"] == (10_800, 10_800, "USD", 0.9)


def test_a_refund_that_stands_before_its_order_takes_its_rate_too(engine: Engine, tmp_path: Path) -> None:
    _load(engine, tmp_path, "a,,2026-09-20,-100,USD", "a,ann@example.com,2026-09-02,100,USD")
    assert _stored(engine)["a"] == (9_000, 9_000, "USD", 0.9)


def test_a_rate_serves_for_31_days_and_never_backwards() -> None:
    table = RateTable.of([("USD", date(2026, 3, 1), 0.9)])
    assert table.on("USD", date(2026, 2, 28)) is None
    assert table.on("USD", date(2026, 3, 1)) == 0.9
    assert table.on("USD", date(2026, 4, 1)) == 0.9
    assert table.on("USD", date(2026, 4, 2)) is None
    assert NO_RATES.on("USD", date(2026, 3, 1)) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("currency,day\nUSD,2026-09-01\n", "lacks the column rate; needed are currency, day, rate"),
        ("currency,day,rate\nUSD,2026-09-01,x\n", "line 2: write it like USD,2026-11-01,0.92"),
        ("currency,day,rate\nUSD,2026-09-01\n", "line 2: write it like"),
        ("currency,day,rate\nUSD,1.9.2026,0.9\n", "line 2: write it like"),
        ("currency,day,rate\nUSD,2026-09-01,-1\n", "must be a positive number"),
        ("currency,day,rate\nUSD,2026-09-01,nan\n", "must be a positive number"),
        ("currency,day,rate\nUSD,2026-09-01,1\nUSD,2026-09-01,2\n", "stands there twice"),
        ("", "lacks the column currency"),
    ],
)
def test_a_bad_table_is_refused_and_nothing_is_loaded(
    engine: Engine, tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(Rejected, match=sentence):
        _load(engine, tmp_path, "a,ann@example.com,2026-09-02,100,EUR", rates=text)
    assert _stored(engine) == {}


def test_a_table_that_is_not_there_is_refused() -> None:
    with pytest.raises(Rejected, match="there is no file of rates nowhere"):
        read_rates("nowhere.csv")
    assert read_rates(None) == NO_RATES


def test_late_orders_and_refunds_of_before_are_counted(engine: Engine, tmp_path: Path) -> None:
    told = datetime(2026, 9, 20, tzinfo=UTC)
    watermark = int(datetime(2026, 9, 19, tzinfo=UTC).timestamp())
    old = "a,ann@example.com,2026-09-02,100,EUR"
    _load(engine, tmp_path, old, at=told)
    _load(
        engine,
        tmp_path,
        old,
        "b,ann@example.com,2026-09-18,50,EUR",
        "c,ann@example.com,2026-09-19,70,EUR",
        "a,,2026-09-25,-30,EUR",
        "c,,2026-09-25,-70,EUR",
        "a,,2026-09-03,-5,EUR",
    )
    found = late_orders(engine, int(told.timestamp()), watermark)
    assert found == {"orders": 1, "revenue": 50.0, "refunds": 1, "refunded": 30.0}


def test_the_page_shows_conversions_and_what_came_late() -> None:
    told = made.report([made.unprofitable()])
    assert "came in late" not in text_of(render_page(told, []))
    told |= {
        "converted": [{"currency": "USD", "orders": 412, "revenue": 18_300.0, "rates": [0.9, 0.95]}],
        "late": {"orders": 3, "revenue": 212.0, "refunds": 2, "refunded": 41.5},
    }
    text = text_of(render_page(told, []))
    assert "412 orders in USD count as €18 300, at 0.9 to 0.95 EUR each" in text
    assert "3 orders worth €212 came in late and 2 refunds of €41.5 were made" in text
    told["late"] = dict.fromkeys(told["late"], 0)
    assert "No order or refund has come in since" in text_of(render_page(told, []))
