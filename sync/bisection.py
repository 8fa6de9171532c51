"""Finds the identifiers that Criteo rejects by adding parts of a list again, each half as large. I/O.

Criteo counts invalid identifiers and names only a few. Whoever stands on the list already may be added again
and nothing changes, so the list stays as it was; every request goes through the write-ahead ledger and the
last look, as any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.database import reading, writing
from experiments.digests import DigestSet
from sync.delivery import Courier, Target, transmit
from sync.rejections import note_rejections, rejections_of


@dataclass(slots=True)
class Search:
    """One search: how many requests it may make, how many it made, and how many identifiers it left unfound.

    One request for each `courier.chunk` identifiers is always made: it tells whether there is anything to find.
    """

    courier: Courier
    target: Target
    most: int
    made: int = 0
    unfound: int = 0

    def through(self, keys: DigestSet) -> None:
        """Looks through identifiers of one form, all of which stand on the list."""
        for part in keys.chunks(self.courier.chunk):
            invalid = self._ask(part)
            if invalid:
                self._narrow(part, invalid)

    def _narrow(self, keys: DigestSet, invalid: int) -> None:
        """Of these keys so many are invalid; what Criteo sampled of them is known already."""
        found = self._found(keys)
        left, invalid = keys - found, invalid - len(found)
        if invalid <= 0:
            return
        if len(left) <= invalid:
            with writing(self.courier.engine) as connection:
                note_rejections(
                    connection, self.target.list_id, left, found_by="bisection", at=self.courier.at
                )
            return
        if self.made >= self.most:
            self.unfound += invalid
            return
        first, *others = left.chunks((len(left) + 1) // 2)
        of_first = self._ask(first)
        self._narrow(first, of_first)
        for other in others:
            self._narrow(other, invalid - of_first)

    def _ask(self, keys: DigestSet) -> int:
        self.made += 1
        return transmit(self.courier, self.target, "add", keys).invalid

    def _found(self, keys: DigestSet) -> DigestSet:
        with reading(self.courier.engine) as connection:
            return keys & DigestSet.of(rejections_of(connection, self.target.list_id))
