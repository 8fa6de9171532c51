"""Whether what the ads add can be told: holdouts, who is held out of what, and whose spend it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from experiments.audiences import Audience
from experiments.percent import show_percent
from experiments.playbook.facts import WEEK, Snapshot
from experiments.playbook.finding import Finding, check, money

TOO_LONG = 26.0
"""Weeks: nobody waits half a year to decide on a budget of this quarter."""
TWICE = 0.5
"""A holdout is too large when half of it would answer within a quarter."""
STEP = 5_000
"""Parts per million: nobody sets a holdout finer than by half a percent."""


@check("measurement.no-holdout")
def no_holdout(snapshot: Snapshot) -> Iterator[Finding]:
    """An include audience of which nobody is held out."""
    for audience in snapshot.programme.includes:
        if _held_out_ppm(snapshot, audience):
            continue
        spend = snapshot.of(audience).spend
        yield Finding(
            "high",
            audience.name,
            0,
            "nobody is held out, so nothing can ever be said about what its ads add",
            f"holdouts set {audience.name} 10% --reason TEXT",
            money(snapshot, spend),
        )


@check("measurement.holdout-too-small")
def holdout_too_small(snapshot: Snapshot) -> Iterator[Finding]:
    """A holdout that does not answer within half a year although a larger one would."""
    for audience in snapshot.programme.includes:
        known = snapshot.of(audience)
        answer, ppm = known.answer, known.holdout_ppm
        if answer is None or not ppm or answer.weeks <= TOO_LONG or answer.share is None:
            continue
        larger = show_percent(_enough(answer.share))
        yield Finding(
            "medium",
            audience.name,
            answer.weeks,
            f"with {show_percent(ppm)} held out{_of_group(snapshot, audience)}, a lift of {answer.lift:.0%}, which pays for the ads, shows after {answer.weeks:,.0f} weeks",
            f"hold out {larger} and know within a quarter: {_command(snapshot, audience, larger)}",
        )


@check("measurement.holdout-too-large")
def holdout_too_large(snapshot: Snapshot) -> Iterator[Finding]:
    """A holdout of which half would answer within a quarter."""
    for audience in snapshot.programme.includes:
        known = snapshot.of(audience)
        answer, ppm = known.answer, known.holdout_ppm
        if answer is None or not ppm or answer.share is None or answer.share * 1_000_000 > TWICE * ppm:
            continue
        enough = _enough(answer.share)
        smaller, saved = show_percent(enough), 1 - enough / ppm
        cost = known.holdout_cost * saved if known.holdout_cost and known.holdout_cost > 0 else None
        yield Finding(
            "low",
            audience.name,
            ppm / 1_000_000,
            f"{show_percent(ppm)} are held out{_of_group(snapshot, audience)}, and {smaller} would show a lift of {answer.lift:.0%} within a quarter",
            f"lower it once this question is answered: {_command(snapshot, audience, smaller)}",
            money(snapshot, cost),
        )


@check("measurement.site-tag")
def site_tag(snapshot: Snapshot) -> Iterator[Finding]:
    """A delivering ad set that reaches people who are held out, most often retargeting by the site tag."""
    for ad_set in snapshot.ad_sets or ():
        if not ad_set.delivers or not ad_set.open_to:
            continue
        how = (
            "has no audience, so the site tag decides whom it reaches"
            if ad_set.audience is None
            else "does not subtract them"
        )
        yield Finding(
            "high",
            _audience_of(snapshot, ad_set.id),
            len(ad_set.open_to),
            f"the ad set {ad_set.name} ({ad_set.id}) {how}: it can reach the people of {', '.join(ad_set.open_to)}",
            "link an audience to it that subtracts them: holdouts audit firewall shows how",
            subject=f"ad set {ad_set.id}",
        )


@check("measurement.criteo-test")
def criteo_test(snapshot: Snapshot) -> Iterator[Finding]:
    """A test of Criteo's own on ad sets whose effect our holdout measures at the same time."""
    for test in snapshot.programme.criteo_tests:
        if not test.starts <= snapshot.today <= test.ends:
            continue
        for audience in snapshot.programme.includes:
            both = [each for each in audience.ad_sets if each in test.ad_sets]
            if both and _held_out_ppm(snapshot, audience):
                yield Finding(
                    "high",
                    audience.name,
                    len(both),
                    f"Criteo's own test {test.name!r} withholds the ad sets {', '.join(both)} from others until {test.ends}: both effects mix, and neither can be read",
                    "end one of the two, or give Criteo's test ad sets of its own",
                    subject=test.name,
                )


@check("measurement.spend-without-audience")
def spend_without_audience(snapshot: Snapshot) -> Iterator[Finding]:
    """An ad set that costs money and belongs to no audience of the file."""
    for ad_set in snapshot.ad_sets or ():
        if not ad_set.spend or _audience_of(snapshot, ad_set.id) is not None:
            continue
        yield Finding(
            "medium",
            None,
            ad_set.spend,
            f"the ad set {ad_set.name} ({ad_set.id}) spends and belongs to no audience: what it adds is not measured",
            "name it in `ad_sets` of the audience that it serves, or pause it",
            money(snapshot, ad_set.spend),
            subject=f"ad set {ad_set.id}",
        )


@check("measurement.audience-without-spend")
def audience_without_spend(snapshot: Snapshot) -> Iterator[Finding]:
    """An audience whose list is kept and whose ad sets spend nothing."""
    loaded = snapshot.loads.spend
    for audience in snapshot.programme.includes:
        known = snapshot.of(audience)
        if (
            loaded is None
            or not audience.ad_sets
            or known.spend is None
            or known.spend > 0
            or not known.on_list
        ):
            continue
        if not known.syncs or loaded - known.syncs[0].at < WEEK:
            continue
        yield Finding(
            "medium",
            audience.name,
            known.on_list,
            f"{known.on_list:,} people are on its list, and its ad sets {', '.join(audience.ad_sets)} spent nothing in a week",
            "look at the ad sets' budget, bid and schedule, or stop holding people out of nothing",
        )


def _enough(share: float) -> int:
    """Parts per million that are surely enough, in steps that people set."""
    return ceil(round(share * 1_000_000) / STEP) * STEP


def _held_out_ppm(snapshot: Snapshot, audience: Audience) -> int:
    """The percentage in force, or before the first sync what the file asks for."""
    ppm = snapshot.of(audience).holdout_ppm
    return audience.holdout_ppm if ppm is None else ppm


def _of_group(snapshot: Snapshot, audience: Audience) -> str:
    """Windows of one group answer together, and only the first of them is asked."""
    windows = snapshot.programme.groups[audience.holdout_group]
    return f" of the group {audience.holdout_group}" if len(windows) > 1 else ""


def _command(snapshot: Snapshot, audience: Audience, percent: str) -> str:
    others = ", and its other windows alike" if _of_group(snapshot, audience) else ""
    return f"holdouts set {audience.name} {percent.replace(' ', '')} --reason TEXT{others}"


def _audience_of(snapshot: Snapshot, ad_set: str) -> str | None:
    return next((each.name for each in snapshot.programme.includes if ad_set in each.ad_sets), None)
