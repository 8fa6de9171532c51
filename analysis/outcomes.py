"""Sums each arm's outcomes where the data are: one statement, and no person leaves the database. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    Engine,
    RowMapping,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from analysis.balance import Covariates
from analysis.facts import EMPTY_ARM, ArmOutcomes, SpanOutcomes
from analysis.sums import ArmSums
from analysis.timeline import Level, Span
from experiments.database import reading
from experiments.schema import entrants, orders

DAY = 86_400
HISTORY = 28 * DAY
"""Seconds before entry whose orders are the covariate and the placebo."""

_Reading = Literal["matured", "since_entry"]


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
    person = _person(phase_ids, strata, watermark, level, cap)
    statement = union_all(_sums(person, "matured"), _sums(person, "since_entry"))
    found: dict[tuple[str, int], ArmOutcomes] = {}
    with reading(engine) as connection:
        for row in connection.execute(statement):
            found[row.reading, row.cell] = _arm(row._mapping)
    return Outcomes(
        _by_span(found, "matured", strata.matured), _by_span(found, "since_entry", strata.since_entry)
    )


def _by_span(
    found: Mapping[tuple[str, int], ArmOutcomes], reading_: _Reading, spans: Sequence[Span]
) -> tuple[SpanOutcomes, ...]:
    return tuple(
        SpanOutcomes(
            span, found.get((reading_, 2 * at + 1), EMPTY_ARM), found.get((reading_, 2 * at), EMPTY_ARM)
        )
        for at, span in enumerate(spans)
    )


def entries(phase_ids: Sequence[int], level: Level) -> Subquery:
    """Each unit's first entry; a single phase has one entry a unit already, in the order of its key."""
    bucket = entrants.c.bucket if level == "group" else entrants.c.universal_bucket
    columns = {
        "entered_at": entrants.c.entered_at,
        "bucket": bucket,
        "universal_bucket": entrants.c.universal_bucket,
    }
    if len(phase_ids) == 1:
        plain = (value.label(name) for name, value in columns.items())
        return select(entrants.c.unit, *plain).where(entrants.c.phase_id == phase_ids[0]).subquery("entry")
    first = (func.min(value).label(name) for name, value in columns.items())
    chosen = select(entrants.c.unit, *first).where(entrants.c.phase_id.in_(phase_ids))
    return chosen.group_by(entrants.c.unit).subquery("entry")


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


def _person(phase_ids: Sequence[int], strata: Strata, watermark: int, level: Level, cap: int | None) -> CTE:
    """One row a unit: its cells, and what it bought in its window, since entry and before."""
    entry = entries(phase_ids, level)
    closes = entry.c.entered_at + strata.window
    matured = cell_of(entry, strata.matured, closes <= watermark)
    since_entry = cell_of(entry, strata.since_entry)
    after = orders.c.ordered_at >= entry.c.entered_at
    inside = and_(after, orders.c.ordered_at < closes)
    net = orders.c.revenue - orders.c.refunded
    bought = and_(
        orders.c.unit == entry.c.unit,
        orders.c.ordered_at >= entry.c.entered_at - HISTORY,
        orders.c.ordered_at < watermark,
    )
    capped = (
        ()
        if cap is None
        else (
            _euros(func.sum(_within(cap, net, inside))).label("matured_c"),
            _euros(func.sum(_within(cap, net, after))).label("since_entry_c"),
        )
    )
    return (
        select(
            func.min(matured).label("matured"),
            func.min(since_entry).label("since_entry"),
            _euros(func.sum(case((inside, net), else_=0))).label("matured_y"),
            _euros(func.sum(case((after, net), else_=0))).label("since_entry_y"),
            _euros(func.sum(case((after, 0), else_=func.coalesce(net, 0)))).label("x"),
            func.max(case((and_(inside, net > 0), 1), else_=0)).label("matured_bought"),
            func.max(case((and_(after, net > 0), 1), else_=0)).label("since_entry_bought"),
            func.sum(case((after, 0), (orders.c.ordered_at.is_not(None), 1), else_=0)).label("o"),
            (cast(func.max(_recency(after, entry)), Double) / DAY).label("r"),
            *capped,
        )
        .select_from(entry.outerjoin(orders, bought))
        .where(or_(matured.is_not(None), since_entry.is_not(None)))
        .group_by(entry.c.unit)
        .cte("person")
    )


def _sums(person: CTE, reading_: _Reading) -> Select[Any]:
    cell, y = person.c[reading_], person.c[f"{reading_}_y"]
    x, bought = person.c.x, person.c[f"{reading_}_bought"]
    o, r = person.c.o, person.c.r
    history = {"o": o, "r": r, "oo": o * o, "rr": r * r, "xo": x * o, "xr": x * r, "ro": r * o}
    powers = {"y": y, "yy": y * y, "yyy": y * y * y, "x": x, "xx": x * x, "xxx": x * x * x, "xy": x * y}
    signs = {"y_above": y > 0, "y_below": y < 0, "x_above": x > 0, "x_below": x < 0}
    if f"{reading_}_c" in person.c:
        c = person.c[f"{reading_}_c"]
        powers |= {"c": c, "cc": c * c, "ccc": c * c * c}
    return (
        select(
            literal(reading_).label("reading"),
            cell.label("cell"),
            func.count().label("n"),
            *(func.sum(value).label(name) for name, value in powers.items()),
            func.sum(bought).label("bought"),
            func.sum(bought * x).label("bought_x"),
            *(_of_everyone(reading_, value).label(name) for name, value in history.items()),
            *(func.sum(case((test, 1), else_=0)).label(name) for name, test in signs.items()),
        )
        .where(cell.is_not(None))
        .group_by(cell)
    )


def _recency(after: ColumnElement[bool], entry: Subquery) -> ColumnElement[int]:
    """Seconds from 28 days before entry to the order; an order of later counts as none."""
    since = orders.c.ordered_at - (entry.c.entered_at - HISTORY)
    return case((after, 0), else_=func.coalesce(since, 0))


def _of_everyone(reading_: _Reading, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A sum that is needed once: over the reading that has everyone."""
    return func.sum(value) if reading_ == "since_entry" else cast(null(), Double)


def _within(cap: int, net: ColumnElement[int], counts: ColumnElement[bool]) -> ColumnElement[int]:
    """What an order counts under the cap; nothing where more came back than was paid."""
    return case((and_(counts, net > cap), cap), (and_(counts, net > 0), net), else_=0)


def _euros(cents: ColumnElement[int]) -> ColumnElement[float]:
    return cast(cents, Double) * 0.01


def _arm(row: RowMapping) -> ArmOutcomes:
    n, bought = int(row["n"]), int(row["bought"])
    sums = {name: float(row[name]) for name in ("y", "yy", "yyy", "x", "xx", "xxx", "xy")}
    return ArmOutcomes(
        revenue=ArmSums.from_sums(
            n,
            sums["y"],
            sums["yy"],
            sums["yyy"],
            conversions=int(row["y_above"]),
            negatives=int(row["y_below"]),
            x=sums["x"],
            xx=sums["xx"],
            xy=sums["xy"],
        ),
        conversions=ArmSums.from_sums(
            n,
            bought,
            bought,
            bought,
            conversions=bought,
            x=sums["x"],
            xx=sums["xx"],
            xy=float(row["bought_x"]),
        ),
        before=ArmSums.from_sums(
            n,
            sums["x"],
            sums["xx"],
            sums["xxx"],
            conversions=int(row["x_above"]),
            negatives=int(row["x_below"]),
        ),
        capped=_capped(row) if "c" in row else ArmSums.empty(),
        history=None if row["o"] is None else _history(row),
    )


def _history(row: RowMapping) -> Covariates:
    """What the arm did in the 28 days before entry, in the order of `analysis.validity.HISTORY`."""
    names = ("x", "o", "r", "xx", "xo", "xr", "oo", "ro", "rr")
    x, o, r, xx, xo, xr, oo, ro, rr = (float(row[name]) for name in names)
    squares = np.array([[xx, xo, xr], [xo, oo, ro], [xr, ro, rr]])
    return Covariates.from_sums(int(row["n"]), np.array([x, o, r]), squares)


def _capped(row: RowMapping) -> ArmSums:
    return ArmSums.from_sums(
        int(row["n"]),
        *(float(row[name]) for name in ("c", "cc", "ccc")),
        conversions=int(row["bought"]),
    )
