"""How fast all estimates of ten audiences come from a ledger, beside pandas on the same rows. I/O."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import insert, text

from analysis.measurement import measure
from analysis.measuring import gather_all
from experiments.audience_file import parse_programme
from experiments.audiences import Programme
from experiments.bulk import insert_rows
from experiments.database import connect, writing
from experiments.digests import DigestSet
from experiments.phases import Holdout, assign
from experiments.schema import entrants, order_loads, orders, phases

AUDIENCES = 10
DAY = 86_400
FIRST = 1_700_000_000
WATERMARK = FIRST + 60 * DAY
_HEAD = 'advertiser: "1"\ncurrency: EUR\nmargin: 45%\nuniversal_holdout: 2%\naudiences:\n'
_AUDIENCE = "  - {{name: a{0}, segment: {1}, holdout: 10%, ad_sets: ['{1}']}}\n"


def programme() -> Programme:
    """Ten audiences, each its own holdout group."""
    return parse_programme(_HEAD + "".join(_AUDIENCE.format(n, n + 1) for n in range(AUDIENCES)))


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
            at = (FIRST + rng.integers(0, 45 * DAY, len(units))).tolist()
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


def ours(url: str) -> None:
    """All estimates, verdicts and gates of every experiment."""
    engine = connect(url)
    plan = programme()
    began = time.perf_counter()
    found = [measure(facts) for facts in gather_all(engine, plan, WATERMARK)]
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    arms = {
        each.experiment.name: [each.revenue.n_holdout, round(each.revenue.mean_holdout, 9)] for each in found
    }
    print(json.dumps({"seconds": seconds, "peak": peak, "arms": arms}))


def pandas(url: str) -> None:
    """The sums of the same windows by merge and groupby; no estimates, no totals since entry."""
    began = time.perf_counter()
    engine = connect(url)
    with engine.connect() as connection:
        entered = pd.read_sql("select * from entrants", connection)
        bought = pd.read_sql("select unit, ordered_at, revenue - refunded as net from orders", connection)
    arms = {}
    for phase, own in entered.groupby("phase_id"):
        mature = own[(own.entered_at + 14 * DAY <= WATERMARK) & (own.arm < 2)]
        joined = mature.merge(bought, on="unit", how="left")
        inside = (joined.ordered_at >= joined.entered_at) & (joined.ordered_at < joined.entered_at + 14 * DAY)
        y = joined.net.where(inside, 0).groupby(joined.unit).sum() / 100
        table = mature.set_index("unit").join(y.rename("y"))
        sums = table.groupby("arm").y.agg(["size", "sum", lambda v: (v**2).sum(), lambda v: (v**3).sum()])
        arms[f"a{int(phase) - 1}"] = [
            int(sums.loc[1, "size"]),
            round(float(sums.loc[1, "sum"] / sums.loc[1, "size"]), 9),
        ]
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "arms": arms}))


def report(size: int, database: str = "sqlite") -> None:
    """Prints seconds, peak memory and one arm's mean of both ways, which must agree."""
    with _ledger(database) as url:
        fill(url, size)
        said = {way: _run(way, url) for way in ("ours", "pandas")}
    for way, each in said.items():
        ratio = said["pandas"]["seconds"] / each["seconds"]
        print(
            f"{database:10} {way:6} {each['seconds']:7.2f} s {each['peak']:7.0f} MB {ratio:5.1f} x  {each['arms']['a0']}",
            flush=True,
        )
    theirs = said["pandas"]["arms"]
    assert {name: said["ours"]["arms"][name] for name in theirs} == theirs, "the two ways disagree"


def _run(way: str, url: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.analysis_speed", way, url]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(found))


@contextmanager
def _ledger(database: str) -> Iterator[str]:
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


def main() -> None:
    """`python -m benchmarks.analysis_speed [ENTRANTS [sqlite | postgresql | URL]]`."""
    words = sys.argv[1:]
    if words[:1] == ["ours"]:
        ours(words[1])
    elif words[:1] == ["pandas"]:
        pandas(words[1])
    else:
        report(int(float(words[0])) if words else 1_000_000, *words[1:2])


if __name__ == "__main__":
    main()
