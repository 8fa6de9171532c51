"""Measurement: holdouts that answer, ad sets that reach nobody held out, spend that belongs to somebody."""

from dataclasses import replace
from datetime import timedelta

import pytest
from shops import NOW, TODAY, codes, shop, syncs, the, with_known, with_programme

from experiments.audiences import CriteoTest
from experiments.playbook.facts import DAY, AdSet, Answer, Loads, Snapshot

NAME = "lapsed-60-120d"


def test_an_include_audience_without_a_holdout_is_a_finding() -> None:
    found = the(with_known(NAME, holdout_ppm=0, answer=None), "measurement.no-holdout")
    assert (found.audience, found.severity) == (NAME, "high")
    assert codes(with_known(NAME, holdout_ppm=None)) == []


@pytest.mark.parametrize("days", [(-5, 5), (0, 0)])
def test_criteo_s_own_test_on_ad_sets_that_are_measured_is_a_finding(days: tuple[int, int]) -> None:
    found = the(criteo_runs(*days, ad_set=f"ads of {NAME}"), "measurement.criteo-test")
    assert (found.audience, found.severity, found.figure, found.subject) == (NAME, "high", 1, "uplift")


def test_a_test_of_another_time_or_other_ad_sets_or_people_who_are_all_treated_is_none() -> None:
    ours = f"ads of {NAME}"
    assert codes(criteo_runs(-9, -1, ad_set=ours)) == codes(criteo_runs(1, 9, ad_set=ours)) == []
    assert codes(criteo_runs(-5, 5, ad_set="401")) == []
    everybody = with_known(NAME, holdout_ppm=0, answer=None).known
    assert codes(replace(criteo_runs(-5, 5, ad_set=ours), known=everybody)) == [
        ("measurement.no-holdout", NAME)
    ]


def criteo_runs(first: int, last: int, *, ad_set: str) -> Snapshot:
    days = (TODAY + timedelta(first), TODAY + timedelta(last))
    return with_programme(criteo_tests=(CriteoTest("uplift", (ad_set,), *days),))


def test_a_holdout_too_small_to_answer_is_told_which_one_would() -> None:
    found = the(with_known(NAME, answer=Answer(0.2, 27.0, 8.0, 0.19)), "measurement.holdout-too-small")
    assert found.figure == 27.0
    assert f"holdouts set {NAME} 19%" in found.what_to_do
    assert codes(with_known(NAME, answer=Answer(0.2, 26.0, 8.0, 0.19))) == []


def test_a_holdout_larger_than_its_question_needs_costs_the_part_too_many() -> None:
    found = the(with_known(NAME, answer=Answer(0.2, 5.0, 2.0, 0.04)), "measurement.holdout-too-large")
    assert (found.severity, found.cost and found.cost.amount) == ("low", pytest.approx(24.0))
    assert codes(with_known(NAME, answer=Answer(0.2, 5.0, 2.0, 0.051))) == []


def test_a_share_is_named_in_steps_that_people_set_and_is_surely_enough() -> None:
    found = the(with_known(NAME, answer=Answer(0.2, 5.0, 2.0, 0.037166)), "measurement.holdout-too-large")
    assert f"holdouts set {NAME} 4%" in found.what_to_do


def test_windows_of_one_group_are_told_together() -> None:
    found = the(with_known("cart-0-4h", answer=Answer(0.2, 27.0, 8.0, 0.19)), "measurement.holdout-too-small")
    assert "held out of the group cart" in found.sentence
    assert found.what_to_do.endswith("holdouts set cart-0-4h 19% --reason TEXT, and its other windows alike")


def ad_sets(*more: AdSet) -> tuple[AdSet, ...]:
    return (*(shop().ad_sets or ()), *more)


def test_an_ad_set_that_reaches_people_held_out_is_a_finding() -> None:
    open_to = AdSet("490", "site visitors", True, None, ("holdout · cart",))
    found = the(shop(ad_sets=ad_sets(open_to)), "measurement.site-tag")
    assert (found.severity, found.audience, found.figure) == ("high", None, 1)
    assert "the site tag decides" in found.sentence


@pytest.mark.parametrize(
    "fine",
    [
        AdSet("490", "paused for good", False, None, ("holdout · cart",)),
        AdSet("490", "subtracts", True, "visitors", ()),
    ],
)
def test_an_ad_set_that_is_over_or_subtracts_them_is_fine(fine: AdSet) -> None:
    assert codes(shop(ad_sets=ad_sets(fine))) == []
    assert codes(shop(ad_sets=None)) == []


def test_spend_that_belongs_to_no_audience_is_a_finding_with_its_amount() -> None:
    found = the(
        shop(ad_sets=ad_sets(AdSet("9", "prospecting", True, "x", spend=120.0))),
        "measurement.spend-without-audience",
    )
    assert found.cost is not None
    assert found.cost.amount == 120.0
    assert codes(shop(ad_sets=ad_sets(AdSet("9", "prospecting", True, "x", spend=0.0)))) == []


def test_an_audience_whose_ad_sets_spend_nothing_is_a_finding() -> None:
    assert codes(with_known(NAME, spend=0.0)) == [("measurement.audience-without-spend", NAME)]


def test_a_new_audience_an_empty_one_or_unknown_spend_is_not() -> None:
    assert codes(with_known(NAME, spend=0.0, syncs=syncs(5))) == []
    assert codes(with_known(NAME, spend=0.0, on_list=0, size=2_000, syncs=syncs())) == []
    unknown = replace(with_known(NAME, spend=0.0), loads=Loads(NOW, None, NOW - DAY))
    assert codes(unknown) == []
