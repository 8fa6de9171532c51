"""Numbers are said with three digits, thin spaces and a true minus; open sides are said to be open."""

from datetime import UTC, datetime, timedelta

import pytest

from analysis.report.wording import (
    Place,
    age_text,
    between,
    estimated,
    holdout_text,
    money_text,
    percent_text,
    percent_tick,
    plain,
    ratio,
    ratio_decimals,
    short_between,
    signed_percent,
)


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (12_345.67, "EUR", "€12\u202f300"),
        (0.0, "EUR", "€0"),
        (0.454, "USD", "$0.45"),
        (4.567, "GBP", "£4.57"),
        (45.67, "EUR", "€45.7"),
        (999.6, "EUR", "€1\u202f000"),
        (-4_321.0, "EUR", "−€4\u202f320"),
        (-0.001, "EUR", "€0"),
        (1_234_567.0, "SEK", "SEK\u202f1.23\u202fm"),
        (999_900.0, "EUR", "€1.00\u202fm"),
        (123_456_789.0, "EUR", "€123\u202fm"),
    ],
)
def test_money_has_three_significant_digits(value: float, currency: str, text: str) -> None:
    assert money_text(value, currency) == text


def test_a_lift_carries_its_sign_and_zero_carries_none() -> None:
    assert percent_text(0.1234, signed=True) == "+12.3\u202f%"
    assert percent_text(-0.1234, signed=True) == "−12.3\u202f%"
    assert percent_text(-0.0001, signed=True) == "0.0\u202f%"
    assert percent_text(1.5, signed=True) == "+150\u202f%"
    assert [percent_tick(each) for each in (-0.2, 0.0, 0.025)] == ["−20\u202f%", "0\u202f%", "+2.5\u202f%"]
    assert holdout_text(2.5) == "2.5\u202f%"


def test_each_open_side_is_said_to_be_open() -> None:
    way = ratio(1)
    said = [plain(between(Place(list(ends)), way)) for ends in ((1, 2), (1, None), (None, 2), (None, None))]
    assert said == [
        "between 1.0 and 2.0",
        "at least 1.0, with no upper limit",
        "at most 2.0, with no lower limit",
        "anything: the data set no limit yet",
    ]
    short = [
        plain(short_between(Place(list(ends)), way)) for ends in ((1, 2), (1, None), (None, 2), (None, None))
    ]
    assert short == ["1.0 to 2.0", "at least 1.0", "at most 2.0", "no limit yet"]


def test_a_number_is_never_said_without_its_interval() -> None:
    assert plain(estimated(Place(0.1), Place([0.0, 0.2]), signed_percent)) == (
        "+10.0\u202f%, surely between 0.0\u202f% and +20.0\u202f%"
    )
    assert plain(estimated(Place(None), Place([0.1, None]), signed_percent)) == (
        "not estimable; surely at least +10.0\u202f%, with no upper limit"
    )


def test_returns_get_a_second_decimal_where_one_would_hide_the_side_of_break_even() -> None:
    assert ratio_decimals([6.1, 1.7, 1.1, 2.4], 2.22) == 1
    assert ratio_decimals([6.1, 2.24], 2.22) == 2
    assert ratio_decimals([0.01], 2.22) == 2


def test_a_place_is_a_json_pointer() -> None:
    place = Place({"a/b": [{"c~d": 7}]})["a/b"][0]["c~d"]
    assert (place.value, place.pointer) == (7, "/a~1b/0/c~0d")


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0.2, "less than an hour earlier"),
        (1, "1 hour earlier"),
        (30, "30 hours earlier"),
        (72, "3 days earlier"),
    ],
)
def test_an_age_is_said_in_the_unit_that_fits(hours: float, text: str) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert age_text(now - timedelta(hours=hours), now) == text
