"""The order query runs where the orders are; only what it gives travels, a chunk at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import psycopg
import pytest
from postgres import fresh_database
from sqlalchemy import Engine, create_engine, func, insert, select, text

from analysis.order_source import CHUNK, order_frames
from analysis.orders import OrderLoad, load_orders
from experiments.audiences import OrderSource
from experiments.database import connect, reading, writing
from experiments.errors import HoldoutsError, Rejected, Retryable
from experiments.identity import digest
from experiments.schema import order_loads, orders, secrets

SINCE, UNTIL = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)
QUERY = "select * from orders where ordered_at >= :since and ordered_at < :until"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'holdouts.sqlite'}")
    yield engine
    engine.dispose()


_POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgres)


@pytest.fixture(params=["duckdb", "sqlite", _POSTGRESQL])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a shop's database with an order in August, two in September and one in October."""
    if request.param == "postgresql":
        with fresh_database(request.getfixturevalue("postgres_server")) as url:
            _fill(url, "timestamptz")
            yield url
        return
    url = f"{request.param}:///{tmp_path / 'shop.db'}"
    _fill(url, "text" if request.param == "sqlite" else "timestamptz")
    yield url


def _fill(url: str, moment: str) -> None:
    shop = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    rows = [
        ("a", "ada@example.com", "2026-08-31T23:59:59+00:00", "1.00"),
        ("b", "ada@example.com", "2026-09-01T00:00:00+00:00", "19.99"),
        ("c", "Bob@Example.com", "2026-09-30T23:59:59+00:00", "5.00"),
        ("d", "bob@example.com", "2026-10-01T00:00:00+00:00", "7.00"),
    ]
    with shop.begin() as connection:
        connection.execute(
            text(
                f"create table orders (order_id text, email text, ordered_at {moment}, revenue decimal(10, 2))"
            )
        )
        for row in rows:
            connection.execute(
                text("insert into orders values (:id, :email, :at, :revenue)"),
                dict(zip(("id", "email", "at", "revenue"), row, strict=True)),
            )
    shop.dispose()


def _load(ledger: Engine, source: OrderSource) -> OrderLoad:
    return load_orders(ledger, source, "EUR", since=SINCE, until=UNTIL, at=UNTIL)


def _stored(ledger: Engine) -> list[tuple[str, bytes, int]]:
    columns = (orders.c.order_id, orders.c.unit, orders.c.revenue)
    with reading(ledger) as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(orders.c.order_id))]


def test_the_query_gives_this_windows_rows_and_no_other_row_travels(ledger: Engine, shop: str) -> None:
    frames = list(order_frames(OrderSource(shop, QUERY), SINCE, UNTIL))
    assert sorted(frames[0]["order_id"]) == ["b", "c"]
    assert len(frames) == 1
    load = _load(ledger, OrderSource(shop, QUERY))
    assert (load.accepted, load.rejected) == (2, {})
    assert _stored(ledger) == [
        ("b", digest("ada@example.com"), 1999),
        ("c", digest("bob@example.com"), 500),
    ]


@pytest.mark.parametrize("shop", ["duckdb", _POSTGRESQL], indirect=True)
def test_a_source_is_never_written_to(shop: str) -> None:
    deleting = OrderSource(shop, "delete from orders where order_id = 'a' returning *")
    with pytest.raises(Rejected, match="refuses the query"):
        list(order_frames(deleting, SINCE, UNTIL))
    left = create_engine(shop.replace("postgresql:", "postgresql+psycopg:"))
    with left.connect() as connection:
        assert connection.scalar(text("select count(*) from orders")) == 4
    left.dispose()


def test_a_duckdb_file_can_be_read_by_others_at_the_same_time(tmp_path: Path) -> None:
    """Whoever opens it for writing locks everybody else out."""
    _fill(f"duckdb:///{tmp_path / 'shop.db'}", "timestamptz")
    reading_it = order_frames(OrderSource(f"duckdb:///{tmp_path / 'shop.db'}", QUERY), SINCE, UNTIL)
    assert len(next(reading_it)) == 2
    code = f"import duckdb; print(duckdb.connect({str(tmp_path / 'shop.db')!r}, read_only=True).sql('from orders').shape)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout == "(4, 4)\n"
    assert list(reading_it) == []


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("duckdb:////nowhere/shop.db", Retryable, "does not answer"),
        ("postgresql://reader:password@127.0.0.1:1/shop", Retryable, "does not answer"),
        ("snowflake://reader:password@account/shop", Rejected, "no database URL that SQLAlchemy knows"),
        ("bigquery://project", Rejected, "no database URL that SQLAlchemy knows"),
    ],
)
def test_a_source_that_cannot_be_reached_ends_with_one_sentence_without_its_password(
    ledger: Engine, url: str, error: type[HoldoutsError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        _load(ledger, OrderSource(url, QUERY))
    assert "password" not in str(caught.value)
    assert _stored(ledger) == []


def test_a_query_that_fails_after_its_first_rows_leaves_nothing_behind(
    ledger: Engine, tmp_path: Path
) -> None:
    """The error comes with a late row, when earlier chunks were handed over already."""
    duckdb.connect(str(tmp_path / "shop.db")).close()
    rows = CHUNK * 3
    failing = (
        f"select i as order_id, 'p'||i||'@example.com' as email, timestamptz '2026-09-02' as ordered_at, "
        f"case when i = {rows - 1} then error('broken disk') else 1 end as revenue from range({rows}) t(i)"
    )
    with pytest.raises(Rejected, match="refuses the query") as caught:
        _load(ledger, OrderSource(f"duckdb:///{tmp_path / 'shop.db'}", failing))
    assert "broken" not in str(caught.value)
    with reading(ledger) as connection:
        assert connection.scalar(select(func.count()).select_from(orders)) == 0
        assert connection.scalar(select(func.count()).select_from(order_loads)) == 0


def test_the_ledger_can_be_written_while_the_shop_is_slow(ledger: Engine, tmp_path: Path) -> None:
    """A sync writes entrants and requests while a load waits for its source."""
    slow = tmp_path / "orders.csv"
    os.mkfifo(slow)
    loads: list[OrderLoad] = []
    loading = threading.Thread(target=lambda: loads.append(_load(ledger, OrderSource(files=(str(slow),)))))
    loading.start()
    with slow.open("w") as shop:
        with writing(ledger) as connection:
            connection.execute(insert(secrets).values(name="sync", value=bytes(32)))
        assert _stored(ledger) == []
        shop.write("order_id,email,ordered_at,revenue\na,ada@example.com,2026-09-02,1\n")
    loading.join()
    assert loads[0].accepted == 1
    assert len(_stored(ledger)) == 1


_PEAK = """
import resource, sys
from datetime import UTC, datetime
from analysis.order_source import order_frames
from experiments.audiences import OrderSource
rows = 0
for frame in order_frames(OrderSource(sys.argv[1], sys.argv[2]), datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)):
    rows += len(frame)
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""

MANY = {
    "duckdb": "from range({}) t(i)",
    "sqlite": "from (with recursive t(i) as (select 0 union all select i + 1 from t where i + 1 < {}) select i from t) t",
    "postgresql": "from generate_series(0, {} - 1) t(i)",
}


def test_memory_does_not_grow_with_the_number_of_rows(shop: str, peak: Callable[[str, int], int]) -> None:
    """Four times the rows, half a kilobyte each: held at once they would be 150 MB more."""
    assert peak(shop, 8 * CHUNK) - peak(shop, 2 * CHUNK) < 60


@pytest.fixture
def peak(tmp_path: Path) -> Callable[[str, int], int]:
    """Peak memory in MB of a process that reads so many orders from a database."""
    script = tmp_path / "reading.py"
    script.write_text(_PEAK)

    def measured(url: str, rows: int) -> int:
        query = (
            "select 'order' || i as order_id, 'p' || i || '@example.com' as email, "
            f"'2026-09-02' as ordered_at, 1.5 as revenue, '{'n' * 400}' as note "
            + MANY[url.partition(":")[0]].format(rows)
        )
        command = [sys.executable, str(script), url, query]
        read, megabytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert int(read) == rows
        return int(megabytes)

    return measured


@pytest.mark.parametrize("shop", [_POSTGRESQL], indirect=True)
def test_a_reader_of_the_shop_needs_no_right_to_write(ledger: Engine, shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute("drop role if exists orders_reader")
        connection.execute("create role orders_reader login")
        connection.execute("grant select on orders to orders_reader")
    assert _load(ledger, OrderSource(shop.replace("postgres@", "orders_reader@"), QUERY)).accepted == 2
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute("drop owned by orders_reader")
        connection.execute("drop role orders_reader")
