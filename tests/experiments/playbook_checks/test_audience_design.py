"""Audience design: too much, too vague, too small, in each other's way."""

from dataclasses import replace

import pytest
from shops import (
    CART,
    EXCLUDES,
    LAPSED,
    PROGRAMME,
    codes,
    include,
    known,
    shop,
    syncs,
    the,
    with_audience,
    with_known,
)

from experiments.playbook.facts import Answer, Snapshot
from experiments.playbook.sharing import shared_lists
from experiments.stays import Stay


def journey(*audiences: object) -> Snapshot:
    programme = replace(PROGRAMME, audiences=(*audiences, *EXCLUDES))
    return shop(programme=programme, known={each.name: known() for each in programme.audiences})


def test_the_sound_shop_has_no_findings() -> None:
    assert codes(shop()) == []


def test_nothing_known_is_nothing_found_but_what_the_file_itself_shows() -> None:
    assert codes(Snapshot(shop().now, PROGRAMME)) == []


@pytest.mark.parametrize(("size", "severity"), [(20_000, "medium"), (40_000, "high")])
def test_a_fifth_of_the_base_is_a_giant(size: int, severity: str) -> None:
    found = the(with_known("lapsed-60-120d", size=size), "design.giant")
    assert (found.audience, found.severity, found.figure) == ("lapsed-60-120d", severity, size / 100_000)


def test_less_than_a_fifth_or_an_unknown_base_is_no_giant() -> None:
    assert codes(with_known("lapsed-60-120d", size=19_999)) == []
    assert codes(replace(with_known("lapsed-60-120d", size=90_000), base=None)) == []


def test_an_audience_without_a_time_in_which_nobody_is_new_is_vague() -> None:
    still = known(syncs=syncs(adds=1))
    audience = include("subscribers")
    found = the(_with(audience, still), "design.vague")
    assert found.audience == "subscribers"
    assert found.figure < 0.05


def test_a_time_anywhere_or_many_new_people_are_not_vague() -> None:
    still = known(syncs=syncs(adds=1))
    assert codes(_with(include("subscribers"), known())) == []
    assert codes(_with(include("subscribers"), replace(still, segment_name="Seen in the last 7 days"))) == []
    bounded = _with(include("subscribers", member_for=Stay(0, 86_400)), still)
    assert codes(bounded) == [("design.stuck", "subscribers")]
    assert codes(_with(include("seen-30d"), still)) == []
    assert codes(_with(include("subscribers"), replace(still, syncs=still.syncs[-6:]))) == []


def test_a_window_that_lets_nobody_go_is_stuck() -> None:
    found = the(with_known("lapsed-60-120d", syncs=syncs(adds=2)), "design.stuck")
    assert (found.audience, found.figure) == ("lapsed-60-120d", pytest.approx(2 * 6 * 7 / 3_600, rel=0.01))
    assert "people who stay 60 days would make it 12%" in found.sentence
    hours = the(with_known("cart-0-4h", syncs=syncs(adds=10)), "design.stuck")
    assert "people who stay 4 hours would make it 100%" in hours.sentence


def test_a_window_of_a_season_or_of_too_few_days_is_not_stuck() -> None:
    assert codes(with_known("lapsed-60-120d", syncs=syncs(adds=3))) == []
    assert codes(with_known("lapsed-60-120d", syncs=syncs(days=6, adds=0))) == []


def _with(audience: object, facts: object) -> Snapshot:
    programme = replace(PROGRAMME, audiences=(*PROGRAMME.audiences, audience))
    sound = shop(programme=programme)
    return replace(sound, known={**sound.known, audience.name: facts})  # type: ignore[attr-defined]


def test_a_stretch_between_two_windows_is_a_gap() -> None:
    late = replace(CART[2], name="cart-2-7d")
    found = the(journey(CART[0], CART[1], late), "design.windows-gap")
    assert (found.audience, found.severity, found.figure) == ("cart-2-7d", "low", 24.0)


def test_windows_that_overlap_are_worse_under_two_salts() -> None:
    late = replace(CART[1], name="cart-2-24h")
    assert the(journey(CART[0], late, CART[2]), "design.windows-overlap").severity == "low"
    apart = replace(late, holdout_group="cart-2-24h")
    assert the(journey(CART[0], apart, CART[2]), "design.windows-overlap").severity == "medium"


def test_a_long_window_beside_short_ones_leaves_no_gap_and_overlaps_each_of_them() -> None:
    whole = replace(CART[0], name="cart-0-7d")
    found = codes(journey(whole, replace(CART[1], name="cart-1-2d"), replace(CART[2], name="cart-4-5d")))
    assert [each for each in found if each[0].startswith("design.windows")] == [
        ("design.windows-overlap", "cart-1-2d"),
        ("design.windows-overlap", "cart-4-5d"),
    ]


def test_the_same_windows_in_two_countries_are_two_journeys() -> None:
    pair = [
        include(f"cart-0-4h-{country}", holdout_group=f"cart-{country}", segment=at)
        for at, country in enumerate(("uk", "de"), start=30)
    ]
    assert not {code for code, _ in codes(journey(*pair)) if code.startswith("design.windows")}


def test_windows_of_different_journeys_neither_leave_gaps_nor_overlap() -> None:
    assert codes(journey(CART[0], CART[1], CART[2], LAPSED, include("browse-0-7d"))) == []


def test_a_quarter_of_an_audience_in_another_one_is_an_overlap() -> None:
    pair = ("cart-0-4h", "lapsed-60-120d")
    found = the(shop(overlaps={pair: 900}), "design.overlap")
    assert found.figure == pytest.approx(0.25)
    assert codes(shop(overlaps={pair: 899})) == []
    assert codes(shop(overlaps=None)) == []


def test_shared_people_of_lists_nobody_has_counted_are_left_alone() -> None:
    pair = ("cart-0-4h", "lapsed-60-120d")
    unknown = replace(with_known("cart-0-4h", on_list=None), overlaps={pair: 900})
    assert shared_lists(unknown) == ()
    assert "design.overlap" not in {code for code, _ in codes(unknown)}


def test_the_closest_pair_is_told_first_with_both_shares() -> None:
    pairs = {("cart-0-4h", "lapsed-60-120d"): 36, ("cart-4-24h", "lapsed-60-120d"): 360}
    facts = replace(with_known("lapsed-60-120d", on_list=7_200), overlaps=pairs)
    found = shared_lists(facts)
    assert [(each.one, each.other, each.people) for each in found] == [
        ("cart-4-24h", "lapsed-60-120d", 360),
        ("cart-0-4h", "lapsed-60-120d", 36),
    ]
    assert (found[0].of_one, found[0].of_other) == (0.1, 0.05)
    assert (found[0].smaller, found[0].bigger, found[0].most) == ("cart-4-24h", "lapsed-60-120d", 0.1)


def test_few_shared_people_are_no_overlap_however_small_the_audience() -> None:
    tiny = replace(with_known("cart-0-4h", on_list=60), overlaps={("cart-0-4h", "lapsed-60-120d"): 49})
    assert "design.overlap" not in {code for code, _ in codes(tiny)}


@pytest.mark.parametrize(("matches", "severity"), [(499, "medium"), (500, "low"), (999, "low")])
def test_a_list_of_few_recognised_people_is_too_small(matches: int, severity: str) -> None:
    changed = with_known("lapsed-60-120d", syncs=syncs(identifiers=matches, matches=matches))
    found = the(changed, "design.too-small")
    assert (found.severity, found.figure) == (severity, matches)


def test_before_criteo_has_counted_the_list_or_the_segment_is_looked_at() -> None:
    uncounted = syncs(identifiers=None, matches=None)
    assert codes(with_known("lapsed-60-120d", syncs=uncounted)) == []
    assert the(with_known("lapsed-60-120d", syncs=uncounted, on_list=10), "design.too-small").figure == 10
    assert the(with_known("lapsed-60-120d", syncs=(), on_list=None, size=9), "design.too-small").figure == 9


def test_what_no_holdout_answers_within_a_year_is_too_small_to_measure() -> None:
    never = Answer(0.2, 400.0, 60.0, None)
    assert the(with_known("lapsed-60-120d", answer=never), "design.too-small-to-measure").figure == 60.0
    slow = Answer(0.2, 20.0, 52.0, None)
    assert codes(with_known("lapsed-60-120d", answer=slow)) == []


def test_member_for_says_what_a_name_does_not() -> None:
    changed = with_audience("cart-4-24h", member_for=Stay(2 * 3_600, 24 * 3_600))
    assert codes(changed) == [("design.windows-overlap", "cart-4-24h")]
