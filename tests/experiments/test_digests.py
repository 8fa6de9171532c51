"""Packed sets of digests answer exactly what Python's sets answer, prefixes shared or not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.digests import EMPTY, SIZE, DigestSet

# Few prefixes and few endings, so that many digests share their first eight bytes and many are equal.
PREFIXES = st.sampled_from([b"\0" * 8, b"a" * 8, b"\xff" * 8, bytes(range(8))])
ENDINGS = st.sampled_from([b"\0" * 24, b"\0" * 23 + b"\1", b"z" * 24, b"\xff" * 24])
DIGESTS = st.builds(lambda head, tail: head + tail, PREFIXES, ENDINGS) | st.binary(
    min_size=SIZE, max_size=SIZE
)
SETS = st.sets(DIGESTS, max_size=30)


def _packed(digests: set[bytes]) -> DigestSet:
    return DigestSet.of(digests)


@given(SETS)
def test_a_set_is_sorted_and_holds_each_digest_once(digests: set[bytes]) -> None:
    found = DigestSet.of([*digests, *digests])
    assert list(found) == sorted(digests)
    assert DigestSet.unpack(found.pack()) == found
    assert DigestSet.unpack_sorted(found.pack()) == found


@given(SETS, SETS)
def test_union_difference_and_intersection_are_those_of_python(left: set[bytes], right: set[bytes]) -> None:
    ours, theirs = _packed(left), _packed(right)
    assert list(ours | theirs) == sorted(left | right)
    assert list(ours - theirs) == sorted(left - right)
    assert list(ours & theirs) == sorted(left & right)


@given(SETS, DIGESTS)
def test_membership_is_exact(digests: set[bytes], one: bytes) -> None:
    assert (one in _packed(digests)) == (one in digests)


@given(SETS)
def test_hex_units_and_chunks_keep_order_and_lose_nothing(digests: set[bytes]) -> None:
    found = _packed(digests)
    assert [bytes.fromhex(unit.decode()) for unit in found.hex_units()] == list(found)
    assert [digest for chunk in found.chunks(7) for digest in chunk] == list(found)


def test_a_digest_that_ends_in_nul_bytes_keeps_them() -> None:
    digest = b"x" * 8 + b"\0" * 24
    assert list(DigestSet.of([digest])) == [digest]


def test_the_empty_set_is_empty_in_every_way() -> None:
    some = DigestSet.of([b"x" * SIZE])
    assert len(EMPTY) == 0
    assert (EMPTY | some) == some
    assert (some | EMPTY) == some
    assert len(some & EMPTY) == len(EMPTY - some) == 0


def test_a_torn_pack_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number"):
        DigestSet.unpack(b"x" * 33)


def test_people_never_show_in_the_repr() -> None:
    assert repr(DigestSet.of([b"x" * SIZE])) == "DigestSet(1 digests)"
