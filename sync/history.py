"""What each sync saw and did, and which refused plans a person let through. I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from experiments.schema import approvals, list_counts, syncs
from sync.delays import Delays
from sync.match_rate import MatchRate
from sync.plan import ListPlan

KEPT = 35 * 86_400
"""Seconds for which every sync is kept; the playbook looks back four weeks."""
_DAY = 86_400

Outcome = Literal["applied", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class ListState:
    """What the ledger says that one list holds, and Criteo's own counts, late by some hours at best."""

    pushed: int = 0
    identifiers: int | None = None
    matches: int | None = None
    match_rate: float | None = None
    """Share of identifiers that Criteo recognises, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was really sent for one list, and how that ended."""

    outcome: Outcome = "applied"
    adds: int = 0
    removes: int = 0
    rejected: int = 0
    """Identifiers that Criteo called invalid."""
    deferred: int = 0
    """Adds kept back for the next sync, while a sibling window may still hold the person."""
    delays: Delays = field(default_factory=Delays)
    """From entry to Criteo's answer, of those who were added for the first time."""


def record_sync(
    connection: Connection, plan: ListPlan, delivery: Delivery, state: ListState, at: int
) -> None:
    """Writes one row for one list."""
    counts = plan.counts
    values = {
        "audience": plan.name,
        "synced_at": at,
        "outcome": delivery.outcome,
        "plan": plan.hash,
        "members": counts.profiles,
        "units": counts.units,
        "unusable": sum(counts.unusable.values()),
        "excluded": sum(counts.excluded.values()),
        "claimed": sum(counts.claimed.values()),
        "held_out": counts.held_out,
        "adds": delivery.adds,
        "removes": delivery.removes,
        "rejected": delivery.rejected,
        "deferred": delivery.deferred,
        "pushed": state.pushed,
        "delay_p50": delivery.delays.p50,
        "delay_p95": delivery.delays.p95,
        "identifiers": state.identifiers,
        "matches": state.matches,
        "match_ppm": None if state.match_rate is None else round(state.match_rate * 1_000_000),
        "refusals": json.dumps([[each.fuse, each.reason] for each in plan.refusals]),
    }
    connection.execute(insert(syncs).values(values))


def forget_idle_syncs(connection: Connection, at: int) -> None:
    """Drops rows of syncs that moved nobody, once they are `KEPT` old: the ledger grows with churn, not with runs.

    The newest applied row of each list stays, and every refusal and failure. It looks once a day.
    """
    newest_at = select(syncs.c.synced_at).order_by(syncs.c.id.desc()).limit(1)
    last = connection.scalar(newest_at)
    if last is None or last // _DAY == at // _DAY:
        return
    applied = syncs.c.outcome == "applied"
    newest = select(func.max(syncs.c.id)).where(applied).group_by(syncs.c.audience)
    moved = syncs.c.adds + syncs.c.removes + syncs.c.rejected + syncs.c.deferred
    old = syncs.c.synced_at < at - KEPT
    connection.execute(delete(syncs).where(applied, moved == 0, old, syncs.c.id.not_in(newest)))


def last_units(connection: Connection) -> dict[str, int]:
    """Usable units of each audience in its last applied sync."""
    newest = select(func.max(syncs.c.id)).where(syncs.c.outcome == "applied").group_by(syncs.c.audience)
    chosen = select(syncs.c.audience, syncs.c.units).where(syncs.c.id.in_(newest))
    return {row.audience: row.units for row in connection.execute(chosen)}


def rejected_so_far(connection: Connection, name: str) -> int:
    """How many identifiers Criteo called invalid in all syncs of a list."""
    return connection.scalar(select(func.sum(syncs.c.rejected)).where(syncs.c.audience == name)) or 0


def last_syncs(connection: Connection) -> Mapping[str, Row[tuple[object, ...]]]:
    """The newest row of each list."""
    newest = select(func.max(syncs.c.id)).group_by(syncs.c.audience)
    rows = connection.execute(select(syncs).where(syncs.c.id.in_(newest)))
    return {row.audience: row for row in rows}


def match_history(connection: Connection, since: int) -> dict[str, tuple[MatchRate, ...]]:
    """The match rates that each list's counts gave after a moment, by syncs and by night, oldest first."""
    counted: dict[str, list[tuple[int, MatchRate]]] = {}
    for table, name, at in (
        (syncs, syncs.c.audience, syncs.c.synced_at),
        (list_counts, list_counts.c.name, list_counts.c.counted_at),
    ):
        columns = (name.label("name"), at.label("at"), table.c.identifiers, table.c.match_ppm)
        chosen = select(*columns).where(at > since, table.c.match_ppm.is_not(None), table.c.identifiers > 0)
        for row in connection.execute(chosen.order_by(table.c.id)):
            rate = MatchRate(row.match_ppm / 1_000_000, row.identifiers)
            counted.setdefault(row.name, []).append((row.at, rate))
    return {
        name: tuple(rate for _, rate in sorted(each, key=lambda one: one[0]))
        for name, each in counted.items()
    }


def last_delays(connection: Connection) -> dict[str, Delays]:
    """The delays of each audience's newest sync that added somebody for the first time."""
    newest = select(func.max(syncs.c.id)).where(syncs.c.delay_p95.is_not(None)).group_by(syncs.c.audience)
    chosen = select(syncs.c.audience, syncs.c.delay_p50, syncs.c.delay_p95).where(syncs.c.id.in_(newest))
    return {row.audience: Delays(row.delay_p50, row.delay_p95) for row in connection.execute(chosen)}


def served_until(connection: Connection, audience: str) -> int | None:
    """When the audience's last sync ended that left nobody waiting; None where there was none."""
    whole = (syncs.c.outcome == "applied", syncs.c.deferred == 0)
    newest = select(syncs.c.synced_at).where(syncs.c.audience == audience, *whole).order_by(syncs.c.id.desc())
    return connection.scalar(newest.limit(1))


def approve(connection: Connection, audience: str, plan: str, *, at: int, who: str, reason: str) -> None:
    """Lets exactly this plan through the fuses, once."""
    connection.execute(
        insert(approvals).values(audience=audience, plan=plan, approved_at=at, who=who, reason=reason)
    )


def open_approvals(connection: Connection) -> dict[str, frozenset[str]]:
    """Approved plans that no sync has used, by audience."""
    chosen = select(approvals.c.audience, approvals.c.plan).where(approvals.c.used_at.is_(None))
    found: dict[str, set[str]] = {}
    for row in connection.execute(chosen):
        found.setdefault(row.audience, set()).add(row.plan)
    return {audience: frozenset(plans) for audience, plans in found.items()}


def use_approval(connection: Connection, audience: str, plan: str, at: int) -> None:
    """Marks an approval as spent."""
    chosen = (approvals.c.audience == audience, approvals.c.plan == plan, approvals.c.used_at.is_(None))
    connection.execute(update(approvals).where(*chosen).values(used_at=at))
