"""What the report tells beside the lift: the firewall, buyers still advertised to, and when it can be decided. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from analysis.measurement import Measurement
from analysis.outlook import outlook
from analysis.plain_numbers import Document
from analysis.planning import Past
from analysis.spend import total_spend
from analysis.suppression import Suppression, suppression
from analysis.volume import arrivals
from experiments.assignment import PPM
from experiments.database import reading
from experiments.playbook.facts import WEEK
from experiments.schema import syncs
from flows.playbook_removals import overhang_of, read_purchases
from flows.session import Session
from sync.firewall_reading import held_out_and_listed
from sync.lists import list_named

_REACHABLE = "measurement.site-tag"
"""The playbook's finding that an ad set can reach people who are held out."""


def firewall_facts(session: Session, playbook: Mapping[str, Any] | None) -> Document:
    """The proof from the ledger, made now, and what the nightly check last saw of Criteo's ad sets."""
    found = [] if playbook is None else playbook["findings"]
    return {
        "held_out_and_listed": dict(held_out_and_listed(session.engine, session.programme)),
        "private_groups": sorted(session.programme.private_groups),
        "checked_at": None if playbook is None else playbook["checked_at"],
        "open_ad_sets": [
            {key: each[key] for key in ("subject", "sentence", "what_to_do")}
            for each in found
            if each["code"] == _REACHABLE
        ],
    }


def suppression_facts(session: Session, until: int) -> Document:
    """Per include audience: from purchase to removal, and the spend on people who had bought, in two weeks."""
    told = {}
    with reading(session.engine) as connection:
        bought = read_purchases(connection, until)
        for audience in session.programme.includes:
            known = list_named(connection, audience.list)
            if known is None:
                continue
            spent = total_spend(session.engine, audience.ad_sets, bought.since, until).cost
            found = suppression(
                overhang_of(connection, known.id, bought, until),
                listed=_listed(connection, audience.name, bought.since, until),
                cost=spent or None,
            )
            told[audience.name] = _suppression(found, (until - bought.since) / WEEK)
    return told


def outlooks(session: Session, found: Sequence[Measurement], until: int) -> list[Document | None]:
    """For each experiment, the weeks to a decision; None for the programme, whose arms lie across all others."""
    return [None if each.experiment.kind == "programme" else _outlook(session, each, until) for each in found]


def _outlook(session: Session, found: Measurement, until: int) -> Document:
    newest = {each.phase.audience: each.phase for each in found.entered}
    volume = arrivals(session.engine, found.experiment.audiences, until)
    past = Past(
        name=found.experiment.name,
        audiences=found.experiment.audiences,
        share=min((each.holdout.ppm for each in newest.values()), default=0) / PPM,
        units_per_week=volume.per_week,
        rate=found.conversions.mean_treatment or 0.0,
    )
    started = min((each.phase.opened_at for each in found.entered), default=until)
    return outlook(past, (until - started) / WEEK)


def _listed(connection: Connection, audience: str, since: int, until: int) -> float:
    """How many people the list held on average, by its applied syncs."""
    chosen = select(func.avg(syncs.c.pushed)).where(
        syncs.c.audience == audience,
        syncs.c.outcome == "applied",
        syncs.c.synced_at > since,
        syncs.c.synced_at <= until,
    )
    return float(connection.scalar(chosen) or 0.0)


def _suppression(found: Suppression, weeks: float) -> Document:
    return {
        "weeks": weeks,
        "removal_p50_hours": None if found.p50 is None else found.p50 / 3_600,
        "removal_p95_hours": None if found.p95 is None else found.p95 / 3_600,
        "removed": found.removed,
        "still_listed": found.still_listed,
        "share": found.share,
        "spend": found.spend,
    }
