"""What `holdouts status` knows of each audience: holdout, age against the promise, sizes, verdict, refusals. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from analysis.history import newest_measurement
from experiments.database import reading
from experiments.playbook.facts import Snapshot
from flows.facts import operations
from flows.playbook_ledger import sync_moments
from flows.session import moment, open_session, seconds


def read_status(now: datetime | None = None) -> dict[str, Any]:
    """Everything from the ledger; no vendor is asked."""
    at = seconds(moment(now))
    with open_session() as session:
        found = operations(session, at)
        with reading(session.engine) as connection:
            syncs, _ = sync_moments(connection, session.programme, at)
        told = newest_measurement(session.engine)
        promise = Snapshot(at, session.programme, syncs=syncs).promise
    return {
        "at": moment(now).isoformat(),
        "promise_hours": promise / 3_600,
        "last_report": None if told is None else told["measured_at"],
        "universal": _universal(found),
        "audiences": {
            name: {
                **each,
                "since": _since(each["holdout_history"]),
                "age_hours": _age(each["last_sync"], at),
                "is_late": _is_late(each, at, promise),
                "verdict": _verdict(name, told),
            }
            for name, each in found.items()
        },
    }


def _since(history: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The change that the holdout now comes from."""
    return history[-1] if history else None


def _universal(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    return next((_since(each["universal_history"]) for each in found.values()), None)


def _age(iso: str | None, at: int) -> float | None:
    return None if iso is None else (at - seconds(datetime.fromisoformat(iso))) / 3_600


def _is_late(each: Mapping[str, Any], at: int, promise: int) -> bool | None:
    """Whether the last sync that was applied is older than the promise; None before the first sync."""
    age = _age(each["last_applied"], at)
    if age is None:
        return None if each["last_sync"] is None else True
    return age * 3_600 > promise


def _verdict(audience: str, told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Of the audience, or of the group that it is a window of, in the newest report."""
    experiments = () if told is None else told["experiments"]
    own = [each for each in experiments if each["name"] == audience and each["kind"] == "audience"]
    group = [each for each in experiments if each["kind"] == "group" and audience in each["audiences"]]
    found = next(iter([*group, *own]), None)
    if found is None:
        return None
    return {"state": found["verdict"]["state"], "sentence": found["verdict"]["sentence"], "of": found["name"]}
