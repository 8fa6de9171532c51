"""Phases: which percentage and salts an audience had when, and the arms that follow. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from experiments.assignment import buckets, threshold
from experiments.digests import DigestSet

_AT_ONCE = 250_000
_NOT_DRAWN = 255


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

    def is_for(self, holdout_group: str, holdout: Holdout) -> bool:
        """Whether arms are drawn in it exactly so."""
        return (self.holdout_group, self.holdout) == (holdout_group, holdout)


@dataclass(frozen=True, slots=True)
class Arms:
    """Units with the rule that placed each of them, row by row."""

    units: DigestSet
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


@dataclass(frozen=True, slots=True)
class Assigned(Arms):
    """The same with the buckets that the rules follow from, as they are written down at entry."""

    buckets: NDArray[np.uint32]
    universal_buckets: NDArray[np.uint32]

    def without(self, known: DigestSet) -> Assigned:
        """Those of the rows whose unit is not in `known`."""
        new = ~self.units.mask(known)
        return Assigned(
            self.units.where(new), self.rules[new], self.buckets[new], self.universal_buckets[new]
        )


@dataclass(frozen=True, slots=True)
class Entered:
    """Who entered in a phase so far, by the rule that placed them."""

    phase: Phase
    by_rule: Mapping[Rule, DigestSet]

    def __len__(self) -> int:
        return sum(map(len, self.by_rule.values()))


def assign(units: DigestSet, holdout: Holdout) -> Assigned:
    """Arms of all units: the universal holdout first, then the group's."""
    own, universal = _drawn(units, holdout.salt), _drawn(units, holdout.universal_salt)
    rules = np.where(own < threshold(holdout.ppm), Rule.GROUP, Rule.TREATMENT)
    rules = np.where(universal < threshold(holdout.universal_ppm), Rule.UNIVERSAL, rules)
    return Assigned(units, rules.astype(np.uint8), own, universal)


def place(units: DigestSet, holdout: Holdout, entered: Entered | None) -> tuple[Arms, Assigned]:
    """Arms of all units, and the part of them that enters now.

    Whoever entered in this phase keeps the arm that was written down then, and only the others are hashed:
    a re-sync costs what changed. Whoever is added is hashed again before the request leaves (`sync.firewall`).
    """
    known = {} if entered is None else entered.by_rule
    rules = np.full(len(units), _NOT_DRAWN, dtype=np.uint8)
    for rule, people in known.items():
        rules[units.mask(people)] = rule
    new = rules == _NOT_DRAWN
    entering = assign(units.where(new), holdout)
    rules[new] = entering.rules
    return Arms(units, rules), entering


def _drawn(units: DigestSet, salt: str) -> NDArray[np.uint32]:
    """The buckets of all units, a part at a time so that memory does not grow with their number."""
    parts = [buckets(salt, part.hex_units()) for part in units.chunks(_AT_ONCE)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32)
