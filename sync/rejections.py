"""Which identifiers Criteo called invalid, as far as that is known: it samples a few, bisection finds the rest. I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sqlalchemy import Connection, delete, select

from experiments.database import insert_or_ignore
from experiments.digests import EMPTY, DigestSet
from experiments.schema import rejections, requests

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


def forget_rejections(connection: Connection, list_id: str, held: DigestSet) -> None:
    """Drops those of identifiers that their list may hold no more."""
    for key in DigestSet.of(rejections_of(connection, list_id)) - held:
        connection.execute(delete(rejections).where(rejections.c.list == list_id, rejections.c.key == key))


def lists_with_rejections(connection: Connection) -> tuple[str, ...]:
    """Criteo's ids of the lists on which it rejects somebody who is known."""
    return tuple(connection.scalars(select(rejections.c.list).distinct()))


def count_invalid(connection: Connection, list_id: str) -> int:
    """How many identifiers of a list Criteo called invalid: each that is known once, however often it was sent."""
    known = DigestSet.of(rejections_of(connection, list_id))
    unknown = (invalid - len(added & known) for added, invalid in _adds_with_invalid(connection, list_id))
    return len(known) + sum(max(0, count) for count in unknown)


def suspects(connection: Connection, list_id: str) -> DigestSet:
    """Everybody in an add that holds more invalid identifiers than are known, but for those that are known."""
    known = DigestSet.of(rejections_of(connection, list_id))
    found = EMPTY
    for added, invalid in _adds_with_invalid(connection, list_id):
        unknown = added - known
        if len(added) - len(unknown) < invalid:
            found |= unknown
    return found


def _adds_with_invalid(connection: Connection, list_id: str) -> Iterator[tuple[DigestSet, int]]:
    columns = requests.c
    chosen = select(columns.digests, columns.invalid).where(
        columns.list == list_id,
        columns.operation == "add",
        columns.state == "confirmed",
        columns.invalid > 0,
    )
    for packed, invalid in connection.execute(chosen):
        yield DigestSet.unpack(bytes(packed)), invalid
