"""The page says what the numbers allow, in words, and nothing where they allow nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
import report_documents as made
from page_reading import at_pointer, read_page, text_of

from analysis.report.page import (
    JUDGEMENTS,
    TO_DO,
    headline,
    holdout_now,
    left_out,
    rows,
    verdict_on_total,
    ways,
)
from analysis.report.rendering import render_page
from analysis.report.wording import Place, plain
from analysis.verdict import State

REPORTS = {
    "every state": made.every_state(),
    "eight weeks": made.eight_weeks()[-1],
    "first week": made.eight_weeks()[0],
    "not enough": made.report([made.not_enough()]),
    "no spend": made.report([made.no_spend()]),
    "nothing": made.report([]),
}


def sentence(told: dict[str, Any]) -> str:
    return plain(headline(Place(told), ways(told)))


def rows_by_name(told: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    return {each.name: each for each in rows(Place(told), before)}


def test_the_result_is_one_sentence() -> None:
    assert sentence(REPORTS["eight weeks"]) == (
        "Criteo claims 6.0. Blended 4.5. What the ads added: 2.1, surely between 1.2 and 3.1. Break-even is 2.2."
    )
    assert verdict_on_total(REPORTS["eight weeks"]) == (
        "Whether the ads pay for themselves, taken together, is still open."
    )


@pytest.mark.parametrize(
    ("experiments", "ending"),
    [
        ([made.not_enough()], "cannot be said yet: too few held-out people have bought. Break-even is 2.2."),
        ([made.invalid()], "cannot be said yet: a check failed. Break-even is 2.2."),
        ([made.unbounded()], "surely at least 0.2, with no upper limit. Break-even is 2.2."),
        (
            [made.no_spend()],
            "The ads added €12\u202f300, surely between €4\u202f100 and €20\u202f700 of revenue. Break-even is 2.2.",
        ),
        ([], "Nothing has been measured yet."),
    ],
)
def test_the_sentence_is_honest_about_what_it_cannot_say(
    experiments: list[dict[str, Any]], ending: str
) -> None:
    assert sentence(made.report(experiments)).endswith(ending)


def test_what_is_left_out_of_the_sum_is_named() -> None:
    assert left_out(REPORTS["every state"]) == (
        "new-visitors (not enough data)",
        "win-back (a check failed)",
    )


def test_every_state_has_words_a_colour_a_shape_and_something_to_do() -> None:
    assert set(JUDGEMENTS) == set(TO_DO) == set(State)
    assert len({each.shape for each in JUDGEMENTS.values()}) == len(State)
    assert len({each.words for each in JUDGEMENTS.values()}) == len(State)


def test_windows_of_a_group_have_a_lift_and_no_money() -> None:
    found = rows_by_name(REPORTS["eight weeks"])
    assert list(found) == ["cart", "cart-0-4h", "cart-4-24h", "cart-2-7d", "browse-no-cart", "lapsed"]
    window = found["cart-0-4h"]
    assert window.is_window
    assert window.ladder is None
    assert window.added == ()
    assert "surely between" in plain(window.lift)


def test_a_failed_check_withholds_the_numbers() -> None:
    row = rows_by_name(REPORTS["every state"])["win-back"]
    assert row.judgement.words == "Cannot be trusted"
    assert plain(row.added) == "withheld: a check failed"
    assert [plain(each.said) for each in row.ladder.rungs][1:] == ["withheld", "withheld"]
    text = text_of(render_page(made.report([made.invalid()]), []))
    for number in ("8\u202f888", "8\u202f890", "7\u202f777", "44.4", "33.3", "55.5", "2.87"):
        assert number not in text


def test_too_little_data_is_said_instead_of_a_number() -> None:
    row = rows_by_name(REPORTS["not enough"])["new-visitors"]
    assert plain(row.added) == "not enough data"
    assert plain(row.lift) == "not enough data"
    assert row.ladder.rungs[2].point is None
    assert row.added_range == ()
    assert "31.0" not in text_of(render_page(REPORTS["not enough"], []))


def test_money_needs_twenty_held_out_buyers_since_entry_too() -> None:
    told = made.report([made.unprofitable()])
    told["experiments"][0]["since_entry"]["control_conversions"] = 19
    assert plain(rows_by_name(told)["lapsed"].added) == "not enough data"


def test_an_open_side_is_drawn_open_and_said() -> None:
    row = rows_by_name(REPORTS["every state"])["subscribers"]
    assert plain(row.added_range) == "at least €310"
    added = row.ladder.rungs[2]
    assert (added.end, added.runs_on_above) == (100.0, True)
    assert row.is_rough


def test_a_changed_verdict_says_what_it_was() -> None:
    before, now = made.report([made.not_enough("lapsed")]), made.report([made.unprofitable("lapsed")])
    assert rows_by_name(now, before)["lapsed"].before == JUDGEMENTS[State.NOT_ENOUGH_DATA]
    assert rows_by_name(now, now)["lapsed"].before is None


def test_the_holdout_now_is_the_one_in_force_and_differing_ones_are_all_said() -> None:
    group = made.cart()[0]
    operations = {
        name: {"holdout_percent": share}
        for name, share in zip(group["audiences"], (10, 2.5, 10), strict=True)
    }
    assert holdout_now(group, operations) == "10\u202f% / 2.5\u202f%"
    assert holdout_now(group, {}) == "10\u202f%"
    assert holdout_now(made.programme(), operations) == "2\u202f%"


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_is_sound_html_that_asks_nobody_for_anything(name: str) -> None:
    found = read_page(render_page(REPORTS[name], made.eight_weeks()[:-1]))
    assert len(found.ids) == len(set(found.ids))
    assert set(found.references) <= set(found.ids)
    assert set(found.addresses) == {"data:,", "../index.html", "report.json", "report.csv"}


@pytest.mark.parametrize("name", REPORTS)
def test_every_number_points_at_its_value_in_the_document(name: str) -> None:
    found = read_page(render_page(REPORTS[name], []))
    assert found.numbers or name == "nothing"
    for pointer, value in found.numbers:
        assert float(value) == at_pointer(REPORTS[name], pointer)


def test_no_person_shows_up() -> None:
    told = made.every_state()
    told["operations"]["lapsed"]["holdout_history"][0]["who"] = "ann@example.com"
    page = render_page(told, [])
    assert not re.findall(r"[\w.+-]+@[\w-]+\.\w+", page)
    assert not re.findall(r"\b[0-9a-f]{64}\b", page)


def test_a_name_cannot_become_markup() -> None:
    page = render_page(made.report([made.unprofitable("<script>alert(1)</script>")]), [])
    assert "<script" not in page


def test_the_same_numbers_make_the_same_page() -> None:
    weeks = made.eight_weeks()
    assert render_page(weeks[-1], weeks[:-1]) == render_page(weeks[-1], weeks[:-1])


def test_last_week_stands_beside_this_week_with_ranges() -> None:
    weeks = made.eight_weeks()
    text = text_of(render_page(weeks[-1], weeks[:-1]))
    assert "The report of 16 Nov 2026 beside this one." in text
    assert "3.0 (2.3 to 3.8) 3.0 (2.4 to 3.7)" in text
    assert "This is the first report." in text_of(render_page(weeks[0], []))


def test_a_second_run_on_one_day_is_still_compared_with_the_week_before() -> None:
    weeks = made.eight_weeks()
    morning = weeks[-1] | {"measured_at": "2026-11-23T05:00:00+00:00"}
    assert "The report of 16 Nov 2026 beside" in text_of(render_page(weeks[-1], [*weeks[:-1], morning]))


def test_the_programme_has_a_section_of_its_own_and_counts_its_own_holdout() -> None:
    page = render_page(REPORTS["eight weeks"], [])
    text = text_of(page)
    assert "Whole programme" in text
    assert page.count('class="part"') == 3
    assert "programme" not in rows_by_name(REPORTS["eight weeks"])


def test_refusals_and_lists_never_synced_are_said() -> None:
    text = text_of(render_page(REPORTS["every state"], []))
    assert "refused: the segment lost 41 % of its members" in text
    assert "never-synced kept out never" in text


def test_a_report_without_operations_can_be_read() -> None:
    told = made.full_report()
    del told["operations"]
    assert "Pays for itself" in text_of(render_page(told, []))


def test_a_group_whose_held_out_people_criteo_does_not_know_is_told_as_a_lower_bound() -> None:
    told = made.eight_weeks()[-1]
    name = told["experiments"][0]["audiences"][0]
    usual = told.get("operations", {})
    private = {**usual, name: {**usual[name], "holdout_is_private": True}}
    assert "lower bound" not in render_page(told, [])
    assert "read the effect as a lower bound" in render_page({**told, "operations": private}, [])


def test_each_experiment_says_when_it_can_be_decided_and_the_programme_does_not() -> None:
    told = made.report([made.unprofitable()])
    text = text_of(render_page(told, []))
    assert "A lift of 5 % never at this holdout" in text
    assert "A lift of 10 % shows after 31 weeks" in text
    assert "A lift of 20 % shows after 8.2 weeks" in text
    assert "So far 8 weeks, 6 104 new people a week, 10 % held out" in text
    assert "A lift of 5" not in text_of(render_page(made.report([made.programme()]), []))


def test_a_list_tells_its_reach_its_freshness_and_how_its_syncs_ended() -> None:
    text = text_of(render_page(made.report([made.unprofitable()]), []))
    assert "18 420 people; Criteo recognises 11 296, match rate 61.3 %" in text
    assert "From event to list half within 2 h, at most 3.8 h" in text
    assert "last 3 hours earlier; in seven days 41 applied, 1 refused" in text
    assert "38 applied, 4 refused" in text


def test_a_tight_firewall_says_who_looked_and_when() -> None:
    text = text_of(render_page(made.report([made.unprofitable()]), []))
    assert (
        "Nobody who is held out stands on a list that people are advertised from: everyone on 1 list" in text
    )
    assert (
        "The check of 23 Nov 2026, 04:00 UTC found no ad set of the advertiser that can reach them." in text
    )
    assert "\u2713 nothing found" in text


def test_a_firewall_with_holes_names_them_and_what_to_do() -> None:
    told = made.report([made.unprofitable()])
    hole = {
        "subject": "ad set 490",
        "sentence": "the ad set visitors (490) has no audience",
        "what_to_do": "link one",
    }
    told["firewall"] |= {"open_ad_sets": [hole], "private_groups": ["lapsed"]}
    told["firewall"]["held_out_and_listed"]["lapsed"] = 3
    text = text_of(render_page(told, []))
    assert "\u2715 repair this" in text
    assert (
        "People who are held out may be advertised to: 3 on the list of lapsed. Run holdouts sync now."
        in text
    )
    assert "found 1 ad set of the advertiser that can reach them:" in text
    assert "the ad set visitors (490) has no audience. link one" in text
    assert "not told who is held out of lapsed" in text


def test_a_firewall_that_nobody_looked_at_is_not_called_tight_by_criteo() -> None:
    told = made.report([made.unprofitable()])
    told["firewall"]["checked_at"] = None
    text = text_of(render_page(told, []))
    assert "Nobody has looked at Criteo\u2019s ad sets yet" in text
    assert "nothing found" not in text
    assert "half looked at" in text


def test_buyers_still_advertised_to_are_told_with_what_they_cost() -> None:
    told = made.full_report()
    text = text_of(render_page(told, []))
    assert "lapsed 3.2 h 2.6 days 412 31 0.4 % €88.2" in text
    assert "cart-0-4h too few removed too few removed 7 31 not known no spend known" in text
    assert "Advertised to after they bought" not in text_of(render_page(told | {"suppression": {}}, []))
