"""All ladders stand on one scale, and what leaves it is drawn as leaving it."""

from hypothesis import given
from hypothesis import strategies as st

from analysis.report.ladder import added_rung, flat_rung, scale

returns = st.floats(-50, 50, allow_nan=False)
ends = st.tuples(st.none() | returns, st.none() | returns)


@given(st.lists(returns, max_size=6), st.lists(ends, max_size=3), st.floats(1.0, 20.0))
def test_every_point_break_even_and_zero_are_on_the_scale(
    points: list[float], intervals: list[tuple[float | None, float | None]], needed: float
) -> None:
    axis = scale(points, intervals, needed)
    assert all(axis.shows(value) for value in (*points, needed, 0.0))
    assert 2 <= len(axis.ticks()) <= 12


@given(returns, returns)
def test_places_keep_the_order_of_values(one: float, other: float) -> None:
    axis = scale([one, other], [], 2.2)
    assert (axis.at(one) <= axis.at(other)) == (one <= other) or axis.at(one) == axis.at(other)


def test_an_open_side_runs_to_the_edge_and_says_so() -> None:
    axis = scale([1.7], [(1.1, None)], 2.2)
    rung = added_rung(1.7, (1.1, None), (), axis)
    assert (rung.end, rung.runs_on_above, rung.runs_on_below) == (100.0, True, False)
    assert rung.start == axis.at(1.1)


def test_a_very_wide_interval_does_not_squeeze_the_rest() -> None:
    axis = scale([6.0, 4.0, 1.7], [(-300.0, 400.0)], 2.2)
    rung = added_rung(1.7, (-300.0, 400.0), (), axis)
    assert axis.high < 12
    assert rung.runs_on_below
    assert rung.runs_on_above


def test_nothing_is_drawn_where_nothing_may_be_said() -> None:
    axis = scale([4.0], [], 2.2)
    assert added_rung(None, (None, None), ("not enough data",), axis).point is None
    assert flat_rung("claimed", "Criteo", None, (), axis).point is None
