"""No statement of a sync or a measurement reads all people or orders where an index serves, and every index serves one."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text

from benchmarks.large_ledger import WATERMARK
from benchmarks.ledger_day import DAY, live
from benchmarks.plans import Asked, statements_of
from benchmarks.ten_audiences import fill, programme
from experiments.database import connect
from experiments.schema import metadata
from tests.sync.tiny_criteo import TinyCriteo

ENTRANTS = 2_000

READ_WHOLE = {
    "analysis.outcomes.sum_cells": "each audience's people are merged with the orders in the order of their index",
    "analysis.cap_freezing._thousandth": "by time from the first order on, and no further than the thousandth",
    "analysis.cap_freezing._read": "once in an experiment's life: a percentile of all orders",
    "analysis.order_changes.converted_orders": "once a report: a total over all orders",
    "analysis.order_changes.late_orders": "once a report: a total over all orders",
    "analysis.early_outcomes.count_seen": "the same, while most are inside the window",
    "flows.playbook_ledger.__init__": "once a night: everybody who ever bought",
    "sync.erasing.complete_erasures": "only when somebody is erased: a mark can be found only by trying everybody",
}
"""Functions that read every order or everybody, with the reason."""
PEOPLE = ("entrants", "orders")


def _asked(ledger_url: str, tmp_path: Path) -> list[Asked]:
    fill(ledger_url, ENTRANTS)
    engine = connect(ledger_url)
    _count_rows(engine)
    with statements_of(engine, without_scans=True) as found:
        live(engine, programme(), TinyCriteo().client(), WATERMARK + DAY, tmp_path, churn=20)
    engine.dispose()
    return found


def _count_rows(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def test_only_what_must_reads_all_people_or_orders_and_every_index_is_read(
    ledger_url: str, tmp_path: Path
) -> None:
    asked = _asked(ledger_url, tmp_path)
    known = {each.by for each in asked}
    hot = ("sync", "experiments.ledger", "analysis.outcomes", "analysis.early_outcomes", "analysis.orders")
    assert [name for name in hot if not any(by.startswith(name) for by in known)] == []
    whole = {
        each.by: str(step)
        for each in asked
        for step in each.steps
        if step.table in PEOPLE and not step.is_bounded
    }
    assert {by: step for by, step in whole.items() if by not in READ_WHOLE} == {}
    assert READ_WHOLE.keys() <= known, "a reason for what nobody asks any more"
    read = {step.index for each in asked for step in each.steps}
    made = {index.name for table in metadata.tables.values() for index in table.indexes}
    assert made - read == set(), "an index that no statement reads costs every write"
    sums = [each for each in asked if each.by == "analysis.outcomes.sum_cells"]
    assert "orders_by_unit" in {step.index for each in sums for step in each.steps}
    scanned = {step.table for each in sums for step in each.steps if step.kind == "Seq Scan"}
    assert not scanned & set(PEOPLE)
