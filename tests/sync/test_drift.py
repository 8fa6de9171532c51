"""A difference between two counts is judged by what may not be counted yet, and named by its likeliest cause."""

import pytest

from sync.drift import Held, Verdict, judge


def verdict(held: Held, identifiers: int | None, *, is_gone: bool = False) -> Verdict:
    return judge("cart", "include", held, identifiers, is_gone=is_gone).verdict


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [
        (10_000, "agrees"),
        (9_900, "agrees"),
        (9_899, "missing"),
        (10_100, "agrees"),
        (10_101, "surplus"),
        (20_000, "doubled"),
        (19_700, "surplus"),
        (0, "missing"),
        (None, "uncounted"),
    ],
)
def test_one_per_cent_is_no_drift_and_more_is(identifiers: int | None, expected: str) -> None:
    assert verdict(Held(10_000), identifiers) == expected


def test_ten_people_of_a_short_list_are_no_drift() -> None:
    assert [verdict(Held(100), n) for n in (89, 90, 110, 111)] == ["missing", "agrees", "agrees", "surplus"]


def test_what_was_asked_lately_may_be_counted_or_not() -> None:
    held = Held(10_000, added_lately=3_000, removed_lately=500)
    assert [verdict(held, n) for n in (6_900, 7_000, 10_500, 10_700)] == [
        "missing",
        "agrees",
        "agrees",
        "surplus",
    ]


def test_what_was_never_answered_may_stand_there() -> None:
    assert verdict(Held(1_000, perhaps=300), 1_300) == Verdict.AGREES
    assert verdict(Held(1_000, perhaps=300), 1_000) == Verdict.AGREES


def test_what_criteo_called_invalid_is_not_accepted() -> None:
    found = judge("cart", "include", Held(1_000, invalid=200), 800)
    assert found.verdict == Verdict.AGREES
    assert "200 were called invalid" in found.sentence


def test_a_new_list_that_is_not_counted_is_none_the_worse() -> None:
    assert verdict(Held(5_000, added_lately=5_000), 0) == Verdict.AGREES
    assert verdict(Held(0), 0) == Verdict.AGREES


def test_each_drift_names_its_cause_and_what_to_do() -> None:
    missing = judge("cart", "include", Held(1_000), 400)
    assert "Criteo counts 400, the ledger 1,000, 600 too few" in missing.sentence
    assert 'holdouts sync --refresh "cart"' in missing.advice
    surplus = judge("cart", "include", Held(1_000), 1_300)
    assert "300 too many" in surplus.sentence
    assert "held-out people are among them" in surplus.sentence
    assert "held-out" not in judge("buyers", "exclude", Held(1_000), 1_300).sentence
    gone = judge("cart", "include", Held(1_000), None, is_gone=True)
    assert gone.verdict == Verdict.GONE
    assert "Somebody deleted it" in gone.sentence
    assert "two formats" in judge("cart", "include", Held(1_000), 2_000).sentence


def test_where_all_is_well_nobody_needs_to_look() -> None:
    assert judge("cart", "include", Held(5), 5).is_good
    assert judge("cart", "include", Held(5), 5).advice == ""
    assert not judge("cart", "include", Held(500), 5).is_good
