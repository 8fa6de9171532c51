"""What the raw e-mails of a segment are, counted: usable, unusable and why, merged, probably misspelt. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from experiments.digests import DigestSet
from experiments.identity import Kind, canonical, classify, resolve
from experiments.typos import likely_typo

_SHA256_LENGTH = 64


@dataclass(frozen=True, slots=True)
class IdentityCounts:
    """How the profiles of one segment become people."""

    profiles: int
    missing: int
    malformed: int
    hashed_sha256: int
    """Hashed elsewhere and used as they are."""
    hashed_md5: int
    """Hashed elsewhere in a way that gives no unit, so unusable."""
    likely_typos: int
    """Usable e-mails whose domain is a slip of the finger away from a big provider's."""
    merged: int
    """Profiles that share their e-mail with another one and are one person with it."""
    people: int

    @property
    def unusable(self) -> int:
        """Profiles that give no person."""
        return self.missing + self.malformed + self.hashed_md5


def count_identity(pages: Iterable[Sequence[str | None]]) -> IdentityCounts:
    """Counts the raw e-mails of a segment's profiles, a page at a time."""
    profiles = typos = hashed = 0
    units: list[bytes] = []
    unusable: Counter[Kind] = Counter()
    for emails in pages:
        found = resolve(emails)
        units += found.units
        unusable += found.unusable
        profiles += len(emails)
        texts = [canonical(email) for email in emails if email]
        typos += sum(map(_is_likely_typo, texts))
        hashed += sum(len(text) == _SHA256_LENGTH and classify(text) is Kind.SHA256 for text in texts)
    people = len(DigestSet.of(units))
    return IdentityCounts(
        profiles=profiles,
        missing=unusable[Kind.MISSING],
        malformed=unusable[Kind.MALFORMED],
        hashed_sha256=hashed,
        hashed_md5=unusable[Kind.MD5],
        likely_typos=typos,
        merged=len(units) - people,
        people=people,
    )


def _is_likely_typo(text: str) -> bool:
    return _is_misspelt(text.rpartition("@")[2]) and classify(text) is Kind.EMAIL


@lru_cache(maxsize=65_536)
def _is_misspelt(domain: str) -> bool:
    return likely_typo(f"@{domain}") is not None
