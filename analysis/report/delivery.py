"""How the lists are kept: syncs, sizes, match rates and the holdouts so far. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis.report.wording import (
    UNKNOWN,
    Place,
    Sentence,
    Way,
    age_text,
    count,
    holdout_text,
    hours,
    percent,
    short_day,
)

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HoldoutChange:
    """One entry of an audience's holdout log."""

    day: str
    audience: str
    holdout: str
    route: str
    reason: str


@dataclass(frozen=True, slots=True)
class List:
    """How one audience's list is kept."""

    name: str
    role: str
    holdout: str
    synced: str
    outcome: str
    health: str
    """How the syncs of the last week ended."""
    people: Sentence
    reached: Sentence
    """People whom Criteo recognises."""
    match_rate: Sentence
    fresh: Sentence
    """From entering the segment to standing on the list."""
    refusals: tuple[str, ...]


def lists(root: Place) -> tuple[List, ...]:
    """Every audience's list, the people never advertised to included."""
    now = datetime.fromisoformat(root.value["measured_at"])
    operations = root["operations"] if "operations" in root.value else Place({})
    return tuple(_list(name, operations[name], now) for name in operations.value)


def holdout_changes(experiment: Document, operations: Document) -> tuple[HoldoutChange, ...]:
    """The log of an experiment's audiences, or of the universal holdout."""
    if experiment["kind"] == "programme":
        log = next((each.get("universal_history", ()) for each in operations.values()), ())
        return tuple(_holdout_change("all", change) for change in log)
    return tuple(
        _holdout_change(name, change)
        for name in experiment["audiences"]
        for change in operations.get(name, {}).get("holdout_history", ())
    )


def _holdout_change(audience: str, change: Document) -> HoldoutChange:
    return HoldoutChange(
        day=short_day(datetime.fromisoformat(change["at"])),
        audience=audience,
        holdout=holdout_text(change["percent"]),
        route=change["route"],
        reason=change["reason"] or "",
    )


def _list(name: str, place: Place, now: datetime) -> List:
    found = place.value
    synced = found["last_sync"]
    at = None if synced is None else datetime.fromisoformat(synced)
    return List(
        name=name,
        role="advertised to" if found["role"] == "include" else "kept out",
        holdout="" if found["holdout_percent"] is None else holdout_text(found["holdout_percent"]),
        synced="never" if at is None else age_text(at, now),
        outcome=found["outcome"] or "",
        health=_health(found.get("last_week")),
        people=_known(place, "units", count),
        reached=_known(place, "matches", count),
        match_rate=_known(place, "match_rate", percent),
        fresh=_fresh(place),
        refusals=tuple(found["refusals"]),
    )


def _known(place: Place, key: str, way: Way) -> Sentence:
    return UNKNOWN if place.value.get(key) is None else (way(place[key]),)


def _health(week: Mapping[str, int] | None) -> str:
    """Syncs of seven days by how they ended, those that never happened left out."""
    if week is None or not any(week.values()):
        return "none in a week"
    return ", ".join(f"{number} {outcome}" for outcome, number in week.items() if number)


def _fresh(place: Place) -> Sentence:
    if not place.value.get("freshness"):
        return UNKNOWN
    found = place["freshness"]
    return (hours(found["p50_hours"]), ", at most ", hours(found["p95_hours"]))
