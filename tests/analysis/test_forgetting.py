"""Whatever the ledger forgets, and whoever it forgets, each arm's people, buyers and money stay as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select

from analysis.facts import Facts
from analysis.measuring import gather_all
from analysis.orders import KEPT_OF_STRANGERS, load_orders
from benchmarks.ledger_day import DAY, members
from benchmarks.ten_audiences import WATERMARK, fill, programme
from experiments.audiences import OrderSource
from experiments.database import connect, reading, writing
from experiments.schema import entrants, orders, requests, snapshots, syncs
from sync import history, pushes
from sync.applying import apply
from sync.decision import decide
from sync.delivery import Courier
from sync.erasing import erase
from sync.gathering import read_facts
from sync.lists import known_lists
from tests.sync.tiny_criteo import TinyCriteo

LATER = WATERMARK + 400 * DAY
STRANGER = b"\x5a" * 32


@dataclass(frozen=True)
class Ledger:
    engine: Engine
    criteo: TinyCriteo


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """1,000 entries of ten audiences, all on their lists, with 2,000 orders, and one of somebody who never entered."""
    fill(ledger_url, 1_000)
    engine, criteo, plan = connect(ledger_url), TinyCriteo(), programme()
    for turn in range(2):
        at = WATERMARK + turn * DAY
        found = {each.name: members(engine, each.name, at, churn=5) for each in plan.audiences}
        apply(engine, criteo.client(), plan, decide(read_facts(engine, plan, found)), at)
    with writing(engine) as connection:
        paid = {"ordered_at": WATERMARK - DAY, "revenue": 100, "loaded_at": 1}
        connection.execute(insert(orders).values(order_id="stranger", unit=STRANGER, **paid))
    yield Ledger(engine, criteo)
    engine.dispose()


def _totals(engine: Engine) -> list[tuple[object, ...]]:
    """Of every experiment, before its windows have closed and after."""

    def of(facts: Facts) -> tuple[object, ...]:
        return (facts.experiment.name, facts.entered, facts.matured, facts.since_entry, facts.ever_treated)

    return [
        of(facts)
        for until in (WATERMARK - 40 * DAY, WATERMARK)
        for facts in gather_all(engine, programme(), until)
    ]


def _count(engine: Engine, table: object) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def _forget_idle_syncs(ledger: Ledger, _: Path) -> None:
    before = _count(ledger.engine, syncs)
    row = {"synced_at": WATERMARK, "outcome": "applied", "plan": "p", "refusals": "[]"}
    counts = dict.fromkeys(
        ("members", "units", "unusable", "excluded", "claimed", "held_out", "adds", "removes", "rejected"), 0
    )
    with writing(ledger.engine) as connection:
        connection.execute(
            insert(syncs), [{"audience": "a0", **row, **counts, "deferred": 0, "pushed": 0}] * 9
        )
        history.forget_idle_syncs(connection, LATER)
    assert _count(ledger.engine, syncs) < before + 9


def _forget_old_orders(ledger: Ledger, folder: Path) -> None:
    (folder / "none.csv").write_text("order_id,email,ordered_at,revenue\n")
    until = datetime.fromtimestamp(LATER, UTC)
    source = OrderSource(files=(str(folder / "none.csv"),))
    of_entrants = select(orders).where(orders.c.unit.in_(select(entrants.c.unit))).subquery()
    before = _count(ledger.engine, of_entrants)
    load_orders(ledger.engine, source, "EUR", since=until - KEPT_OF_STRANGERS, until=until, at=until)
    assert _count(ledger.engine, orders) == _count(ledger.engine, of_entrants) == before > 0


def _compact(ledger: Ledger, _: Path) -> None:
    with writing(ledger.engine) as connection:
        for each in known_lists(connection):
            pushes.compact(connection, each.id)
    assert _count(ledger.engine, snapshots)


def _erase_some(ledger: Ledger, _: Path) -> None:
    with reading(ledger.engine) as connection:
        buyers = select(orders.c.unit)
        somebody = [
            connection.scalar(
                select(entrants.c.unit).where(entrants.c.arm == arm, entrants.c.unit.in_(buyers)).limit(1)
            )
            for arm in (0, 1, 2)
        ]
    before = _count(ledger.engine, entrants), _count(ledger.engine, orders)
    for unit in map(bytes, somebody):
        courier = Courier(ledger.engine, ledger.criteo.client(), "12345", LATER)
        erase(courier, unit)
        with reading(ledger.engine) as connection:
            for table in (entrants, orders):
                found = select(func.count()).select_from(table).where(table.c.unit == unit)
                assert connection.scalar(found) == 0
            assert unit not in pushes.mentioned(connection)
    assert (_count(ledger.engine, entrants), _count(ledger.engine, orders)) == before


@pytest.mark.parametrize("forget", [_forget_idle_syncs, _forget_old_orders, _compact, _erase_some])
def test_forgetting_leaves_every_arm_exactly_as_it_was(
    ledger: Ledger,
    forget: Callable[[Ledger, Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pushes, "_REPLAY", 1)
    _totals(ledger.engine)  # the first measurement freezes caps and tunings
    before = _totals(ledger.engine)
    assert _count(ledger.engine, requests)
    forget(ledger, tmp_path)
    assert _totals(ledger.engine) == before
