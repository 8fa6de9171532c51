"""The examples of `docs/playbook.md`, one a code: the facts of the one that trips and of the one that passes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from shops import (
    CART,
    EXCLUDES,
    LAPSED,
    MOMENTS,
    NOW,
    PROGRAMME,
    TEN,
    TODAY,
    exclude,
    include,
    known,
    shop,
    syncs,
    with_audience,
    with_known,
    with_programme,
)

from experiments.audiences import Audience, CriteoClock, CriteoTest, Offer
from experiments.playbook.clock import HOUR
from experiments.playbook.facts import AdSet, Answer, Campaign, Removal, Sample, Snapshot

FIFTEEN = Offer("fifteen", 0.15)
LAST = "lapsed-60-120d"
PUBLISHED = CriteoClock()


@dataclass(frozen=True, slots=True)
class Example:
    """Words of the document's tripping example, its facts, and those of the passing one."""

    said: str
    trips: Snapshot
    passes: Snapshot


def of(*audiences: Audience, **changes: Any) -> Snapshot:
    """The sound shop with these audiences instead of its own."""
    return with_programme(audiences=(*audiences, *EXCLUDES), **changes)


def beside(audience: Audience, **facts: Any) -> Snapshot:
    """The sound shop with one audience more."""
    more = with_programme(audiences=(*PROGRAMME.audiences, audience))
    return replace(more, known={**more.known, audience.name: known(**facts)})


def cart(*names: str, **changes: Any) -> tuple[Audience, ...]:
    """The windows of the cart's journey under these names."""
    return tuple(replace(each, name=name, **changes) for each, name in zip(CART, names, strict=True))


def offering(*offers: str) -> Snapshot:
    windows = tuple(replace(each, offer=offer) for each, offer in zip(CART, offers, strict=True))
    return replace(of(*windows, LAPSED, offers=(TEN, FIFTEEN)), campaigns=())


def sampled(**counts: int) -> Snapshot:
    return with_known(LAST, sample=Sample(**{"looked_at": 5_000, **counts}))


def matched(share: float, *, people: int = 4_000) -> Snapshot:
    """The last sync at this match rate, the ones before at 65 %."""
    usual = syncs(members=people)
    last = replace(usual[-1], matches=round(share * people))
    return with_known(LAST, syncs=(*usual[:-1], last))


def exclusion(**facts: Any) -> Snapshot:
    return with_known("vip", **facts)


def sized(last: int) -> Snapshot:
    usual = syncs(members=4_000)
    return exclusion(syncs=(*usual[:-1], replace(usual[-1], units=last, members=last)))


def held_out(answer: Answer, ppm: int) -> Snapshot:
    return with_known(LAST, answer=answer, holdout_ppm=ppm)


def first_order(bought: int) -> Snapshot:
    first = Offer("first", 0.20, buyers="new")
    named = of(*CART, replace(LAPSED, offer="first"), offers=(TEN, first))
    return replace(named, known={**named.known, LAST: known(ever_bought=bought)})


def tested(ad_set: str) -> Snapshot:
    return with_programme(criteo_tests=(CriteoTest("uplift", (ad_set,), TODAY, TODAY + timedelta(9)),))


def running(**changes: Any) -> Snapshot:
    values: dict[str, Any] = {"name": "site visitors", "delivers": True, "audience": None, "spend": None}
    return shop(ad_sets=(*(shop().ad_sets or ()), AdSet("490", **(values | changes))))


EXAMPLES: Mapping[str, Example] = {
    "design.giant": Example("32,000 of 100,000", with_known(LAST, size=32_000), with_known(LAST, size=9_000)),
    "design.vague": Example(
        "newsletter readers",
        beside(include("newsletter-readers", segment=30), syncs=syncs(adds=1)),
        beside(
            include("newsletter-readers", segment=30),
            syncs=syncs(adds=1),
            segment_name="opened in the last 14 days",
        ),
    ),
    "design.stuck": Example(
        "1 % is new in a week, where 12 % are due",
        with_known(LAST, syncs=syncs(adds=1)),
        with_known(LAST, syncs=syncs(adds=7)),
    ),
    "design.windows-gap": Example(
        "*cart-4-24h* and then *cart-2-7d*: 24 hours",
        of(*cart("cart-0-4h", "cart-4-24h", "cart-2-7d"), LAPSED),
        of(*cart("cart-0-4h", "cart-4-24h", "cart-1-7d"), LAPSED),
    ),
    "design.windows-overlap": Example(
        "*cart-0-4h* and *cart-2-24h*: 2 hours",
        of(*cart("cart-0-4h", "cart-2-24h", "cart-1-7d"), LAPSED),
        shop(),
    ),
    "design.overlap": Example(
        "900 of 3,600 people",
        shop(overlaps={("cart-0-4h", LAST): 900}),
        shop(overlaps={("cart-0-4h", LAST): 20}),
    ),
    "design.too-small": Example(
        "140 recognised people",
        with_known("cart-0-4h", syncs=syncs(members=200, matches=140)),
        with_known("cart-0-4h", syncs=syncs(members=1_700, matches=1_100)),
    ),
    "design.too-small-to-measure": Example(
        "60 people a week",
        with_known(LAST, answer=Answer(0.2, 900.0, 400.0, None)),
        with_known(LAST, answer=None),
    ),
    "suppression.missing": Example(
        "only *refund-risk* to exclude",
        with_programme(
            audiences=(*(replace(each, exclude=()) for each in (*CART, LAPSED)), exclude("refund-risk"))
        ),
        shop(),
    ),
    "suppression.unused": Example(
        "*browsers* with `exclude: [refund-risk]`",
        beside(include("browsers", segment=30, exclude=("refund-risk",))),
        beside(include("browsers", segment=30, exclude=("recent-purchasers",))),
    ),
    "suppression.empty": Example(
        "at 0 people",
        with_known("recent-purchasers", syncs=syncs(members=0)),
        with_known("recent-purchasers", syncs=syncs(members=0)[-3:]),
    ),
    "suppression.shrinks": Example("2,800 people where 4,000 are usual", sized(2_800), sized(3_500)),
    "suppression.stale": Example(
        "refused by a fuse",
        exclusion(syncs=tuple(replace(each, is_applied=each.at < NOW - 25 * 3_600) for each in syncs())),
        replace(exclusion(syncs=syncs()[:-1]), syncs=MOMENTS[::4]),
    ),
    "suppression.slow": Example(
        "p50 6 h, p95 30 h",
        with_known(LAST, removal=Removal(6 * HOUR, 30 * HOUR, 200)),
        with_known(LAST, removal=Removal(2 * HOUR, 8 * HOUR, 200)),
    ),
    "suppression.vip-discount": Example(
        "180 VIPs inside",
        replace(with_audience("cart-1-7d", exclude=("recent-purchasers",)), vips={"cart-1-7d": 180}),
        shop(),
    ),
    "identity.coverage": Example(
        "500 of 4,000",
        with_known(LAST, syncs=syncs(unusable=500)),
        with_known(LAST, syncs=syncs(unusable=100)),
    ),
    "identity.malformed": Example("3 % of the profiles", sampled(malformed=150), sampled(malformed=40)),
    "identity.typos": Example("1 % of the profiles", sampled(typos=50), sampled(typos=5)),
    "identity.duplicates": Example(
        "800 of 4,000", sampled(looked_at=4_000, repeated=800), sampled(looked_at=4_000, repeated=150)
    ),
    "identity.match-fell": Example("55 % of 4,000 where 65 % were usual", matched(0.55), matched(0.60)),
    "identity.match-low": Example(
        "*lapsed* at 57 %, the others at 65 %",
        with_known(LAST, syncs=syncs(matches=round(0.57 * 4_000))),
        with_known(LAST, syncs=syncs(matches=round(0.61 * 4_000))),
    ),
    "identity.segment-gap": Example(
        "2,100 stand in an exclusion",
        with_known(
            LAST, syncs=syncs(excluded=2_100, held_out=400, pushed=1_500, identifiers=1_500, matches=975)
        ),
        with_known(
            LAST, syncs=syncs(excluded=600, held_out=400, pushed=3_000, identifiers=3_000, matches=1_950)
        ),
    ),
    "identity.count-gap": Example(
        "Criteo counts 3,600, the ledger never had fewer than 4,000",
        with_known(LAST, syncs=syncs(identifiers=3_600, matches=2_340)),
        with_known(
            LAST,
            syncs=(*syncs()[:-1], replace(syncs()[-1], pushed=5_000)),
        ),
    ),
    "timing.unreachable": Example(
        "*cart-0-4h* with Criteo's published clock",
        with_programme(criteo=PUBLISHED),
        of(*cart("cart-4-8h", "cart-4-24h", "cart-1-7d")[1:], LAPSED, criteo=PUBLISHED),
    ),
    "timing.thin": Example(
        "eight-hourly syncs and an hour to the campaigns: 38 %",
        shop(syncs=MOMENTS[::8]),
        shop(syncs=MOMENTS[::4]),
    ),
    "timing.late-exit": Example(
        "one sync in four days",
        shop(syncs=tuple(range(MOMENTS[0], MOMENTS[-1], 96 * HOUR))),
        shop(syncs=MOMENTS[::24], programme=replace(PROGRAMME, criteo=PUBLISHED)),
    ),
    "offers.conflict": Example(
        "`offer:cart-10`, the audience says `offer: cart-15`",
        replace(offering("none", "none", "fifteen"), campaigns=(Campaign("Cart", ("ten",), (9,)),)),
        replace(offering("none", "none", "ten"), campaigns=(Campaign("Cart", ("ten",), (9,)),)),
    ),
    "offers.journey-conflict": Example(
        "15 % after four hours, 10 % after a day",
        offering("none", "fifteen", "ten"),
        offering("none", "none", "ten"),
    ),
    "offers.too-early": Example(
        "the second of three windows, offers 10 %",
        offering("none", "ten", "ten"),
        offering("none", "none", "ten"),
    ),
    "offers.wrong-buyers": Example("half have ordered", first_order(1_800), first_order(0)),
    "offers.dates": Example(
        "until: 2026-08-31",
        with_programme(offers=(replace(TEN, ends=date(2026, 8, 31)),)),
        with_programme(offers=(replace(TEN, ends=TODAY),)),
    ),
    "offers.unlisted": Example(
        "`offer:friends`",
        shop(campaigns=(Campaign("Friends", ("friends",), (99,)),)),
        shop(campaigns=(Campaign("Friends", (), (99,)),)),
    ),
    "measurement.no-holdout": Example(
        "holdout: 0%", held_out(Answer(0.2, 12.0, 5.0, 0.09), 0), held_out(Answer(0.2, 12.0, 5.0, 0.09), 1)
    ),
    "measurement.holdout-too-small": Example(
        "2 % held out: 40 weeks; 9 % would do",
        held_out(Answer(0.2, 40.0, 5.0, 0.09), 20_000),
        held_out(Answer(0.2, 12.0, 5.0, 0.09), 100_000),
    ),
    "measurement.holdout-too-large": Example(
        "20 % held out where 6 % would do",
        held_out(Answer(0.2, 5.0, 2.0, 0.06), 200_000),
        held_out(Answer(0.2, 9.0, 2.0, 0.06), 100_000),
    ),
    "measurement.site-tag": Example(
        "*site visitors*, a retargeting ad set without an audience",
        running(open_to=("holdout · cart", "holdout · universal")),
        running(audience="visitors, subtracted"),
    ),
    "measurement.criteo-test": Example("*uplift*", tested(f"ads of {LAST}"), tested("999")),
    "measurement.spend-without-audience": Example(
        "*prospecting* at EUR 120 a week",
        running(name="prospecting", audience="prospects", spend=120.0),
        running(name="prospecting", audience="prospects", spend=0.0),
    ),
    "measurement.audience-without-spend": Example(
        "ran out of budget", with_known(LAST, spend=0.0), with_known(LAST, spend=0.0, syncs=syncs(days=3))
    ),
}
