"""Sets of digests: exact under every collision of prefixes, and never short of a NUL byte."""

import hashlib
from collections.abc import Set

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.digests import EMPTY, DigestSet

_PREFIXES = st.sampled_from([b"\0" * 8, b"\xff" * 8, b"\0" * 7 + b"\1", b"collides"])
_COLLIDING = st.builds(
    lambda head, tail: head + tail,
    _PREFIXES,
    st.sampled_from([b"\0" * 24, b"\1" + b"\0" * 23, b"\0" * 23 + b"\1", b"\xff" * 24]),
)
_DIGEST = st.one_of(_COLLIDING, st.integers(0, 40).map(lambda n: hashlib.sha256(bytes([n])).digest()))
_SETS = st.frozensets(_DIGEST, max_size=30)


@given(_SETS, _SETS)
def test_union_difference_and_intersection_are_those_of_sets(mine: Set[bytes], theirs: Set[bytes]) -> None:
    a, b = DigestSet.of(mine), DigestSet.of(theirs)
    assert set(a | b) == mine | theirs
    assert set(a - b) == mine - theirs
    assert set(a & b) == mine & theirs
    assert a.mask(b).tolist() == [digest in theirs for digest in a]


@given(st.lists(_DIGEST, max_size=40))
def test_a_set_is_sorted_and_holds_each_digest_once(digests: list[bytes]) -> None:
    assert list(DigestSet.of(digests)) == sorted(set(digests))
    assert DigestSet.unpack(DigestSet.of(digests).pack()) == DigestSet.of(reversed(digests))


@given(_SETS, _DIGEST)
def test_one_digest_is_found_exactly(digests: Set[bytes], wanted: bytes) -> None:
    assert (wanted in DigestSet.of(digests)) == (wanted in digests)


def test_digests_that_share_their_first_eight_bytes_are_told_apart() -> None:
    twins = [b"8 bytes." + bytes([n]) * 24 for n in (3, 1, 2, 1)]
    found = DigestSet.of(twins)
    assert list(found) == sorted(set(twins))
    assert list(found - DigestSet.of(twins[:1])) == [twins[1], twins[2]]
    assert twins[0] not in DigestSet.of(twins[1:])


def test_bytes_of_zero_at_either_end_are_kept() -> None:
    digests = [b"\0" * 32, b"\0" * 31 + b"\1", b"\1" + b"\0" * 31]
    assert list(DigestSet.of(digests)) == digests
    assert len(DigestSet.of(digests) - DigestSet.of([b"\0" * 32])) == 2


@given(_SETS, st.integers(1, 7))
def test_chunks_are_the_whole_in_parts(digests: Set[bytes], size: int) -> None:
    whole = DigestSet.of(digests)
    parts = list(whole.chunks(size))
    assert [digest for part in parts for digest in part] == list(whole)
    assert all(len(part) == size for part in parts[:-1])


def test_hex_units_are_lower_case_and_whole() -> None:
    assert list(DigestSet.of([b"\xab" * 32]).hex_units()) == [b"ab" * 32]


def test_a_set_is_an_unprinted_value() -> None:
    found = DigestSet.of([b"\1" * 32])
    assert repr(found) == "DigestSet(1 digests)"
    assert found == DigestSet.of([b"\1" * 32])
    assert found != EMPTY
    assert len({found, DigestSet.of([b"\1" * 32])}) == 1
    with pytest.raises(ValueError, match="33 bytes"):
        DigestSet.unpack(b"\1" * 33)


@given(_SETS, _SETS)
def test_what_lies_near_another_set_holds_all_that_they_share(mine: Set[bytes], theirs: Set[bytes]) -> None:
    one, other = DigestSet.of(mine), DigestSet.of(theirs)
    assert other & one.near(other) == other & one
    span = {each[:8] for each in theirs}
    assert set(one.near(other)) == {each for each in mine if span and min(span) <= each[:8] <= max(span)}
