"""Freezes an experiment's planned end before anything was read, and writes down each look. I/O."""

from __future__ import annotations

from sqlalchemy import Engine, select

from analysis.planned import Look, Plan
from experiments.database import insert_or_ignore, reading, writing
from experiments.schema import looks, planned_ends, tunings


def freeze_plan(engine: Engine, experiment: str, started: int, lasts: int | None, now: int) -> None:
    """Writes the planned end down (`started` + `lasts`, seconds), once, and only before the first measurement.

    A plan that comes later would be made with the results in sight, so it is left alone; so is any change
    of a plan that stands.
    """
    if lasts is None:
        return
    with writing(engine) as connection:
        measured = connection.scalar(select(tunings.c.experiment).where(tunings.c.experiment == experiment))
        if measured is None:
            row = {"started_at": started, "ends_at": started + lasts, "frozen_at": now}
            insert_or_ignore(connection, planned_ends, [{"experiment": experiment, **row}])


def plan_of(engine: Engine, experiment: str, until: int) -> Plan | None:
    """The frozen plan with its looks up to a moment; None where the reading has no planned end."""
    ends = select(planned_ends.c.started_at, planned_ends.c.ends_at)
    seen = select(looks.c.looked_at, looks.c.information).where(
        looks.c.experiment == experiment, looks.c.looked_at <= until
    )
    with reading(engine) as connection:
        row = connection.execute(ends.where(planned_ends.c.experiment == experiment)).one_or_none()
        found = connection.execute(seen.order_by(looks.c.looked_at)).all()
    return None if row is None else Plan(*row, tuple(Look(*each) for each in found))


def record_look(engine: Engine, experiment: str, look: Look) -> None:
    """Writes a look down; the same moment read again is no new look."""
    row = {"experiment": experiment, "looked_at": look.at, "information": look.information}
    with writing(engine) as connection:
        insert_or_ignore(connection, looks, [row])
