"""A ledger as a large shop's after two months: ten audiences, their lists as pushed, and the orders of everybody. I/O.

Run as `python -m benchmarks.large_ledger URL ENTRANTS FOLDER`; FOLDER gets the audiences file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, insert, text

from experiments.audience_file import parse_programme
from experiments.audiences import Audience
from experiments.bulk import insert_rows
from experiments.database import connect, writing
from experiments.digests import SIZE, DigestSet
from experiments.ledger import change_holdout, open_phase, record_entrants
from experiments.phases import Assigned, Holdout, Rule, assign
from experiments.schema import order_loads, orders
from sync import pushes
from sync.lists import KnownList, remember_list

AUDIENCES = 10
DAY = 86_400
FIRST = 1_700_000_000
WATERMARK = FIRST + 60 * DAY
_REQUEST = 50_000
_HEAD = 'advertiser: "1"\ncurrency: EUR\nmargin: 45%\nuniversal_holdout: 2%\naudiences:\n'
_AUDIENCE = "  - {{name: a{0}, segment: {1}, holdout: 10%, ad_sets: ['{1}']}}\n"
_BATCH = 500_000


def audiences_file() -> str:
    """Ten audiences, each its own holdout group."""
    return _HEAD + "".join(_AUDIENCE.format(n, n + 1) for n in range(AUDIENCES))


def fill(url: str, size: int) -> None:
    """`size` entrants over the audiences, half as many people, twice as many orders."""
    rng = np.random.default_rng(5)
    people = DigestSet.unpack(rng.bytes(SIZE * (size // 2)))
    engine = connect(url)
    for audience in parse_programme(audiences_file()).audiences:
        with writing(engine) as connection:
            _enter(connection, audience, people, size // AUDIENCES, rng)
    _buy(engine, people, 2 * size, rng)
    if engine.dialect.name == "postgresql":
        # What autovacuum does within a minute of such a load.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE)"))
    engine.dispose()


def _enter(
    connection: Connection, audience: Audience, people: DigestSet, count: int, rng: np.random.Generator
) -> None:
    """They come on 45 days, and whoever is treated is on the list."""
    holdout = Holdout(f"holdout:v1:{audience.name}:s0", 100_000, "holdout:v1:universal:s0", 20_000)
    change_holdout(connection, audience.name, 100_000, at=FIRST, route="file", who="", reason="")
    phase = open_phase(connection, audience, holdout, FIRST)
    chosen = np.zeros(len(people), dtype=np.bool_)
    chosen[rng.choice(len(people), count, replace=False)] = True
    assigned = assign(people.where(chosen), holdout)
    day = rng.integers(0, 45, len(assigned.units))
    for number in range(45):
        record_entrants(connection, phase, _only(assigned, day == number), FIRST + number * DAY)
    list_id = str(700 + audience.segment)
    remember_list(connection, KnownList(list_id, audience.list, "include", "current"))
    for part in assigned.units.where(assigned.rules == Rule.TREATMENT).chunks(_REQUEST):
        request = pushes.write_ahead(connection, list_id, "add", part, WATERMARK)
        pushes.settle(connection, request, "confirmed", at=WATERMARK)


def _only(assigned: Assigned, which: Any) -> Assigned:
    return Assigned(
        units=assigned.units.where(which),
        buckets=assigned.buckets[which],
        universal_buckets=assigned.universal_buckets[which],
        rules=assigned.rules[which],
    )


def _buy(engine: Engine, people: DigestSet, count: int, rng: np.random.Generator) -> None:
    """Orders from four weeks before the first entry on; their indexes are made when all are in, which is faster."""
    names = ("order_id", "unit", "ordered_at", "revenue", "refunded", "loaded_at")
    with writing(engine) as connection:
        for index in orders.indexes:
            index.drop(connection)
    for first in range(0, count, _BATCH):
        with writing(engine) as connection:
            insert_rows(
                connection, orders, names, _orders(people.pack(), first, min(_BATCH, count - first), rng)
            )
    load = {"loaded_at": WATERMARK, "since": FIRST, "until": WATERMARK, "accepted": count, "rejected": "{}"}
    with writing(engine) as connection:
        for index in orders.indexes:
            index.create(connection)
        connection.execute(insert(order_loads).values(load))


def _orders(packed: bytes, first: int, count: int, rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    buyers = rng.integers(0, len(packed) // SIZE, count).tolist()
    moments = (FIRST - 28 * DAY + rng.integers(0, 88 * DAY, count)).tolist()
    cents = np.exp(rng.normal(8.3, 0.8, count)).astype(np.int64).tolist()
    for number, (buyer, at, amount) in enumerate(zip(buyers, moments, cents, strict=True), first):
        yield f"o{number:09d}", packed[buyer * SIZE : buyer * SIZE + SIZE], at, amount, 0, FIRST


def main() -> None:
    """Fills the ledger and writes the file."""
    url, size, folder = sys.argv[1:]
    (Path(folder) / "audiences.yaml").write_text(audiences_file())
    fill(url, int(size))


if __name__ == "__main__":
    main()
