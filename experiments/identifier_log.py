"""The identifiers other than SHA-256 that Criteo was sent: whose they are and how they were written. I/O.

A key says nothing of itself, and an identifier can only be taken off a list the way it was put on. So the
text is kept as long as any list may hold it, and no longer; key and unit stay, so that erasure finds them.
"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, delete, select, update

from experiments.database import insert_or_update
from experiments.digests import DigestSet
from experiments.identifiers import NONE, Entries, Identifiers
from experiments.schema import identifiers

_BATCH = 10_000


def remember_identifiers(connection: Connection, sent: Identifiers) -> None:
    """Writes them down, to be committed before a request with one of them leaves."""
    for name, entries in sent.by_form.items():
        rows = [
            {"key": key.tobytes(), "unit": unit.tobytes(), "form": name, "text": text}
            for key, unit, text in zip(entries.keys, entries.units, entries.texts, strict=True)
        ]
        for at in range(0, len(rows), _BATCH):
            insert_or_update(connection, identifiers, rows[at : at + _BATCH], ["text"])


def sent_identifiers(connection: Connection) -> Identifiers:
    """All of which the text is still known: those that a list may hold."""
    rows = identifiers.c
    chosen = select(rows.key, rows.unit, rows.form, rows.text).where(rows.text.is_not(None))
    found: defaultdict[str, list[tuple[bytes, bytes, str]]] = defaultdict(list)
    for key, unit, name, text in connection.execute(chosen):
        found[name].append((key, unit, text))
    return Identifiers({name: Entries.of(each) for name, each in found.items()}) if found else NONE


def keys_of_person(connection: Connection, unit: bytes) -> DigestSet:
    """Every key by which the ledger ever knew a person, their unit included."""
    keys = connection.scalars(select(identifiers.c.key).where(identifiers.c.unit == unit))
    return DigestSet.of([unit, *map(bytes, keys)])


def people_ever_named(connection: Connection) -> DigestSet:
    """The units of all identifiers that were ever sent."""
    return DigestSet.of(map(bytes, connection.scalars(select(identifiers.c.unit).distinct())))


def forget_texts(connection: Connection, listed: DigestSet) -> int:
    """Drops the text of each identifier that no list may hold any more; gives how many those were."""
    unlisted = sent_identifiers(connection).except_keys(listed).keys()
    for part in unlisted.chunks(_BATCH):
        connection.execute(update(identifiers).where(identifiers.c.key.in_(list(part))).values(text=None))
    return len(unlisted)


def forget_person(connection: Connection, unit: bytes) -> None:
    """Drops all that is known of a person's identifiers."""
    connection.execute(delete(identifiers).where(identifiers.c.unit == unit))
