"""What the report tells beside the lift, from a ledger written by hand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pytest
from sqlalchemy import Engine, insert

from experiments.audiences import Audience, Programme
from experiments.database import writing
from experiments.digests import DigestSet
from experiments.ledger import change_holdout, open_phase
from experiments.phases import Holdout
from experiments.schema import orders, spend, syncs
from experiments.settings import Settings
from flows.facts import operations
from flows.report_facts import firewall_facts, suppression_facts
from flows.session import Session
from sync import pushes
from sync.lists import KnownList, remember_list

HOUR, DAY = 3_600, 86_400
NOW = 1_000 * DAY
BEGAN = NOW - 14 * DAY
LAPSED = Audience(
    name="lapsed", segment=1, role="include", list="lapsed", holdout_group="lapsed", ad_sets=("401",)
)
EVERYONE = Holdout("holdout:v1:lapsed:s0", 1_000_000, "holdout:v1:universal:s0", 0)


@pytest.fixture
def session(engine: Engine) -> Session:
    programme = Programme(advertiser="1", currency="EUR", margin=0.45, audiences=(LAPSED,))
    with writing(engine) as connection:
        remember_list(connection, KnownList("7001", "lapsed", "include", "current"))
    return Session(Settings.read({}), programme, engine)


def people(numbers: Iterable[int]) -> DigestSet:
    return DigestSet.of(hashlib.sha256(f"p{n}@example.com".encode()).digest() for n in numbers)


def push(session: Session, operation: pushes.Operation, numbers: Iterable[int], at: int) -> None:
    with writing(session.engine) as connection:
        number = pushes.write_ahead(connection, "7001", operation, people(numbers), at)
        pushes.settle(connection, number, "confirmed", at=at)


def buy(session: Session, numbers: Iterable[int], at: int) -> None:
    rows = [
        {
            "order_id": f"{at}-{n}",
            "unit": next(iter(people([n]))),
            "ordered_at": at,
            "revenue": 5_000,
            "loaded_at": at,
        }
        for n in numbers
    ]
    with writing(session.engine) as connection:
        connection.execute(insert(orders), rows)


def sync(session: Session, at: int, outcome: str = "applied", adds: int = 0, pushed: int = 100) -> None:
    counts = dict.fromkeys(
        (
            "members",
            "units",
            "unusable",
            "excluded",
            "claimed",
            "held_out",
            "removes",
            "rejected",
            "deferred",
        ),
        0,
    )
    values = {"audience": "lapsed", "synced_at": at, "outcome": outcome, "plan": "", "refusals": "[]"}
    with writing(session.engine) as connection:
        connection.execute(insert(syncs).values(**counts, **values, adds=adds, pushed=pushed))


def charge(session: Session, day: int, cents: int) -> None:
    values = {"ad_set": "401", "day": day, "currency": "EUR", "cost": cents, "loaded_at": NOW}
    claims = dict.fromkeys(("attributed_revenue", "attributed_orders", "displays", "clicks"), 0)
    with writing(session.engine) as connection:
        connection.execute(insert(spend).values(**values, **claims))


def test_the_time_from_purchase_to_removal_and_the_spend_on_buyers(session: Session) -> None:
    push(session, "add", range(100), BEGAN - DAY)
    sync(session, BEGAN + DAY)
    buy(session, range(20), NOW - 5 * DAY)
    buy(session, range(20, 30), NOW - 7 * DAY)  # they stay on the list
    buy(session, range(500, 520), NOW - 5 * DAY)  # they were never on it
    push(session, "remove", range(20), NOW - 5 * DAY + 6 * HOUR)
    charge(session, NOW - 3 * DAY, 140_000)
    found = suppression_facts(session, NOW)["lapsed"]
    assert (found["removal_p50_hours"], found["removal_p95_hours"]) == (6.0, 6.0)
    assert (found["removed"], found["still_listed"], found["weeks"]) == (20, 10, 2.0)
    # 20 people for 6 hours and 10 for a week, of 100 people for a fortnight
    assert found["share"] == pytest.approx((20 * 6 + 10 * 168) / (100 * 336))
    assert found["spend"] == pytest.approx(1_400 * found["share"])


def test_whoever_bought_before_coming_back_to_the_list_is_not_counted(session: Session) -> None:
    push(session, "add", range(5), BEGAN - DAY)
    sync(session, BEGAN + DAY)
    buy(session, range(5), NOW - 10 * DAY)
    push(session, "remove", range(5), NOW - 10 * DAY + HOUR)
    push(session, "add", range(5), NOW - 2 * DAY)
    found = suppression_facts(session, NOW)["lapsed"]
    assert (found["removed"], found["still_listed"]) == (5, 0)


def test_a_list_that_was_never_made_is_left_out(session: Session) -> None:
    other = Session(
        session.settings,
        Programme(
            advertiser="1", currency="EUR", margin=0.45,
            audiences=(Audience(name="new", segment=2, role="include", list="new", holdout_group="new"),),
        ),
        session.engine,
    )  # fmt: skip
    assert suppression_facts(other, NOW) == {}


def test_the_firewall_is_proved_from_the_list_and_not_from_the_plan(session: Session) -> None:
    push(session, "add", range(3), BEGAN)
    with writing(session.engine) as connection:
        change_holdout(connection, "lapsed", 1_000_000, at=BEGAN, route="file", who="", reason="")
        open_phase(connection, LAPSED, EVERYONE, BEGAN)
    found = firewall_facts(session, None)
    assert found["held_out_and_listed"] == {"lapsed": 3}
    assert (found["checked_at"], found["open_ad_sets"]) == (None, [])


def test_the_firewall_tells_the_ad_sets_that_the_nightly_check_found(session: Session) -> None:
    hole = {"code": "measurement.site-tag", "subject": "ad set 490", "sentence": "open", "what_to_do": "link"}
    other = hole | {"code": "suppression.slow"}
    found = firewall_facts(session, {"checked_at": "2026-11-23T04:15:00+00:00", "findings": [other, hole]})
    assert found["open_ad_sets"] == [{"subject": "ad set 490", "sentence": "open", "what_to_do": "link"}]
    assert found["checked_at"] == "2026-11-23T04:15:00+00:00"


def test_freshness_is_of_applied_syncs_and_the_week_counts_all(session: Session) -> None:
    for hours, outcome, adds in (
        (20, "applied", 900),
        (16, "applied", 10),
        (14, "refused", 0),
        (12, "applied", 10),
    ):
        sync(session, NOW - hours * HOUR, outcome, adds)
    sync(session, NOW - 9 * DAY, "failed")
    found = operations(session, NOW)["lapsed"]
    assert found["last_week"] == {"applied": 3, "refused": 1, "failed": 0}
    # the first sync has none before it; two gaps of four hours follow
    assert found["freshness"] == {"p50_hours": 2.0, "p95_hours": pytest.approx(3.8), "people": 20}
    assert operations(session, NOW - 30 * DAY)["lapsed"]["freshness"] is None
