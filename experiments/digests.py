"""Sets of SHA-256 digests as sorted, packed bytes: millions of people without a Python object each. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIZE = 32
Rows = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class DigestSet:
    """A sorted set of 32-byte digests, held as an (n, 32) array of bytes.

    Comparison looks first at 8 bytes of each digest and then at all 32; where two different digests
    share their first 8 bytes it falls back to an exact, slower path.
    """

    rows: Rows

    @classmethod
    def of(cls, digests: Iterable[bytes]) -> DigestSet:
        """A set from single digests."""
        return cls.unpack(b"".join(digests))

    @classmethod
    def unpack(cls, packed: bytes) -> DigestSet:
        """A set from concatenated digests in any order, repeats allowed."""
        if len(packed) % SIZE:
            raise ValueError(f"{len(packed)} bytes are no whole number of {SIZE}-byte digests")
        return cls(_sorted_unique(np.frombuffer(packed, dtype=np.uint8).reshape(-1, SIZE)))

    @classmethod
    def unpack_sorted(cls, packed: bytes) -> DigestSet:
        """The same from digests that are sorted and unique already, as a primary key gives them."""
        return cls(np.frombuffer(packed, dtype=np.uint8).reshape(-1, SIZE))

    def pack(self) -> bytes:
        """The digests, sorted and concatenated."""
        return self.rows.tobytes()

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[bytes]:
        packed = self.pack()
        return (packed[at : at + SIZE] for at in range(0, len(packed), SIZE))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DigestSet) and np.array_equal(self.rows, other.rows)

    def __hash__(self) -> int:
        return hash(self.pack())

    def __repr__(self) -> str:
        return f"DigestSet({len(self)} digests)"

    def __contains__(self, digest: bytes) -> bool:
        return bool(self.mask(DigestSet.unpack(digest)).any())

    def __or__(self, other: DigestSet) -> DigestSet:
        if not len(other):
            return self
        if not len(self):
            return other
        new = other - self
        mine, theirs = _prefixes(self.rows), _prefixes(new.rows)
        at = np.searchsorted(mine, theirs)
        if (mine[np.minimum(at, len(mine) - 1)] == theirs).any() or _repeats(theirs):
            return DigestSet(_sorted_unique(np.concatenate([self.rows, new.rows])))
        return DigestSet(np.insert(self.rows, at, new.rows, axis=0))

    def __sub__(self, other: DigestSet) -> DigestSet:
        return DigestSet(self.rows[~self.mask(other)])

    def __and__(self, other: DigestSet) -> DigestSet:
        return DigestSet(self.rows[self.mask(other)])

    def mask(self, other: DigestSet) -> NDArray[np.bool_]:
        """For each digest of this set, whether it is in `other`."""
        if not len(self) or not len(other):
            return np.zeros(len(self), dtype=np.bool_)
        mine, theirs = _prefixes(self.rows), _prefixes(other.rows)
        if _repeats(theirs):
            known = set(other)
            return np.fromiter((digest in known for digest in self), dtype=np.bool_, count=len(self))
        at = np.minimum(np.searchsorted(theirs, mine), len(theirs) - 1)
        found: NDArray[np.bool_] = theirs[at] == mine
        found[found] = (self.rows[found] == other.rows[at[found]]).all(axis=1)
        return found

    def where(self, chosen: NDArray[np.bool_]) -> DigestSet:
        """The digests at which `chosen` is true, order kept."""
        return DigestSet(self.rows[chosen])

    def near(self, other: DigestSet) -> DigestSet:
        """Those from the first to the last of another set: a cheap cut before the two are compared."""
        if not len(self) or not len(other):
            return EMPTY
        first, last = other.rows[0, :8].tobytes(), other.rows[-1, :8].tobytes()
        start = bisect_left(self.rows, first, key=lambda row: row[:8].tobytes())
        end = bisect_right(self.rows, last, key=lambda row: row[:8].tobytes())
        return DigestSet(self.rows[start:end])

    def hex_units(self) -> Iterator[bytes]:
        """Each digest as the 64 ASCII bytes of its lower-case hex form."""
        text = self.pack().hex().encode()
        return (text[at : at + 2 * SIZE] for at in range(0, len(text), 2 * SIZE))

    def chunks(self, size: int) -> Iterator[DigestSet]:
        """Consecutive parts of at most `size` digests."""
        return (DigestSet(self.rows[at : at + size]) for at in range(0, len(self), size))


EMPTY = DigestSet(np.zeros((0, SIZE), dtype=np.uint8))


def _prefixes(rows: Rows) -> NDArray[np.uint64]:
    return np.ascontiguousarray(rows[:, :8]).view(">u8").ravel().astype(np.uint64)


def _repeats(sorted_prefixes: NDArray[np.uint64]) -> bool:
    return bool((sorted_prefixes[1:] == sorted_prefixes[:-1]).any())


def _sorted_unique(rows: Rows) -> Rows:
    if len(rows) < 2:
        return np.ascontiguousarray(rows)
    prefixes = _prefixes(rows)
    if (prefixes[1:] > prefixes[:-1]).all():
        return np.ascontiguousarray(rows)
    order = np.argsort(prefixes)
    ordered: Rows = rows[order]
    keys = prefixes[order]
    same_prefix = keys[1:] == keys[:-1]
    if not same_prefix.any():
        return ordered
    repeats = same_prefix.copy()
    repeats[same_prefix] = (ordered[1:][same_prefix] == ordered[:-1][same_prefix]).all(axis=1)
    if (repeats == same_prefix).all():
        kept: Rows = ordered[np.concatenate([[True], ~repeats])]
        return kept
    exact = sorted({row.tobytes() for row in rows})
    return np.frombuffer(b"".join(exact), dtype=np.uint8).reshape(-1, SIZE)
