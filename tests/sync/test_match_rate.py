from sync.match_rate import MatchRate, has_fallen


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
