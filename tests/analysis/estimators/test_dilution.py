"""From everyone offered to the sync to those the ads could reach."""

import pytest
from reference_cases import close

from analysis.estimators.dilution import MatchRate, per_reached, per_reached_estimated, units_needed_scale
from analysis.estimators.intervals import Estimate, Interval, normal_estimate, not_estimable

EFFECT = normal_estimate(0.00115187, 3.4e-5, "difference", 0.05)


def test_a_known_match_rate_scales_effect_and_error() -> None:
    """Criteo v2.1 (statistics note, B5): ITT .00115187 over m .0360367 is .0319639."""
    found = per_reached_estimated(EFFECT, 0.0360367, 0.0)
    assert found.estimate == pytest.approx(0.0319639, rel=1e-5)
    assert found.se == close(3.4e-5 / 0.0360367)
    assert found.p_value == close(EFFECT.p_value or 0.0)


def test_an_uncertain_match_rate_widens_the_interval() -> None:
    known, unsure = per_reached_estimated(EFFECT, 0.5, 0.0), per_reached_estimated(EFFECT, 0.5, 0.1)
    assert known.se is not None
    assert unsure.se is not None
    assert unsure.se > known.se


def test_bounds_on_the_match_rate_widen_both_ends_outwards() -> None:
    match = MatchRate(rate=0.5, low=0.4, high=0.8)
    positive = per_reached(Estimate(10.0, Interval(4.0, 16.0), "m"), match)
    assert (positive.estimate, positive.interval) == (20.0, Interval(5.0, 40.0))
    straddling = per_reached(Estimate(1.0, Interval(-4.0, 8.0), "m"), match)
    assert straddling.interval == Interval(-10.0, 20.0)


def test_leakage_into_the_holdout_raises_the_effect_per_reached_person() -> None:
    leaky = MatchRate(rate=0.5, low=0.5, high=0.5, leak=0.1)
    assert per_reached(Estimate(10.0, Interval(None, 20.0), "m"), leaky).estimate == pytest.approx(25.0)
    assert per_reached(Estimate(10.0, Interval(None, 20.0), "m"), leaky).interval.low is None


def test_an_effect_that_could_not_be_estimated_stays_so() -> None:
    assert per_reached(not_estimable("m"), MatchRate(0.5, 0.5, 0.5)).estimate is None
    assert per_reached_estimated(not_estimable("m"), 0.5, 0.0).estimate is None


def test_half_the_match_rate_needs_four_times_the_units() -> None:
    assert units_needed_scale(0.5) == 4.0


@pytest.mark.parametrize("rates", [(0.5, 0.6, 0.8), (0.5, 0.0, 0.8), (0.5, 0.4, 1.2)])
def test_an_impossible_match_rate_is_refused(rates: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="match rate"):
        MatchRate(*rates)


def test_more_leakage_than_reach_is_refused() -> None:
    with pytest.raises(ValueError, match="leak"):
        MatchRate(0.5, 0.4, 0.6, leak=0.4)
    for wrong in (0.0, 1.1):
        with pytest.raises(ValueError, match="match rate"):
            units_needed_scale(wrong)
        with pytest.raises(ValueError, match="match rate"):
            per_reached_estimated(EFFECT, wrong, 0.0)
