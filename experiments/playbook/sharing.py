"""Who stands on the lists of two include audiences at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from experiments.playbook.facts import Snapshot


@dataclass(frozen=True, slots=True)
class Shared:
    """Two audiences, the people whom both lists hold, and what share of each list that is."""

    one: str
    other: str
    people: int
    of_one: float
    of_other: float

    @property
    def smaller(self) -> str:
        """The audience of which more is shared."""
        return self.one if self.of_one >= self.of_other else self.other

    @property
    def bigger(self) -> str:
        """The other one."""
        return self.other if self.of_one >= self.of_other else self.one

    @property
    def most(self) -> float:
        """The share of the smaller list."""
        return max(self.of_one, self.of_other)

    def document(self) -> dict[str, str | int | float]:
        """For machines."""
        return {
            "one": self.one,
            "other": self.other,
            "people": self.people,
            "of_one": self.of_one,
            "of_other": self.of_other,
        }


def shared_lists(snapshot: Snapshot) -> tuple[Shared, ...]:
    """Every pair of include audiences with anybody in common, the closest pair first."""
    found = []
    for one, other in combinations((each.name for each in snapshot.programme.includes), 2):
        people = (snapshot.overlaps or {}).get((one, other), 0)
        sizes = (snapshot.of(one).on_list, snapshot.of(other).on_list)
        if people and sizes[0] and sizes[1]:
            found.append(Shared(one, other, people, people / sizes[0], people / sizes[1]))
    return tuple(sorted(found, key=lambda each: -each.most))
