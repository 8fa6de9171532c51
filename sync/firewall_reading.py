"""What an audit of the firewall rests on: Criteo's audiences and ad sets, and the ledger's lists. I/O."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Engine, select

from experiments.audiences import Programme
from experiments.database import reading
from experiments.identifier_log import sent_identifiers
from experiments.ledger import current_phase
from experiments.phases import Rule
from experiments.schema import entrants
from sync.criteo import Criteo
from sync.decision import UNIVERSAL_LIST, holdout_list
from sync.delivery import held_by
from sync.firewall import count_held_out
from sync.firewall_audit import FirewallAudit, audit_firewall
from sync.lists import known_lists


def read_firewall(engine: Engine, criteo: Criteo, programme: Programme) -> FirewallAudit:
    """Reads every audience and ad set of the advertiser and compares; changes nothing."""
    with reading(engine) as connection:
        current = [each for each in known_lists(connection) if each.state == "current"]
        segments = {each.name: each.id for each in current if each.role == "holdout"}
        held_out = _held_out_lists(connection, programme)
    audiences = tuple(criteo.audiences(programme.advertiser))
    return audit_firewall(programme, criteo.ad_sets(programme.advertiser), audiences, segments, held_out)


def held_out_and_listed(engine: Engine, programme: Programme) -> Mapping[str, int]:
    """By audience, how many people who may stand in its list are held out now: the proof says none.

    Every identifier that the ledger ever sent and did not take back is hashed again, whether or not it was
    recorded as an entrant, in code that shares nothing with the planner's.
    """
    found = {}
    with reading(engine) as connection:
        sent = sent_identifiers(connection)
        names = {each.name for each in known_lists(connection)}
        for audience in programme.includes:
            phase = current_phase(connection, audience.name)
            if phase is not None and audience.list in names:
                listed = sent.people(held_by(connection, audience.list))
                found[audience.name] = count_held_out(listed, phase.holdout)
    return found


def _held_out_lists(connection: Connection, programme: Programme) -> frozenset[str]:
    """The lists of held-out people that must be in Criteo, because somebody is held out."""
    names = set()
    for audience in programme.public_includes:
        phase = current_phase(connection, audience.name)
        if phase is None:
            continue
        chosen = select(entrants.c.arm).where(entrants.c.phase_id == phase.id).distinct()
        rules = set(connection.scalars(chosen))
        if Rule.GROUP in rules:
            names.add(holdout_list(audience.holdout_group))
        if Rule.UNIVERSAL in rules:
            names.add(UNIVERSAL_LIST)
    return frozenset(names)
