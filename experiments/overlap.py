"""How many people two audiences share, counted where the entrants are. I/O."""

from __future__ import annotations

from sqlalchemy import Connection, select

from experiments.audiences import Programme
from experiments.bulk import read_digests
from experiments.common_people import people_in_common
from experiments.group_advice import Overlap
from experiments.ledger import current_phase
from experiments.schema import entrants


def overlaps(connection: Connection, programme: Programme) -> tuple[Overlap, ...]:
    """Every pair of include audiences, by the entrants of their open phases; counts only."""
    entered = {}
    for audience in programme.includes:
        phase = current_phase(connection, audience.name)
        if phase is not None:
            chosen = select(entrants.c.unit).where(entrants.c.phase_id == phase.id)
            entered[audience.name] = read_digests(connection, chosen)
    return tuple(
        Overlap((one, other), (len(entered[one]), len(entered[other])), both)
        for (one, other), both in people_in_common(entered).items()
    )
