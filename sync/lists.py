"""Which Criteo lists this ledger keeps, by Criteo's id: a list may be renamed, swapped or given up. I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from experiments.schema import lists
from sync.plan import ListRole

State = Literal["current", "filling", "swapping", "former"]
"""`filling` and `swapping` lists are about to replace the current one; a `former` list is to be emptied."""


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list that this ledger wrote to at some time."""

    id: str
    name: str
    """How the audiences file calls it; a former list keeps the name that it had."""
    role: ListRole
    state: State


def known_lists(connection: Connection) -> tuple[KnownList, ...]:
    """Every list, in the order of their ids."""
    rows = connection.execute(select(lists).order_by(lists.c.criteo_id))
    return tuple(KnownList(row.criteo_id, row.name, row.role, row.state) for row in rows)


def list_of_id(connection: Connection, criteo_id: str) -> KnownList | None:
    """The list of that id, if this ledger ever wrote to it."""
    return next((each for each in known_lists(connection) if each.id == criteo_id), None)


def list_named(connection: Connection, name: str, state: State = "current") -> KnownList | None:
    """The list that the audiences file calls so, in this state."""
    return next((each for each in known_lists(connection) if (each.name, each.state) == (name, state)), None)


def remember_list(connection: Connection, known: KnownList) -> None:
    """Writes down a list before anything is sent to it."""
    values = {"criteo_id": known.id, "name": known.name, "role": known.role, "state": known.state}
    connection.execute(insert(lists).values(values))


def change_list(connection: Connection, known: KnownList) -> None:
    """Gives a list that is known by its id another name, role or state."""
    values = {"name": known.name, "role": known.role, "state": known.state}
    connection.execute(update(lists).where(lists.c.criteo_id == known.id).values(values))
