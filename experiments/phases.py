"""Phases: which percentage and salts an audience had when, and the arms that follow. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from experiments.assignment import buckets, threshold
from experiments.digests import DigestSet

_AT_ONCE = 250_000


class Rule(IntEnum):
    """Which rule put a unit into its arm."""

    TREATMENT = 0
    GROUP = 1
    UNIVERSAL = 2


@dataclass(frozen=True, slots=True)
class Holdout:
    """What decides arms at one moment: the group's salt and share, and the universal ones."""

    salt: str
    ppm: int
    universal_salt: str
    universal_ppm: int


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time during which one audience had one holdout."""

    id: int
    audience: str
    number: int
    holdout_group: str
    holdout: Holdout
    opened_at: int


@dataclass(frozen=True, slots=True)
class Assigned:
    """Units with their buckets and the rule that placed each of them, row by row."""

    units: DigestSet
    buckets: NDArray[np.uint32]
    universal_buckets: NDArray[np.uint32]
    rules: NDArray[np.uint8]

    @property
    def held_out(self) -> DigestSet:
        """Units that no list may hold that people are advertised from."""
        return self.units.where(self.rules != Rule.TREATMENT)

    @property
    def treated(self) -> DigestSet:
        """Units to push."""
        return self.units.where(self.rules == Rule.TREATMENT)

    def by(self, rule: Rule) -> DigestSet:
        """Units placed by one rule."""
        return self.units.where(self.rules == rule)

    def without(self, known: DigestSet) -> Assigned:
        """Those of the rows whose unit is not in `known`."""
        new = ~self.units.mask(known)
        return Assigned(
            self.units.where(new), self.buckets[new], self.universal_buckets[new], self.rules[new]
        )


def assign(units: DigestSet, holdout: Holdout) -> Assigned:
    """Arms of all units: the universal holdout first, then the group's."""
    own, universal = _drawn(units, holdout.salt), _drawn(units, holdout.universal_salt)
    rules = np.where(own < threshold(holdout.ppm), Rule.GROUP, Rule.TREATMENT)
    rules = np.where(universal < threshold(holdout.universal_ppm), Rule.UNIVERSAL, rules)
    return Assigned(units, own, universal, rules.astype(np.uint8))


def _drawn(units: DigestSet, salt: str) -> NDArray[np.uint32]:
    """The buckets of all units, a part at a time so that memory does not grow with their number."""
    parts = [buckets(salt, part.hex_units()) for part in units.chunks(_AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32)
