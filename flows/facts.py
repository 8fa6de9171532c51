"""What the ledger knows about the running of each audience, for the report and `holdouts status`. I/O."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, select

from experiments.database import reading
from experiments.ledger import UNIVERSAL, HoldoutChange, holdout_log
from experiments.schema import syncs
from flows.session import Session
from sync.delays import Delays
from sync.freshness import Arrivals, freshness
from sync.history import last_delays, last_syncs
from sync.reconciling import last_counts

_WEEK = 7 * 86_400
_RECENT = 4 * _WEEK
"""How far back people are counted who came on to a list."""


def operations(session: Session, now: int) -> dict[str, Any]:
    """Per audience: holdout history, last sync, health, sizes, match rate, delays in seconds and open refusals."""
    with reading(session.engine) as connection:
        counts = last_counts(connection)
        newest, waits = last_syncs(connection), last_delays(connection)
        universal = holdout_log(connection, UNIVERSAL)
        found = {}
        for audience in session.programme.audiences:
            log = holdout_log(connection, audience.name)
            sync = newest.get(audience.name)
            found[audience.name] = {
                "role": audience.role,
                "holdout_group": audience.holdout_group,
                "holdout_is_private": audience.holdout_group in session.programme.private_groups,
                "holdout_percent": log[-1].to_ppm / 10_000 if log else None,
                "holdout_history": _history(log),
                "universal_history": _history(universal),
                "last_sync": None if sync is None else _iso(sync.synced_at),
                "outcome": None if sync is None else sync.outcome,
                "members": None if sync is None else sync.members,
                "units": None if sync is None else sync.units,
                "rejected": None if sync is None else sync.rejected,
                "pushed": None if sync is None else sync.pushed,
                "delay_p50": waits.get(audience.name, Delays()).p50,
                "delay_p95": waits.get(audience.name, Delays()).p95,
                "identifiers": None if sync is None else sync.identifiers,
                "matches": None if sync is None else sync.matches,
                "match_rate": None if sync is None or sync.match_ppm is None else sync.match_ppm / 1_000_000,
                "list_check": _check(counts.get(audience.name)),
                "refusals": [] if sync is None else [reason for _, reason in json.loads(sync.refusals)],
                **_recently(_recent_syncs(connection, audience.name, now), now),
            }
    return found


def _recent_syncs(connection: Connection, audience: str, now: int) -> Sequence[Row[int, str, int]]:
    columns = (syncs.c.synced_at, syncs.c.outcome, syncs.c.adds)
    chosen = select(*columns).where(
        syncs.c.audience == audience, syncs.c.synced_at > now - _RECENT, syncs.c.synced_at <= now
    )
    return connection.execute(chosen.order_by(syncs.c.synced_at, syncs.c.id)).all()


def _recently(rows: Sequence[Row[int, str, int]], now: int) -> dict[str, Any]:
    """How the last week's syncs ended, and how fresh the list is kept."""
    applied = [each for each in rows if each.outcome == "applied"]
    fresh = freshness(
        [Arrivals(later.adds, later.synced_at - earlier.synced_at) for earlier, later in pairwise(applied)]
    )
    last = applied[-1].synced_at if applied else None
    ended = Counter(each.outcome for each in rows if each.synced_at > now - _WEEK)
    return {
        "last_applied": None if last is None else _iso(last),
        "last_week": {outcome: ended[outcome] for outcome in ("applied", "refused", "failed")},
        "freshness": None
        if fresh is None
        else {
            "p50_hours": fresh.p50 / 3_600,
            "p95_hours": fresh.p95 / 3_600,
            "people": fresh.people,
        },
    }


def _check(row: Row[Any] | None) -> dict[str, Any] | None:
    """What the last reconciliation said of the audience's list."""
    if row is None:
        return None
    return {"at": _iso(row.counted_at), "verdict": row.verdict, "sentence": row.sentence}


def _history(log: tuple[HoldoutChange, ...]) -> list[dict[str, Any]]:
    return [
        {
            "at": _iso(change.changed_at),
            "percent": change.to_ppm / 10_000,
            "route": change.route,
            "who": change.who,
            "reason": change.reason,
        }
        for change in log
    ]


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
