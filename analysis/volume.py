"""How many people enter audiences in a week, by the ledger of entrants. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from experiments.database import reading
from experiments.ledger import phases_of
from experiments.schema import entrants

_WEEK = 7 * 86_400
RECENT_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Volume:
    """People who came for the first time, and over how many weeks they were counted."""

    people: int
    weeks: float

    @property
    def per_week(self) -> float:
        """People a week; 0 before anybody was counted."""
        return self.people / self.weeks if self.weeks > 0 else 0.0


def arrivals(engine: Engine, audiences: Sequence[str], until: int) -> Volume:
    """First entries into any of the audiences in the last four weeks before `until` (seconds).

    Whoever entered with the first sync had been there before and tells nothing about a week.
    """
    with reading(engine) as connection:
        phases = phases_of(connection, audiences)
        started = min((phase.opened_at for phase in phases), default=until)
        since = max(started, until - RECENT_WEEKS * _WEEK)
        entered = func.min(entrants.c.entered_at)
        first = (
            select(entrants.c.unit)
            .where(entrants.c.phase_id.in_([phase.id for phase in phases]))
            .group_by(entrants.c.unit)
            .having(entered > since, entered <= until)
            .subquery()
        )
        people = connection.scalar(select(func.count()).select_from(first)) or 0
    return Volume(people, (until - since) / _WEEK)


def window_shares(engine: Engine, together: Sequence[str], until: int) -> dict[str, float]:
    """The part that each window of `together` has of all their entries; nothing has a part of nothing."""
    people = {name: arrivals(engine, [name], until).people for name in together}
    entries = sum(people.values())
    return {name: each / entries if entries else 0.0 for name, each in people.items()}


def weekly_units(engine: Engine, audience: Sequence[str], together: Sequence[str], until: int) -> float:
    """People a week who enter `audience`, each counted once among all windows of `together`.

    A person passes through several windows of a group; the part of each window is its share of entries.
    """
    own = arrivals(engine, audience, until).people
    entries = sum(arrivals(engine, [name], until).people for name in together)
    everybody = arrivals(engine, together, until)
    return everybody.per_week * own / entries if entries else 0.0
