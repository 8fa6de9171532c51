"""`docs/playbook.md` and the tests beside this one know every code, and no other."""

import re
from pathlib import Path

import pytest
from examples import EXAMPLES
from shops import codes

from experiments.audience_file import parse_programme
from experiments.audiences import CriteoClock
from experiments.playbook.checks import CODES
from experiments.playbook.clock import FOUR_HOURLY, HOUR, Rhythm, reach, schedules
from experiments.stays import parse_stay

PUSH = 600
HERE = Path(__file__).parent
DOCUMENT = (HERE.parents[2] / "docs" / "playbook.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##)", DOCUMENT, re.MULTILINE | re.DOTALL))


def test_the_document_explains_every_code_in_the_order_of_the_checks() -> None:
    assert tuple(SECTIONS) == CODES


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_figure_an_example_that_trips_it_and_one_that_passes(code: str) -> None:
    section = SECTIONS[code]
    assert "Figure" in section
    assert section.count("- **Trips:** ") == section.count("- **Passes:** ") == 1


def test_the_examples_are_the_document_s() -> None:
    assert tuple(EXAMPLES) == CODES


@pytest.mark.parametrize("code", CODES)
def test_the_example_that_trips_does_and_the_one_that_passes_does_not(code: str) -> None:
    example = EXAMPLES[code]
    trips = re.search(r"- \*\*Trips:\*\* (.*?)\n- ", SECTIONS[code], re.DOTALL)
    assert trips is not None
    assert example.said in " ".join(trips[1].split())
    assert code in {found for found, _ in codes(example.trips)}
    assert code not in {found for found, _ in codes(example.passes)}


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_a_case_here(code: str) -> None:
    cases = [path.read_text("utf-8") for path in HERE.glob("test_*.py") if path.name != Path(__file__).name]
    assert any(f'"{code}"' in text for text in cases)


def test_the_example_of_the_file_is_one() -> None:
    example = re.search(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert example is not None
    text = example[1].replace("    offer: cart-10\n", "    offer: cart-10\n    segment: 7\n")
    text = text.replace("    member_for", "    segment: 8\n    member_for")
    found = parse_programme(f'advertiser: "1"\ncurrency: EUR\nmargin: 45%\n{text}')
    assert found.criteo == CriteoClock()
    assert [each.code for each in found.accepted] == ["design.windows-gap"]


def test_the_table_of_windows_is_what_the_clock_says() -> None:
    rows = re.findall(r"^\| (\S+) (h|d) \| (\d+) % \| (\d+) % \|$", DOCUMENT, re.MULTILINE)
    assert len(rows) == 3
    every_four = Rhythm(FOUR_HOURLY, PUSH, CriteoClock())
    before_each = next(each for each in schedules(every_four) if each.words.startswith("at "))
    for window, unit, *told in rows:
        length = parse_stay(f"{window}{unit}").length
        rhythms = (every_four, Rhythm(before_each.moments, PUSH, CriteoClock()))
        assert [int(each) for each in told] == [round(100 * reach(length, one).reached) for one in rhythms]
    assert reach(4 * HOUR, every_four).reached == 0
