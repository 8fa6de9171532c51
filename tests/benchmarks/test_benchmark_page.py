"""The document of the benchmarks, from figures written by hand."""

from dataclasses import replace

import pytest

from benchmarks.measured import Cost, Measured, growth
from benchmarks.page import Machine, page

MACHINE = Machine("x86_64, 2 cores, 24 GB", "Python 3.11.7", "2026-11-24", "python -m benchmarks 1e5 1e6")
SMALL = Measured(
    "sync", "SQLite", "first sync", 100_000, Cost(2, 1.5, 162.4), 11.2, {"hash": 0.15, "transfer": 0.05}, 3.0
)
LARGE = replace(SMALL, size=1_000_000, cost=Cost(25.1, 9.0, 1_523.6), floors={}, script=None)
SCRIPT = Measured("sync", "SQLite", "the straightforward script", 100_000, Cost(3, 2.9, 250))


def table(*rows: Measured) -> list[str]:
    return [line for line in page(MACHINE, rows).splitlines() if line.startswith("|")][2:]


def test_the_page_says_where_when_with_what_and_how() -> None:
    text = page(MACHINE, [SMALL], ["The scripts were left out at 1,000,000."])
    for words in (MACHINE.hardware, MACHINE.versions, MACHINE.day, f"`{MACHINE.command}`", "were left out"):
        assert words in text


def test_a_row_has_its_cost_its_floors_and_both_ratios() -> None:
    assert table(SMALL) == [
        "| first sync | 100,000 | 2.00 | 1.50 | 162 | 11 |  | 0.200 = hash 0.150 + transfer 0.050 | 10.0 | 3.00 | 1.5 |"
    ]


def test_a_row_without_floor_or_script_leaves_them_empty_and_divides_by_nothing() -> None:
    assert table(SCRIPT) == ["| the straightforward script | 100,000 | 3.00 | 2.90 | 250 |  |  |  |  |  |  |"]


def test_growth_stands_beside_the_larger_size_of_the_same_work_only() -> None:
    lines = table(LARGE, SMALL, SCRIPT)  # in whatever order they were measured
    grew = [line.split("|")[7].strip() for line in lines]
    assert [line.split("|")[2].strip() for line in lines] == ["100,000", "1,000,000", "100,000"]
    assert grew == ["", "1.10", ""]


def test_each_part_and_database_has_a_table_of_its_own() -> None:
    rows = [SMALL, replace(SMALL, part="report", what="the whole report", database="PostgreSQL")]
    titles = [line for line in page(MACHINE, rows).splitlines() if line.startswith("###")]
    assert titles == ["### Sync of one audience, SQLite", "### The whole report of ten audiences, PostgreSQL"]


@pytest.mark.parametrize(("factor", "exponent"), [(1, 0.0), (10, 1.0), (100, 2.0), (10**0.5, 0.5)])
def test_growth_is_the_slope_between_two_sizes_on_logarithmic_axes(factor: float, exponent: float) -> None:
    larger = replace(SMALL, size=1_000_000, cost=Cost(2 * factor, 0, 0))
    assert growth(SMALL, larger) == pytest.approx(exponent)


def test_no_growth_is_told_from_one_size() -> None:
    with pytest.raises(ValueError, match="between two sizes"):
        growth(SMALL, SMALL)
