"""Each fuse on both sides of its bound."""

import pytest
from programmes import NOBODY, include, members, people

from experiments.audiences import Bounds
from experiments.digests import EMPTY, DigestSet
from experiments.phases import Holdout, assign
from sync.fuses import FUSES, Case, former_refusal, refusals
from sync.plan import Counts, Former, Holding, ListPlan, Membership


def case(
    membership: Membership,
    *,
    held: DigestSet = EMPTY,
    last: int | None = None,
    band: int = 0,
    **bounds: float,
) -> Case:
    desired = membership.units
    plan = ListPlan("cart", "cart", "include", desired, desired - held, held - desired, band=band)
    audience = include("cart", 1, bounds=Bounds(**bounds))  # type: ignore[arg-type]  # shares and a count
    return Case(audience, membership, plan, last, len(held), len(plan.removes))


def blown(looked_at: Case) -> list[str]:
    return [each.fuse for each in refusals(looked_at)]


def test_a_first_sync_of_any_size_may_go() -> None:
    assert blown(case(members(people(range(5000))))) == []


def test_a_segment_that_is_still_built_is_refused() -> None:
    assert "unfinished" in blown(case(Membership(EMPTY, 0, finished=False), held=people(1)))


@pytest.mark.parametrize(("held", "last"), [(people(1), None), (EMPTY, 3)])
def test_a_segment_that_became_empty_is_refused(held: DigestSet, last: int | None) -> None:
    assert "empty" in blown(case(members(EMPTY), held=held, last=last))
    assert blown(case(members(EMPTY))) == []


@pytest.mark.parametrize(
    ("reported", "refused"), [(1052, False), (1053, True), (953, False), (952, True), (None, False)]
)
def test_a_source_may_disagree_with_its_own_count_by_a_twentieth(reported: int | None, refused: bool) -> None:
    assert ("disagreement" in blown(case(members(people(range(1000)), reported=reported)))) == refused


def test_ten_people_more_or_less_are_no_disagreement() -> None:
    assert blown(case(members(people(range(20)), reported=30))) == []
    assert blown(case(members(people(range(20)), reported=31))) == ["disagreement"]


def test_a_first_read_of_nobody_is_not_believed_where_the_source_counts_somebody() -> None:
    assert blown(case(Membership(EMPTY, 0, reported=3))) == ["empty"]
    assert blown(case(Membership(EMPTY, 0, reported=0))) == []


@pytest.mark.parametrize(("now", "refused"), [(70, False), (69, True)])
def test_a_source_may_shrink_by_its_bound(now: int, refused: bool) -> None:
    assert ("shrink" in blown(case(members(people(range(now))), last=100))) == refused


@pytest.mark.parametrize(("now", "refused"), [(2000, False), (2001, True)])
def test_a_list_of_a_thousand_may_at_most_double(now: int, refused: bool) -> None:
    assert ("growth" in blown(case(members(people(range(now))), held=people(range(1000))))) == refused


def test_a_small_list_may_grow_as_it_likes() -> None:
    assert blown(case(members(people(range(5000))), held=people(range(999)))) == []


@pytest.mark.parametrize(("left", "band", "refused"), [(500, 0, False), (499, 0, True), (499, 1, False)])
def test_at_most_half_of_a_list_leaves_at_once_a_moved_band_aside(
    left: int, band: int, refused: bool
) -> None:
    looked_at = case(members(people(range(left))), held=people(range(1000)), band=band)
    assert ("removal" in blown(looked_at)) == refused


@pytest.mark.parametrize(("unusable", "refused"), [(50, False), (51, True)])
def test_half_of_the_profiles_may_be_unusable(unusable: int, refused: bool) -> None:
    membership = Membership(people(range(100 - unusable)), 100, {"missing": unusable}, 100)
    assert ("unusable" in blown(case(membership))) == refused


def test_a_holdout_that_chance_does_not_make_is_refused() -> None:
    everybody = people(range(2000))
    tenth = Holdout("holdout:v1:g:s0", 100_000, "holdout:v1:universal:s0", 0)
    for claimed, refused in ((tenth, False), (Holdout(tenth.salt, 200_000, tenth.universal_salt, 0), True)):
        found = assign(everybody, tenth)
        counts = Counts(eligible=2000, held_out=len(found.held_out))
        plan = ListPlan(
            "cart", "cart", "include", found.treated, found.treated, EMPTY, counts, found, holdout=claimed
        )
        looked_at = Case(include("cart", 1, bounds=Bounds()), members(everybody), plan, None, 0, 0)
        assert ("holdout-share" in blown(looked_at)) == refused


def test_a_holdout_of_nobody_is_as_it_should_be() -> None:
    found = assign(people(1, 2), NOBODY)
    plan = ListPlan(
        "cart", "cart", "include", found.treated, EMPTY, EMPTY, Counts(eligible=2), found, holdout=NOBODY
    )
    assert refusals(Case(include("cart", 1), members(people(1, 2)), plan, None, 0, 0)) == ()


def test_a_list_that_the_file_gave_up_waits_for_a_word_and_a_replaced_one_does_not() -> None:
    left = Former("7", "old", "include", Holding(people(1), people(2)))
    refusal = former_refusal(left)
    assert refusal is not None
    assert "2 people" in refusal.reason
    assert former_refusal(Former("7", "old", "include", Holding(people(1)), replaced=True)) is None


def test_every_reason_is_a_sentence_with_figures() -> None:
    worst = case(
        Membership(people(range(3)), 100, {"missing": 97}, 500), held=people(range(100, 2000)), last=1900
    )
    found = refusals(worst)
    assert {each.fuse for each in found} == {"disagreement", "shrink", "removal", "unusable"}
    assert all(any(character.isdigit() for character in each.reason) for each in found)
    assert len({name for name, _ in FUSES}) == len(FUSES)
