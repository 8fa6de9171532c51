"""Orders come in once, refunds net, and what is left out is counted without saying whose it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, event, func, insert, select

from analysis.orders import KEPT_OF_STRANGERS, OrderLoad, load_orders, orders_watermark
from experiments.audiences import OrderSource
from experiments.database import connect, reading, writing
from experiments.errors import HoldoutsError, Rejected
from experiments.identity import digest
from experiments.schema import entrants, order_loads, orders, phases

SINCE, UNTIL = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    engine = connect(ledger_url)
    yield engine
    engine.dispose()


def _load(engine: Engine, path: Path) -> OrderLoad:
    return load_orders(engine, OrderSource(files=(str(path),)), "EUR", since=SINCE, until=UNTIL, at=UNTIL)


def _csv(folder: Path, *rows: str, head: str = "order_id,email,ordered_at,revenue") -> Path:
    path = folder / "orders.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def _stored(engine: Engine) -> list[tuple[str, bytes, int, int]]:
    columns = (orders.c.order_id, orders.c.unit, orders.c.revenue, orders.c.refunded)
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(orders.c.order_id))]


def test_an_order_is_kept_by_the_digest_of_its_canonical_email_and_in_cents(
    ledger: Engine, tmp_path: Path
) -> None:
    load = _load(ledger, _csv(tmp_path, "a,  Ada@Example.com ,2026-09-02T10:00:00+02:00,19.99"))
    assert (load.accepted, load.rejected) == (1, {})
    assert _stored(ledger) == [("a", digest("ada@example.com"), 1999, 0)]


def test_a_repeated_load_counts_each_order_once_and_takes_over_a_correction(
    ledger: Engine, tmp_path: Path
) -> None:
    row = "a,ada@example.com,2026-09-02,20"
    _load(ledger, _csv(tmp_path, row, row))
    _load(ledger, _csv(tmp_path, "a,ada@example.com,2026-09-02,25"))
    assert _stored(ledger) == [("a", digest("ada@example.com"), 2500, 0)]


def test_a_refund_nets_against_its_order_once_whichever_comes_first(ledger: Engine, tmp_path: Path) -> None:
    refund = "a,,2026-09-05,-5"
    _load(ledger, _csv(tmp_path, refund))
    _load(ledger, _csv(tmp_path, "a,ada@example.com,2026-09-02,20"))
    _load(ledger, _csv(tmp_path, refund, "a,,2026-09-06,-3"))
    assert _stored(ledger) == [("a", digest("ada@example.com"), 2000, 800)]


def test_of_a_load_only_orders_of_which_something_came_back_are_written_again(
    ledger: Engine, tmp_path: Path
) -> None:
    rows = [f"o{n},ada@example.com,2026-09-02,20" for n in range(1_200)]
    netted: list[int] = []

    @event.listens_for(ledger, "before_cursor_execute")
    def _updated(*words: Any) -> None:
        if words[2].startswith("UPDATE orders"):
            netted.append(len(words[3]) if words[5] else 1)

    _load(ledger, _csv(tmp_path, *rows, "o7,,2026-09-05,-5", "o700,,2026-09-05,-6", "o700,,2026-09-06,-1"))
    _load(ledger, _csv(tmp_path, *rows))
    assert {row[0]: row[3] for row in _stored(ledger) if row[3]} == {"o7": 500, "o700": 700}
    assert sum(netted) == 4, "two orders in each load"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",ada@example.com,2026-09-02,20", "no order_id"),
        ("a,,2026-09-02,20", "no e-mail"),
        ("a,ada at example.com,2026-09-02,20", "the e-mail is malformed"),
        ("a,ada@example.com,yesterday,20", "ordered_at is no date"),
        ("a,ada@example.com,,20", "ordered_at is no date"),
        ("a,ada@example.com,2026-09-02,much", "revenue is no number"),
        ("a,ada@example.com,2026-09-02,inf", "revenue is no number"),
    ],
)
def test_a_bad_row_is_left_out_and_told_by_number_and_reason(
    ledger: Engine, tmp_path: Path, row: str, reason: str
) -> None:
    load = _load(ledger, _csv(tmp_path, "ok,bob@example.com,2026-09-02,1", row))
    assert load.accepted == 1
    assert load.rejected == {reason: 1}
    assert [(each.row, each.reason) for each in load.examples] == [(2, reason)]
    assert "ada" not in repr(load)


def test_an_order_in_another_currency_is_refused_and_counted(ledger: Engine, tmp_path: Path) -> None:
    head = "order_id,email,ordered_at,revenue,currency"
    load = _load(
        ledger,
        _csv(tmp_path, "a,a@example.com,2026-09-02,1,USD", "b,b@example.com,2026-09-02,1,eur", head=head),
    )
    assert (load.accepted, load.rejected) == (1, {"currency is not EUR": 1})


def test_orders_outside_the_asked_time_are_not_taken_in(ledger: Engine, tmp_path: Path) -> None:
    rows = [
        "a,a@example.com,2026-08-31T23:59:59Z,1",
        "b,b@example.com,2026-09-01,1",
        "c,c@example.com,2026-10-01,1",
    ]
    assert _load(ledger, _csv(tmp_path, *rows)).accepted == 1


def test_a_time_without_a_zone_is_utc(ledger: Engine, tmp_path: Path) -> None:
    _load(ledger, _csv(tmp_path, "a,a@example.com,2026-09-02 10:00:00,1"))
    with reading(ledger) as connection:
        at = connection.scalar(select(orders.c.ordered_at))
    assert at == int(datetime(2026, 9, 2, 10, tzinfo=UTC).timestamp())


def test_parquet_files_are_read_like_csv(ledger: Engine, tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    pd.DataFrame(
        {"order_id": [1], "email": ["a@example.com"], "ordered_at": [datetime(2026, 9, 2)], "revenue": [2.5]}  # noqa: DTZ001 - as a warehouse exports it
    ).to_parquet(path)
    assert _load(ledger, path).accepted == 1


def test_a_database_is_asked_for_the_time_between_since_and_until(ledger: Engine, tmp_path: Path) -> None:
    shop = tmp_path / "shop.sqlite"
    with sqlite3.connect(shop) as connection:
        connection.execute("create table orders (order_id text, email text, ordered_at text, revenue real)")
        rows = [
            ("a", "a@example.com", "2026-09-02T00:00:00+00:00", 1.0),
            ("b", "b@example.com", "2026-08-02", 1.0),
        ]
        connection.executemany("insert into orders values (?,?,?,?)", rows)
    connection.close()
    query = "select * from orders where ordered_at >= :since and ordered_at < :until"
    source = OrderSource(url=f"sqlite:///{shop}", query=query)
    load = load_orders(ledger, source, "EUR", since=SINCE, until=UNTIL, at=UNTIL)
    assert load.accepted == 1
    assert orders_watermark(ledger) == int(UNTIL.timestamp())


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (OrderSource(files=("nowhere/*.csv",)), "there is no file"),
        (OrderSource(url="env:NO_SUCH_VARIABLE", query="select 1"), "NO_SUCH_VARIABLE is not set"),
        (OrderSource(url="nonsense", query="select 1"), "no database URL"),
        (OrderSource(url="sqlite:////nowhere/shop.sqlite", query="select 1"), "does not answer"),
    ],
)
def test_a_source_that_cannot_be_read_ends_with_one_sentence_and_nothing_written(
    ledger: Engine, source: OrderSource, words: str
) -> None:
    with pytest.raises(HoldoutsError, match=words):
        load_orders(ledger, source, "EUR", since=SINCE, until=UNTIL, at=UNTIL)
    with reading(ledger) as connection:
        assert connection.scalar(select(func.count()).select_from(order_loads)) == 0


def test_a_wrong_query_is_rejected_without_quoting_it(ledger: Engine, tmp_path: Path) -> None:
    source = OrderSource(url=f"sqlite:///{tmp_path}/shop.sqlite", query="select secret from nothing")
    with pytest.raises(Rejected, match="refuses the query") as caught:
        load_orders(ledger, source, "EUR", since=SINCE, until=UNTIL, at=UNTIL)
    assert "secret" not in str(caught.value)


def test_a_file_without_a_needed_column_is_rejected_by_the_columns_name(
    ledger: Engine, tmp_path: Path
) -> None:
    with pytest.raises(Rejected, match="the column revenue is missing"):
        _load(ledger, _csv(tmp_path, "a,a@example.com,2026-09-02", head="order_id,email,ordered_at"))


def test_a_source_that_fails_half_way_leaves_nothing_behind(ledger: Engine, tmp_path: Path) -> None:
    good = _csv(tmp_path, "a,a@example.com,2026-09-02,1")
    (tmp_path / "worse.parquet").write_bytes(b"no parquet")
    source = OrderSource(files=(str(good), str(tmp_path / "worse.parquet")))
    with pytest.raises(Rejected, match="cannot be read"):
        load_orders(ledger, source, "EUR", since=SINCE, until=UNTIL, at=UNTIL)
    assert _stored(ledger) == []


def _enter(engine: Engine, email: str) -> None:
    """Ada has entered an audience."""
    phase = {
        "audience": "cart",
        "number": 1,
        "holdout_group": "cart",
        "salt": "s",
        "ppm": 100_000,
        "universal_salt": "u",
        "universal_ppm": 0,
        "opened_at": 0,
    }
    with writing(engine) as connection:
        key = connection.execute(insert(phases).values(phase)).inserted_primary_key
        assert key is not None
        entry = {"unit": digest(email), "bucket": 0, "universal_bucket": 0, "arm": 1, "entered_at": 0}
        connection.execute(insert(entrants).values(phase_id=key[0], **entry))


def test_a_strangers_order_is_kept_while_they_may_still_enter_and_an_entrants_for_ever(
    ledger: Engine, tmp_path: Path
) -> None:
    _enter(ledger, "ada@example.com")
    rows = [
        f"{who}{day},{who}@example.com,2026-09-{day:02},1" for who in ("ada", "bob") for day in (2, 3, 20)
    ]
    path = _csv(tmp_path, *rows)
    _load(ledger, path)
    assert len(_stored(ledger)) == 6
    path.write_text("order_id,email,ordered_at,revenue\n")
    later = datetime(2026, 9, 3, tzinfo=UTC) + KEPT_OF_STRANGERS
    source = OrderSource(files=(str(path),))
    load_orders(ledger, source, "EUR", since=later - timedelta(days=7), until=later, at=later)
    assert [each[0] for each in _stored(ledger)] == ["ada2", "ada20", "ada3", "bob20", "bob3"]
    later += timedelta(days=1)
    load_orders(ledger, source, "EUR", since=later - timedelta(days=7), until=later, at=later)
    assert [each[0] for each in _stored(ledger)] == ["ada2", "ada20", "ada3", "bob20"]


def test_a_strangers_old_order_that_is_read_again_is_not_kept(ledger: Engine, tmp_path: Path) -> None:
    _enter(ledger, "ada@example.com")
    path = _csv(tmp_path, "a,ada@example.com,2026-09-02,1", "b,bob@example.com,2026-09-02,1")
    until = UNTIL + KEPT_OF_STRANGERS
    load_orders(ledger, OrderSource(files=(str(path),)), "EUR", since=SINCE, until=until, at=until)
    assert [each[0] for each in _stored(ledger)] == ["a"]


def test_a_refund_in_a_later_chunk_than_its_order_is_netted(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.order_source.CHUNK", 1)
    rows = ["a,ada@example.com,2026-09-02,20", "b,bob@example.com,2026-09-02,10", "a,,2026-09-05,-5"]
    assert _load(ledger, _csv(tmp_path, *rows)).refunds == 1
    assert _stored(ledger) == [
        ("a", digest("ada@example.com"), 2000, 500),
        ("b", digest("bob@example.com"), 1000, 0),
    ]


def test_nothing_is_left_in_the_folder_for_temporary_files(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    _load(ledger, _csv(tmp_path, "a,ada@example.com,2026-09-02,20"))
    with pytest.raises(Rejected):
        _load(ledger, tmp_path / "no.csv")
    assert list(place.iterdir()) == []
