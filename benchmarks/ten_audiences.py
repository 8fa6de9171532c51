"""A ledger that has lists yet to make: ten audiences, who entered them sync by sync, and everybody's orders. I/O."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlalchemy import insert, text

from benchmarks.large_ledger import AUDIENCES, DAY, FIRST, WATERMARK, audiences_file
from experiments.audience_file import parse_programme
from experiments.audiences import Programme
from experiments.bulk import insert_rows
from experiments.database import connect, writing
from experiments.digests import DigestSet
from experiments.phases import Holdout, assign
from experiments.schema import entrants, order_loads, orders, phases

SYNCED_EVERY = 4 * 3_600
"""People enter when a sync sees them."""


def programme() -> Programme:
    """Ten audiences, each its own holdout group."""
    return parse_programme(audiences_file())


def fill(url: str, size: int) -> None:
    """`size` entrants over the audiences, half as many people, twice as many orders."""
    rng = np.random.default_rng(5)
    people = DigestSet.unpack(rng.bytes(32 * (size // 2)))
    engine = connect(url)
    for number in range(AUDIENCES):
        with writing(engine) as connection:
            values = {
                "audience": f"a{number}",
                "number": 1,
                "holdout_group": f"a{number}",
                "salt": f"holdout:v1:a{number}:s0",
                "ppm": 100_000,
                "universal_salt": "holdout:v1:universal:s0",
                "universal_ppm": 20_000,
                "opened_at": FIRST,
            }
            key = connection.execute(insert(phases).values(values)).inserted_primary_key
            assert key is not None
            chosen = np.zeros(len(people), dtype=np.bool_)
            chosen[rng.choice(len(people), size // AUDIENCES, replace=False)] = True
            units = people.where(chosen)
            holdout = _holdout(f"holdout:v1:a{number}:s0")
            assigned = assign(units, holdout)
            at = (FIRST + rng.integers(0, 45 * DAY, len(units)) // SYNCED_EVERY * SYNCED_EVERY).tolist()
            columns = (
                assigned.buckets.tolist(),
                assigned.universal_buckets.tolist(),
                assigned.rules.tolist(),
                at,
            )
            names = ("phase_id", "unit", "bucket", "universal_bucket", "arm", "entered_at")
            rows = ((key[0], unit, *rest) for unit, *rest in zip(units, *columns, strict=True))
            insert_rows(connection, entrants, names, rows)
    count = size * 2
    buyers = rng.integers(0, len(people), count)
    packed = people.pack()
    moments = (FIRST - 28 * DAY + rng.integers(0, 88 * DAY, count)).tolist()
    cents = np.exp(rng.normal(8.3, 0.8, count)).astype(np.int64).tolist()
    bought = (
        (f"o{n:09d}", packed[buyer * 32 : buyer * 32 + 32], at, amount, 0, FIRST)
        for n, (buyer, at, amount) in enumerate(zip(buyers.tolist(), moments, cents, strict=True))
    )
    with writing(engine) as connection:
        names = ("order_id", "unit", "ordered_at", "revenue", "refunded", "loaded_at")
        insert_rows(connection, orders, names, bought)
        load = {
            "loaded_at": WATERMARK,
            "since": FIRST,
            "until": WATERMARK,
            "accepted": count,
            "rejected": "{}",
        }
        connection.execute(insert(order_loads).values(load))
    if engine.dialect.name == "postgresql":
        # What autovacuum does within a minute of such a load.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM (ANALYZE)"))
    engine.dispose()


def _holdout(salt: str) -> Holdout:
    return Holdout(salt, 100_000, "holdout:v1:universal:s0", 20_000)


@contextmanager
def ledger_of(database: str) -> Iterator[str]:
    """An empty ledger of that kind, gone at the end; a URL is used as it is."""
    if database == "postgresql":
        from tests.postgres import cluster, fresh_database

        with cluster() as server, fresh_database(server) as url:
            yield url
    elif database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{Path(folder) / 'ledger.sqlite'}"
    else:
        yield database
