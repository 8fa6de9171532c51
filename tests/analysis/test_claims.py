"""Which orders of people held out Criteo claims: counted by arm, shown, and allowed for per reachable person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import report_documents as made
from page_reading import text_of
from sqlalchemy import Engine, select
from test_gathered import START, buy
from test_measurement import PROGRAMME, WATERMARK, _facts
from test_measuring_new_draws import DAY, UNTIL, enter
from test_measuring_new_draws import PROGRAMME as SHOP
from test_outcomes import BUCKETS, FIRST, _world

from analysis.claims import claimed_by_arm, claims_are_known, store_claims
from analysis.document import document
from analysis.estimators.dilution import MatchRate
from analysis.estimators.intervals import UNBOUNDED
from analysis.facts import ClaimedOrders, Claims
from analysis.measurement import measure
from analysis.measuring import gather_all
from analysis.orders import KEPT_OF_STRANGERS
from analysis.report.rendering import render_page
from analysis.timeline import Span
from experiments.database import reading
from experiments.phases import Holdout
from experiments.schema import claims

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    id: str
    is_attributed: bool = True
    at: datetime = NOW
    ad_set: str = "cart"
    event: str = "click"


def test_claims_are_counted_by_the_arm_of_who_placed_the_order(engine: Engine) -> None:
    ids, entered, bought = _world(engine, seed=21)
    assert not claims_are_known(engine)
    claimed = {f"o{n}" for n in range(0, 2_000, 3)}
    store_claims(engine, [Row(each) for each in [*claimed, "of another shop"]], NOW)
    assert claims_are_known(engine)
    watermark = FIRST + 45 * DAY
    spans = (
        Span(FIRST, FIRST + 15 * DAY, BUCKETS // 4, BUCKETS // 3, BUCKETS // 50),
        Span(FIRST + 15 * DAY, watermark, BUCKETS // 2, BUCKETS // 2, 0),
    )
    found = claimed_by_arm(engine, ids, spans, watermark=watermark, level="group")
    count = {True: 0, False: 0}
    revenue = {True: 0.0, False: 0.0}
    first = entered.groupby("unit", as_index=False).min(numeric_only=True)
    for person in first.itertuples():
        span = spans[0] if person.entered_at < spans[0].entered_until else spans[1]
        band = span.control_below <= person.bucket < span.treated_from
        if band or person.universal_bucket < span.universal_from or person.entered_at >= watermark:
            continue
        own = bought[(bought.unit == person.unit) & bought.order_id.isin(claimed)]
        own = own[(own.ordered_at >= person.entered_at) & (own.ordered_at < watermark)]
        held_out = person.bucket < span.control_below
        count[held_out] += len(own)
        revenue[held_out] += float((own.revenue - own.refunded).sum()) / 100
    assert (found.holdout.orders, found.treatment.orders) == (count[True], count[False])
    assert found.holdout.revenue == pytest.approx(revenue[True])
    assert found.treatment.revenue == pytest.approx(revenue[False])
    assert min(count.values()) > 50


def test_only_orders_that_criteo_calls_its_own_count_and_each_once(engine: Engine) -> None:
    rows = [Row("a"), Row(" a "), Row("b", is_attributed=False), Row(""), Row("c", event="Display")]
    assert store_claims(engine, rows, NOW) == 2
    assert store_claims(engine, rows, NOW) == 2
    assert store_claims(engine, [], NOW) == 0
    assert claimed_by_arm(engine, [], (), watermark=1, level="group") == Claims()


def test_claims_on_orders_that_the_ledger_lacks_are_not_kept_for_ever(engine: Engine) -> None:
    buy(engine, range(1), START)
    old = NOW - KEPT_OF_STRANGERS - timedelta(seconds=1)
    store_claims(engine, [Row(f"{START}-0", at=old), Row("strange", at=old), Row("new", at=NOW)], NOW)
    with reading(engine) as connection:
        assert set(connection.scalars(select(claims.c.order_id))) == {f"{START}-0", "new"}


def test_claims_under_every_salt_are_added(engine: Engine) -> None:
    enter(engine, range(200), Holdout("s", 500_000, "u", 0), START, START)
    buy(engine, range(200), START + 60)
    (before,) = gather_all(engine, SHOP, START + UNTIL)
    assert before.claims is None
    store_claims(engine, [Row(f"{START + 60}-{n}") for n in range(100)], NOW)
    (facts,) = gather_all(engine, SHOP, START + UNTIL)
    assert facts.claims is not None
    assert facts.claims.holdout.orders + facts.claims.treatment.orders == 100
    assert facts.claims.holdout.revenue == 10.0 * facts.claims.holdout.orders
    assert 25 < facts.claims.holdout.orders < 75


def _claimed(held: float, treated: float) -> Claims:
    """Claims of these shares of either arm's revenue."""
    outcome = _facts().since_entry[0]
    return Claims(
        ClaimedOrders(7, held * outcome.holdout.revenue.y),
        ClaimedOrders(900, treated * outcome.treatment.revenue.y),
    )


def test_claims_on_people_held_out_widen_the_range_per_reachable_person_and_change_nothing_else() -> None:
    tight = replace(_facts(), match=MatchRate(0.5, 0.4, 0.8), claims=_claimed(0.0, 0.3))
    leaky = replace(tight, claims=_claimed(0.06, 0.3))
    a, b = measure(tight), measure(leaky)
    assert a.reachable is not None
    assert b.reachable is not None
    assert (a.reachable.leak, b.reachable.leak) == (0.0, pytest.approx(0.1))
    one, other = a.reachable.per_reachable, b.reachable.per_reachable
    assert one.estimate == other.estimate
    assert one.interval.low == other.interval.low
    assert one.interval.high is not None
    assert other.interval.high == pytest.approx(one.interval.high * 0.4 / 0.3)
    assert (a.verdict, a.money, a.conversions) == (b.verdict, b.money, b.conversions)


def test_claims_as_large_as_the_match_rate_leave_no_limit() -> None:
    found = measure(replace(_facts(), match=MatchRate(0.5, 0.4, 0.8), claims=_claimed(0.29, 0.3)))
    assert found.reachable is not None
    assert found.reachable.per_reachable.interval == UNBOUNDED


def test_the_document_has_counts_revenue_and_shares() -> None:
    found = measure(replace(_facts(), claims=_claimed(0.06, 0.3)))
    told = document(PROGRAMME, [found], WATERMARK, WATERMARK)["experiments"][0]["claimed"]
    assert told["holdout_orders"] == 7
    assert told["holdout_share"] == pytest.approx(0.06)
    assert told["treatment_share"] == pytest.approx(0.3)
    assert document(PROGRAMME, [measure(_facts())], 1, 1)["experiments"][0]["claimed"] is None


def test_the_page_says_what_criteo_claims_of_people_held_out() -> None:
    told = made.report([made.unprofitable()])
    claimed, reachable = (told["experiments"][0][key] for key in ("claimed", "reachable"))
    text = text_of(render_page(told, []))
    assert (
        "Orders of held-out people that Criteo claims 12 worth €812: 3.1 % of what they bought, and 27.4 %"
        in text
    )
    assert "having seen ads as well" not in text
    reachable["leak"] = 0.06
    assert "the range allows for 6.0 % of the people held out" in text_of(render_page(told, []))
    claimed["holdout_orders"] = 0
    assert "that Criteo claims none" in text_of(render_page(told, []))
