"""Suppression: who must not be advertised to, and whether the lists that say so work."""

from dataclasses import replace

import pytest
from shops import (
    GUARDS,
    NOW,
    PROGRAMME,
    codes,
    exclude,
    known,
    shop,
    syncs,
    the,
    with_audience,
    with_known,
    with_programme,
)

from experiments.playbook.facts import DAY, Removal, Snapshot, Sync


def without_purchasers(*extra: object) -> Snapshot:
    audiences = tuple(
        replace(each, exclude=tuple(name for name in each.exclude if name != "recent-purchasers"))
        for each in PROGRAMME.audiences
        if each.name != "recent-purchasers"
    )
    return with_programme(audiences=(*audiences, *extra))


def test_no_exclusion_of_purchasers_anywhere_costs_the_spend_on_buyers() -> None:
    found = the(without_purchasers(), "suppression.missing")
    assert (found.severity, found.audience) == ("high", None)
    assert found.cost is not None
    assert found.cost.amount == pytest.approx(4 * 700 * 36 / 3_600)


def test_what_it_costs_is_left_open_where_no_orders_are_known() -> None:
    snapshot = without_purchasers()
    blind = replace(snapshot, known={name: known(bought_lately=None) for name in snapshot.known})
    assert the(blind, "suppression.missing").cost is None


def test_the_exclusion_is_recognised_by_the_name_of_its_segment_too() -> None:
    snapshot = without_purchasers(exclude("x", 30))
    named = replace(snapshot, known={**snapshot.known, "x": known(segment_name="Ordered in 7 days")})
    assert "suppression.missing" not in {code for code, _ in codes(named)}


def test_an_audience_that_could_hold_buyers_and_forgets_the_exclusion_is_named() -> None:
    found = the(with_audience("cart-1-7d", exclude=GUARDS[1:]), "suppression.unused")
    assert (found.audience, found.figure, found.severity) == ("cart-1-7d", 36, "high")
    assert found.what_to_do == "add recent-purchasers to its `exclude`"


def test_an_audience_whose_window_begins_after_the_exclusion_needs_none() -> None:
    assert codes(with_audience("lapsed-60-120d", exclude=GUARDS[1:])) == []


def test_an_exclusion_that_stays_empty_is_named() -> None:
    nobody = syncs(2, members=0)
    assert codes(with_known("vip", syncs=nobody, size=0)) == [("suppression.empty", "vip")]


def test_an_exclusion_that_is_new_or_holds_somebody_is_not_empty() -> None:
    assert codes(with_known("vip", syncs=syncs(members=0)[-3:], size=0)) == []
    assert codes(with_known("vip", syncs=syncs(2, members=1))) == []


def test_an_exclusion_far_below_its_usual_size_has_shrunk() -> None:
    last = replace(syncs()[-1], units=2_800)
    found = the(with_known("vip", syncs=(*syncs()[:-1], last)), "suppression.shrinks")
    assert found.figure == pytest.approx(0.3)
    fine = replace(last, units=2_801)
    assert codes(with_known("vip", syncs=(*syncs()[:-1], fine))) == []


def test_an_exclusion_that_no_sync_brought_up_to_date_is_stale() -> None:
    # Hourly syncs promise two hours, and an hour of grace.
    old = tuple(each for each in syncs() if each.at < NOW - 3 * 3_600)
    assert codes(with_known("vip", syncs=old)) == [("suppression.stale", "vip")]
    refused = tuple(replace(each, is_applied=each.at < NOW - 30 * 3_600) for each in syncs())
    assert the(with_known("vip", syncs=refused), "suppression.stale").severity == "high"


def test_an_exclusion_that_was_never_synced_is_no_finding_but_an_open_item() -> None:
    assert codes(with_known("vip", syncs=())) == []


def test_buyers_who_are_removed_late_are_told_with_the_spend_on_them() -> None:
    slow = Removal(6 * 3_600, DAY + 1, 300)
    found = the(with_known("cart-1-7d", removal=slow), "suppression.slow")
    assert (found.severity, found.figure) == ("medium", pytest.approx(24, abs=0.01))
    assert found.cost is not None
    assert found.cost.amount == pytest.approx(7.0)
    very = the(with_known("cart-1-7d", removal=Removal(DAY, 4 * DAY, 300)), "suppression.slow")
    assert very.severity == "high"


def test_a_day_is_quick_enough_and_an_audience_without_the_exclusion_is_told_that_instead() -> None:
    assert codes(with_known("cart-1-7d", removal=Removal(3_600, DAY, 300))) == []
    both = with_audience("cart-1-7d", exclude=GUARDS[1:])
    late = replace(both, known={**both.known, "cart-1-7d": known(removal=Removal(DAY, 4 * DAY, 300))})
    assert codes(late) == [("suppression.unused", "cart-1-7d")]


def test_vips_in_a_discount_audience_cost_the_discount_on_their_part_of_the_revenue() -> None:
    open_to = with_audience("cart-1-7d", exclude=GUARDS[::2])
    found = the(replace(open_to, vips={**(open_to.vips or {}), "cart-1-7d": 180}), "suppression.vip-discount")
    assert (found.audience, found.figure) == ("cart-1-7d", 180)
    assert found.cost is not None
    assert found.cost.amount == pytest.approx(0.10 * 5_000 * 180 / 3_600)


def test_vips_are_no_finding_where_there_is_no_offer_or_none_of_them_is_inside() -> None:
    assert codes(with_audience("cart-0-4h", exclude=GUARDS[::2])) == []
    assert codes(with_audience("cart-1-7d", exclude=GUARDS[::2])) == []


def test_waste_is_the_spend_on_the_part_of_the_list_that_has_bought() -> None:
    audience = PROGRAMME.audience("cart-1-7d")
    assert shop().waste(audience) == pytest.approx(7.0)
    assert with_known("cart-1-7d", spend=None).waste(audience) is None


def test_one_sync_says_nothing_about_the_usual_size() -> None:
    assert codes(with_known("vip", syncs=(Sync(NOW, is_applied=True, members=1, units=1),))) == []
