"""The append-only memory of holdouts, phases and entrants: who was held out of what, since when. I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from experiments.assignment import group_salt, universal_salt
from experiments.audiences import Audience, Programme
from experiments.bulk import insert_rows, read_digests
from experiments.digests import DigestSet
from experiments.lock import take_turns
from experiments.phases import Assigned, Entered, Holdout, Phase, Rule
from experiments.schema import entrants, holdout_changes, phases

Route = Literal["file", "form", "command"]
UNIVERSAL = "universal"
_ENTRANT = ("phase_id", "unit", "bucket", "universal_bucket", "arm", "entered_at")


@dataclass(frozen=True, slots=True)
class HoldoutChange:
    """One entry of the log of percentages."""

    audience: str
    changed_at: int
    from_ppm: int | None
    to_ppm: int
    holdout_group: str
    salt_number: int
    route: Route
    who: str
    reason: str


def holdout_log(connection: Connection, audience: str) -> tuple[HoldoutChange, ...]:
    """All changes of one audience's percentage, oldest first."""
    chosen = (
        select(holdout_changes).where(holdout_changes.c.audience == audience).order_by(holdout_changes.c.id)
    )
    return tuple(_change(row) for row in connection.execute(chosen))


def change_holdout(
    connection: Connection,
    audience: str,
    ppm: int,
    *,
    at: int,
    route: Route,
    who: str,
    reason: str,
    holdout_group: str | None = None,
) -> HoldoutChange:
    """Appends a percentage to the log; the next sync opens a phase with it.

    The group is by default that of the audience's newest entry, or its own name.
    """
    log = holdout_log(connection, audience)
    group = holdout_group or (log[-1].holdout_group if log else audience)
    change = HoldoutChange(
        audience=audience,
        changed_at=at,
        from_ppm=log[-1].to_ppm if log else None,
        to_ppm=ppm,
        holdout_group=group,
        salt_number=salt_number(connection, group),
        route=route,
        who=who,
        reason=reason,
    )
    connection.execute(insert(holdout_changes).values(_columns(change)))
    return change


def salt_number(connection: Connection, holdout_group: str) -> int:
    """How often a group (or `universal`) was re-randomised on purpose."""
    changes = holdout_changes.c
    newest = select(func.max(changes.salt_number)).where(changes.holdout_group == holdout_group)
    return connection.scalar(newest) or 0


def rerandomise(
    connection: Connection, programme: Programme, holdout_group: str, *, at: int, who: str, reason: str
) -> tuple[HoldoutChange, ...]:
    """Gives a holdout group, or `universal`, a new salt from the next sync on, its percentages unchanged.

    One entry of the log for each audience; entries, phases and entrants of the past stay as they are.
    """
    number = salt_number(connection, holdout_group) + 1
    names = [each.name for each in programme.groups.get(holdout_group, ())]
    made = []
    for name in [UNIVERSAL] if holdout_group == UNIVERSAL else names:
        ppm = holdout_log(connection, name)[-1].to_ppm
        change = HoldoutChange(name, at, ppm, ppm, holdout_group, number, "command", who, reason)
        connection.execute(insert(holdout_changes).values(_columns(change)))
        made.append(change)
    return tuple(made)


def read_file_holdouts(connection: Connection, programme: Programme, at: int) -> tuple[HoldoutChange, ...]:
    """Appends what the file newly asks for: a value that differs from the last one the file gave.

    So an edit of the file takes effect once, and neither the form nor the file silently reverts the other.
    """
    if not pending_file_holdouts(connection, programme):
        return ()
    take_turns(connection, "file")  # runs of several groups at once would each append the same entry
    groups = {each.name: each.holdout_group for each in programme.includes} | {UNIVERSAL: UNIVERSAL}
    given = _given_by_file(connection)
    made = []
    for name, ppm in pending_file_holdouts(connection, programme).items():
        is_new = name not in given
        change = change_holdout(
            connection,
            name,
            ppm,
            at=at,
            route="file",
            who="audiences.yaml",
            reason="first value of the file" if is_new else "the file was edited",
            holdout_group=groups[name],
        )
        made.append(change)
    return tuple(made)


def pending_file_holdouts(connection: Connection, programme: Programme) -> dict[str, int]:
    """Percentages that the next sync would take over from the file, by audience; nothing is written."""
    asked = {each.name: each.holdout_ppm for each in programme.includes}
    asked[UNIVERSAL] = programme.universal_holdout_ppm
    given = _given_by_file(connection)
    return {name: ppm for name, ppm in asked.items() if given.get(name) != ppm}


def holdout_in_force(connection: Connection, audience: Audience, programme: Programme) -> Holdout:
    """The holdout that decides arms now: the newest entries of the log, or what the file is about to give."""
    return holdouts_in_force(connection, [audience], programme)[audience.name]


def holdouts_in_force(
    connection: Connection, audiences: Iterable[Audience], programme: Programme
) -> dict[str, Holdout]:
    """The same for several audiences, by name, from one reading of the log."""
    salts, ppm = _newest(connection)
    ppm |= pending_file_holdouts(connection, programme)
    return {
        each.name: Holdout(
            salt=group_salt(each.holdout_group, salts.get(each.holdout_group, 0)),
            ppm=ppm.get(each.name, 0),
            universal_salt=universal_salt(salts.get(UNIVERSAL, 0)),
            universal_ppm=ppm.get(UNIVERSAL, 0),
        )
        for each in audiences
    }


def phases_of(connection: Connection, audiences: Sequence[str]) -> tuple[Phase, ...]:
    """All phases of these audiences, oldest first."""
    chosen = select(phases).where(phases.c.audience.in_(audiences)).order_by(phases.c.opened_at, phases.c.id)
    return tuple(_phase(row) for row in connection.execute(chosen))


def current_phase(connection: Connection, audience: str) -> Phase | None:
    """The open phase of one audience, if it was ever synced."""
    newest = select(phases).where(phases.c.audience == audience).order_by(phases.c.number.desc()).limit(1)
    row = connection.execute(newest).first()
    return None if row is None else _phase(row)


def open_phase(connection: Connection, audience: Audience, holdout: Holdout, at: int) -> Phase:
    """The phase for this holdout: the open one where nothing changed, else a new one from now on."""
    current = current_phase(connection, audience.name)
    if current is not None and current.is_for(audience.holdout_group, holdout):
        return current
    number = 1 if current is None else current.number + 1
    values = {
        "audience": audience.name,
        "number": number,
        "holdout_group": audience.holdout_group,
        "salt": holdout.salt,
        "ppm": holdout.ppm,
        "universal_salt": holdout.universal_salt,
        "universal_ppm": holdout.universal_ppm,
        "opened_at": at,
    }
    key = connection.execute(insert(phases).values(values)).inserted_primary_key
    assert key is not None
    return Phase(key[0], audience.name, number, audience.holdout_group, holdout, at)


def entrants_of(connection: Connection, phase_id: int, *, held_out: bool | None = None) -> DigestSet:
    """Units that entered in a phase; only those held out, or only those treated, where asked."""
    chosen = select(entrants.c.unit).where(entrants.c.phase_id == phase_id)
    if held_out is not None:
        chosen = chosen.where(entrants.c.arm > 0 if held_out else entrants.c.arm == 0)
    return read_digests(connection, chosen)


def entered_in(connection: Connection, phase: Phase) -> Entered:
    """Everybody who entered in a phase, by the rule that placed them."""
    chosen = select(entrants.c.unit).where(entrants.c.phase_id == phase.id)
    return Entered(
        phase, {rule: read_digests(connection, chosen.where(entrants.c.arm == rule)) for rule in Rule}
    )


def count_entrants(connection: Connection, phase_id: int) -> int:
    """How many units entered in a phase."""
    return connection.scalar(select(func.count()).where(entrants.c.phase_id == phase_id)) or 0


def entered_since(connection: Connection, phase_id: int, since: int) -> dict[int, DigestSet]:
    """Units that entered in a phase after a moment, by the time of their entry."""
    later = (entrants.c.phase_id == phase_id, entrants.c.entered_at > since)
    chosen = select(entrants.c.entered_at, entrants.c.unit).where(*later)
    rows = connection.execute(chosen.order_by(entrants.c.entered_at, entrants.c.unit))
    return {
        at: DigestSet.unpack_sorted(b"".join(bytes(row.unit) for row in run))
        for at, run in groupby(rows, key=lambda row: row.entered_at)
    }


def entries_of(connection: Connection, unit: bytes) -> dict[int, int]:
    """When one unit entered, by phase id."""
    chosen = select(entrants.c.phase_id, entrants.c.entered_at).where(*of_person(unit))
    return {row.phase_id: row.entered_at for row in connection.execute(chosen)}


def of_person(unit: bytes) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What chooses one person's entries: the key begins with the phase, and naming all of them lets it be used."""
    return entrants.c.phase_id.in_(select(phases.c.id)), entrants.c.unit == unit


def record_entrants(connection: Connection, phase: Phase, assigned: Assigned, at: int) -> None:
    """Writes down arm, buckets, phase and entry time of units that enter, once, for both arms alike."""
    rows = zip(
        repeat(phase.id),
        assigned.units,
        assigned.buckets.tolist(),
        assigned.universal_buckets.tolist(),
        assigned.rules.tolist(),
        repeat(at),
        strict=False,
    )
    insert_rows(connection, entrants, _ENTRANT, rows)


def _newest(connection: Connection) -> tuple[dict[str, int], dict[str, int]]:
    """The highest salt number of each holdout group, and the last percentage of each audience."""
    salts: dict[str, int] = {}
    ppm: dict[str, int] = {}
    changes = holdout_changes.c
    columns = (changes.audience, changes.holdout_group, changes.salt_number, changes.to_ppm)
    for row in connection.execute(select(*columns).order_by(changes.id)):
        salts[row.holdout_group] = max(salts.get(row.holdout_group, 0), row.salt_number)
        ppm[row.audience] = row.to_ppm
    return salts, ppm


def _given_by_file(connection: Connection) -> dict[str, int]:
    """The percentage that the file gave each audience last."""
    columns = (holdout_changes.c.audience, holdout_changes.c.to_ppm)
    chosen = select(*columns).where(holdout_changes.c.route == "file").order_by(holdout_changes.c.id)
    return {row.audience: row.to_ppm for row in connection.execute(chosen)}


def _change(row: Row[tuple[object, ...]]) -> HoldoutChange:
    values = dict(row._mapping)
    del values["id"]
    return HoldoutChange(**values)


def _columns(change: HoldoutChange) -> dict[str, object]:
    return {name: getattr(change, name) for name in HoldoutChange.__slots__}


def _phase(row: Row[tuple[object, ...]]) -> Phase:
    at = row._mapping
    holdout = Holdout(at["salt"], at["ppm"], at["universal_salt"], at["universal_ppm"])
    return Phase(at["id"], at["audience"], at["number"], at["holdout_group"], holdout, at["opened_at"])
