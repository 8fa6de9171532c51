"""The ledger of what Criteo was asked: written before a request leaves, settled after its answer. I/O.

A list surely holds what a confirmed add put there and no remove was sent for since; it perhaps holds
whatever was asked for and never answered. That row is write-ahead record, audit trail and delta at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select, update

from experiments.digests import EMPTY, DigestSet
from experiments.schema import handovers, lists, requests, snapshots
from sync.drift import Held
from sync.plan import Holding
from sync.rejections import count_invalid

Operation = Literal["add", "remove"]
State = Literal["sending", "confirmed", "void"]
_PART = 32_768
_REPLAY = 64
"""Requests after which a new snapshot bounds the replay."""


def write_ahead(
    connection: Connection, list_id: str, operation: Operation, digests: DigestSet, at: int
) -> int:
    """Records a request as `sending`, to be committed before it leaves; gives its number."""
    values = {
        "list": list_id,
        "operation": operation,
        "state": "sending",
        "size": len(digests),
        "digests": digests.pack(),
        "written_at": at,
    }
    key = connection.execute(insert(requests).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def settle(
    connection: Connection,
    number: int,
    state: State,
    *,
    at: int,
    valid: int | None = None,
    invalid: int | None = None,
) -> None:
    """Records the answer: confirmed, or void where the request surely was not carried out."""
    answer = {"state": state, "answered_at": at, "valid": valid, "invalid": invalid}
    connection.execute(update(requests).where(requests.c.id == number).values(answer))


def holding(connection: Connection, list_id: str) -> Holding:
    """What a list holds by this ledger: the snapshot and every request since."""
    held, up_to = _snapshot(connection, list_id)
    return _replay(held, _since(connection, list_id, up_to))


def write_off(connection: Connection, list_id: str, at: int) -> None:
    """Writes down that a list holds nobody, because Criteo does not have it any more."""
    left = holding(connection, list_id).at_most
    if len(left):
        settle(connection, write_ahead(connection, list_id, "remove", left, at), "confirmed", at=at)


def listed(connection: Connection) -> DigestSet:
    """Everything that any list may hold."""
    found = EMPTY
    for list_id in connection.scalars(select(lists.c.criteo_id)):
        found |= holding(connection, list_id).at_most
    return found


def held(connection: Connection, list_id: str, lately: int) -> Held:
    """How much a list holds by this ledger, and how much of that was asked after the moment `lately`."""
    now = holding(connection, list_id)
    of_list = (requests.c.list == list_id, requests.c.state != "void")
    late = select(requests.c.operation, func.sum(requests.c.size)).where(
        *of_list, requests.c.written_at > lately
    )
    sizes = {
        operation: int(size) for operation, size in connection.execute(late.group_by(requests.c.operation))
    }
    return Held(
        surely=len(now.surely),
        perhaps=len(now.perhaps),
        invalid=min(count_invalid(connection, list_id), len(now.surely)),
        added_lately=sizes.get("add", 0),
        removed_lately=sizes.get("remove", 0),
    )


def mentioned(connection: Connection) -> DigestSet:
    """Every key that a request, a snapshot or a handover names."""
    packed = [bytes(each) for each in connection.scalars(select(requests.c.digests))]
    packed += [bytes(each) for each in connection.scalars(select(snapshots.c.digests))]
    packed += [bytes(each) for each in connection.scalars(select(handovers.c.digests))]
    return DigestSet.unpack(b"".join(packed))


def compact(connection: Connection, list_id: str) -> None:
    """Writes a snapshot where many requests have passed since the last one.

    What was never answered stays in doubt in it; so nothing may be under way for this list.
    """
    snapshot = select(func.coalesce(func.max(snapshots.c.up_to), 0)).where(snapshots.c.list == list_id)
    later = select(func.count(), func.max(requests.c.id)).where(
        requests.c.list == list_id, requests.c.id > snapshot.scalar_subquery()
    )
    count, newest = connection.execute(later).one()
    if count < _REPLAY:
        return
    now = holding(connection, list_id)
    connection.execute(delete(snapshots).where(snapshots.c.list == list_id))
    rows = [
        {"list": list_id, "doubtful": doubtful, "part": part, "up_to": newest, "digests": chunk.pack()}
        for doubtful, units in enumerate((now.surely, now.perhaps))
        for part, chunk in enumerate(units.chunks(_PART) if len(units) else [EMPTY])
    ]
    connection.execute(insert(snapshots), rows)


def _snapshot(connection: Connection, list_id: str) -> tuple[Holding, int]:
    chosen = select(snapshots).where(snapshots.c.list == list_id).order_by(snapshots.c.part)
    parts: tuple[list[bytes], list[bytes]] = ([], [])
    up_to = 0
    for row in connection.execute(chosen):
        parts[row.doubtful].append(row.digests)
        up_to = row.up_to
    surely, perhaps = (DigestSet.unpack(b"".join(part)) for part in parts)
    return Holding(surely, perhaps), up_to


def _since(connection: Connection, list_id: str, up_to: int) -> Iterable[tuple[str, str, bytes]]:
    columns = (requests.c.operation, requests.c.state, requests.c.digests)
    chosen = select(*columns).where(requests.c.list == list_id, requests.c.id > up_to).order_by(requests.c.id)
    return ((row.operation, row.state, row.digests) for row in connection.execute(chosen))


def _replay(held: Holding, asked: Iterable[tuple[str, str, bytes]]) -> Holding:
    surely, perhaps = held.surely, held.perhaps
    runs = groupby(asked, key=lambda request: request[:2])
    for (operation, state), run in runs:
        if state == "void":
            continue
        digests = DigestSet.unpack(b"".join(packed for *_, packed in run))
        if state == "confirmed":
            perhaps = perhaps - digests
            surely = surely | digests if operation == "add" else surely - digests
        elif operation == "add":
            perhaps = perhaps | (digests - surely)
        else:
            perhaps = perhaps | (surely & digests)
            surely = surely - digests
    return Holding(surely, perhaps)
