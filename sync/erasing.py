"""Erases a person: off every list through the ledger, then out of the ledger itself. I/O.

The mark is written first. Whatever is interrupted after it is finished by the next sync: no segment brings a
marked person back, so the lists lose them, and once no list may hold them nothing of their digest is kept.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select

from experiments.bulk import read_digests
from experiments.database import reading, writing
from experiments.digests import EMPTY, DigestSet
from experiments.erasures import erased_people, finish_erasures, mark_erased
from experiments.forgetting import forget
from experiments.schema import entrants, orders
from sync import pushes
from sync.delivery import Courier, Target, transmit
from sync.lists import known_lists


def erase(courier: Courier, unit: bytes) -> int:
    """Marks a person, takes them off every list that may hold them, and forgets them; gives the lists' number."""
    with writing(courier.engine) as connection:
        mark_erased(connection, unit, courier.at)
    person = DigestSet.of([unit])
    with reading(courier.engine) as connection:
        holding = [each.id for each in known_lists(connection) if _may_hold(connection, each.id, person)]
    for list_id in holding:
        transmit(courier, Target(list_id), "remove", person)
    complete_erasures(courier.engine, courier.at)
    return len(holding)


def complete_erasures(engine: Engine, at: int) -> int:
    """Forgets everybody who is marked and whom no list may hold any more; gives how many remain on one."""
    with reading(engine) as connection:
        pending = erased_people(connection, pending=True)
        if not pending.marks:
            return 0
        known = read_digests(connection, select(entrants.c.unit).distinct())
        known |= read_digests(connection, select(orders.c.unit).distinct())
        listed = EMPTY
        for each in known_lists(connection):
            listed |= pushes.holding(connection, each.id).at_most
    left = pending.among(listed)
    with writing(engine) as connection:
        for unit in pending.among(known | pushes.mentioned(connection)) - left:
            forget(connection, unit)
        if not len(left):
            finish_erasures(connection, at)
    return len(left)


def _may_hold(connection: Connection, list_id: str, person: DigestSet) -> bool:
    return bool(len(pushes.holding(connection, list_id).at_most & person))
