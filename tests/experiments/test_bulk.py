"""Rows by the million: what a refused row may say, and that many rows are merged as a few are."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, insert, select

from experiments.bulk import insert_rows
from experiments.database import insert_or_ignore, insert_or_update, reading, writing
from experiments.errors import Rejected
from experiments.schema import entrants, orders, phases, refunds

POSTGRESQL = pytest.mark.parametrize(
    "ledger_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
UNIT = b"\xab" * 32
NAMES = ("phase_id", "unit", "bucket", "universal_bucket", "arm", "entered_at")
ROW = (1, UNIT, 987_654_321, 123_454_321, 0, 1_234_567_890)
SECRET = re.compile(r"abab|987654321|123454321|1234567890|99999|\\xab", re.IGNORECASE)


@pytest.fixture
def opened(engine: Engine) -> Engine:
    values = {"holdout_group": "a", "salt": "s", "ppm": 1, "universal_salt": "u", "universal_ppm": 1}
    with writing(engine) as connection:
        connection.execute(insert(phases).values(id=1, audience="a", number=1, opened_at=1, **values))
    return engine


def _order(number: int, revenue: int = 1) -> dict[str, Any]:
    return {
        "order_id": f"o{number}",
        "unit": UNIT,
        "ordered_at": number,
        "revenue": revenue,
        "loaded_at": 5,
        "currency": None,
        "rate": 1.5 if number % 2 else None,
    }


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(ROW, id="the same person twice"),
        pytest.param((1, b"\xab" * 31 + b"\xac", None, 1, 0, 1), id="a number is missing"),
        pytest.param((77, b"\xab" * 31 + b"\xac", 987_654_321, 1, 0, 1), id="a phase that is not there"),
    ],
)
def test_a_row_that_the_database_refuses_is_quoted_nowhere(opened: Engine, bad: tuple[Any, ...]) -> None:
    with pytest.raises(Rejected, match="refused a statement") as raised, writing(opened) as connection:
        insert_rows(connection, entrants, NAMES, [ROW, bad])
    error: BaseException = raised.value
    assert error.__suppress_context__
    assert error.__cause__ is None
    assert not SECRET.search(f"{error} {error!r}")
    with reading(opened) as connection:
        assert connection.scalar(select(func.count()).select_from(entrants)) == 0


@POSTGRESQL
def test_a_value_that_does_not_fit_is_quoted_nowhere(opened: Engine) -> None:
    with pytest.raises(Rejected) as raised, writing(opened) as connection:
        insert_rows(connection, entrants, NAMES, [(1, UNIT, 1, 1, 99_999, 1)])
    assert "NumericValueOutOfRange" in str(raised.value)
    assert not SECRET.search(str(raised.value))


def test_an_error_in_merged_rows_is_quoted_nowhere(engine: Engine) -> None:
    rows = [*(_order(number) for number in range(2_000)), {**_order(-1), "revenue": None}]
    with pytest.raises(Rejected) as raised, writing(engine) as connection:
        insert_or_update(connection, orders, rows, ["revenue"])
    assert not SECRET.search(str(raised.value))


@pytest.mark.parametrize("count", [10, 3_000])
def test_many_rows_are_merged_as_few_are(engine: Engine, count: int) -> None:
    with writing(engine) as connection:
        insert_or_update(connection, orders, [_order(n, 1) for n in range(count)], ["revenue", "rate"])
        changed = [_order(n, 7) for n in range(count // 2, count + 5)]
        insert_or_update(connection, orders, changed, ["revenue"])
        paid = select(orders.c.revenue, func.count()).group_by(orders.c.revenue)
        assert dict(connection.execute(paid).all()) == {1: count // 2, 7: count - count // 2 + 5}
        assert connection.scalar(select(func.sum(orders.c.refunded))) == 0
        rates = select(orders.c.order_id).where(orders.c.rate == 1.5)
        assert len(connection.execute(rates).all()) == len([n for n in range(count + 5) if n % 2])
        back = [{"order_id": f"o{n}", "refunded_at": 1, "amount": n} for n in range(count)]
        insert_or_ignore(connection, refunds, back)
        insert_or_ignore(connection, refunds, back)
        assert connection.scalar(select(func.count()).select_from(refunds)) == count


@POSTGRESQL
def test_many_rows_go_to_postgresql_by_copy_and_one_statement(engine: Engine) -> None:
    said: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _said(*words: Any) -> None:
        said.append(f"{words[2].split()[0]} {'many' if words[5] else 'once'}")

    with writing(engine) as connection:
        insert_or_update(connection, orders, [_order(n) for n in range(5_000)], ["revenue"])
    assert said == ["CREATE once", "INSERT once", "DROP once"]
