"""The report in a real browser: it fits, asks nobody for anything, and axe-core finds nothing serious."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import playbook_documents as checked
import pytest
import report_documents as made
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from chromium import chromium
from page_reading import at_pointer
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from analysis.report.files import write_report

pytestmark = pytest.mark.browser

WIDTHS = {"phone": (390, 844), "tablet": (820, 1180), "desktop": (1280, 800)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("report")
    weeks = made.eight_weeks()
    write_report(found / "usual", weeks[-1], weeks[:-1])
    write_report(found / "every-state", made.every_state(), weeks[:-1])
    playbook = {"playbook": checked.playbook()}
    write_report(found / "playbook", made.full_report() | playbook, [])
    write_report(found / "first", made.report([made.not_enough(), made.invalid()]), [])
    return found


PAGES = (
    "usual/2026-11-23/index.html",
    "every-state/2026-11-23/index.html",
    "first/2026-11-23/index.html",
    "playbook/2026-11-23/index.html",
    "usual/index.html",
)


class Witness:
    """What a page said and asked for while it was open."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        self.said.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.asked.append(request.url)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_the_screen_and_keeps_to_itself(
    browser: Browser, folder: Path, name: str, width: str
) -> None:
    wide, high = WIDTHS[width]
    page = browser.new_page(viewport={"width": wide, "height": high})
    witness = Witness(page)
    page.goto((folder / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == wide
    assert (witness.said, witness.asked) == ([], [])
    page.close()


def test_the_result_and_every_row_stand_on_the_first_screen(browser: Browser, folder: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto((folder / PAGES[0]).as_uri())
    assert page.locator("table.first").evaluate("each => each.getBoundingClientRect().bottom") < 800
    page.close()


def test_ladders_share_one_scale(browser: Browser, folder: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto((folder / PAGES[0]).as_uri())
    lefts = page.locator("table.first .needed-line").evaluate_all(
        "all => all.map(each => Math.round(each.getBoundingClientRect().left))"
    )
    assert len(lefts) > 6
    assert len(set(lefts)) == 1
    page.close()


@pytest.mark.parametrize("name", PAGES[:4])
def test_numbers_equal_those_of_the_json_beside(browser: Browser, folder: Path, name: str) -> None:
    told = json.loads((folder / name).with_name("report.json").read_text(encoding="utf-8"))
    page = browser.new_page()
    page.goto((folder / name).as_uri())
    shown: list[Any] = page.locator("data[data-json]").evaluate_all(
        "all => all.map(each => [each.dataset.json, each.value, each.textContent])"
    )
    assert len(shown) > 5
    for pointer, value, text in shown:
        assert float(value) == at_pointer(told, pointer), pointer
        assert text.strip()
    page.close()


def test_each_picture_is_drawn_and_described(browser: Browser, folder: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((folder / PAGES[0]).as_uri())
    found = page.locator("figure [role=img]")
    assert found.count() == 11
    for each in found.all():
        box = each.locator("svg").bounding_box()
        assert box is not None
        assert box["width"] > 250
        assert box["height"] > 120
        assert "5 Oct 2026:" in (each.get_attribute("aria-label") or "")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_of_windows_takes_the_page_s_colours_and_its_words_stay_inside_and_apart(
    browser: Browser, folder: Path, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page.goto((folder / PAGES[3]).as_uri())
    picture = page.locator("#playbook svg.windows")
    assert "cart-0-4h 0%" in (picture.get_attribute("aria-label") or "")
    frame = picture.bounding_box()
    assert frame is not None
    words = [each.bounding_box() for each in picture.locator("text.name").all()]
    assert len(words) == 3
    for box in words:
        assert box is not None
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]
    tops = sorted(box["y"] for box in words if box)
    assert all(later - earlier >= 10 for earlier, later in pairwise(tops))
    probe = "(each, name) => [getComputedStyle(each).stroke, getComputedStyle(each).fill][name]"
    lines = picture.locator("polyline.added").evaluate(probe, 0)
    assert lines == ("rgb(20, 80, 140)" if scheme == "light" else "rgb(134, 185, 238)")
    page.emulate_media(media="print")
    assert picture.is_visible()
    assert picture.locator("polyline.added").evaluate(probe, 0) == "rgb(20, 80, 140)"
    page.close()


def test_a_term_is_explained_by_keyboard_and_goes_away_again(browser: Browser, folder: Path) -> None:
    page = browser.new_page()
    page.goto((folder / PAGES[0]).as_uri())
    term = page.locator("button.term", has_text="blended").first
    meaning = page.locator("#term-blended")
    assert not meaning.is_visible()
    term.focus()
    page.keyboard.press("Enter")
    assert meaning.is_visible()
    page.keyboard.press("Escape")
    assert not meaning.is_visible()
    page.close()


def test_the_first_stop_of_the_keyboard_leads_to_the_result(browser: Browser, folder: Path) -> None:
    page = browser.new_page()
    page.goto((folder / PAGES[0]).as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the result"
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", ["phone", "desktop"])
@pytest.mark.parametrize("name", PAGES[1:])
def test_axe_finds_nothing_serious(
    browser: Browser, folder: Path, name: str, width: str, scheme: Any
) -> None:
    wide, high = WIDTHS[width]
    # axe is a script of the test's own, which the page's policy would refuse
    context = browser.new_context(
        viewport={"width": wide, "height": high}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.goto((folder / name).as_uri())
    found = Axe().run(page).response["violations"]
    grave = [
        f"{each['id']}: {node['target']}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]
    assert grave == []
    context.close()


def test_on_paper_the_result_fills_the_first_page_and_terms_are_plain(browser: Browser, folder: Path) -> None:
    page = browser.new_page()
    page.goto((folder / PAGES[0]).as_uri())
    page.emulate_media(media="print")
    assert page.locator(".skip").evaluate("each => getComputedStyle(each).display") == "none"
    assert page.locator("section").first.evaluate("each => getComputedStyle(each).breakBefore") == "page"
    assert len(page.pdf(format="A4")) > 10_000
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_on_paper_no_table_runs_off_the_page(browser: Browser, folder: Path, name: str) -> None:
    wide = 688  # A4 less its margins, in pixels of the style sheet
    page = browser.new_page(viewport={"width": wide, "height": 1_000})
    page.emulate_media(media="print")
    page.goto((folder / name).as_uri())
    rights = page.locator("table").evaluate_all("all => all.map(each => each.getBoundingClientRect().right)")
    assert rights
    assert max(rights) <= wide
    page.close()
