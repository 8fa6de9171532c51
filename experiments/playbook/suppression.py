"""People who should not be advertised to: who bought, who sends back, who pays full price anyway. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from experiments.audiences import Audience
from experiments.playbook.facts import DAY, Snapshot
from experiments.playbook.finding import Finding, check, money
from experiments.playbook.roles import can_hold_recent_buyers, exclusions, purchase_memory

SHRUNK = 0.30
"""An exclusion that lost this share against its own middle size is more likely broken than right."""
SLOW, VERY_SLOW = DAY, 3 * DAY


@check("suppression.missing")
def missing(snapshot: Snapshot) -> Iterator[Finding]:
    """No audience keeps recent purchasers out of anything."""
    includes = snapshot.programme.includes
    if not includes or exclusions(snapshot, "purchasers"):
        return
    waste = [each for each in map(snapshot.waste, includes) if each is not None]
    yield Finding(
        "high",
        None,
        len(includes),
        f"no exclude audience holds recent purchasers, so {len(includes)} audiences advertise what people just bought",
        "make a segment of people who ordered in the last 7 days, and exclude it everywhere",
        money(snapshot, sum(waste) if waste else None),
    )


@check("suppression.unused")
def unused(snapshot: Snapshot) -> Iterator[Finding]:
    """An include audience that could hold recent purchasers and does not exclude them."""
    guards = {each.name for each in exclusions(snapshot, "purchasers")}
    memory = purchase_memory(snapshot)
    for audience in snapshot.programme.includes:
        if not guards or guards & set(audience.exclude) or not can_hold_recent_buyers(audience, memory):
            continue
        bought = snapshot.of(audience).bought_lately
        yield Finding(
            "high",
            audience.name,
            bought or 0,
            "it does not exclude recent purchasers"
            + ("" if bought is None else f"; {bought:,} people on its list have just bought"),
            f"add {sorted(guards)[0]} to its `exclude`",
            money(snapshot, snapshot.waste(audience)),
        )


@check("suppression.empty")
def empty(snapshot: Snapshot) -> Iterator[Finding]:
    """An exclusion that has held nobody for a day or more of syncs."""
    for audience in snapshot.programme.excludes:
        syncs = snapshot.of(audience).syncs
        if len(syncs) < 2 or syncs[-1].at - syncs[0].at < DAY or any(each.members for each in syncs):
            continue
        yield Finding(
            "high",
            audience.name,
            len(syncs),
            f"its segment was empty in each of the last {len(syncs)} syncs, so it excludes nobody",
            "look at the segment's conditions: an event was perhaps renamed, or is not sent any more",
        )


@check("suppression.shrinks")
def shrinks(snapshot: Snapshot) -> Iterator[Finding]:
    """An exclusion far below its own middle size of the last weeks."""
    for audience in snapshot.programme.excludes:
        sizes = [each.units for each in snapshot.of(audience).syncs]
        if len(sizes) < 4 or not any(sizes):
            continue
        usual = median(sizes[:-1])
        if not usual or sizes[-1] > (1 - SHRUNK) * usual:
            continue
        share = 1 - sizes[-1] / usual
        yield Finding(
            "high",
            audience.name,
            share,
            f"it holds {sizes[-1]:,} people where {usual:,.0f} are usual: {share:.0%} fewer are kept out",
            "look at what feeds the segment before the next sync; the fuse stops the worst only",
        )


@check("suppression.stale")
def stale(snapshot: Snapshot) -> Iterator[Finding]:
    """An exclusion that no sync has brought up to date for two intervals."""
    for audience in snapshot.programme.excludes:
        applied = [each.at for each in snapshot.of(audience).syncs if each.is_applied]
        if not snapshot.of(audience).syncs or (applied and snapshot.now - applied[-1] <= snapshot.promise):
            continue
        age = snapshot.now - (applied[-1] if applied else snapshot.of(audience).syncs[0].at)
        yield Finding(
            "high" if age > DAY else "medium",
            audience.name,
            age / 3_600,
            f"its list is {age / 3_600:,.0f} h old, and two intervals of the schedule are {2 * snapshot.interval / 3_600:.0f} h",
            "look at the last runs of sync-audiences: `holdouts status` shows what was refused",
        )


@check("suppression.slow")
def slow(snapshot: Snapshot) -> Iterator[Finding]:
    """Buyers who go on being advertised to for a day or longer, though they are excluded."""
    guards = {each.name for each in exclusions(snapshot, "purchasers")}
    for audience in snapshot.programme.includes:
        removal = snapshot.of(audience).removal
        if removal is None or removal.p95 <= SLOW or not guards & set(audience.exclude):
            continue
        yield Finding(
            "high" if removal.p95 > VERY_SLOW else "medium",
            audience.name,
            removal.p95 / 3_600,
            f"from purchase to removal half of {removal.people:,} buyers took {removal.p50 / 3_600:.0f} h, one in twenty over {removal.p95 / 3_600:.0f} h",
            "sync more often, and look at how late orders reach Customer.io",
            money(snapshot, snapshot.waste(audience)),
        )


@check("suppression.vip-discount")
def vip_discount(snapshot: Snapshot) -> Iterator[Finding]:
    """Best customers who are shown a discount that they do not need."""
    guards = {each.name for each in exclusions(snapshot, "vips")}
    for audience in snapshot.programme.includes:
        offer = snapshot.programme.offer(audience.offer)
        inside = (snapshot.vips or {}).get(audience.name, 0)
        if not guards or offer is None or guards & set(audience.exclude) or (snapshot.vips and not inside):
            continue
        yield Finding(
            "medium",
            audience.name,
            inside,
            f"its offer {offer.name} of {offer.depth:.0%} is open to VIPs"
            + (f", {inside:,} of them now" if inside else ""),
            f"add {sorted(guards)[0]} to its `exclude`, or give VIPs an audience of their own without an offer",
            money(snapshot, _given_away(snapshot, audience, inside, offer.depth)),
        )


def _given_away(snapshot: Snapshot, audience: Audience, people: int, depth: float) -> float | None:
    """The discount on the revenue of so many people of the list, as if each bought like the others."""
    known = snapshot.of(audience)
    if known.revenue is None or not known.on_list or snapshot.vips is None:
        return None
    return depth * known.revenue * people / known.on_list
