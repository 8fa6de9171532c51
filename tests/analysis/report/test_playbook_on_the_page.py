"""The playbook's section of the page: findings with their codes, windows as picture and table, people on two lists."""

from __future__ import annotations

import playbook_documents as checked
import pytest
import report_documents as made
from page_reading import at_pointer, read_page, text_of

from analysis.report.playbook_tables import matrix, window_rows
from analysis.report.rendering import render_page
from analysis.report.wording import Place, plain

THIN = "\u202f"


def page(**changes: object) -> str:
    return render_page(made.full_report() | {"playbook": checked.playbook(**changes)}, [])


def test_the_section_has_codes_costs_windows_and_what_they_are_reckoned_with() -> None:
    text = text_of(page()).replace(THIN, " ")
    assert "timing.unreachable €812 a week" in text
    assert "whole programme high" in text
    assert "accepted until 2026-12-31: e-mail's day" in text
    assert "12 min from segment to list, as measured" in text
    assert "cart-4-24h 4 to 24 hours 91.7 % 46.1 %" in text
    assert "cart-2-7d 2 to 7 days 100 % 91.3 %" in text
    assert "Every audience has a holdout" in text


def test_the_picture_is_described_and_its_names_are_short_and_apart() -> None:
    html = page()
    read_page(html)
    assert 'role="img" aria-label="The wait for an ad by time of entry, at most 17 hours.' in html
    assert checked.LONG in html
    picture = html[html.index('<svg class="windows"') :].partition("</svg>")[0]
    drawn = picture.partition(">")[2]
    assert checked.LONG not in drawn
    assert "cart-of-the-ch…: 2%" in drawn


def test_every_number_of_the_section_points_at_its_value() -> None:
    document = made.full_report() | {"playbook": checked.playbook()}
    numbers = [each for each in read_page(page()).numbers if each[0].startswith("/playbook/")]
    # a cost, two shares a window, and a share and a count for both sides of two pairs
    assert len(numbers) == 1 + 4 * 2 + 2 * 2 * 2
    for pointer, value in numbers:
        assert float(value) == at_pointer(document, pointer)


def test_the_matrix_says_of_each_row_what_the_column_holds_too() -> None:
    found = matrix(Place({"playbook": checked.playbook()}))
    assert found.names == ("browse-no-cart", "lapsed", "cart-2-7d")
    cells = {name: [plain(each) for each in row] for name, row in found.rows}
    assert cells["browse-no-cart"] == ["", f"33.4{THIN}% (1{THIN}204)", ""]
    assert cells["lapsed"] == [f"10.0{THIN}% (1{THIN}204)", "", f"0.3{THIN}% (31)"]


def test_nothing_shared_no_windows_and_no_findings_leave_their_parts_out() -> None:
    html = page(overlaps=[], windows=[], waits=[], findings=[])
    text = text_of(html)
    assert "It finds nothing to improve." in text
    assert "two lists at once" not in text
    assert "What the clock leaves" not in text
    assert '<svg class="windows"' not in html


def test_a_check_of_an_older_version_and_a_report_without_one_can_be_read() -> None:
    older = {key: each for key, each in checked.playbook().items() if key not in ("basis", "overlaps")}
    assert "What the clock leaves" in text_of(render_page(made.full_report() | {"playbook": older}, []))
    for none in ({}, {"playbook": None}):
        assert "What the playbook would change" not in text_of(render_page(made.full_report() | none, []))
    assert window_rows(Place({})) == ()


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"onload="alert(1)'])
def test_a_name_cannot_become_markup_in_picture_or_table(name: str) -> None:
    html = page(windows=[checked.window(name, 0, 4, 0.5, 0.2)])
    read_page(html)
    assert "<script" not in html
    assert '"onload="' not in html
