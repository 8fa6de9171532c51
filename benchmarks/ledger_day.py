"""A day in the life of a ledger: every job that asks it something, one after the other, by the product's functions. I/O."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from analysis.claims import store_claims
from analysis.measurement import measure
from analysis.measuring import gather_all
from analysis.order_changes import converted_orders, late_orders
from analysis.orders import load_orders, orders_watermark
from experiments.audiences import OrderSource, Programme
from experiments.audit import audit_arms
from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.ledger import current_phase, entrants_of, entries_of, phases_of
from experiments.overlap import overlaps
from experiments.settings import Settings
from flows.facts import operations
from flows.playbook_ledger import read_ledger
from flows.session import Session
from sync.applying import apply
from sync.criteo import Criteo
from sync.decision import decide
from sync.delivery import Courier
from sync.erasing import erase
from sync.gathering import read_facts
from sync.history import approve, last_syncs, match_history
from sync.plan import Membership
from sync.reconciling import reconcile, record_counts

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Claimed:
    """An order that Criteo claims."""

    id: str
    at: datetime
    ad_set: str = "1"
    event: str = "sale"
    is_attributed: bool = True


def live(engine: Engine, programme: Programme, criteo: Criteo, now: int, folder: Path, churn: int) -> None:
    """Orders come, two syncs run with so many people coming and going, and everything that reads is read once."""
    _load(engine, now, folder, churn)
    for turn in range(2):
        _sync(engine, programme, criteo, now + turn * 3_600, churn)
    record_counts(engine, reconcile(engine, criteo, programme, now + DAY), now + DAY)
    watermark = orders_watermark(engine)
    assert watermark is not None
    for until in (watermark - 40 * DAY, watermark):  # while most are inside the window, and after it
        for facts in gather_all(engine, programme, until):
            measure(facts)
    converted_orders(engine, watermark)
    late_orders(engine, watermark - 7 * DAY, watermark - 7 * DAY)
    names = [each.name for each in programme.includes]
    with reading(engine) as connection:
        audit_arms(connection, phases_of(connection, names))
        last_syncs(connection)
        match_history(connection, now - 28 * DAY)
        person = next(iter(_known(engine, names[0])))
        entries_of(connection, person)
        overlaps(connection, programme)
    read_ledger(engine, programme, now + DAY)
    operations(Session(Settings.read({}), programme, engine), now + DAY)
    erase(Courier(engine, criteo, programme.advertiser, now + DAY), person)


def _load(engine: Engine, now: int, folder: Path, rows: int) -> None:
    """So many new orders, half as many refunds of old ones, and what Criteo claims of them."""
    day = datetime.fromtimestamp(now - DAY, UTC)
    table = folder / "orders.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["order_id", "email", "ordered_at", "revenue"])
        writer.writerows([f"n{n}", f"buyer{n}@example.com", day.isoformat(), "42.00"] for n in range(rows))
        writer.writerows([f"o{n:09d}", "", day.isoformat(), "-5.00"] for n in range(rows // 2))
    source = OrderSource(files=(str(table),))
    at = datetime.fromtimestamp(now, UTC)
    load_orders(engine, source, "EUR", since=day, until=at, at=at)
    store_claims(engine, [Claimed(f"o{n:09d}", day) for n in range(rows)], at)


def _sync(engine: Engine, programme: Programme, criteo: Criteo, at: int, churn: int) -> None:
    memberships = {each.name: members(engine, each.name, at, churn) for each in programme.audiences}
    plan = decide(read_facts(engine, programme, memberships))
    with writing(engine) as connection:
        for each in plan.refused:
            approve(connection, each.name, each.hash, at=at, who="a test", reason="it is the first sync")
    plan = decide(read_facts(engine, programme, memberships))
    assert not plan.refused, [each.refusals for each in plan.refused]
    apply(engine, criteo, programme, plan, at)


def members(engine: Engine, audience: str, at: int, churn: int) -> Membership:
    """Who entered so far, without a few, and a few who are new."""
    known = _known(engine, audience)
    stay = np.ones(len(known), dtype=np.bool_)
    stay[at % 97 :: max(1, len(known) // churn)] = False
    new = DigestSet.unpack(np.random.default_rng([at, len(known)]).bytes(32 * churn))
    units = known.where(stay) | new
    return Membership(units, profiles=len(units), reported=len(units))


def _known(engine: Engine, audience: str) -> DigestSet:
    with reading(engine) as connection:
        phase = current_phase(connection, audience)
        return DigestSet.of(()) if phase is None else entrants_of(connection, phase.id)
