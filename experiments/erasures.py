"""People who asked to be erased: what is left of them is a keyed mark, so that they never come back. I/O.

The mark is an HMAC of the digest under a random key of this database; without the key nobody can ask it
about a person. Two bytes of the digest stand beside it, so that few people of a segment need a second
look. See docs/decisions/0005-erasure.md.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets as random
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection, func, select, update

from experiments.database import insert_or_ignore
from experiments.digests import EMPTY, SIZE, DigestSet
from experiments.schema import erasures, secrets

_KEY = "erasures"


@dataclass(frozen=True, slots=True)
class Erased:
    """Who was erased, as far as that can be told of somebody who is at hand."""

    key: bytes = field(repr=False)
    marks: frozenset[bytes] = field(repr=False)
    prefixes: frozenset[int] = field(repr=False)

    def among(self, units: DigestSet) -> DigestSet:
        """Those of the units that were erased."""
        if not self.marks or not len(units):
            return EMPTY
        leading = units.rows[:, 0].astype(np.int64) * 256 + units.rows[:, 1]
        near = units.where(np.isin(leading, list(self.prefixes)))
        return DigestSet.of(unit for unit in near if _mark(self.key, unit) in self.marks)


def erased_people(connection: Connection, *, pending: bool = False) -> Erased:
    """Everybody who was erased, or only those of whom something may be left."""
    chosen = select(erasures.c.mark, erasures.c.prefix)
    rows = connection.execute(chosen.where(erasures.c.finished_at.is_(None)) if pending else chosen).all()
    key = connection.scalar(select(secrets.c.value).where(secrets.c.name == _KEY)) or b""
    marks = frozenset(bytes(row.mark) for row in rows)
    return Erased(bytes(key), marks, frozenset(row.prefix for row in rows))


def mark_erased(connection: Connection, unit: bytes, at: int) -> None:
    """Writes down that this person is to be erased; from now on no segment brings them back."""
    insert_or_ignore(connection, secrets, [{"name": _KEY, "value": random.token_bytes(SIZE)}])
    key = connection.scalar(select(secrets.c.value).where(secrets.c.name == _KEY))
    assert key is not None
    row = {"mark": _mark(bytes(key), unit), "prefix": int.from_bytes(unit[:2], "big"), "erased_at": at}
    insert_or_ignore(connection, erasures, [row])


def finish_erasures(connection: Connection, at: int) -> int:
    """Notes that nothing is left of anybody who was to be erased; gives how many that were."""
    open_ = erasures.c.finished_at.is_(None)
    count = connection.scalar(select(func.count()).where(open_)) or 0
    connection.execute(update(erasures).where(open_).values(finished_at=at))
    return count


def _mark(key: bytes, unit: bytes) -> bytes:
    return hmac.new(key, unit, hashlib.sha256).digest()
