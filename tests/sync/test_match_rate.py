from itertools import pairwise

from sync.match_rate import MatchRate, has_fallen, is_below, newly_fallen, usual


def test_a_fall_that_chance_explains_is_none() -> None:
    """At 1,000 identifiers five deviations are more than ten points."""
    assert not has_fallen(MatchRate(0.65, 1_000), MatchRate(0.56, 1_000))


def test_a_fall_beyond_the_band_is_one() -> None:
    assert has_fallen(MatchRate(0.65, 1_000), MatchRate(0.50, 1_000))


def test_the_band_is_narrower_where_the_list_is_longer() -> None:
    assert has_fallen(MatchRate(0.65, 100_000), MatchRate(0.63, 100_000))


def test_a_sure_fall_of_less_than_a_point_is_none() -> None:
    assert not has_fallen(MatchRate(0.65, 10_000_000), MatchRate(0.641, 10_000_000))


def test_a_rise_is_none() -> None:
    assert not has_fallen(MatchRate(0.50, 100_000), MatchRate(0.65, 100_000))


def test_an_empty_list_says_nothing() -> None:
    assert not has_fallen(MatchRate(0.65, 100_000), MatchRate(0.0, 0))
    assert not has_fallen(MatchRate(0.0, 0), MatchRate(0.65, 100_000))


def test_a_list_that_lost_every_match_has_fallen() -> None:
    assert has_fallen(MatchRate(1.0, 100), MatchRate(0.0, 100))


def test_what_is_usual_is_the_middle_of_the_past_and_worth_one_list() -> None:
    past = [MatchRate(0.60, 900), MatchRate(0.70, 1_000), MatchRate(0.65, 1_100)]
    assert usual(past) == MatchRate(0.65, 1_000)
    assert usual([]) is None


def test_a_rate_that_sinks_a_little_with_each_sync_is_noticed() -> None:
    """No step is beyond chance; all of them together are."""
    sinking = [MatchRate(0.70 - 0.006 * step, 5_000) for step in range(15)]
    assert not any(has_fallen(before, now) for before, now in pairwise(sinking))
    assert not is_below([MatchRate(0.70, 5_000)] * 10, sinking[1])
    assert is_below([MatchRate(0.70, 5_000)] * 20 + sinking[:-1], sinking[-1])


def test_one_bad_count_does_not_move_what_is_usual() -> None:
    past = [MatchRate(0.65, 5_000)] * 5 + [MatchRate(0.10, 5_000)]
    assert not is_below(past, MatchRate(0.64, 5_000))


def test_a_fall_is_new_once() -> None:
    past, fallen = [MatchRate(0.65, 5_000)] * 10, MatchRate(0.50, 5_000)
    assert newly_fallen(past, fallen)
    assert not newly_fallen([*past, fallen], fallen)
    assert newly_fallen([*past, fallen, past[0]], fallen), "it had recovered in between"


def test_the_first_count_has_nothing_to_be_compared_with() -> None:
    assert not newly_fallen([], MatchRate(0.1, 5_000))
