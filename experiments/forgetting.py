"""Takes one person's digest out of the ledger and leaves every arm's totals as they are. I/O.

Their entries and orders go on under a random name that no hash can have (sixteen zero bytes in front), so
that they still belong together and nobody can tell whose they were.
"""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, Table, delete, select, update

from experiments.digests import SIZE, DigestSet
from experiments.identifier_log import forget_person, keys_of_person
from experiments.ledger import of_person
from experiments.schema import entrants, handovers, orders, rejections, requests, snapshots

ANONYMOUS = bytes(16)
"""How the name of somebody forgotten begins; no SHA-256 does, in practice."""


def forget(connection: Connection, unit: bytes) -> None:
    """Replaces the digest in entrants and orders, and drops it, and all that stood for it, from what was sent."""
    name = ANONYMOUS + secrets.token_bytes(SIZE - len(ANONYMOUS))
    connection.execute(update(entrants).where(*of_person(unit)).values(unit=name))
    connection.execute(update(orders).where(orders.c.unit == unit).values(unit=name))
    person = keys_of_person(connection, unit)
    _drop(connection, requests, person)
    _drop(connection, snapshots, person)
    _drop(connection, handovers, person)
    connection.execute(delete(rejections).where(rejections.c.key.in_(list(person))))
    forget_person(connection, unit)


def _drop(connection: Connection, table: Table, person: DigestSet) -> None:
    keys = list(table.primary_key)
    for row in connection.execute(select(*keys, table.c.digests)).all():
        packed = DigestSet.unpack(bytes(row.digests))
        left = packed - person
        if len(left) == len(packed):
            continue
        values: dict[str, object] = {"digests": left.pack()}
        if table is requests:
            values["size"] = len(left)
        here = [key == row._mapping[key.name] for key in keys]
        connection.execute(update(table).where(*here).values(values))
