"""The early look: people still inside the window count for the days behind them, and nothing is decided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import report_documents as made
from page_reading import text_of
from reference_cases import CASES
from sqlalchemy import Engine
from test_measurement import PROGRAMME, WATERMARK, _facts
from test_outcomes import BUCKETS, DAY, FIRST, _world

from analysis.document import document
from analysis.early import Seen, SeenSpan, read_early, window_days
from analysis.early_outcomes import count_seen
from analysis.estimators.intervals import UNBOUNDED
from analysis.measurement import measure
from analysis.report.rendering import render_page
from analysis.timeline import Span

CASE = CASES["censored_window"]
SPANS = (
    Span(FIRST, FIRST + 15 * DAY, BUCKETS // 4, BUCKETS // 3, BUCKETS // 50),
    Span(FIRST + 15 * DAY, FIRST + 40 * DAY, BUCKETS // 2, BUCKETS // 2, 0),
)


def _naive(entered: pd.DataFrame, bought: pd.DataFrame, span: Span, days: int, watermark: int) -> SeenSpan:
    first = entered.groupby("unit", as_index=False).min(numeric_only=True)
    arms: dict[bool, tuple[dict[int, int], dict[tuple[int, int], int]]] = {True: ({}, {}), False: ({}, {})}
    for person in first.itertuples():
        inside = span.entered_from <= person.entered_at < min(span.entered_until, watermark)
        band = span.control_below <= person.bucket < span.treated_from
        if not inside or band or person.universal_bucket < span.universal_from:
            continue
        people, buyers = arms[bool(person.bucket < span.control_below)]
        seen = min(days, (watermark - person.entered_at) // DAY)
        people[seen] = people.get(seen, 0) + 1
        own = bought[(bought.unit == person.unit) & (bought.revenue > bought.refunded)]
        day = (own.ordered_at - person.entered_at) // DAY
        day = day[(day >= 0) & (day < seen)]
        if len(day):
            buyers[seen, int(day.min())] = buyers.get((seen, int(day.min())), 0) + 1
    return SeenSpan(Seen(*arms[True]), Seen(*arms[False]))


@pytest.mark.parametrize("phases_used", [1, 2])
def test_the_statement_counts_what_a_loop_over_people_counts(engine: Engine, phases_used: int) -> None:
    ids, entered, bought = _world(engine, seed=11)
    entered = entered[entered.phase_id.isin(ids[:phases_used])]
    watermark = FIRST + 31 * DAY + 4_000
    found = count_seen(engine, ids[:phases_used], SPANS, 7 * DAY, watermark=watermark, level="group")
    assert found == tuple(_naive(entered, bought, span, 7, watermark) for span in SPANS)
    assert found[1].holdout.buyers > 10


def test_nobody_entered_is_nobody_seen(engine: Engine) -> None:
    assert count_seen(engine, [], SPANS, DAY, watermark=FIRST, level="group") == ()
    ids, *_ = _world(engine, seed=12, people=5)
    empty = count_seen(engine, ids, SPANS, DAY, watermark=FIRST, level="group")
    assert [each.n for each in empty] == [0, 0]


def test_a_window_is_read_by_days_and_a_short_one_at_once() -> None:
    assert window_days(14 * DAY) == (14, DAY)
    assert window_days(4 * 3_600) == (1, 4 * 3_600)
    assert window_days(36 * 3_600) == (1, 36 * 3_600)


def _reference(arm: str) -> Seen:
    people: dict[int, int] = {}
    first: dict[tuple[int, int], int] = {}
    for entry, unit_arm, purchases in CASE["units"]:
        if unit_arm != arm:
            continue
        seen = min(CASE["window_days"], CASE["analysis_day"] - entry)
        people[seen] = people.get(seen, 0) + 1
        days = [day for day, _ in purchases if day < seen]
        if days:
            first[seen, min(days)] = first.get((seen, min(days)), 0) + 1
    return Seen(people, first)


def test_the_worked_example_by_hand() -> None:
    """T: one bought first on day 0, two on day 1, one on day 4 and one on day 6, of those seen who had not yet."""
    days = _reference("T").days(CASE["window_days"])
    at_risk = [(8, 1), (6, 2), (4, 0), (4, 0), (3, 1), (2, 0), (2, 1)]
    assert [(day.at_risk, day.total) for day in days] == at_risk
    found = read_early([SeenSpan(_reference("C"), _reference("T"))], CASE["window_days"], 1.0)
    bought_t = 1 - (7 / 8) * (4 / 6) * (2 / 3) * (1 / 2)
    held = [(day.at_risk, day.total) for day in _reference("C").days(CASE["window_days"])]
    bought_c = 1 - np.prod([1 - k / n for n, k in held])
    assert found.estimate.estimate == pytest.approx(bought_t / bought_c - 1)
    assert found.estimate.interval == UNBOUNDED


def test_without_anybody_inside_the_window_it_is_the_plain_ratio() -> None:
    span = SeenSpan(Seen({7: 1_000}, {(7, 0): 30, (7, 5): 20}), Seen({7: 9_000}, {(7, 1): 540}))
    found = read_early([span], 7, 900.0)
    assert found.estimate.estimate == pytest.approx((540 / 9_000) / (50 / 1_000) - 1)
    assert found.estimate.interval.low is not None
    assert found.estimate.interval.low < 0.2 < (found.estimate.interval.high or 0.0)


def test_it_finds_the_lift_of_the_whole_window_where_the_mean_of_everybody_does_not() -> None:
    """Ads that only bring orders forward: much more on the first day, nothing over the whole window."""
    rng = np.random.default_rng(5)
    window, n = 10, 60_000
    early_share = {"holdout": 0.1, "treatment": 0.9}
    arms, naive = {}, {}
    for name, share in early_share.items():
        seen = np.minimum(window, rng.integers(0, 14, n))
        buys = rng.random(n) < 0.1
        day = np.where(rng.random(n) < share, 0, rng.integers(1, window, n))
        people = {int(s): int((seen == s).sum()) for s in range(window + 1)}
        known = buys & (day < seen)
        first = {
            (int(s), int(d)): int((known & (seen == s) & (day == d)).sum())
            for s in range(window + 1)
            for d in range(window)
        }
        arms[name], naive[name] = Seen(people, first), known.mean()
    found = read_early([SeenSpan(arms["holdout"], arms["treatment"])], window, 30_000.0)
    assert naive["treatment"] / naive["holdout"] - 1 > 0.3
    assert found.estimate.estimate == pytest.approx(0.0, abs=0.05)
    assert not found.estimate.interval.excludes(0.0)


def test_a_span_that_nobody_has_been_in_for_a_whole_window_is_left_out() -> None:
    old = SeenSpan(Seen({7: 1_000}, {(7, 0): 50}), Seen({7: 9_000}, {(7, 1): 540}))
    young = SeenSpan(Seen({2: 1_000}, {(2, 0): 50}), Seen({2: 9_000}, {(2, 1): 90}))
    assert read_early([old, young], 7, 900.0) == read_early([old], 7, 900.0)
    nothing = read_early([young], 7, 900.0)
    assert (nothing.estimate.estimate, nothing.people) == (None, 0)


def test_fewer_than_twenty_held_out_buyers_have_no_range() -> None:
    span = SeenSpan(Seen({7: 1_000}, {(7, 0): 19}), Seen({7: 9_000}, {(7, 1): 540}))
    assert read_early([span], 7, 900.0).estimate.interval == UNBOUNDED


def test_the_early_look_changes_no_verdict_and_stands_in_the_document() -> None:
    span = SeenSpan(Seen({14: 10_000}, {(14, 0): 500}), Seen({14: 90_000}, {(14, 1): 9_000}))
    found = measure(replace(_facts(lift=0.0), early=(span,)))
    plain = measure(_facts(lift=0.0))
    assert found.verdict == plain.verdict
    told = document(PROGRAMME, [found], WATERMARK, WATERMARK)["experiments"][0]
    assert told["early"]["estimate"] == pytest.approx(1.0)
    assert "no verdict" in told["early"]["method"]
    assert document(PROGRAMME, [plain], 1, 1)["experiments"][0]["early"] is None


def test_the_page_calls_it_early_and_gives_no_number_without_its_range() -> None:
    told = made.report([made.unprofitable()])
    early = told["experiments"][0]["early"]
    assert (
        "Lift in buyers, early look (no verdict) +17.2 %, between −9.1 % and +51.0 %; from 12 400 people"
        in text_of(render_page(told, []))
    )
    early["interval"] = [None, None]
    assert "early look (no verdict) nothing yet: 41 held-out people have bought" in text_of(
        render_page(told, [])
    )
    early["estimate"] = None
    assert "(no verdict) nothing yet: nobody in both halves" in text_of(render_page(told, []))
    assert "17.2" not in text_of(render_page(made.report([made.invalid()]), []))
