"""Which profiles Customer.io should know as held out, and what of that it does not know yet. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from experiments.digests import DigestSet
from experiments.phases import Holdout, assign

YES, NO = "yes", "no"
"""Values of the attribute. Words, because Customer.io's search takes booleans in more than one way."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Profiles, by `cio_id`, to mark as held out and to unmark."""

    mark: tuple[str, ...]
    unmark: tuple[str, ...]


def attribute_of(group: str) -> str:
    """The attribute that says who is held out of a group's ads; no dash, so that Liquid can name it."""
    return f"criteo_holdout_{group.replace('-', '_')}"


def segment_of(group: str) -> str:
    """The name of the manual segment that holds them."""
    return f"Held out of Criteo ads: {group}"


def held_out(profiles: Mapping[str, bytes], holdout: Holdout) -> Iterable[str]:
    """The profiles, by `cio_id`, whose unit the group's salt or the universal one holds out."""
    units = frozenset(assign(DigestSet.of(profiles.values()), holdout).held_out)
    return (cio_id for cio_id, unit in profiles.items() if unit in units)


def changes(wanted: AbstractSet[str], known: AbstractSet[str]) -> Changes:
    """What brings Customer.io from `known` to `wanted`, in a fixed order."""
    return Changes(tuple(sorted(wanted - known)), tuple(sorted(known - wanted)))
