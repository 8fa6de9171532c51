"""Who a person is: the canonical e-mail, its SHA-256, and which values can be neither. Pure.

The canonical form is frozen with the assignment: Unicode NFC, white space stripped at both ends,
lower-cased, UTF-8, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from unicodedata import normalize

Format = Literal["plain", "sha256", "md5", "sha256md5"]

BLOCK = 64
"""E-mails that are checked at once: small enough that one odd value costs few repeats."""

_HEX = frozenset("0123456789abcdef")
_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789._+-@\n"
_NOT_AT = bytes(set(range(256)) - set(b"@\n"))
_NOT_AT_OR_DOT = bytes(set(range(256)) - set(b"@.\n"))
_NOT_AT_OR_MARK = bytes(set(range(256)) - set(b"@_+\n"))
_MARKS_AS_DOTS = bytes.maketrans(b"@\n-", b"...")
_DIGITS_AS_0 = bytes.maketrans(b"123456789", b"000000000")
_PLAIN_LENGTH = 64


class Kind(StrEnum):
    """What a raw value of a profile is; the last three are unusable, and their value says why."""

    EMAIL = "e-mail"
    SHA256 = "already hashed (sha256)"
    MD5 = "already hashed (md5)"
    MISSING = "missing"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Identified:
    """The units of many raw values, in their order, and how many values gave none, by reason."""

    units: list[bytes] = field(repr=False)
    unusable: Counter[Kind]


def canonical(email: str) -> str:
    """The form that is hashed: NFC, stripped, lower-cased."""
    return normalize("NFC", email).strip().lower()


def digest(email: str) -> bytes:
    """SHA-256 of the canonical e-mail."""
    return hashlib.sha256(canonical(email).encode()).digest()


def unit(email: str) -> str:
    """The unit of an e-mail: `digest` as 64 lower-case hex characters."""
    return digest(email).hex()


def encode(email: str, form: Format) -> str:
    """The e-mail as one of the four identifiers that Criteo matches."""
    text = canonical(email)
    match form:
        case "plain":
            return text
        case "sha256":
            return hashlib.sha256(text.encode()).hexdigest()
        case "md5":
            return _md5(text)
        case "sha256md5":
            return hashlib.sha256(_md5(text).encode()).hexdigest()


def classify(raw: str | None) -> Kind:
    """What `raw` is: an e-mail, a value hashed elsewhere, or nothing that can be used."""
    text = canonical(raw or "")
    if not text:
        return Kind.MISSING
    return Kind.EMAIL if _plain_lines([text]) is not None else _classify_odd(text)


def resolve(emails: Iterable[str | None]) -> Identified:
    """The units of a page of members; a SHA-256 made elsewhere is taken as it is, never hashed again."""
    raws = list(emails)
    present = [raw for raw in raws if raw]
    found = Identified([], Counter())
    if len(present) < len(raws):
        found.unusable[Kind.MISSING] = len(raws) - len(present)
    for at in range(0, len(present), BLOCK):
        _settle(present[at : at + BLOCK], found)
    return found


def identify(raw: str | None) -> tuple[bytes, str | None] | None:
    """The unit of one value and its canonical e-mail, None where it was hashed elsewhere; None for nobody."""
    text, kind = canonical(raw or ""), classify(raw)
    if kind is Kind.EMAIL:
        return hashlib.sha256(text.encode()).digest(), text
    return (bytes.fromhex(text), None) if kind is Kind.SHA256 else None


def _settle(raws: Sequence[str], found: Identified) -> None:
    """Hash the block if all of it is plain; else look at its halves, down to single values."""
    lines = _plain_lines(raws)
    if lines is not None:
        sha256 = hashlib.sha256
        found.units.extend([sha256(line).digest() for line in lines])
    elif len(raws) == 1:
        _settle_odd(canonical(raws[0]), found)
    else:
        middle = len(raws) // 2
        _settle(raws[:middle], found)
        _settle(raws[middle:], found)


def _settle_odd(text: str, found: Identified) -> None:
    kind = _classify_odd(text) if text else Kind.MISSING
    if kind is Kind.EMAIL:
        found.units.append(hashlib.sha256(text.encode()).digest())
    elif kind is Kind.SHA256:
        found.units.append(bytes.fromhex(text))
    else:
        found.unusable[kind] += 1


def _plain_lines(raws: Sequence[str]) -> list[bytes] | None:
    """The raw values in canonical form if each is beyond doubt an e-mail, else None.

    All are checked together, as lines of one string: only plain ASCII, exactly one @ a line, what follows
    it has a dot and neither _ nor +, no two marks side by side or at an edge, no address that ends in a
    digit, none long. Of such a value the canonical form is its lower case: there is nothing to strip or compose.
    """
    if max(map(len, raws)) > _PLAIN_LENGTH:
        return None
    page = "\n".join(("", *raws, "")).encode("ascii", errors="replace").lower()
    if page.translate(None, _PLAIN) or page.translate(None, _NOT_AT) != b"\n@" * len(raws) + b"\n":
        return None
    marks = page.translate(None, _NOT_AT_OR_MARK)
    if b"@_" in marks or b"@+" in marks:
        return None
    if b"@\n" in page.translate(None, _NOT_AT_OR_DOT) or b".." in page.translate(_MARKS_AS_DOTS):
        return None
    return None if b"0\n" in page.translate(_DIGITS_AS_0) else page.split(b"\n")[1:-1]


def _classify_odd(text: str) -> Kind:
    """The careful look at a canonical value that is not plain."""
    if len(text) in (32, 64) and _HEX.issuperset(text):
        return Kind.MD5 if len(text) == 32 else Kind.SHA256
    return Kind.EMAIL if _is_address(text) else Kind.MALFORMED


def _is_address(text: str) -> bool:
    from email_validator import EmailNotValidError, validate_email

    if not text.isprintable():
        return False
    try:
        validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        return False
    return "." in text.rpartition("@")[2]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
