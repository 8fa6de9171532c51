"""What share of the people on its lists Criteo recognised lately, from what each sync recorded. I/O."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, func, select

from analysis.estimators.dilution import MatchRate
from experiments.database import reading
from experiments.schema import syncs

ENOUGH = 100
"""Identifiers from which on a list's rate says something: of a handful it is chance."""
LATELY = 28 * 86_400
"""Seconds: an older rate is of another list."""


def matched_share(engine: Engine, audiences: Sequence[str], until: int) -> MatchRate | None:
    """The newest rate of each list, weighted by its identifiers, between the lowest and highest of four weeks.

    Criteo tells a rate per list and never whom it recognised. None where it told none, recognised nobody, or the lists
    were smaller than 100 identifiers all the time.
    """
    known = (
        syncs.c.audience.in_(audiences),
        syncs.c.synced_at <= until,
        syncs.c.synced_at > until - LATELY,
        syncs.c.match_ppm > 0,
        syncs.c.identifiers >= ENOUGH,
    )
    newest = select(func.max(syncs.c.id)).where(*known).group_by(syncs.c.audience)
    rates = select(syncs.c.match_ppm, syncs.c.identifiers).where(syncs.c.id.in_(newest))
    with reading(engine) as connection:
        low, high = connection.execute(
            select(func.min(syncs.c.match_ppm), func.max(syncs.c.match_ppm)).where(*known)
        ).one()
        found = connection.execute(rates).all()
    if not found:
        return None
    rate = sum(ppm * size for ppm, size in found) / sum(size for _, size in found)
    return MatchRate(rate / 1_000_000, low / 1_000_000, high / 1_000_000)
