"""What the ledger knows about the running of each audience, for the report and `holdouts status`. I/O."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from experiments.database import reading
from experiments.ledger import UNIVERSAL, HoldoutChange, holdout_log
from flows.session import Session
from sync.history import last_syncs


def operations(session: Session) -> dict[str, Any]:
    """Per audience: holdout history, last sync, sizes, match rate and open refusals."""
    with reading(session.engine) as connection:
        syncs = last_syncs(connection)
        universal = holdout_log(connection, UNIVERSAL)
        found = {}
        for audience in session.programme.audiences:
            log = holdout_log(connection, audience.name)
            sync = syncs.get(audience.name)
            found[audience.name] = {
                "role": audience.role,
                "holdout_group": audience.holdout_group,
                "holdout_is_private": audience.holdout_group in session.programme.private_groups,
                "holdout_percent": log[-1].to_ppm / 10_000 if log else None,
                "holdout_history": _history(log),
                "universal_history": _history(universal),
                "last_sync": None if sync is None else _iso(sync.synced_at),
                "outcome": None if sync is None else sync.outcome,
                "units": None if sync is None else sync.units,
                "identifiers": None if sync is None else sync.identifiers,
                "match_rate": None if sync is None or sync.match_ppm is None else sync.match_ppm / 1_000_000,
                "refusals": [] if sync is None else [reason for _, reason in json.loads(sync.refusals)],
            }
    return found


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
