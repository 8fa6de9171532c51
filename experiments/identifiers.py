"""What Criteo is told a person by: a form of their e-mail, or an identifier of a device or a partner. Pure.

Whatever is sent, the person stays the unit of the contract: the SHA-256 of their canonical e-mail. The ledger
knows each identifier by a key of 32 bytes; that of an e-mail sent as SHA-256 is the unit itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from experiments.digests import EMPTY, SIZE, DigestSet, Rows
from experiments.identity import Format, encode, identify

IdentifierType = Literal["email", "madid", "identityLink", "gum"]

_FORMATS: frozenset[str] = frozenset(get_args(Format))
_MADID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of identifier that a list is filled with."""

    name: str = "sha256"
    """As the ledger calls it: a format of the e-mail, `madid`, `identityLink`, or `gum:` and the caller id."""
    attribute: str = ""
    """The profile attribute that holds it; empty for e-mails."""

    @property
    def type(self) -> IdentifierType:
        """What Criteo calls it."""
        return form_type(self.name)


SHA256 = Form()


def form_type(name: str) -> IdentifierType:
    """What Criteo calls the identifiers of a form."""
    if name in _FORMATS:
        return "email"
    kind = name.partition(":")[0]
    for known in get_args(IdentifierType):
        if kind == known:
            found: IdentifierType = known
            return found
    raise ValueError(f"{name!r} is no form of an identifier")


def caller_id(name: str) -> int | None:
    """The caller id that goes with the identifiers of a form; only `gum` has one."""
    number = name.partition(":")[2]
    return int(number) if number else None


def key_of(name: str, text: str) -> bytes:
    """The 32 bytes by which the ledger knows an identifier; a device's id may be spelt in either case."""
    if name == SHA256.name:
        return bytes.fromhex(text)
    spelt = text.lower() if name == "madid" else text
    return hashlib.sha256(f"{name}|{spelt}".encode()).digest()


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Identifiers of one form, row by row: key, unit, and the text that is sent."""

    keys: Rows = field(repr=False)
    units: Rows = field(repr=False)
    texts: Sequence[str] = field(repr=False)

    @classmethod
    def of(cls, rows: Iterable[tuple[bytes, bytes, str]]) -> Entries:
        """From key, unit and text of each."""
        rows = list(rows)
        return cls(_rows(row[0] for row in rows), _rows(row[1] for row in rows), [row[2] for row in rows])

    def __len__(self) -> int:
        return len(self.texts)

    def about(self, people: DigestSet) -> Entries:
        """Those of these units."""
        return self._where(DigestSet(self.units).mask(people))

    def of_keys(self, keys: DigestSet) -> Entries:
        """Those that these keys name."""
        return self._where(DigestSet(self.keys).mask(keys))

    def except_keys(self, keys: DigestSet) -> Entries:
        """All the others."""
        return self._where(~DigestSet(self.keys).mask(keys))

    def key_set(self) -> DigestSet:
        """Their keys as a set."""
        return DigestSet.unpack(self.keys.tobytes())

    def unit_set(self) -> DigestSet:
        """Their units as a set."""
        return DigestSet.unpack(self.units.tobytes())

    def _where(self, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Entries:
        texts = [self.texts[at] for at in np.flatnonzero(chosen).tolist()]
        return Entries(self.keys[chosen], self.units[chosen], texts)


@dataclass(frozen=True, slots=True, eq=False)
class Identifiers:
    """Which identifiers stand for whom, by form; an e-mail's SHA-256 stands for itself and is not listed."""

    by_form: Mapping[str, Entries] = field(default_factory=dict)

    @classmethod
    def join(cls, parts: Iterable[Identifiers]) -> Identifiers:
        """All of them together."""
        parts = [part for part in parts if part]
        if len(parts) < 2:
            return parts[0] if parts else NONE
        names = dict.fromkeys(name for part in parts for name in part.by_form)
        return cls({name: _joined([p.by_form[name] for p in parts if name in p.by_form]) for name in names})

    def __bool__(self) -> bool:
        return any(map(len, self.by_form.values()))

    def keys_of(self, people: DigestSet, names: Collection[str] | None = None) -> DigestSet:
        """The keys of these people, in the named forms, or in all."""
        found = people if names is None or SHA256.name in names else EMPTY
        for name, entries in self.by_form.items():
            if names is None or name in names:
                found |= entries.about(people).key_set()
        return found

    def people(self, keys: DigestSet) -> DigestSet:
        """The units that these keys stand for; a key that is not listed is a unit."""
        found = keys
        for entries in self.by_form.values():
            named = entries.of_keys(keys)
            if len(named):
                found = (found - named.key_set()) | named.unit_set()
        return found

    def of_keys(self, keys: DigestSet) -> Identifiers:
        """Only those that the keys name."""
        return self._each(lambda entries: entries.of_keys(keys))

    def except_keys(self, keys: DigestSet) -> Identifiers:
        """Only those that the keys do not name."""
        return self._each(lambda entries: entries.except_keys(keys)) if len(keys) else self

    def keys(self) -> DigestSet:
        """All keys."""
        found = EMPTY
        for entries in self.by_form.values():
            found |= entries.key_set()
        return found

    def shared(self) -> DigestSet:
        """Keys that stand for more than one person."""
        found = EMPTY
        for entries in self.by_form.values():
            found |= _shared(entries)
        return found

    def _each(self, change: Callable[[Entries], Entries]) -> Identifiers:
        changed = {name: change(entries) for name, entries in self.by_form.items()}
        return Identifiers({name: entries for name, entries in changed.items() if len(entries)})


NONE = Identifiers()


def read_identifiers(
    forms: Iterable[Form], emails: Sequence[str | None], attributes: Mapping[str, Sequence[str | None]]
) -> Identifiers:
    """The identifiers of some profiles, beside the e-mail's SHA-256; `attributes` goes with the `emails`.

    A profile without a usable e-mail is nobody, whatever else it holds; a hash made elsewhere is not hashed again.
    """
    forms = [form for form in forms if form != SHA256]
    if not forms:
        return NONE
    people = [identify(email) for email in emails]
    found = {}
    for form in forms:
        raw = attributes[form.attribute] if form.attribute else [None] * len(people)
        named = (
            (key_of(form.name, text), person[0], text)
            for person, value in zip(people, raw, strict=True)
            if person is not None and (text := _text(form, person[1], value)) is not None
        )
        found[form.name] = Entries.of(named)
    return Identifiers({name: entries for name, entries in found.items() if len(entries)})


def _text(form: Form, email: str | None, value: str | None) -> str | None:
    """What is sent for one person in this form; None where the profile does not give it."""
    if not form.attribute:
        for known in get_args(Format):
            if form.name == known:
                return None if email is None else encode(email, known)
        raise ValueError(f"{form.name!r} is no form of an e-mail")
    text = (value or "").strip()
    if form.type == "madid":
        is_right = bool(_MADID.fullmatch(text)) and bool(set(text) - set("0-"))
    else:
        is_right = 0 < len(text) <= _LONGEST and text.isprintable() and " " not in text and "@" not in text
    return text if is_right else None


def _rows(digests: Iterable[bytes]) -> Rows:
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, SIZE)


def _joined(parts: Sequence[Entries]) -> Entries:
    keys = np.concatenate([part.keys for part in parts])
    units = np.concatenate([part.units for part in parts])
    return Entries(keys, units, [text for part in parts for text in part.texts])


def _shared(entries: Entries) -> DigestSet:
    pairs = np.unique(np.concatenate([entries.keys, entries.units], axis=1), axis=0)
    again = (pairs[1:, :SIZE] == pairs[:-1, :SIZE]).all(axis=1)
    return DigestSet.unpack(pairs[1:, :SIZE][again].tobytes())
