"""Sums each arm's outcomes where the data are: one statement, and no person leaves the database. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Engine,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    text,
)

from analysis.estimators.balance import Covariates
from analysis.estimators.sums import ArmSums
from analysis.facts import EMPTY_ARM, ArmOutcomes, SpanOutcomes
from analysis.slices import EVERYONE, UnitSlice
from analysis.timeline import Level, Span
from experiments.database import reading
from experiments.schema import entrants, orders

DAY = 86_400
HISTORY = 28 * DAY
"""Seconds before entry whose orders are the covariate and the placebo."""

_Reading = Literal["matured", "since_entry"]
_READINGS: tuple[_Reading, ...] = ("matured", "since_entry")
_AT_ENTRY = ("entered_at", "bucket", "universal_bucket")
_CENTS = 100.0

Sums: TypeAlias = Mapping[str, float]
Cells: TypeAlias = Mapping[tuple[int | None, int | None], Sums]
"""Every sum, by the cells of both readings: money in whole cents, time in whole seconds."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Both readings of one experiment."""

    matured: tuple[SpanOutcomes, ...]
    """Orders inside the window, of units whose window has closed by the watermark."""
    since_entry: tuple[SpanOutcomes, ...]
    """Orders from entry to the watermark, of everyone."""


@dataclass(frozen=True, slots=True)
class Strata:
    """The spans of both readings, with the window that closes the first (seconds)."""

    matured: Sequence[Span]
    since_entry: Sequence[Span]
    window: int


def sum_outcomes(
    engine: Engine,
    phase_ids: Sequence[int],
    strata: Strata,
    *,
    watermark: int,
    level: Level = "group",
    cap: int | None = None,
) -> Outcomes:
    """Per span and arm: n, Σy, Σy², Σy³ over units, by their first entry into any of the phases.

    Money is in whole units of the currency. Units in the band of a span are in neither arm. With a `cap`
    (cents) revenue is summed a second time, each order counting from nothing up to there.
    """
    if not phase_ids or not (strata.matured or strata.since_entry):
        return Outcomes((), ())
    cells = sum_cells(engine, phase_ids, strata, watermark=watermark, level=level, cap=cap)
    return outcomes_of(cells, strata)


def sum_cells(
    engine: Engine,
    phase_ids: Sequence[int],
    strata: Strata,
    *,
    watermark: int,
    level: Level,
    cap: int | None,
    units: UnitSlice = EVERYONE,
) -> Cells:
    """The sums of `sum_outcomes` over the units of one slice, as the database adds them."""
    bought = _bought(entries(phase_ids, level, units), strata.window, watermark, cap, units)
    statement = _sums(_person(bought, strata, watermark))
    with reading(engine) as connection:
        read_in_order(connection)
        rows = connection.execute(statement).mappings().all()
    return {
        (row["matured"], row["since_entry"]): {
            name: float(value) for name, value in row.items() if name not in _READINGS
        }
        for row in rows
    }


def outcomes_of(cells: Cells, strata: Strata) -> Outcomes:
    """Both readings from the sums of all slices."""
    found: dict[tuple[str, int], ArmOutcomes] = {}
    for both in sorted(cells, key=lambda each: [-1 if cell is None else cell for cell in each]):
        for name, cell in zip(_READINGS, both, strict=True):
            if cell is not None:
                key, arm = (name, cell), _arm(cells[both], name)
                found[key] = found[key] + arm if key in found else arm
    return Outcomes(
        _by_span(found, "matured", strata.matured), _by_span(found, "since_entry", strata.since_entry)
    )


def read_in_order(connection: Connection) -> None:
    """Entrants and orders both have an index by unit: PostgreSQL is to merge the two as they stand.

    By its own estimate it hashes all orders once an experiment, on disk where they outgrow `work_mem`, and
    compiles each statement for longer than it then runs. The settings end with the transaction.
    """
    if connection.dialect.name == "postgresql":
        for setting in ("enable_hashjoin", "jit"):
            connection.execute(text(f"SET LOCAL {setting} = off"))
        connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))


def _by_span(
    found: Mapping[tuple[str, int], ArmOutcomes], reading_: _Reading, spans: Sequence[Span]
) -> tuple[SpanOutcomes, ...]:
    return tuple(
        SpanOutcomes(
            span, found.get((reading_, 2 * at + 1), EMPTY_ARM), found.get((reading_, 2 * at), EMPTY_ARM)
        )
        for at, span in enumerate(spans)
    )


def entries(phase_ids: Sequence[int], level: Level, units: UnitSlice = EVERYONE) -> Subquery:
    """Each unit's first entry; a single phase has one entry a unit already, in the order of its key."""
    inside = _inside(entrants.c.unit, units)
    bucket = entrants.c.bucket if level == "group" else entrants.c.universal_bucket
    columns = {
        "entered_at": entrants.c.entered_at,
        "bucket": bucket,
        "universal_bucket": entrants.c.universal_bucket,
    }
    if len(phase_ids) == 1:
        plain = (value.label(name) for name, value in columns.items())
        return (
            select(entrants.c.unit, *plain)
            .where(entrants.c.phase_id == phase_ids[0], *inside)
            .subquery("entry")
        )
    first = (func.min(value).label(name) for name, value in columns.items())
    chosen = select(entrants.c.unit, *first).where(entrants.c.phase_id.in_(phase_ids), *inside)
    return chosen.group_by(entrants.c.unit).subquery("entry")


def _inside(unit: ColumnElement[bytes], units: UnitSlice) -> tuple[ColumnElement[bool], ...]:
    lower = () if units.lower is None else (unit >= units.lower,)
    upper = () if units.upper is None else (unit < units.upper,)
    return (*lower, *upper)


def cell_of(entry: Subquery, spans: Sequence[Span], *also: ColumnElement[bool]) -> ColumnElement[int]:
    """Twice the number of the unit's span, plus one where it is held out; NULL where it is in neither arm."""
    cells = []
    for at, span in enumerate(spans):
        inside = (
            entry.c.entered_at >= span.entered_from,
            entry.c.entered_at < span.entered_until,
            entry.c.universal_bucket >= span.universal_from,
            *also,
        )
        cells.append((and_(*inside, entry.c.bucket < span.control_below), literal(2 * at + 1)))
        cells.append((and_(*inside, entry.c.bucket >= span.treated_from), literal(2 * at)))
    return case(*cells, else_=null()) if cells else cast(null(), entrants.c.arm.type)


def _bought(entry: Subquery, window: int, watermark: int, cap: int | None, units: UnitSlice) -> Subquery:
    """One row a unit: its entry, and what it bought in its window, since entry and before.

    Money is in cents and time in seconds: whole numbers as floats add up exactly below 2⁵³, in any order and
    on either database.
    """
    net = cast(orders.c.revenue - orders.c.refunded, Double)
    at, entered = orders.c.ordered_at, entry.c.entered_at
    after = at >= entered
    before = not_(after)
    inside = and_(after, at < entered + window)
    # The slice is named for orders too: a database reads only a range of an index that it is told of.
    own = (orders.c.unit == entry.c.unit, *_inside(orders.c.unit, units))
    in_reach = and_(*own, at >= entered - HISTORY, at < watermark)
    last = func.max(at).filter(before) - (func.min(entered) - HISTORY)
    outcomes: dict[str, ColumnElement[Any]] = {
        "matured_y": _total(net, inside),
        "since_entry_y": _total(net, after),
        "x": _total(net, before),
        "matured_bought": _as_number(func.max(net).filter(inside) > 0),
        "since_entry_bought": _as_number(func.max(net).filter(after) > 0),
        "o": func.count().filter(before),
        "r": cast(func.coalesce(last, 0), Double),
    }
    if cap is not None:
        outcomes["matured_c"] = _capped_total(cap, net, inside)
        outcomes["since_entry_c"] = _capped_total(cap, net, after)
    first = (func.min(entry.c[name]).label(name) for name in _AT_ENTRY)
    found = select(*first, *(value.label(name) for name, value in outcomes.items()))
    return found.select_from(entry.outerjoin(orders, in_reach)).group_by(entry.c.unit).subquery("bought")


def _person(bought: Subquery, strata: Strata, watermark: int) -> Subquery:
    """The same rows with the unit's cell in either reading, without the units that are in none."""
    closed = bought.c.entered_at + strata.window <= watermark
    cells = {
        "matured": cell_of(bought, strata.matured, closed),
        "since_entry": cell_of(bought, strata.since_entry),
    }
    outcomes = [column for name, column in bought.c.items() if name not in _AT_ENTRY]
    person = select(*(cell.label(name) for name, cell in cells.items()), *outcomes)
    return person.where(or_(*(cell.is_not(None) for cell in cells.values()))).subquery("person")


def _sums(person: Subquery) -> Select[Any]:
    """Every sum of both readings, by the cells of both: one pass over the people, in an order both databases keep."""
    x, o, r = person.c.x, person.c.o, person.c.r
    history = {"o": o, "r": r, "oo": o * o, "rr": r * r, "xo": x * o, "xr": x * r, "ro": r * o}
    sums = {"n": func.count(), **_powers("x", x), **_signs("x", x)}
    sums |= {name: func.sum(value) for name, value in history.items()}
    for name in _READINGS:
        y, bought = person.c[f"{name}_y"], person.c[f"{name}_bought"]
        sums |= _powers(f"{name}_y", y) | _signs(f"{name}_y", y)
        sums[f"{name}_xy"] = func.sum(x * y)
        sums[f"{name}_bought"] = func.sum(bought)
        sums[f"{name}_bought_x"] = func.sum(bought * x)
        if f"{name}_c" in person.c:
            sums |= _powers(f"{name}_c", person.c[f"{name}_c"])
    cells = [person.c[name] for name in _READINGS]
    in_order = (cell.nulls_first() for cell in cells)
    found = select(*cells, *(value.label(name) for name, value in sums.items()))
    return found.group_by(*cells).order_by(*in_order)


def _total(amount: ColumnElement[float], counts: ColumnElement[bool]) -> ColumnElement[float]:
    return func.coalesce(func.sum(amount).filter(counts), 0.0)


def _capped_total(cap: int, net: ColumnElement[float], counts: ColumnElement[bool]) -> ColumnElement[float]:
    """What orders count under the cap; nothing where more came back than was paid."""
    return _total(case((net > cap, float(cap)), else_=net), and_(counts, net > 0))


def _powers(name: str, value: ColumnElement[float]) -> dict[str, ColumnElement[Any]]:
    return {
        name: func.sum(value),
        f"{name}_2": func.sum(value * value),
        f"{name}_3": func.sum(value * value * value),
    }


def _signs(name: str, value: ColumnElement[float]) -> dict[str, ColumnElement[Any]]:
    return {
        f"{name}_above": func.sum(_as_number(value > 0)),
        f"{name}_below": func.sum(_as_number(value < 0)),
    }


def _as_number(test: ColumnElement[bool]) -> ColumnElement[int]:
    return case((test, 1), else_=0)


def _arm(sums: Sums, name: _Reading) -> ArmOutcomes:
    n, bought = int(sums["n"]), int(sums[f"{name}_bought"])
    y, yy, yyy = _euros(sums, f"{name}_y")
    x, xx, xxx = _euros(sums, "x")
    return ArmOutcomes(
        revenue=ArmSums.from_sums(
            n,
            y,
            yy,
            yyy,
            conversions=int(sums[f"{name}_y_above"]),
            negatives=int(sums[f"{name}_y_below"]),
            x=x,
            xx=xx,
            xy=sums[f"{name}_xy"] / _CENTS**2,
        ),
        conversions=ArmSums.from_sums(
            n,
            bought,
            bought,
            bought,
            conversions=bought,
            x=x,
            xx=xx,
            xy=sums[f"{name}_bought_x"] / _CENTS,
        ),
        before=ArmSums.from_sums(
            n, x, xx, xxx, conversions=int(sums["x_above"]), negatives=int(sums["x_below"])
        ),
        capped=ArmSums.from_sums(n, *_euros(sums, f"{name}_c"), conversions=bought)
        if f"{name}_c" in sums
        else ArmSums.empty(),
        history=_history(sums) if name == "since_entry" else None,
    )


def _euros(sums: Sums, name: str) -> tuple[float, float, float]:
    """Σ, Σ² and Σ³ of an amount."""
    first, second, third = (sums[each] for each in (name, f"{name}_2", f"{name}_3"))
    return first / _CENTS, second / _CENTS**2, third / _CENTS**3


def _history(sums: Sums) -> Covariates:
    """What the arm did in the 28 days before entry, in the order of `analysis.validity.HISTORY`."""
    units = {"x": _CENTS, "o": 1.0, "r": float(DAY)}
    totals = np.array([sums[name] / unit for name, unit in units.items()])
    names = (("x_2", "xo", "xr"), ("xo", "oo", "ro"), ("xr", "ro", "rr"))
    squares = np.array([[sums[name] for name in line] for line in names])
    scale = np.array(list(units.values()))
    return Covariates.from_sums(int(sums["n"]), totals, squares / np.outer(scale, scale))
