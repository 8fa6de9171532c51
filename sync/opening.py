"""Finds or creates the Criteo list of a plan, and refuses one whose people the ledger does not know. I/O."""

from __future__ import annotations

from sqlalchemy import Engine

from experiments.database import reading, writing
from experiments.errors import Rejected
from sync.criteo import Criteo
from sync.criteo_values import ContactList
from sync.lists import KnownList, change_list, list_of_id, remember_list
from sync.plan import ListRole


def open_list(engine: Engine, criteo: Criteo, advertiser: str, name: str, role: ListRole) -> str:
    """Criteo's id of the list that the audiences file calls so, written down before anything is sent to it.

    Raises Rejected where the list holds people whom this ledger never sent, for nobody could tell whether
    held-out people are among them; and where the ledger keeps that list under another name.
    """
    found = criteo.contact_list(name) if name.isdecimal() else _by_name(criteo, advertiser, name, role)
    with reading(engine) as connection:
        known = list_of_id(connection, found.id)
    if known is not None:
        _take_over(engine, KnownList(found.id, name, role, "current"), known)
    strangers = criteo.statistics(found.id).identifiers or 0
    if strangers:
        raise Rejected(
            f"Criteo's list {found.name!r} ({found.id}) holds {strangers:,} people whom this ledger never sent, "
            "so nobody can tell who is held out among them; empty it in Criteo, or name another list"
        )
    with writing(engine) as connection:
        remember_list(connection, KnownList(found.id, name, role, "current"))
    return found.id


def _by_name(criteo: Criteo, advertiser: str, name: str, role: ListRole) -> ContactList:
    return criteo.find_or_create_list(advertiser, name, f"kept by holdouts: {role}")


def _take_over(engine: Engine, wanted: KnownList, known: KnownList) -> None:
    """The audiences file calls a list of ours by another name: the plan was made without knowing its people."""
    with writing(engine) as connection:
        change_list(connection, wanted)
    raise Rejected(
        f"the list {wanted.name!r} is Criteo's {known.id}, which this ledger keeps as {known.name!r}; "
        "it now goes by the new name: run again, and if this comes back, two audiences name one list"
    )
