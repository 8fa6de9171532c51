"""Compares the ledger's count of every list with Criteo's, keeps both, and says what a difference means. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Row, func, insert, select

from experiments.audiences import Programme
from experiments.database import reading, writing
from experiments.errors import Rejected
from experiments.schema import list_counts
from sync import pushes
from sync.criteo import Criteo
from sync.criteo_values import ListStatistics
from sync.drift import LATE, Held, Judgement, judge
from sync.gathering import list_names
from sync.history import match_history
from sync.lists import KnownList, known_lists
from sync.match_rate import MatchRate, is_below, newly_fallen, usual

HISTORY = 28 * 86_400
"""Seconds of its own past that a match rate is compared with."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One list: both counts, what they say about each other, and its match rate beside the usual one."""

    name: str
    """The audience, or `holdout · GROUP`."""
    known: KnownList
    held: Held
    counts: ListStatistics
    found: Judgement
    is_new: bool
    """Whether the night before said something else."""
    history: tuple[MatchRate, ...]

    @property
    def rate(self) -> MatchRate | None:
        """The match rate now; None where Criteo gave none."""
        if self.counts.match_rate is None or not self.counts.identifiers:
            return None
        return MatchRate(self.counts.match_rate, self.counts.identifiers)

    @property
    def usual(self) -> MatchRate | None:
        """What it was in the weeks before."""
        return usual(self.history)

    @property
    def has_fallen(self) -> bool:
        """Whether chance does not explain the difference."""
        return self.rate is not None and is_below(self.history, self.rate)

    @property
    def has_just_fallen(self) -> bool:
        """Whether the count before was still within chance."""
        return self.rate is not None and newly_fallen(self.history, self.rate)


def reconcile(engine: Engine, criteo: Criteo, programme: Programme, at: int) -> tuple[Reconciled, ...]:
    """Compares every list that the programme keeps; changes nothing.

    Criteo is asked before the ledger is read: what a sync sends meanwhile then counts as sent lately.
    """
    names = {called: name for name, called in list_names(programme).items()}
    with reading(engine) as connection:
        kept = [each for each in known_lists(connection) if each.state == "current" and each.name in names]
    counts = {each.id: _count(criteo, each) for each in kept}
    with reading(engine) as connection:
        before = last_counts(connection)
        rates = match_history(connection, at - HISTORY)
        held = {each.id: pushes.held(connection, each.id, at - LATE) for each in kept}
    found = []
    for each in kept:
        name, statistics = names[each.name], counts[each.id]
        judgement = judge(
            name,
            each.role,
            held[each.id],
            None if statistics is None else statistics.identifiers,
            is_gone=statistics is None,
        )
        last = before.get(name)
        is_new = last is None or last.verdict != judgement.verdict
        uncounted = ListStatistics(None, None, None)
        found.append(
            Reconciled(
                name, each, held[each.id], statistics or uncounted, judgement, is_new, rates.get(name, ())
            )
        )
    return tuple(found)


def record_counts(engine: Engine, found: Sequence[Reconciled], at: int) -> None:
    """Keeps one night's counts, a row a list."""
    rows = [
        {
            "list": each.known.id,
            "name": each.name,
            "counted_at": at,
            "surely": each.held.surely,
            "perhaps": each.held.perhaps,
            "identifiers": each.counts.identifiers,
            "matches": each.counts.matches,
            "match_ppm": None if each.rate is None else round(each.rate.share * 1_000_000),
            "verdict": each.found.verdict.value,
            "sentence": each.found.sentence,
        }
        for each in found
    ]
    if rows:
        with writing(engine) as connection:
            connection.execute(insert(list_counts), rows)


def last_counts(connection: Connection) -> Mapping[str, Row[tuple[object, ...]]]:
    """The newest night's row of each list, by the audience or `holdout · GROUP`."""
    newest = select(func.max(list_counts.c.id)).group_by(list_counts.c.name)
    rows = connection.execute(select(list_counts).where(list_counts.c.id.in_(newest)))
    return {row.name: row for row in rows}


def _count(criteo: Criteo, known: KnownList) -> ListStatistics | None:
    """Criteo's counts of a list; None where it does not know the list any more."""
    try:
        return criteo.statistics(known.id)
    except Rejected:
        if criteo.segment(known.id) is None:
            return None
        raise
