"""Slices cut the units into equal ranges: nobody is left out and nobody counts twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analysis.slices import EVERYONE, MOST, UnitSlice, slices

UNITS = st.one_of(
    st.binary(min_size=32, max_size=32), st.sampled_from([bytes(32), b"\xff" * 32, b"\x80" + bytes(31)])
)


def _holds(part: UnitSlice, unit: bytes) -> bool:
    return (part.lower is None or part.lower <= unit) and (part.upper is None or unit < part.upper)


@given(UNITS, st.integers(1, 50))
def test_a_unit_lies_in_exactly_one_slice(unit: bytes, count: int) -> None:
    assert sum(_holds(part, unit) for part in slices(count, 1)) == 1


def test_slices_are_as_few_as_their_size_allows() -> None:
    assert slices(0, 1_000) == (EVERYONE,)
    assert slices(1_000, 1_000) == (EVERYONE,)
    assert slices(1_001, 1_000) == (UnitSlice(0, 2), UnitSlice(1, 2))
    assert len(slices(10**12, 1)) == MOST


def test_four_slices_begin_at_the_quarters_of_the_first_byte() -> None:
    assert [part.lower for part in slices(4, 1)] == [
        None,
        *(bytes([first]) + bytes(31) for first in (64, 128, 192)),
    ]
