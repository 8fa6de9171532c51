"""Which identifiers Criteo called invalid, as far as that is known: it samples a few, bisection finds the rest. I/O."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, delete, select

from experiments.database import insert_or_ignore
from experiments.digests import EMPTY, DigestSet
from experiments.schema import rejections, requests
from sync import pushes

FoundBy = Literal["sample", "bisection"]


def note_rejections(
    connection: Connection, list_id: str, keys: DigestSet, *, found_by: FoundBy, at: int
) -> None:
    """Writes them down, once each."""
    values = {"list": list_id, "rejected_at": at, "found_by": found_by}
    insert_or_ignore(connection, rejections, [{**values, "key": key} for key in keys])


def rejections_of(connection: Connection, list_id: str) -> dict[bytes, FoundBy]:
    """The keys that Criteo rejects on a list, and how each was found."""
    chosen = select(rejections.c.key, rejections.c.found_by).where(rejections.c.list == list_id)
    return {bytes(key): found_by for key, found_by in connection.execute(chosen)}


def forget_rejections(connection: Connection) -> None:
    """Drops those of identifiers that their list may hold no more."""
    for list_id in connection.scalars(select(rejections.c.list).distinct()).all():
        gone = DigestSet.of(rejections_of(connection, list_id))
        gone -= pushes.holding(connection, list_id).at_most
        for key in gone:
            connection.execute(
                delete(rejections).where(rejections.c.list == list_id, rejections.c.key == key)
            )


def suspects(connection: Connection, list_id: str) -> DigestSet:
    """Everybody in an add that holds more invalid identifiers than are known, but for those that are known."""
    known = DigestSet.of(rejections_of(connection, list_id))
    columns = requests.c
    chosen = select(columns.digests, columns.invalid).where(
        columns.list == list_id,
        columns.operation == "add",
        columns.state == "confirmed",
        columns.invalid > 0,
    )
    found = EMPTY
    for packed, invalid in connection.execute(chosen):
        added = DigestSet.unpack(bytes(packed))
        unknown = added - known
        if len(added) - len(unknown) < invalid:
            found |= unknown
    return found
