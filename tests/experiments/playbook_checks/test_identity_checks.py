"""Identity: whether Criteo can know the people, and the likeliest cause where it does not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shops import codes, syncs, the, with_known

from experiments.playbook.facts import Sample

NAME = "lapsed-60-120d"
FINE = Sample(4_000, missing=20, malformed=30, hashed=4, typos=2, repeated=150)


@pytest.mark.parametrize(("unusable", "severity"), [(500, "medium"), (1_200, "high")])
def test_many_profiles_without_an_e_mail_are_a_finding(unusable: int, severity: str) -> None:
    found = the(with_known(NAME, syncs=syncs(unusable=unusable)), "identity.coverage")
    assert (found.severity, found.figure) == (severity, unusable / 4_000)
    assert codes(with_known(NAME, syncs=syncs(unusable=450))) == []


def test_what_is_no_e_mail_or_was_hashed_elsewhere_is_a_finding() -> None:
    found = the(with_known(NAME, sample=replace(FINE, malformed=60, hashed=50)), "identity.malformed")
    assert found.figure == pytest.approx(110 / 4_000)
    assert codes(with_known(NAME, sample=replace(FINE, malformed=60, hashed=20))) == []


def test_likely_typos_are_a_finding() -> None:
    assert the(with_known(NAME, sample=replace(FINE, typos=40)), "identity.typos").figure == 0.01
    assert codes(with_known(NAME, sample=replace(FINE, typos=20))) == []


def test_repeated_profiles_are_a_finding() -> None:
    assert the(with_known(NAME, sample=replace(FINE, repeated=800)), "identity.duplicates").figure == 0.2
    assert codes(with_known(NAME, sample=replace(FINE, repeated=400))) == []


@given(st.integers(1, 300))
def test_a_small_sample_is_only_believed_beyond_chance(size: int) -> None:
    one_bad = Sample(size, malformed=1, typos=1, repeated=1)
    found = {code for code, _ in codes(with_known(NAME, sample=one_bad))}
    assert found <= ({"identity.malformed", "identity.typos", "identity.duplicates"} if size < 50 else set())


def fallen(matches: int) -> object:
    history = syncs()
    return with_known(NAME, syncs=(*history[:-1], replace(history[-1], matches=matches)))


def test_a_match_rate_below_the_band_around_its_history_has_fallen() -> None:
    found = the(fallen(2_200), "identity.match-fell")
    assert (found.severity, found.figure) == ("high", pytest.approx(0.10))


def test_a_match_rate_within_chance_has_not_fallen() -> None:
    # Five standard deviations of two shares of 4,000 at 65 % are 5.3 points.
    assert codes(fallen(2_410)) == []


def test_an_audience_recognised_less_than_the_others_is_a_finding() -> None:
    found = the(with_known(NAME, syncs=syncs(matches=2_300)), "identity.match-low")
    assert found.figure == pytest.approx(0.65 - 0.575)
    assert codes(with_known(NAME, syncs=syncs(matches=2_420))) == []


@pytest.mark.parametrize(
    ("sample", "pushed", "cause"),
    [
        (replace(FINE, hashed=60), 4_000, "hashed elsewhere"),
        (replace(FINE, typos=90, malformed=0), 4_000, "misspelt"),
        (FINE, 6_000, "not processed"),
        (FINE, 4_000, "new or use an address"),
    ],
)
def test_the_likeliest_cause_is_named(sample: Sample, pushed: int, cause: str) -> None:
    changed = with_known(NAME, sample=sample, syncs=syncs(matches=1_000, pushed=pushed))
    assert cause in the(changed, "identity.match-low").sentence


@pytest.mark.parametrize(
    ("lost", "cause"),
    [
        ({"unusable": 2_500, "units": 1_500}, "2,500 have no usable e-mail"),
        ({"units": 1_500}, "2,500 are second profiles"),
        ({"excluded": 2_500}, "2,500 stand in an exclusion"),
        ({"claimed": 2_500, "held_out": 100}, "2,500 are in a window of higher priority, 100 are held out"),
        ({}, "2,500 were not sent yet"),
    ],
    ids=["no e-mail", "second profiles", "an exclusion", "a sibling", "not sent"],
)
def test_a_list_of_half_its_segment_is_told_with_the_step_that_lost_most(
    lost: dict[str, int], cause: str
) -> None:
    on_list = {"pushed": 1_500 - lost.get("held_out", 0)}
    counted = {"identifiers": on_list["pushed"], "matches": round(0.65 * on_list["pushed"])}
    found = the(with_known(NAME, syncs=syncs(**lost, **on_list, **counted)), "identity.segment-gap")
    assert found.figure == pytest.approx(on_list["pushed"] / 4_000)
    assert f"most likely because of the first of these: {cause}" in found.sentence


def test_what_criteo_does_not_count_is_a_step_of_its_own() -> None:
    found = the(with_known(NAME, syncs=syncs(identifiers=1_500, matches=975)), "identity.segment-gap")
    assert "2,500 were sent and are not counted by Criteo" in found.sentence


def test_a_large_holdout_a_small_segment_and_a_list_of_half_are_no_gap() -> None:
    half = syncs(held_out=2_100, pushed=1_900, identifiers=1_900, matches=1_235)
    assert codes(with_known(NAME, syncs=half)) == []
    small = syncs(members=199, pushed=10, identifiers=None, matches=None)
    assert "identity.segment-gap" not in {code for code, _ in codes(with_known(NAME, syncs=small))}
    exact = syncs(excluded=2_000, pushed=2_000, identifiers=2_000, matches=1_300)
    assert codes(with_known(NAME, syncs=exact)) == []
    unknown = syncs(pushed=None, identifiers=None, matches=None)
    assert codes(with_known(NAME, syncs=unknown)) == []


def test_a_list_that_criteo_counts_otherwise_than_the_ledger_is_a_finding() -> None:
    less = the(with_known(NAME, syncs=syncs(identifiers=3_600, matches=2_340)), "identity.count-gap")
    assert less.figure == pytest.approx(-0.10)
    assert "not processed" in less.sentence
    more = the(with_known(NAME, syncs=syncs(identifiers=5_000, matches=3_250)), "identity.count-gap")
    assert "somebody else" in more.sentence


def test_counts_that_lie_between_those_of_two_days_are_late_and_not_wrong() -> None:
    history = syncs()
    grown = tuple(replace(each, pushed=5_000) for each in history[-6:])
    assert codes(with_known(NAME, syncs=(*history[:-6], *grown))) == []
