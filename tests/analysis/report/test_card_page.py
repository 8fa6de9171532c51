"""The report card's section: what it says, and that each number is where `report.json` has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import report_documents as made
from page_reading import at_pointer, read_page

from analysis.estimators.intervals import Interval
from analysis.report.card_page import card_view
from analysis.report.rendering import render_page
from analysis.report.wording import Place, plain
from analysis.report_card import Draw, card_document, report_card

SOUND = Draw(
    "lapsed", "conversions", 0.0, 0.5, -1.0, Interval(-0.1, 0.3), Interval(-0.2, 0.4), 80, 0.1, 0.1, 0
)
ABOUT = {
    "audited_at": "2026-11-01T02:00:00+00:00",
    "program": "0.1.0",
    "seed": 20_261_101,
    "draws": 40,
    "effect_draws": 20,
    "effect": 0.2,
    "entrants": 12_345,
}


def with_card(draws: list[Draw]) -> dict[str, Any]:
    return made.full_report() | {"report_card": card_document(report_card(draws), ABOUT)}


def drawn(p_value: float = 0.5, buyers: int = 80) -> list[Draw]:
    held = [0.1, 0.101] * 10
    without = [replace(SOUND, p_value=p_value, control_conversions=buyers) for _ in range(40)]
    return [*without, *(replace(SOUND, effect=0.2, mean_holdout=c, mean_treatment=0.1206) for c in held)]


def test_a_sound_pipeline_is_said_to_be_one_with_what_it_rests_on() -> None:
    told = with_card(
        [replace(each, p_value=0.04 + n / 45) for n, each in enumerate(drawn()[:40])] + drawn()[40:]
    )
    view = card_view(Place(told))
    assert view is not None
    assert view.verdict == "The pipeline passed its own audit."
    assert "12\u202f345 entrants were drawn anew 40 times" in plain(view.lead)
    assert plain(view.lead).endswith("Audited 1 Nov 2026, 02:00 UTC by version 0.1.0 with seed 20261101.")
    assert plain(view.rows[0].found) == "+20.0\u202f%"


def test_a_failed_one_warns_with_each_reason() -> None:
    view = card_view(Place(with_card(drawn(p_value=0.001))))
    assert view is not None
    assert "Do not act on this report" in view.verdict
    assert any("a single look finds an effect where none is" in each for each in view.failures)


def test_too_few_buyers_are_not_judged_and_not_shown() -> None:
    view = card_view(Place(with_card(drawn(buyers=19))))
    assert view is not None
    assert view.rows == ()
    assert view.verdict == "Too few held-out people have bought to judge it."


@pytest.mark.parametrize("told", [made.full_report(), made.full_report() | {"report_card": None}])
def test_a_pipeline_that_was_never_audited_has_no_section(told: dict[str, Any]) -> None:
    assert card_view(Place(told)) is None
    assert "How often this report errs" not in render_page(told, [])


def test_every_number_of_the_section_is_where_the_document_has_it() -> None:
    told = with_card(drawn(p_value=0.001))
    page = read_page(render_page(told, []))
    numbers = [(value, pointer) for pointer, value in page.numbers if pointer.startswith("/report_card/")]
    assert len(numbers) > 10
    assert all(float(value) == pytest.approx(at_pointer(told, pointer)) for value, pointer in numbers)
