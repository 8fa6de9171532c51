"""Erases a person: off every list through the ledger, then out of the ledger itself. I/O.

The mark is written first. Whatever is interrupted after it is finished by the next sync: no segment brings a
marked person back, so the lists lose them, and once no list may hold them nothing of their digest is kept.
"""

from __future__ import annotations

from sqlalchemy import Engine, select

from experiments.bulk import read_digests
from experiments.database import reading, writing
from experiments.erasures import erased_people, finish_erasures, mark_erased
from experiments.forgetting import forget
from experiments.identifier_log import keys_of_person, people_ever_named, sent_identifiers
from experiments.schema import entrants, orders
from sync import pushes
from sync.delivery import Courier, Target, transmit
from sync.lists import known_lists


def erase(courier: Courier, unit: bytes) -> int:
    """Marks a person, takes them off every list that may hold them, and forgets them; gives the lists' number."""
    with writing(courier.engine) as connection:
        mark_erased(connection, unit, courier.at)
    with reading(courier.engine) as connection:
        person = keys_of_person(connection, unit)
        found = {
            each.id: pushes.holding(connection, each.id).at_most & person for each in known_lists(connection)
        }
    holding = {list_id: keys for list_id, keys in found.items() if len(keys)}
    for list_id, keys in holding.items():
        transmit(courier, Target(list_id), "remove", keys)
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
        known |= people_ever_named(connection)
        listed = sent_identifiers(connection).people(pushes.listed(connection))
    left = pending.among(listed)
    with writing(engine) as connection:
        for unit in pending.among(known | pushes.mentioned(connection)) - left:
            forget(connection, unit)
        if not len(left):
            finish_erasures(connection, at)
    return len(left)
