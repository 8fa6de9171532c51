"""What all estimates of ten audiences cost, and what the report does, beside pandas on the same rows. I/O."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from benchmarks.measured import Measured, Part
from benchmarks.process import run, tell
from experiments.database import connect, reading


def measure_analysis(
    size: int, database: str, parts: Sequence[Part], *, with_script: bool = True
) -> list[Measured]:
    """Those of `analysis` and `report` that `parts` names, of one ledger of `size` entrants and twice the orders."""
    with tempfile.TemporaryDirectory() as place, _ledger(database, Path(place)) as (name, url):
        tell(f"  {size:,} entrants: filling {name}")
        run("benchmarks.large_ledger", [url, str(size), place])
        disk, floors = (
            _megabytes(url),
            {"scan": float(run("benchmarks.floors", ["scan", url]).said["seconds"])},
        )
        arms, found = None, []
        if "analysis" in parts:
            tell(f"  {size:,} entrants: analysis")
            ran = run("benchmarks.one_analysis", [url])
            arms = ran.said
            found.append(Measured("analysis", name, "all estimates", size, ran.cost, disk, floors))
        if "report" in parts:
            tell(f"  {size:,} entrants: report")
            environment = {"HOLDOUTS_AUDIENCES": f"{place}/audiences.yaml", "HOLDOUTS_DATABASE_URL": url}
            cost = run("benchmarks.one_report", [f"{place}/report"], environment).cost
            found.append(Measured("report", name, "the whole report", size, cost, disk, floors))
        if not with_script:
            return found
        tell(f"  {size:,} entrants: the straightforward script")
        script = run("benchmarks.straightforward_analysis", [url])
    if arms is not None and script.said != arms:
        raise RuntimeError(f"the two ways disagree: {arms} and {script.said}")
    part = found[0].part
    row = Measured(part, name, "the straightforward script", size, script.cost)
    return [*(replace(each, script=script.cost.seconds) for each in found), row]


@contextmanager
def _ledger(database: str, place: Path) -> Iterator[tuple[str, str]]:
    """How an empty ledger of that kind is called, and its URL; it is gone at the end."""
    if database == "postgresql":
        from tests.postgres import cluster, fresh_database

        with cluster() as server, fresh_database(server) as url:
            yield "PostgreSQL", url
    else:
        yield "SQLite", f"sqlite:///{place / 'ledger.sqlite'}"


def _megabytes(url: str) -> float:
    if url.startswith("sqlite"):
        return Path(make_url(url).database or "").stat().st_size / 2**20
    engine = connect(url)
    with reading(engine) as connection:
        size = connection.scalar(select(func.pg_database_size(func.current_database())))
    engine.dispose()
    return float(size or 0) / 2**20
