"""Who the shop's people are, and how dirty Customer.io's record of their e-mails is. Pure."""

import hashlib
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

DUPLICATE_SHARE = 0.05
"""Share of the profiles that are a second profile of somebody."""
ACCENTED_SHARE = 0.03
ANONYMOUS_SHARE = 0.05
"""Share of the profiles that have no `id`, as leads who left only an e-mail have none."""

_FIRST_NAMES = """
ada alan anna ben carla david elena emma felix grace hanna ida ines jan jonas julia karl lea lena
leo lisa lukas marie max mia nina noah nora olga oscar paul petra rosa sara sofia theo tom ute vera
willem
"""
_ACCENTED_NAMES = """
jürgen zoë françois łukasz søren andré begoña márta øyvind åsa
"""
_LAST_NAMES = """
adler bauer becker berg bianchi brandt costa dubois fischer fuchs garcia hansen huber jansen keller
klein koch kowalski kraus lang lehmann lopez martin meyer moreau novak olsen peters rossi roth
schmidt schulz silva simon stein vogel wagner weber winter wolf
"""
_FIRST, _ACCENTED, _LAST = (names.split() for names in (_FIRST_NAMES, _ACCENTED_NAMES, _LAST_NAMES))
_DOMAINS = ("example.com", "example.com", "example.com", "mail.example.com", "post.example.com")


def canonical(email: str) -> str:
    """Unicode NFC, white space stripped at both ends, lower case: the one spelling that is hashed."""
    return unicodedata.normalize("NFC", email).strip().lower()


def digest(email: str) -> bytes:
    """SHA-256 of the canonical e-mail in UTF-8: the unit."""
    return hashlib.sha256(canonical(email).encode()).digest()


@dataclass(frozen=True, slots=True)
class Profile:
    """One Customer.io profile: what the workspace knows, however badly, about one person."""

    id: str | None
    email: str | None
    cio_id: str
    person: int


@dataclass(frozen=True, slots=True)
class Population:
    """The people, their profiles, and every hashed form by which Criteo may know one of them."""

    emails: tuple[str, ...]
    units: tuple[bytes, ...]
    profiles: tuple[Profile, ...]
    person_of: NDArray[np.int32]
    known_as: Mapping[str, int]
    devices: Mapping[int, str] = field(default_factory=dict)
    """The advertising id of the phone of those who use the shop's app."""

    @property
    def size(self) -> int:
        """How many distinct people there are."""
        return len(self.emails)


def _title(email: str) -> str:
    local, _, domain = email.partition("@")
    return f"{local.title()}@{domain.title()}"


def _missing(_: str) -> None:
    return None


_SPELLINGS: tuple[tuple[float, Callable[[str], str | None]], ...] = (
    (0.820, lambda email: email),
    (0.050, str.upper),
    (0.055, _title),
    (0.020, lambda email: f" {email}"),
    (0.020, lambda email: f"{email.capitalize()} \t"),
    (0.008, lambda email: unicodedata.normalize("NFD", email)),
    (0.006, _missing),
    (0.004, lambda _: ""),
    (0.003, lambda _: "   "),
    (0.003, lambda email: email.partition("@")[0] + "@"),
    (0.003, lambda email: email.replace(".", " ", 1)),
    (0.003, lambda email: email.replace("@", "")),
    (0.001, lambda email: email.replace("@", "@@")),
    (0.002, lambda email: hashlib.md5(email.encode(), usedforsecurity=False).hexdigest()),
    (0.002, lambda email: hashlib.sha256(email.encode()).hexdigest()),
)
"""How an e-mail stands in a profile, with its share; the last nine cannot be used as an e-mail."""

_USABLE = 6
_RESPELLINGS: tuple[Callable[[str], str | None], ...] = tuple(spell for _, spell in _SPELLINGS[:_USABLE])


def checkout_spelling(email: str, style: int) -> str:
    """The e-mail as somebody types it at checkout: usable, not tidy; mostly tidy, by `style` from 0 to 99."""
    if style < 85:
        return email
    typed = _RESPELLINGS[style % _USABLE](email)
    assert typed is not None
    return typed


def populate(profiles: int, rng: np.random.Generator) -> Population:
    """Draw `profiles` profiles of about 95 % as many people."""
    people = max(1, round(profiles * (1 - DUPLICATE_SHARE)))
    emails = _emails(people, rng)
    units = tuple(hashlib.sha256(email.encode()).digest() for email in emails)
    owners = np.concatenate([np.arange(people), rng.integers(0, people, profiles - people)])
    rng.shuffle(owners)
    return Population(
        emails=emails,
        units=units,
        profiles=_profiles(owners, emails, rng),
        person_of=owners.astype(np.int32),
        known_as=_forms(emails, units),
    )


def with_devices(people: Population, share: float) -> Population:
    """The same people, a share of whom use the shop's app on a phone that Criteo knows."""
    limit = int(share * 2**32)
    devices = {
        person: str(uuid.UUID(bytes=unit[:16]))
        for person, unit in enumerate(people.units)
        if int.from_bytes(unit[-4:], "big") < limit
    }
    known = {**people.known_as, **{device: person for person, device in devices.items()}}
    return replace(people, known_as=known, devices=devices)


def _emails(people: int, rng: np.random.Generator) -> tuple[str, ...]:
    accented = rng.random(people) < ACCENTED_SHARE
    first = rng.integers(0, len(_FIRST), people)
    last = rng.integers(0, len(_LAST), people)
    domain = rng.integers(0, len(_DOMAINS), people)
    return tuple(
        f"{_ACCENTED[f % len(_ACCENTED)] if a else _FIRST[f]}.{_LAST[s]}{n}@{_DOMAINS[d]}"
        for n, (a, f, s, d) in enumerate(zip(accented, first, last, domain, strict=True))
    )


def _profiles(
    owners: NDArray[np.int64], emails: tuple[str, ...], rng: np.random.Generator
) -> tuple[Profile, ...]:
    shares = np.array([share for share, _ in _SPELLINGS])
    spelling = rng.choice(len(shares), len(owners), p=shares / shares.sum())
    anonymous = rng.random(len(owners)) < ANONYMOUS_SHARE
    made = []
    seen: set[int] = set()
    for number, (owner, how) in enumerate(zip(owners.tolist(), spelling.tolist(), strict=True)):
        again = owner in seen
        seen.add(owner)
        respelt = 1 + number % (_USABLE - 1)
        email = _SPELLINGS[respelt if again else how][1](emails[owner])
        nameless = bool(anonymous[number]) and bool(email and email.strip())
        made.append(
            Profile(
                id=None if nameless else str(1001 + number),
                email=email,
                cio_id=f"d9c1{number + 0x06000001:08x}",
                person=owner,
            )
        )
    return tuple(made)


def _forms(emails: tuple[str, ...], units: tuple[bytes, ...]) -> dict[str, int]:
    known: dict[str, int] = {}
    for person, (email, unit) in enumerate(zip(emails, units, strict=True)):
        md5 = hashlib.md5(email.encode(), usedforsecurity=False).hexdigest()
        known[unit.hex()] = person
        known[md5] = person
        known[hashlib.sha256(md5.encode()).hexdigest()] = person
    return known
