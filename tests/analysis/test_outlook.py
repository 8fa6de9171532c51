"""Weeks to a decision, and what never comes to one."""

from dataclasses import replace

import pytest

from analysis.outlook import LIFTS, outlook
from analysis.planning import Past, weeks_needed

PAST = Past("lapsed", ("lapsed",), share=0.1, units_per_week=6_000, rate=0.03)


def weeks(past: Past) -> list[float | None]:
    return [each["weeks"] for each in outlook(past, 8.0)["answers"]]


def test_larger_lifts_show_sooner_and_as_the_planner_says() -> None:
    found = weeks(PAST)
    assert found == sorted(found, key=lambda each: -(each or 0))
    assert found == [pytest.approx(weeks_needed(PAST, lift, 0.1)) for lift in LIFTS]


@pytest.mark.parametrize(
    "never",
    [
        replace(PAST, share=0.0),
        replace(PAST, units_per_week=0),
        replace(PAST, rate=0.0),
        replace(PAST, units_per_week=3),
    ],
    ids=["nobody held out", "nobody new", "nobody buys", "more than ten years"],
)
def test_what_never_shows_is_null(never: Past) -> None:
    assert weeks(never)[0] is None
    assert outlook(never, 8.0)["weeks_so_far"] == 8.0


def test_a_rate_that_a_lift_cannot_raise_is_null_for_that_lift() -> None:
    five, ten, twenty = weeks(replace(PAST, rate=0.92))
    assert five is not None
    assert (ten, twenty) == (None, None)
