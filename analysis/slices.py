"""Slices of the units by their hash: equal parts of any number of people, each a range of the key. Pure.

A unit is a SHA-256, so that equal ranges of it hold equal shares of the people; a unit lies in one slice, with all
its entries and orders, and so the slices' sums add up to everybody's.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.digests import SIZE

MOST = 4_096
"""More slices than this cost more than they save."""


@dataclass(frozen=True, slots=True)
class UnitSlice:
    """Part `number` (from 0) of `of` equal parts of all units."""

    number: int = 0
    of: int = 1

    @property
    def lower(self) -> bytes | None:
        """The first unit of the slice; None where it begins with the first there can be."""
        return _edge(self.number, self.of) if self.number else None

    @property
    def upper(self) -> bytes | None:
        """The first unit after the slice; None where there is none."""
        return _edge(self.number + 1, self.of) if self.number + 1 < self.of else None


EVERYONE = UnitSlice()


def slices(units: int, size: int) -> tuple[UnitSlice, ...]:
    """As few slices as hold about `size` of so many units each."""
    count = min(MOST, max(1, -(-units // size)))
    return tuple(UnitSlice(number, count) for number in range(count))


def _edge(number: int, of: int) -> bytes:
    return (number * (1 << 8 * SIZE) // of).to_bytes(SIZE, "big")
