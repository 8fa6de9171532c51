"""Large orders cut off: the same lift without the order that carried it, and what the cap took away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import report_documents as made
from page_reading import text_of
from test_measurement import PROGRAMME, WATERMARK, _facts

from analysis.document import document
from analysis.estimators.sums import ArmSums
from analysis.facts import Facts, OrderCap
from analysis.heavy_tails import read_capped, rounded_cap
from analysis.measurement import measure
from analysis.report.rendering import render_page

CAP = OrderCap(44_000, 5_120, WATERMARK - 60 * 86_400, WATERMARK)


def _with_a_whale(limit: float = 440.0) -> Facts:
    """An order of 200,000 in the holdout, and one order each per buyer."""
    facts = _facts(lift=0.5)
    rng = np.random.default_rng(8)
    arms = {}
    for name, n, rate in (("holdout", 8_000, 0.05), ("treatment", 32_000, 0.075)):
        paid = np.where(rng.random(n) < rate, np.exp(rng.normal(4.0, 0.5, n)), 0.0)
        if name == "holdout":
            paid[0] = 200_000.0
        arm = getattr(facts.since_entry[0], name)
        arms[name] = replace(
            arm,
            revenue=ArmSums.from_values(paid),
            capped=ArmSums.from_values(np.minimum(paid, limit)),
        )
    outcome = replace(facts.since_entry[0], **arms)
    return replace(facts, matured=(outcome,), since_entry=(outcome,), cap=CAP)


@pytest.mark.parametrize(
    ("cents", "cap"), [(43_721, 44_000), (44_999, 45_000), (104_999, 100_000), (137, 140), (99, 99), (0, 1)]
)
def test_a_cap_has_two_digits_and_is_at_least_a_cent(cents: int, cap: int) -> None:
    assert rounded_cap(cents) == cap


def test_one_large_order_no_longer_hides_the_lift() -> None:
    found = measure(_with_a_whale())
    assert found.capped is not None
    assert not found.revenue.always_valid.estimate.interval.is_above(0.0)
    assert found.capped.revenue.always_valid.estimate.interval.is_above(0.0)


def test_the_share_taken_away_is_of_both_arms_together() -> None:
    facts = _with_a_whale()
    arms = (facts.since_entry[0].holdout, facts.since_entry[0].treatment)
    found = read_capped(facts)
    assert found is not None
    whole = sum(arm.revenue.y for arm in arms)
    assert found.removed == pytest.approx(1 - sum(arm.capped.y for arm in arms) / whole, rel=1e-12)
    assert found.removed == pytest.approx((200_000 - 440) / whole, abs=1e-3)


def test_nobody_who_bought_is_no_share_and_no_error() -> None:
    empty = ArmSums.from_values(np.zeros(50))
    facts = _with_a_whale()
    arm = replace(facts.since_entry[0].holdout, revenue=empty, capped=empty)
    outcome = replace(facts.since_entry[0], holdout=arm, treatment=arm)
    found = read_capped(replace(facts, since_entry=(outcome,), matured=()))
    assert found is not None
    assert found.removed is None
    assert found.increment.total is None


def test_without_a_cap_nothing_is_capped() -> None:
    found = measure(_facts())
    assert found.capped is None
    assert document(PROGRAMME, [found], WATERMARK, WATERMARK)["experiments"][0]["capped"] is None


def test_the_document_has_the_cap_both_readings_and_the_share() -> None:
    found = measure(_with_a_whale())
    told = document(PROGRAMME, [found], WATERMARK, WATERMARK)["experiments"][0]
    assert found.capped is not None
    assert told["capped"]["limit"] == 440.0
    assert told["capped"]["orders"] == 5_120
    assert told["capped"]["removed"] == found.capped.removed
    assert told["capped"]["revenue"]["estimate"] == found.capped.revenue.always_valid.estimate.estimate
    assert told["capped"]["increment"]["total"] == found.capped.increment.total
    assert told["revenue"]["estimate"] != told["capped"]["revenue"]["estimate"]


def test_the_page_shows_capped_beside_uncapped_with_the_share_taken_away() -> None:
    text = text_of(render_page(made.report([made.unprofitable()]), []))
    assert "each order counts up to €440" in text
    assert "takes away 3.1\u202f% of the revenue" in text or "takes away 3.1 % of the revenue" in text
    assert "Revenue per person, capped" in text
    assert "Revenue added, capped" in text


def test_the_page_withholds_capped_numbers_like_the_others() -> None:
    told = made.report([made.invalid()])
    text = text_of(render_page(told, []))
    assert "Revenue per person, capped withheld: a check failed" in text
    told["experiments"][0]["capped"] = None
    assert "no cap yet" in text_of(render_page(told, []))
