from dataclasses import replace

import pytest

from experiments.digests import EMPTY
from flows.refusals import may_be_approved, refusal_text
from sync.plan import Counts, ListPlan, Refusal

REFUSED = ListPlan(
    name="lapsed",
    list="lapsed",
    role="include",
    desired=EMPTY,
    adds=EMPTY,
    removes=EMPTY,
    counts=Counts(profiles=1_234, unusable={"no e-mail": 5, "no at sign": 2}),
    refusals=(Refusal("shrink", "the segment shrank from 5,000 to 1,234"),),
)


def test_a_refused_plan_shows_the_reason_the_figures_and_the_hash() -> None:
    text = refusal_text(REFUSED, None)
    assert "- the segment shrank from 5,000 to 1,234" in text
    assert "| profiles in the segment | 1,234 |" in text
    assert "| without a usable e-mail | 7 |" in text
    assert f"holdouts approve lapsed --plan {REFUSED.hash}" in text


def test_a_refused_plan_links_the_form_where_there_is_one() -> None:
    assert "(https://prefect.example.com/run)" in refusal_text(REFUSED, "https://prefect.example.com/run")
    assert "Run the deployment `approve-plan/approve-plan`" in refusal_text(REFUSED, None)


def test_a_plan_that_nobody_may_let_through_offers_no_way_to_do_it() -> None:
    unread = replace(REFUSED, refusals=(Refusal("unfinished", "the segment is still being built"),))
    assert not may_be_approved(unread)
    assert "approve" not in refusal_text(unread, None)


def test_a_brand_s_refusal_is_approved_by_the_brand_s_own_form_and_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOLDOUTS_BRAND", "acme")
    text = refusal_text(REFUSED, None)
    assert "Run the deployment `approve-plan/acme`" in text
    assert "HOLDOUTS_BRAND=acme holdouts approve" in text
