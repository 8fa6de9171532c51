"""A shop whose people buy mostly soon after they enter, with what its ads really added. I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Engine, Subquery, case, insert, select

from experiments.assignment import BUCKETS
from experiments.audience_file import parse_programme
from experiments.audiences import Programme
from experiments.bulk import insert_rows
from experiments.database import writing
from experiments.digests import DigestSet
from experiments.phases import Holdout, assign
from experiments.schema import entrants, order_loads, orders, phases

DAY = 86_400
FIRST = 1_700_000_000
WATERMARK = FIRST + 60 * DAY
FILE = """advertiser: "1"
currency: EUR
margin: 45%
universal_holdout: 10%
audiences:
  - {name: cart, segment: 1, holdout: 20%}
  - {name: wishlist, segment: 2, holdout: 20%}
"""


def programme() -> Programme:
    """Two audiences of one shop, each with arms of its own."""
    return parse_programme(FILE)


def fill(engine: Engine, people: int = 1_500, seed: int = 7) -> None:
    """People who entered either audience or both over 40 days, and a percentage change for one of them."""
    rng = np.random.default_rng(seed)
    everyone = DigestSet.unpack(rng.bytes(32 * people))
    entered = {}
    for audience, starts in (("cart", (0, 20)), ("wishlist", (0,))):
        chosen = rng.random(len(everyone)) < 0.7
        for number, start in enumerate(starts, 1):
            ends = 20 if len(starts) > number else 40
            part = chosen & (rng.random(len(everyone)) < 0.6)
            units = everyone.where(part)
            at = FIRST + rng.integers(start * DAY, ends * DAY, len(units))
            _enter(engine, (audience, number, FIRST + start * DAY), units, at)
            entered.update(dict(zip(units, at.tolist(), strict=True)))
    _buy(engine, entered, rng)


def _enter(engine: Engine, phase: tuple[str, int, int], units: DigestSet, at: np.ndarray) -> None:  # type: ignore[type-arg]
    audience, number, opened_at = phase
    holdout = Holdout(
        f"holdout:v1:{audience}:s0", 150_000 if number > 1 else 200_000, "holdout:v1:universal:s0", 100_000
    )
    values = {
        "audience": audience, "number": number, "holdout_group": audience, "opened_at": opened_at,
        "salt": holdout.salt, "ppm": holdout.ppm,
        "universal_salt": holdout.universal_salt, "universal_ppm": holdout.universal_ppm,
    }  # fmt: skip
    with writing(engine) as connection:
        key = connection.execute(insert(phases).values(values)).inserted_primary_key
        assert key is not None
        arms = assign(units, holdout)
        columns = (arms.buckets, arms.universal_buckets, arms.rules, at)
        rows = zip(units, *(column.tolist() for column in columns), strict=True)
        names = ("phase_id", "unit", "bucket", "universal_bucket", "arm", "entered_at")
        insert_rows(connection, entrants, names, ((key[0], *row) for row in rows))


def _buy(engine: Engine, entered: dict[bytes, int], rng: np.random.Generator) -> None:
    rows = []
    for unit, at in entered.items():
        for _ in range(int(rng.poisson(0.5))):
            moment = at + int(rng.exponential(2 * DAY))
            rows.append((f"o{len(rows)}", unit, moment, int(np.exp(rng.normal(8.3, 0.8))), 0, FIRST))
        if rng.random() < 0.2:
            rows.append((f"o{len(rows)}", unit, at - int(rng.integers(1, 20 * DAY)), 4_000, 1_000, FIRST))
    with writing(engine) as connection:
        names = ("order_id", "unit", "ordered_at", "revenue", "refunded", "loaded_at")
        insert_rows(connection, orders, names, rows)
        load = {
            "loaded_at": WATERMARK,
            "since": FIRST,
            "until": WATERMARK,
            "accepted": len(rows),
            "rejected": "{}",
        }
        connection.execute(insert(order_loads).values(load))


def without_the_first_days(entries: Callable[..., Subquery], seconds: int) -> Callable[..., Subquery]:
    """A planted mistake: the clock of the held-out starts late, so the arm leaks into the outcome."""

    def planted(phase_ids: Sequence[int], level: Any, *units: Any) -> Subquery:
        entry = entries(phase_ids, level, *units)
        late = entry.c.entered_at + case((entry.c.bucket < BUCKETS // 7, seconds), else_=0)
        columns = (entry.c.unit, late.label("entered_at"), entry.c.bucket, entry.c.universal_bucket)
        return select(*columns).subquery("entry")

    return planted
