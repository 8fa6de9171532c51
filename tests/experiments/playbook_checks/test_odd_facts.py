"""Whatever the facts are, every check answers, in numbers that a document can hold, and says each thing once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shops import NOW, TODAY, codes, exclude, include, shop

from experiments.audiences import Accepted, Audience, CriteoClock, Offer, Programme
from experiments.playbook.checklist import checklist
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
from experiments.playbook.sharing import shared_lists
from experiments.playbook.timing import basis, windows
from experiments.stays import Stay

COUNTS = st.sampled_from([0, 1, 2, 49, 50, 51, 500, 3_600, 10**5, 10**9])
MAYBE = st.none() | COUNTS
MONEY = st.none() | st.sampled_from([0.0, -120.0, 0.01, 700.0, 1e12])
NAMES = st.sampled_from(
    ["cart-0-4h", "cart-0-0h", "cart-4-24h", "0-4h", "größe-xl", "カート", "a", "vip-2-7d", "lapsed"]
)
OFFERS = ["none", "ten", "gratis-für-alle"]
DAYS = st.none() | st.integers(-400, 400).map(lambda days: TODAY + timedelta(days))


@st.composite
def audiences(draw: st.DrawFn) -> tuple[Audience, ...]:
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    guards = tuple(draw(st.lists(st.sampled_from(["recent-purchasers", "vip", "refunds"]), unique=True)))
    found: list[Audience] = [exclude(each, 90 + at) for at, each in enumerate(guards)]
    for at, name in enumerate(names):
        if draw(st.booleans()) and not found:
            found.append(exclude(name, at))
            continue
        stay = draw(st.none() | st.sampled_from([Stay(0, 60), Stay(0, 3_600), Stay(7_200, 40 * DAY)]))
        found.append(
            include(
                name,
                segment=draw(st.integers(1, 4)),
                holdout_ppm=draw(st.sampled_from([0, 100_000])),
                holdout_group=draw(st.sampled_from([name, "together"])),
                priority=at + 1,
                ad_sets=draw(st.sampled_from([(), (f"ads {name}",)])),
                exclude=draw(st.sampled_from([(), guards])),
                offer=draw(st.sampled_from(OFFERS)),
                member_for=stay,
            )
        )
    return tuple(found)


@st.composite
def syncs(draw: st.DrawFn) -> tuple[Sync, ...]:
    ages = draw(st.lists(st.integers(0, 28 * DAY), max_size=6, unique=True))
    return tuple(
        Sync(
            NOW - age,
            draw(st.booleans()),
            *(draw(COUNTS) for _ in range(5)),
            *(draw(MAYBE) for _ in range(3)),
        )
        for age in sorted(ages, reverse=True)
    )


KNOWN = st.builds(
    Known,
    segment_name=st.none() | st.sampled_from(["", "Ordered in the last 7 days", "Größe 0–4 h", "\u202e"]),
    size=MAYBE,
    syncs=syncs(),
    on_list=MAYBE,
    holdout_ppm=st.none() | st.sampled_from([0, 1, 500_000]),
    spend=MONEY,
    revenue=MONEY,
    holdout_cost=MONEY,
    bought_lately=MAYBE,
    ever_bought=MAYBE,
    removal=st.none() | st.builds(Removal, COUNTS, COUNTS, COUNTS),
    answer=st.none()
    | st.builds(
        Answer,
        st.sampled_from([0.05, 1.0]),
        st.sampled_from([0.1, 40.0, 1e9]),
        st.sampled_from([0.1, 60.0, 1e9]),
        st.none() | st.sampled_from([0.001, 0.5]),
    ),
    sample=st.none() | st.builds(Sample, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS),
)
CLOCKS = st.builds(
    CriteoClock,
    st.sampled_from([(), (0,), (0, 43_200), (86_340,)]),
    st.sampled_from([0, 3_600, 400 * DAY]),
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    chosen = draw(audiences())
    names = [each.name for each in chosen]
    offers = tuple(
        Offer(name, draw(st.sampled_from([0.01, 1.0])), None, draw(st.integers(1, 4)), draw(DAYS), draw(DAYS), who)
        for name, who in zip(OFFERS[1:], draw(st.permutations(["new", "repeat"])), strict=True)
    )  # fmt: skip
    accepted = tuple(
        Accepted("design.too-small", "small for now", draw(DAYS) or date.max, draw(st.sampled_from([None, *names])))
        for _ in range(draw(st.integers(0, 2)))
    )  # fmt: skip
    includes = [each.name for each in chosen if each.role == "include"]
    return Snapshot(
        now=NOW,
        programme=Programme("1", "EUR", 0.45, chosen, offers=offers, accepted=accepted, criteo=draw(CLOCKS)),
        known={name: draw(KNOWN) for name in names if draw(st.booleans())},
        base=draw(MAYBE),
        overlaps=draw(st.none() | st.just(dict.fromkeys(combinations(includes, 2), 60))),
        vips=draw(st.none() | st.just(dict.fromkeys(includes, 3))),
        ad_sets=draw(st.none() | st.just(_ad_sets(includes))),
        campaigns=draw(
            st.none() | st.just((Campaign("Größe", ("ten", "ten", "unknown"), (1, 1)), Campaign("", (), ())))
        ),
        syncs=tuple(sorted(draw(st.lists(st.integers(NOW - 14 * DAY, NOW), max_size=5, unique=True)))),
        push=draw(st.none() | st.sampled_from([0, 60, 40 * DAY])),
        loads=Loads(*(draw(st.none() | st.just(NOW - 60)) for _ in range(3))),
    )


def _ad_sets(includes: Sequence[str]) -> tuple[AdSet, ...]:
    return (
        AdSet("9", "<b>", delivers=True, audience=None, open_to=("holdout",), spend=None),
        *(AdSet(f"ads {name}", name, delivers=False, audience=name, spend=0.0) for name in includes),
    )


@settings(max_examples=150, deadline=None)
@given(snapshots())
def test_every_check_answers_whatever_the_facts(snapshot: Snapshot) -> None:
    found = findings(snapshot)
    told = [each.document() for each in found]
    json.dumps(told, allow_nan=False)
    keys = [(each["code"], each["audience"], each["subject"]) for each in told]
    assert len(keys) == len(set(keys)), "two findings that a later check could not tell apart"
    assert all(each.sentence and each.what_to_do and "None" not in each.sentence for each in found)
    assert all(isfinite(each.figure) for each in found)
    assert all(each.cost is None or each.cost.amount >= 0 for each in found)
    assert all(item.evidence for item in checklist(snapshot, found))
    assert all(0 <= each.reached <= 1 and 0 <= each.covered <= 1 for each in windows(snapshot))
    assert str(basis(snapshot))
    assert all(each.people > 0 for each in shared_lists(snapshot))


@pytest.mark.parametrize(
    "chosen",
    [(), (include("one"),), (exclude("vip"), exclude("recent-purchasers"))],
    ids=["no audience", "one audience", "exclusions only"],
)
def test_a_programme_of_nothing_but_one_kind_is_read(chosen: tuple[Audience, ...]) -> None:
    empty = shop(
        programme=Programme("1", "EUR", 0.45, chosen),
        known={},
        campaigns=(),
        ad_sets=(),
        overlaps={},
        vips={},
    )
    expected = [("suppression.missing", None)] if any(each.role == "include" for each in chosen) else []
    assert codes(empty) == expected
    assert checklist(empty, findings(empty))


def test_an_empty_workspace_is_no_mistake_of_the_team() -> None:
    blank = replace(
        shop(), known={}, base=None, campaigns=(), overlaps=None, vips=None, syncs=(), loads=Loads()
    )
    assert codes(blank) == []
