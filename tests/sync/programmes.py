"""Small programmes, people and facts for the tests of the sync."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from experiments.audiences import Audience, Bounds, Programme
from experiments.digests import DigestSet
from experiments.phases import Holdout
from sync.decision import Facts
from sync.plan import Holding, Membership

LOOSE = Bounds(shrink=1, growth=1e9, removal=1, unusable=1, disagreement=1)
NOBODY = Holdout("holdout:v1:g:s0", 0, "holdout:v1:universal:s0", 0)


def digest(number: int) -> bytes:
    return hashlib.sha256(f"p{number}@example.com".encode()).digest()


def people(*numbers: int | Iterable[int]) -> DigestSet:
    flat = (n for each in numbers for n in ([each] if isinstance(each, int) else each))
    return DigestSet.of(map(digest, flat))


def include(name: str, segment: int, **changes: object) -> Audience:
    audience = Audience(
        name=name, segment=segment, role="include", list=name, holdout_group=name, bounds=LOOSE
    )
    return replace(audience, **changes)  # type: ignore[arg-type]  # the fields are given by name


def exclude(name: str, segment: int, **changes: object) -> Audience:
    audience = Audience(name=name, segment=segment, role="exclude", list=name, bounds=LOOSE)
    return replace(audience, **changes)  # type: ignore[arg-type]  # the fields are given by name


def programme(
    *audiences: Audience, universal_ppm: int = 0, private: frozenset[str] = frozenset()
) -> Programme:
    return Programme(
        advertiser="12345",
        currency="EUR",
        margin=0.45,
        audiences=audiences,
        universal_holdout_ppm=universal_ppm,
        private_groups=private,
    )


def members(units: DigestSet, **changes: object) -> Membership:
    return replace(Membership(units, profiles=len(units), reported=len(units)), **changes)  # type: ignore[arg-type]


def facts(
    chosen: Programme,
    memberships: Mapping[str, Membership],
    holdings: Mapping[str, DigestSet | Holding] | None = None,
    holdouts: Mapping[str, Holdout] | None = None,
    **others: object,
) -> Facts:
    held = {
        name: each if isinstance(each, Holding) else Holding(each) for name, each in (holdings or {}).items()
    }
    asked = {each.name: NOBODY for each in chosen.includes} | dict(holdouts or {})
    return Facts(chosen, memberships, held, asked, **others)  # type: ignore[arg-type]
