"""Which Criteo lists this ledger keeps, by Criteo's id: a list may be renamed, swapped or given up. I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Connection, insert, select, update

from experiments.schema import lists
from sync.plan import ListRole

State = Literal["current", "filling", "filled", "swapping", "leaving", "former", "deleted"]
"""A refresh fills a list, waits until Criteo has taken it over (`filled`) and turns the ads' audiences to it
(`swapping`); the list that it replaces is `leaving` until no campaign shows it, then `former`: to be emptied.
"""
COMING: frozenset[State] = frozenset({"filling", "filled", "swapping"})
"""States of a list that is to replace the current one."""


@dataclass(frozen=True, slots=True)
class KnownList:
    """A list that this ledger wrote to at some time."""

    id: str
    name: str
    """How the audiences file calls it; a former list keeps the name that it had."""
    role: ListRole
    state: State
    since: int | None = None
    """When it came into this state, seconds since 1970; None where nothing depends on it."""


def known_lists(connection: Connection) -> tuple[KnownList, ...]:
    """Every list that is still in Criteo, in the order of their ids."""
    return _known(connection)


def list_of_id(connection: Connection, criteo_id: str) -> KnownList | None:
    """The list of that id, if this ledger ever wrote to it."""
    return next(iter(_known(connection, lists.c.criteo_id == criteo_id)), None)


def list_named(connection: Connection, name: str, state: State = "current") -> KnownList | None:
    """The list that the audiences file calls so, in this state."""
    return next(iter(_known(connection, lists.c.name == name, lists.c.state == state)), None)


def lists_named(connection: Connection, name: str) -> tuple[KnownList, ...]:
    """Every list that goes or went by this name, whatever its state: during a refresh there are two."""
    return _known(connection, lists.c.name == name)


def remember_list(connection: Connection, known: KnownList) -> None:
    """Writes down a list before anything is sent to it."""
    connection.execute(insert(lists).values(criteo_id=known.id, **_values(known)))


def change_list(connection: Connection, known: KnownList) -> None:
    """Gives a list that is known by its id another name, role or state."""
    connection.execute(update(lists).where(lists.c.criteo_id == known.id).values(_values(known)))


def _known(connection: Connection, *chosen: ColumnElement[bool]) -> tuple[KnownList, ...]:
    rows = connection.execute(
        select(lists).where(lists.c.state != "deleted", *chosen).order_by(lists.c.criteo_id)
    )
    return tuple(KnownList(row.criteo_id, row.name, row.role, row.state, row.since) for row in rows)


def _values(known: KnownList) -> dict[str, object]:
    return {"name": known.name, "role": known.role, "state": known.state, "since": known.since}
