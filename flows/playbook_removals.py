"""How long buyers stay on a list after they bought, by the log of what Criteo was asked. I/O."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from analysis.suppression import FEWEST, Overhang
from experiments.digests import DigestSet
from experiments.identifier_log import sent_identifiers
from experiments.playbook.facts import WEEK, Removal
from experiments.schema import orders, requests
from sync import pushes

LOOKED_BACK = 2 * WEEK


@dataclass(frozen=True, slots=True)
class Purchases:
    """Each recent buyer's last purchase; `moments` goes with the sorted `units`."""

    since: int
    units: DigestSet
    moments: NDArray[np.int64]


def read_purchases(connection: Connection, until: int) -> Purchases:
    """Of the two weeks before `until`."""
    since = until - LOOKED_BACK
    last = func.max(orders.c.ordered_at)
    chosen = (
        select(orders.c.unit, last)
        .where(orders.c.ordered_at > since, orders.c.ordered_at <= until, orders.c.revenue > 0)
        .group_by(orders.c.unit)
        .order_by(orders.c.unit)
    )
    rows = connection.execute(chosen).all()
    units = DigestSet.unpack_sorted(b"".join(row[0] for row in rows))
    return Purchases(since, units, np.array([row[1] for row in rows], dtype=np.int64))


def removal_of(connection: Connection, list_id: str, bought: Purchases) -> Removal | None:
    """Percentiles over people who bought while they were on the list and were taken off since."""
    everyone, _ = _replayed(connection, list_id, bought)
    if len(everyone) < FEWEST:
        return None
    p50, p95 = np.percentile(everyone, [50, 95])
    return Removal(int(p50), int(p95), len(everyone))


def overhang_of(connection: Connection, list_id: str, bought: Purchases, until: int) -> Overhang:
    """How long each buyer stood on the list after the purchase, those who still do included."""
    removed, on_since = _replayed(connection, list_id, bought)
    held = pushes.holding(connection, list_id).at_most
    listed = bought.units.mask(sent_identifiers(connection).people(held))
    still = listed & (bought.moments >= on_since)
    return Overhang(removed, until - bought.moments[still], until - bought.since)


def _replayed(
    connection: Connection, list_id: str, bought: Purchases
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Delays of the removed, and since when each buyer has been on the list if it holds the buyer."""
    sent = sent_identifiers(connection)
    columns = (requests.c.operation, requests.c.digests, requests.c.answered_at)
    chosen = select(*columns).where(
        requests.c.list == list_id, requests.c.written_at > bought.since, requests.c.state == "confirmed"
    )
    asked = connection.execute(chosen.order_by(requests.c.id)).all()
    # Few buyers stand in any request of this list: the others are looked at once, not once a request.
    touched = bought.units.mask(sent.people(DigestSet.unpack(b"".join(row.digests for row in asked))))
    units, moments = bought.units.where(touched), bought.moments[touched]
    since = np.full(len(units), bought.since, dtype=np.int64)
    delays = [np.zeros(0, dtype=np.int64)]
    for operation, packed, answered in asked:
        named = units.mask(sent.people(DigestSet.unpack(packed)))
        if operation == "add":
            since[named] = answered
            continue
        was_on = named & (moments >= since) & (moments <= answered)
        delays.append(answered - moments[was_on])
        since[named] = np.iinfo(np.int64).max
    on_since = np.full(len(bought.units), bought.since, dtype=np.int64)
    on_since[touched] = since
    return np.concatenate(delays), on_since
