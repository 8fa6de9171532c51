"""Sums add without loss, whatever way they were made."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from outcomes_strategy import values

from analysis.estimators.sums import ArmSums, Floats, Stratum, comparable, pooled


def raw(y: Floats, x: Floats) -> ArmSums:
    return ArmSums.from_sums(
        len(y),
        float(y.sum()),
        float((y**2).sum()),
        float((y**3).sum()),
        conversions=int((y > 0).sum()),
        negatives=int((y < 0).sum()),
        x=float(x.sum()),
        xx=float((x**2).sum()),
        xy=float((x * y).sum()),
    )


def parts(sums: ArmSums) -> tuple[float, ...]:
    return (sums.n, sums.y, sums.yy, sums.yyy, sums.x, sums.xx, sums.xy, sums.conversions, sums.negatives)


def test_raw_sums_come_back_from_centred_moments() -> None:
    y, x = np.array([0.0, 3.0, -1.0, 7.5]), np.array([2.0, 0.0, 5.0, 1.0])
    assert parts(ArmSums.from_values(y, covariate=x)) == pytest.approx(parts(raw(y, x)), rel=1e-14)
    assert parts(raw(y, x)) == pytest.approx((4, 9.5, 66.25, 447.875, 8.0, 30.0, 2.5, 2, 1), rel=1e-14)


@given(values(1), values(1))
def test_adding_two_parts_gives_the_sums_of_the_whole(left: Floats, right: Floats) -> None:
    whole = np.concatenate([left, right])
    added = ArmSums.from_values(left, covariate=left[::-1]) + ArmSums.from_values(right, covariate=right)
    direct = ArmSums.from_values(whole, covariate=np.concatenate([left[::-1], right]))
    size = float(np.abs(whole).max()) + 1e-300
    assert parts(added)[:2] == pytest.approx(parts(direct)[:2], rel=1e-12)
    assert added.m2 == pytest.approx(direct.m2, rel=1e-12, abs=1e-12 * size**2)
    assert added.m3 == pytest.approx(direct.m3, rel=1e-11, abs=1e-12 * size**3)
    assert added.xy_m2 == pytest.approx(direct.xy_m2, rel=1e-11, abs=1e-12 * size**2)
    assert (added.conversions, added.negatives) == (direct.conversions, direct.negatives)


@given(values(0), values(0), values(0))
def test_addition_has_a_neutral_element_and_no_order(a: Floats, b: Floats, c: Floats) -> None:
    x, y, z = (ArmSums.from_values(part) for part in (a, b, c))
    assert x + ArmSums.empty() == x == ArmSums.empty() + x
    assert parts((x + y) + z) == pytest.approx(parts(x + (y + z)), rel=1e-11, abs=1e-9)


def test_a_mean_far_from_zero_does_not_eat_the_variance() -> None:
    """Raw sums of squares would lose every digit here: 1e9 squared beside a variance of 1."""
    halves = [ArmSums.from_values(np.array([1e9 - 1.0, 1e9, 1e9 + 1.0])) for _ in range(2)]
    variance = (halves[0] + halves[1]).variance
    assert variance == pytest.approx(0.8, rel=1e-12)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 5)), min_size=1, max_size=20))
def test_a_weighted_row_stands_for_that_many_units(rows: list[tuple[float, int]]) -> None:
    y, w = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=float)
    repeated = ArmSums.from_values(np.repeat(y, w.astype(int)))
    weighted = ArmSums.from_values(y, weights=w)
    assert parts(weighted) == pytest.approx(parts(repeated), rel=1e-9, abs=1e-9)


def test_one_unit_has_a_mean_and_no_variance() -> None:
    one = ArmSums.from_values(np.array([4.0]))
    assert (one.mean, one.variance, one.mean_variance, one.x_variance) == (4.0, None, None, None)


def test_no_unit_cannot_have_a_sum() -> None:
    with pytest.raises(ValueError, match="without a unit"):
        ArmSums.from_sums(0, 1.0, 1.0, 1.0, conversions=0)


def test_more_conversions_than_units_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        ArmSums.from_sums(2, 3.0, 3.0, 3.0, conversions=3)


def test_values_and_weights_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        ArmSums.from_values(np.zeros(3), weights=np.zeros(2))


def test_conversions_and_baskets_split_the_revenue_in_two_parts() -> None:
    sums = ArmSums.from_values(np.array([0.0, 0.0, 10.0, 30.0]))
    assert (sums.converted.mean, sums.baskets.mean) == (0.5, 20.0)
    assert sums.converted.mean * sums.baskets.mean == sums.mean
    assert sums.baskets.variance == pytest.approx(200.0)
    assert ArmSums.from_values(np.zeros(3)).baskets == ArmSums.empty()
    with pytest.raises(ValueError, match="zero or more"):
        _ = ArmSums.from_values(np.array([-1.0, 2.0])).baskets


def test_only_strata_with_both_arms_are_comparable() -> None:
    some = ArmSums.from_values(np.array([1.0, 0.0]))
    full, lone = Stratum(some, some, "a"), Stratum(ArmSums.empty(), some, "b")
    assert comparable((full, lone)) == (full,)
    assert pooled((full, lone)).treatment.n == 4
    assert pooled(()).n == 0
