"""A picture is the same each time, takes the page's colours and draws open sides open."""

import re
import subprocess
import sys
from datetime import timedelta
from xml.etree import ElementTree

from report_documents import MONDAY, eight_weeks

from analysis.report.figures import figures_of
from analysis.report.page import ways
from analysis.report.pictures import draw, limits
from analysis.report.weeks import Reading, history


def subjects(name: str = "cart") -> list[str]:
    weeks = eight_weeks()
    past = history(name, weeks)
    return [draw(each.subject) for each in figures_of("experiment-0", weeks[-1], ways(weeks[-1]), past)]


def test_it_is_the_same_each_time() -> None:
    assert subjects() == subjects()


def test_it_is_one_element_without_fixed_colours_fonts_or_addresses() -> None:
    for svg in subjects():
        ElementTree.fromstring(svg)
        assert set(re.findall(r"var\(--(\w+)\)", svg)) >= {"ink", "quiet", "line", "added"}
        assert "http" not in svg.replace("http://www.w3.org/", "")
        assert "font-family" not in svg
        assert "<style" not in svg
        assert not re.findall(r"#[0-9a-f]{6}\b", svg)


def test_its_names_are_its_own_so_that_many_stand_in_one_page() -> None:
    lift, returned = subjects()
    names = [set(re.findall(r'id="([^"]+)"', svg)) for svg in (lift, returned)]
    assert not names[0] & names[1]
    for svg, own in zip((lift, returned), names, strict=True):
        used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
        assert {one or other for one, other in used} <= own


def test_a_change_of_holdout_is_marked() -> None:
    assert all("holdout 10 → 20\u202f%" in svg for svg in subjects())


def test_the_interval_narrows_over_eight_weeks() -> None:
    said = [each for each in history("cart", eight_weeks()).returns if each.low and each.high]
    widths = [each.high - each.low for each in said if each.high and each.low]
    assert widths == sorted(widths, reverse=True)
    assert len(widths) >= 5


def test_the_axis_leaves_out_wild_ends_but_no_point() -> None:
    readings = [
        Reading(MONDAY - timedelta(weeks=1), 1.0, -900.0, 900.0),
        Reading(MONDAY, 1.7, 1.1, 2.4),
    ]
    low, high = limits(readings, 2.2)
    assert low > -20
    assert high < 20
    assert low < 0.0
    assert high > 2.4


def test_readings_that_say_nothing_still_make_a_picture() -> None:
    assert limits([Reading(MONDAY, None, None, None)], 0.0)[0] < 0.0


def test_importing_the_report_does_not_import_matplotlib() -> None:
    code = "import sys, analysis.report.files; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
