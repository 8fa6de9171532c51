"""People in common: as if every pair were compared."""

from __future__ import annotations

import hashlib
from collections.abc import Set
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from experiments.common_people import people_in_common
from experiments.digests import EMPTY, DigestSet

_COLLIDING = st.builds(lambda tail: b"collides" + bytes([tail]) * 24, st.integers(0, 3))
_DIGEST = st.integers(0, 30).map(lambda number: hashlib.sha256(bytes([number])).digest()) | _COLLIDING


@given(st.lists(st.frozensets(_DIGEST, max_size=25), max_size=6))
def test_it_counts_what_intersections_count(people: list[Set[bytes]]) -> None:
    sets = {f"set {at}": DigestSet.of(each) for at, each in enumerate(people)}
    expected = {(one, other): len(sets[one] & sets[other]) for one, other in combinations(sets, 2)}
    assert people_in_common(sets) == expected


def test_nothing_and_nobody_have_nobody_in_common() -> None:
    assert people_in_common({}) == {}
    assert people_in_common({"one": EMPTY, "other": EMPTY}) == {("one", "other"): 0}
