"""How the lists are kept: syncs, sizes, match rates and the holdouts so far. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis.wording import Place, Sentence, age_text, count, holdout_text, percent, short_day

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
    people: Sentence
    match_rate: Sentence
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
        people=("not known",) if found["units"] is None else (count(place["units"]),),
        match_rate=("not known",) if found["match_rate"] is None else (percent(place["match_rate"]),),
        refusals=tuple(found["refusals"]),
    )
