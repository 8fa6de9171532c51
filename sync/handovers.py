"""What the runs of one sync tell each other through the ledger, while it is spread over a work pool. I/O.

Digests never go through Prefect. Each handover carries the sync's time, so that a run which outlived its
sync is not taken for one of the next.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select

from experiments.digests import EMPTY, DigestSet
from experiments.schema import handovers
from sync.decision import Exclusions, HeldOut

Kind = Literal["exclusion", "group"]
_PART = 32_768


@dataclass(frozen=True, slots=True)
class Handover:
    """People, and what there is to say about them."""

    units: DigestSet
    document: Mapping[str, Any] = field(default_factory=dict)


def hand_over(connection: Connection, kind: Kind, name: str, at: int, given: Handover) -> None:
    """Leaves something for the other runs of the sync of time `at`, in place of what lay there."""
    connection.execute(delete(handovers).where(handovers.c.kind == kind, handovers.c.name == name))
    key = {"kind": kind, "name": name, "synced_at": at, "document": json.dumps(given.document)}
    chunks = given.units.chunks(_PART) if len(given.units) else [EMPTY]
    rows = [{**key, "part": part, "digests": chunk.pack()} for part, chunk in enumerate(chunks)]
    connection.execute(insert(handovers), rows)


def handed_over(connection: Connection, kind: Kind, at: int) -> dict[str, Handover]:
    """What the runs of the sync of time `at` left, by name."""
    chosen = select(handovers).where(handovers.c.kind == kind, handovers.c.synced_at == at)
    packed: dict[str, list[bytes]] = {}
    documents: dict[str, Any] = {}
    for row in connection.execute(chosen.order_by(handovers.c.name, handovers.c.part)):
        packed.setdefault(row.name, []).append(bytes(row.digests))
        documents[row.name] = json.loads(row.document)
    return {
        name: Handover(DigestSet.unpack(b"".join(parts)), documents[name]) for name, parts in packed.items()
    }


def clear_handovers(connection: Connection) -> None:
    """Leaves nothing behind."""
    connection.execute(delete(handovers))


def hand_over_exclusions(connection: Connection, at: int, exclusions: Exclusions) -> None:
    """Tells every group whom the exclude audiences keep out."""
    for name, units in exclusions.units.items():
        given = Handover(units, {"unsure": name in exclusions.unsure})
        hand_over(connection, "exclusion", name, at, given)


def exclusions_handed_over(connection: Connection, at: int) -> Exclusions:
    """The same as a group's run reads it; empty where the sync of that time left none."""
    found = handed_over(connection, "exclusion", at)
    return Exclusions(
        {name: each.units for name, each in found.items()},
        frozenset(name for name, each in found.items() if each.document["unsure"]),
    )


def held_out_handed_over(connection: Connection, at: int, groups: Iterable[str]) -> list[HeldOut]:
    """Whom each group holds out of everything; of one that left nothing, nobody is known, and not all.

    They are sent as SHA-256: a sync is not spread where an audience asks for another identifier.
    """
    found = handed_over(connection, "group", at)
    held = []
    for name in groups:
        given = found.get(name, Handover(EMPTY, {"is_all": False}))
        held.append(HeldOut(given.units, given.units, bool(given.document["is_all"])))
    return held
