"""A shop in which the playbook finds nothing, and how to change one thing about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from experiments.audiences import Accepted, Audience, CriteoClock, Offer, Programme
from experiments.playbook.checks import findings
from experiments.playbook.facts import (
    DAY,
    AdSet,
    Answer,
    Campaign,
    Known,
    Loads,
    Removal,
    Sample,
    Snapshot,
    Sync,
)
from experiments.playbook.finding import Finding

NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
TODAY = date(2026, 11, 20)
GUARDS = ("recent-purchasers", "vip", "refund-risk")
TEN = Offer("ten", 0.10)
CLOCK = CriteoClock((), 3_600)


def include(name: str, **changes: Any) -> Audience:
    values: dict[str, Any] = {
        "name": name,
        "segment": 7,
        "role": "include",
        "list": name,
        "holdout_ppm": 100_000,
        "holdout_group": name,
        "ad_sets": (f"ads of {name}",),
        "exclude": GUARDS,
    }
    return Audience(**(values | changes))


def exclude(name: str, segment: int = 20) -> Audience:
    return Audience(name=name, segment=segment, role="exclude", list=name)


def syncs(days: int = 21, *, members: int = 4_000, **changes: Any) -> tuple[Sync, ...]:
    """Four-hourly, the last one an hour ago."""
    moments = range(NOW - 3_600 - days * DAY, NOW, 4 * 3_600)
    values: dict[str, Any] = {
        "is_applied": True,
        "members": members,
        "units": members,
        "adds": members // 20,
        "removes": members // 20,
        "pushed": members,
        "identifiers": members,
        "matches": round(0.65 * members),
    }
    return tuple(Sync(at, **(values | changes)) for at in moments)


def known(**changes: Any) -> Known:
    values: dict[str, Any] = {
        "segment_name": "a segment",
        "size": 4_000,
        "syncs": syncs(),
        "on_list": 3_600,
        "holdout_ppm": 100_000,
        "spend": 700.0,
        "revenue": 5_000.0,
        "holdout_cost": 40.0,
        "bought_lately": 36,
        "ever_bought": 1_800,
        "removal": Removal(4 * 3_600, 8 * 3_600, 200),
        "answer": Answer(0.2, 12.0, 5.0, 0.09),
        "sample": Sample(4_000, missing=20, malformed=30, hashed=4, typos=2, repeated=150),
    }
    return Known(**(values | changes))


CART = (
    include("cart-0-4h", holdout_group="cart", priority=1, segment=7),
    include("cart-4-24h", holdout_group="cart", priority=2, segment=8),
    include("cart-1-7d", holdout_group="cart", priority=3, segment=9, offer="ten"),
)
LAPSED = include("lapsed-60-120d", segment=10)
EXCLUDES = (exclude("recent-purchasers", 20), exclude("vip", 21), exclude("refund-risk", 22))
PROGRAMME = Programme("1", "EUR", 0.45, (*CART, LAPSED, *EXCLUDES), offers=(TEN,), criteo=CLOCK)
MOMENTS = tuple(range(NOW - 3_600 - 14 * DAY, NOW, 3_600))


def shop(**changes: Any) -> Snapshot:
    """The sound shop, some of its facts changed."""
    values: dict[str, Any] = {
        "now": NOW,
        "programme": PROGRAMME,
        "known": {each.name: known() for each in PROGRAMME.audiences},
        "base": 100_000,
        "overlaps": {("cart-0-4h", "lapsed-60-120d"): 20},
        "vips": {each.name: 0 for each in PROGRAMME.includes},
        "ad_sets": tuple(
            AdSet(each.ad_sets[0], f"ads {each.name}", True, each.name, spend=700.0)
            for each in PROGRAMME.includes
        ),
        "campaigns": (Campaign("Cart series", ("ten",), (9,)),),
        "syncs": MOMENTS,
        "push": 60,
        "loads": Loads(NOW - 3_600, NOW - 3_600, NOW - DAY),
    }
    return Snapshot(**(values | changes))


def with_known(name: str, **changes: Any) -> Snapshot:
    """The sound shop with other facts of one audience."""
    sound = shop()
    return replace(sound, known={**sound.known, name: replace(sound.known[name], **changes)})


def with_audience(name: str, **changes: Any) -> Snapshot:
    """The sound shop with one audience of the file changed."""
    audiences = tuple(replace(each, **changes) if each.name == name else each for each in PROGRAMME.audiences)
    return shop(programme=replace(PROGRAMME, audiences=audiences))


def with_programme(**changes: Any) -> Snapshot:
    """The sound shop under another file."""
    return shop(programme=replace(PROGRAMME, **changes))


def codes(snapshot: Snapshot) -> list[tuple[str, str | None]]:
    """What is found, by code and audience."""
    return [(each.code, each.audience) for each in findings(snapshot)]


def the(snapshot: Snapshot, code: str) -> Finding:
    """The one finding of that code."""
    (found,) = (each for each in findings(snapshot) if each.code == code)
    return found


def accepting(code: str, audience: str | None, until: date) -> tuple[Accepted, ...]:
    return (Accepted(code, "we know", until, audience),)
