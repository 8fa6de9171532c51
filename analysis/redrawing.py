"""Measures the programme again with arms drawn anew, from temporary tables that stand before the ledger's own. I/O.

The statements, sums and estimators are those of the report: they name `entrants` and find the temporary table
of that name first. The ledger is open for reading only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, Connection, Engine, Index, MetaData, Table, delete, func, insert, select, text
from sqlalchemy.schema import CreateIndex, CreateTable

from analysis.facts import Experiment
from analysis.measurement import measure
from analysis.measuring import experiments_of, gather_facts
from analysis.report_card import OUTCOMES, Draw, draw_of
from experiments.audiences import Programme
from experiments.audit import audit_arms
from experiments.bulk import insert_rows
from experiments.database import reading, reading_only
from experiments.digests import SIZE, DigestSet
from experiments.ledger import phases_of
from experiments.phases import Assigned, Phase, Rule, assign
from experiments.schema import entrants, looks, order_caps, orders, phases, planned_ends, tunings

Keys = NDArray[np.uint64]
Times = NDArray[np.int64]
_NEVER = np.iinfo(np.int64).max
_STANDING = (phases, tunings, order_caps, planned_ends, looks)
"""Tables that a measurement reads or writes besides entrants and orders; copied as they are."""


@dataclass(frozen=True, slots=True)
class Request:
    """How much is drawn, and with which seed."""

    draws: int
    effect_draws: int
    effect: float
    people: int
    """Entrants that are measured at most; of more, a random part of the people is taken."""
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Entries:
    """Who entered in one phase and when, in the order of their digests."""

    phase: Phase
    units: DigestSet
    entered_at: Times


@dataclass(frozen=True, slots=True, eq=False)
class _Orders:
    """The orders of everyone drawn, as columns; `person` is the place of the buyer among `_World.people`."""

    digests: tuple[bytes, ...]
    person: NDArray[np.int64]
    ordered_at: Times
    revenue: Times
    refunded: Times


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Everything of the ledger that a draw needs, and the share of its people that this is."""

    entries: tuple[_Entries, ...]
    orders: _Orders
    people: Keys
    share: float
    standing: Mapping[Table, Sequence[Mapping[str, Any]]]

    @property
    def entrants(self) -> int:
        """Entrants over all phases."""
        return sum(len(each.units) for each in self.entries)


def read_world(engine: Engine, programme: Programme, most: int) -> World:
    """Entrants, orders and frozen values of the ledger; of more than `most` entrants, a part of the people."""
    names = [each.name for each in programme.includes]
    with reading(engine) as connection:
        known = phases_of(connection, names)
        ids = [phase.id for phase in known]
        total = connection.scalar(select(func.count()).where(entrants.c.phase_id.in_(ids))) or 0
        share = min(1.0, most / total) if total else 1.0
        # Digests are uniform: those below a bound are a random part of the people.
        bound = b"\xff" * SIZE if share == 1.0 else int(share * 2**64).to_bytes(8, "big") + bytes(SIZE - 8)
        entries = tuple(_read_entries(connection, phase, bound) for phase in known)
        people = np.unique(np.concatenate([np.zeros(0, np.uint64), *(_keys(each.units) for each in entries)]))
        standing = {
            table: [dict(row) for row in connection.execute(select(table)).mappings()] for table in _STANDING
        }
        return World(entries, _read_orders(connection, people, bound), people, share, standing)


def redraw(
    engine: Engine, programme: Programme, watermark: int, world: World, asked: Request
) -> Iterator[Draw]:
    """Every experiment, drawn so often without an effect and then so often with one that was put in.

    The effect takes all orders since entry from a random part of the held-out people, 1 − 1/(1 + L) of them:
    the others then buy (1 + L) times as much, baskets and all.
    """
    with _shadow(engine, world) as shadow:
        _write_orders(shadow, world.orders, np.ones(len(world.orders.person), dtype=np.bool_))
        for number in range(asked.draws + asked.effect_draws):
            effect = asked.effect if number >= asked.draws else 0.0
            drawn = _draw_arms(shadow, world, f"audit:{asked.seed}:{number}")
            coins = np.random.default_rng([asked.seed, number]).random(len(world.people))
            for experiment in experiments_of(programme):
                if effect:
                    held_from = _held_from(world, drawn, experiment)
                    loses = coins < 1.0 - 1.0 / (1.0 + effect)
                    _write_orders(
                        shadow, world.orders, ~_lost(world.orders, np.where(loses, held_from, _NEVER))
                    )
                found = measure(gather_facts(shadow, programme, experiment, watermark))
                yield from (draw_of(found, outcome, effect) for outcome in OUTCOMES)


def mismatched_arms(engine: Engine, programme: Programme, world: World, asked: Request) -> int:
    """How many arms of a draw the audit of arms finds to disagree with their hash."""
    with _shadow(engine, world) as shadow:
        _draw_arms(shadow, world, f"audit:{asked.seed}:0")
        with reading(shadow) as connection:
            names = [each.name for each in programme.includes]
            audits = audit_arms(connection, phases_of(connection, names))
    return sum(each.mismatched for each in audits)


@contextmanager
def _shadow(engine: Engine, world: World) -> Iterator[Engine]:
    """An engine for which every table of a measurement is a temporary one, gone at the end."""
    shadow = reading_only(engine)
    try:
        with _redrawing(shadow) as connection:
            for table in (*_STANDING, entrants, orders):
                copy = _temporary(table, connection)
                connection.execute(CreateTable(copy))
                for index in copy.indexes:
                    connection.execute(CreateIndex(index))
            for table, rows in world.standing.items():
                _fill(connection, table, [_scaled(table, row, world.share) for row in rows])
        yield shadow
    finally:
        shadow.dispose()


@contextmanager
def _redrawing(shadow: Engine) -> Iterator[Connection]:
    """A transaction that changes temporary tables."""
    with reading(shadow) as connection:
        if shadow.dialect.name == "postgresql":
            connection.execute(text("SET TRANSACTION READ WRITE"))
        yield connection


def _temporary(table: Table, connection: Connection) -> Table:
    """The same columns and indexes, in the schema where the database looks first."""
    schema = "pg_temp" if connection.dialect.name == "postgresql" else "temp"
    columns = [
        Column(
            each.name, each.type, primary_key=each.primary_key, nullable=each.nullable, autoincrement=False
        )
        for each in table.columns
    ]
    copy = Table(table.name, MetaData(), *columns, schema=schema, prefixes=["TEMPORARY"])
    for index in table.indexes:
        Index(index.name, *(copy.c[column.name] for column in index.columns))
    return copy


def _fill(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(_temporary(table, connection)), list(rows))


def _empty(connection: Connection, table: Table) -> Table:
    """Nothing survives in it, not even as a dead row: a draw is written hundreds of times."""
    copy = _temporary(table, connection)
    is_postgresql = connection.dialect.name == "postgresql"
    connection.execute(text(f"TRUNCATE {copy.fullname}") if is_postgresql else delete(copy))
    return copy


def _scaled(table: Table, row: Mapping[str, Any], share: float) -> Mapping[str, Any]:
    """The tuning of an experiment of which only a part is measured."""
    return {**row, "information": row["information"] * share} if table in (tunings, looks) else row


def _draw_arms(shadow: Engine, world: World, mark: str) -> tuple[Assigned, ...]:
    """Writes arms by new salts, the same new one wherever the old one was the same."""
    redrawn = [_resalted(each.phase, mark) for each in world.entries]
    drawn = tuple(
        assign(each.units, phase.holdout) for each, phase in zip(world.entries, redrawn, strict=True)
    )
    names = ("phase_id", "unit", "bucket", "universal_bucket", "arm", "entered_at")
    with _redrawing(shadow) as connection:
        known = _empty(connection, phases)
        for phase in redrawn:
            salts = {"salt": phase.holdout.salt, "universal_salt": phase.holdout.universal_salt}
            row = next(each for each in world.standing[phases] if each["id"] == phase.id)
            connection.execute(insert(known), [{**row, **salts}])
        copy = _empty(connection, entrants)
        for each, arms in zip(world.entries, drawn, strict=True):
            columns = (arms.buckets, arms.universal_buckets, arms.rules, each.entered_at)
            values = zip(each.units, *(column.tolist() for column in columns), strict=True)
            insert_rows(connection, copy, names, ((each.phase.id, *row) for row in values))
    return drawn


def _resalted(phase: Phase, mark: str) -> Phase:
    own = phase.holdout
    drawn = replace(own, salt=f"{own.salt}:{mark}", universal_salt=f"{own.universal_salt}:{mark}")
    return replace(phase, holdout=drawn)


def _held_from(world: World, drawn: Sequence[Assigned], experiment: Experiment) -> Times:
    """From when each person is held out of the experiment; never is the end of time."""
    rule = Rule.UNIVERSAL if experiment.kind == "programme" else Rule.GROUP
    found = np.full(len(world.people), _NEVER, dtype=np.int64)
    for each, arms in zip(world.entries, drawn, strict=True):
        if each.phase.audience in experiment.audiences:
            held = arms.rules == rule
            at = np.searchsorted(world.people, _keys(each.units)[held])
            np.minimum.at(found, at, each.entered_at[held])
    return found


def _lost(bought: _Orders, lost_from: Times) -> NDArray[np.bool_]:
    """Which orders fall at or after the moment from which their buyer's are taken."""
    lost: NDArray[np.bool_] = bought.ordered_at >= lost_from[bought.person]
    return lost


def _write_orders(shadow: Engine, bought: _Orders, kept: NDArray[np.bool_]) -> None:
    names = ("order_id", "unit", "ordered_at", "revenue", "refunded", "loaded_at")
    columns = (bought.ordered_at, bought.revenue, bought.refunded)
    chosen = np.flatnonzero(kept).tolist()
    values = zip(chosen, *(column[kept].tolist() for column in columns), strict=True)
    with _redrawing(shadow) as connection:
        copy = _empty(connection, orders)
        rows = ((str(at), bought.digests[at], when, paid, back, 0) for at, when, paid, back in values)
        insert_rows(connection, copy, names, rows)


def _read_entries(connection: Connection, phase: Phase, bound: bytes) -> _Entries:
    chosen = select(entrants.c.unit, entrants.c.entered_at).order_by(entrants.c.unit)
    rows = connection.execute(chosen.where(entrants.c.phase_id == phase.id, entrants.c.unit < bound)).all()
    units = DigestSet.unpack_sorted(b"".join(bytes(row[0]) for row in rows))
    return _Entries(phase, units, np.array([row[1] for row in rows], dtype=np.int64))


def _read_orders(connection: Connection, people: Keys, bound: bytes) -> _Orders:
    """Orders of those who entered; nobody else's are counted anywhere."""
    columns = (orders.c.unit, orders.c.ordered_at, orders.c.revenue, orders.c.refunded)
    rows = connection.execute(select(*columns).where(orders.c.unit < bound)).all()
    packed = b"".join(bytes(row[0]) for row in rows)
    keys = _keys(DigestSet.unpack_sorted(packed))
    person = np.minimum(np.searchsorted(people, keys), max(0, len(people) - 1))
    known = people[person] == keys if len(people) else np.zeros(len(keys), dtype=np.bool_)
    numbers = np.array([row[1:] for row in rows], dtype=np.int64).reshape(-1, 3)[known]
    digests = tuple(packed[at * SIZE : (at + 1) * SIZE] for at in np.flatnonzero(known).tolist())
    return _Orders(digests, person[known], *numbers.T)


def _keys(units: DigestSet) -> Keys:
    """The last 8 bytes of each digest: its number here. The first are alike in people who were erased."""
    return np.ascontiguousarray(units.rows[:, -8:]).view(">u8").ravel().astype(np.uint64)
