"""Every order with the ad set that caused it and the one that Criteo claims it for, as growing columns. Pure."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sandbox.shop import Floats, Ints

ORGANIC = -1
UNCLAIMED = -1


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders as columns of one length; `caused` and `claimed` are ad-set positions, −1 for none.

    `touch_at` is when the claimed click or view happened, `clicked` whether it was a click, and
    `cross_device` whether Criteo says it saw the order on another device than the ad.
    """

    number: Ints
    person: Ints
    at: Floats
    revenue: Floats
    caused: Ints
    claimed: Ints
    touch_at: Floats
    clicked: NDArray[np.bool_]
    cross_device: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.number)


class Ledger:
    """Appends blocks of orders and joins them when somebody reads."""

    def __init__(self) -> None:
        self._blocks: list[Orders] = []
        self._count = 0

    @property
    def next_number(self) -> int:
        """The number of the next order."""
        return self._count

    def append(self, block: Orders) -> None:
        """Add a block, whose numbers go on from `next_number`."""
        self._blocks.append(block)
        self._count += len(block)

    def read(self) -> Orders:
        """All orders so far, oldest block first."""
        if len(self._blocks) > 1:
            self._blocks = [_joined(self._blocks)]
        return self._blocks[0] if self._blocks else _joined([])


def _joined(blocks: list[Orders]) -> Orders:
    if not blocks:
        no_ints, no_floats, no_flags = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
        return Orders(no_ints, no_ints, no_floats, no_floats, no_ints, no_ints, no_floats, no_flags, no_flags)
    return Orders(
        *(np.concatenate([getattr(block, field.name) for block in blocks]) for field in fields(Orders))
    )


def order_id(number: int) -> str:
    """The order's name in the shop's database and in Criteo's reports."""
    return f"S-{number:07d}"
