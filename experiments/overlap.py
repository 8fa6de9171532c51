"""How many people two audiences share, counted where the entrants are. I/O."""

from __future__ import annotations

from itertools import combinations

from sqlalchemy import Connection, func, select

from experiments.audiences import Programme
from experiments.group_advice import Overlap
from experiments.ledger import count_entrants, current_phase
from experiments.schema import entrants


def overlaps(connection: Connection, programme: Programme) -> tuple[Overlap, ...]:
    """Every pair of include audiences, by the entrants of their open phases; counts only."""
    phases = {}
    for audience in programme.includes:
        phase = current_phase(connection, audience.name)
        if phase is not None:
            phases[audience.name] = phase.id
    people = {name: count_entrants(connection, phase) for name, phase in phases.items()}
    return tuple(
        Overlap((one, other), (people[one], people[other]), _both(connection, phases[one], phases[other]))
        for one, other in combinations(phases, 2)
    )


def _both(connection: Connection, one: int, other: int) -> int:
    first, second = entrants.alias("first"), entrants.alias("second")
    same = first.join(second, first.c.unit == second.c.unit)
    chosen = select(func.count()).select_from(same).where(first.c.phase_id == one, second.c.phase_id == other)
    return connection.scalar(chosen) or 0
