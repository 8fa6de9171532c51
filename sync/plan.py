"""The values of a sync: what was read, what is held, and the adds and removes that follow. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from experiments.digests import EMPTY, DigestSet
from experiments.identifiers import NONE, Identifiers
from experiments.phases import Arms, Assigned, Entered, Holdout

ListRole = Literal["include", "exclude", "holdout"]


@dataclass(frozen=True, slots=True)
class Membership:
    """One segment as it was read: its usable units, and what could not be used."""

    units: DigestSet
    profiles: int
    unusable: Mapping[str, int] = field(default_factory=dict)
    reported: int | None = None
    """The source's own count of profiles, where it gave one."""
    finished: bool = True
    """False while the source was still building the segment."""
    identifiers: Identifiers = NONE
    """What these people are sent as, where that is not the SHA-256 of their e-mail."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a list holds by our own ledger: surely, and perhaps (asked for but never confirmed).

    Both are keys of identifiers; that of an e-mail's SHA-256 is the unit.
    """

    surely: DigestSet = EMPTY
    perhaps: DigestSet = EMPTY
    """Keys that may or may not be there; never in `surely`."""

    @property
    def at_most(self) -> DigestSet:
        """Everything that may be there."""
        return self.surely | self.perhaps


@dataclass(frozen=True, slots=True)
class Former:
    """A list that this ledger filled and that no audience keeps any more."""

    id: str
    name: str
    role: ListRole
    holding: Holding
    replaced: bool = False
    """True where a refresh replaced it; False where the audiences file gave it up."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A list that stands beside the current one of the same name while a refresh replaces one by the other."""

    id: str
    name: str
    role: ListRole
    holding: Holding
    is_leaving: bool = False
    """True for the one that was replaced: people still leave it, and nobody is added."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How a segment's profiles became a list, in the order in which they were taken away."""

    profiles: int = 0
    unusable: Mapping[str, int] = field(default_factory=dict)
    units: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    claimed: Mapping[str, int] = field(default_factory=dict)
    eligible: int = 0
    held_out: int = 0
    held_out_universally: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One fuse that refused one plan, with the figures."""

    fuse: str
    reason: str


@dataclass(frozen=True, slots=True)
class ListPlan:
    """Adds and removes of one list; printing it is the dry run, applying it is the sync."""

    name: str
    """The audience, `holdout · GROUP`, `former · LIST` for a list that no audience keeps any more, and
    `refresh · NAME` or `replaced · NAME` for a list beside the current one."""
    list: str
    """How the audiences file calls the list: Criteo's name or id of it."""
    role: ListRole
    desired: DigestSet
    """The people who should stand there."""
    adds: DigestSet
    """Keys of identifiers, as the removes."""
    removes: DigestSet
    counts: Counts = field(default_factory=Counts)
    arms: Arms | None = None
    """Arms of everyone eligible; None for lists without a holdout."""
    entering: Assigned | None = None
    """Those of them who enter now."""
    entered: Entered | None = None
    """Those who had entered before, as this plan knew them; None where the phase is still to be opened."""
    holdout: Holdout | None = None
    band: int = 0
    """How many people leave the list only because a holdout was raised."""
    refusals: tuple[Refusal, ...] = ()
    """Why this plan may not be applied; empty where it may."""
    list_id: str | None = None
    """Criteo's id of the list; None where the ledger does not know it yet."""
    waits_for: tuple[str, ...] = ()
    """Exclusions that could not be trusted: nobody is added, and nobody enters, until they can be."""
    waiting: int = 0
    """How many adds are kept back because of them."""
    identifiers: Identifiers = NONE
    """What the adds are sent as, where that is not SHA-256; written down before they leave."""
    of: str | None = None
    """The name of the current list's plan, where this list stands beside that one."""

    @property
    def audience(self) -> str:
        """The audience whose people these are; for lists of held-out people, the plan's own name."""
        return self.of or self.name

    @property
    def hash(self) -> str:
        """Sixteen hex digits that name exactly these adds and removes under this holdout."""
        state = hashlib.sha256(f"{self.name}|{self.list}|{self.holdout}".encode())
        for part in (self.adds, self.removes):
            state.update(len(part).to_bytes(8, "big") + part.pack())
        return state.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all lists, in the order of the programme."""

    lists: tuple[ListPlan, ...]

    def named(self, name: str) -> ListPlan:
        """The plan of one audience or holdout list; raises KeyError where there is none."""
        for each in self.lists:
            if each.name == name:
                return each
        raise KeyError(name)

    @property
    def refused(self) -> tuple[ListPlan, ...]:
        """Plans that a fuse stopped."""
        return tuple(each for each in self.lists if each.refusals)
