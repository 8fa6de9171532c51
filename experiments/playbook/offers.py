"""One offer policy for mail and ads: what one channel says, the other must not outbid or contradict. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from experiments.audiences import Audience, Offer
from experiments.playbook.facts import Campaign, Snapshot, stay_of
from experiments.playbook.finding import Finding, check, money

NOTED = 0.05
"""Share of the people looked at whose attribute must name an offer; a few may come from elsewhere."""
REPEATERS = 0.05
"""Share of a list that may have bought before although its offer is for first orders."""


@check("offers.conflict")
def conflict(snapshot: Snapshot) -> Iterator[Finding]:
    """A journey that offers the people of an audience another price cut than its ads do."""
    for audience in snapshot.programme.includes:
        offer = snapshot.programme.offer(audience.offer)
        for campaign in _campaigns(snapshot, audience):
            for name in campaign.offers:
                other = snapshot.programme.offer(name)
                if other is None or other == offer:
                    continue
                shown = 0.0 if offer is None else offer.depth
                apart = abs(other.depth - shown)
                yield Finding(
                    "high",
                    audience.name,
                    apart,
                    f"the journey {campaign.name!r} says {other.depth:.0%} ({other.name}), the ad says {_said(offer)}",
                    "let both name one offer of audiences.yaml; people take the deeper one, and learn to wait for it",
                    money(snapshot, _given(snapshot, audience, apart)),
                    subject=f"{campaign.name}: {name}",
                )
        yield from _noted_conflicts(snapshot, audience, offer)


def _noted_conflicts(snapshot: Snapshot, audience: Audience, offer: Offer | None) -> Iterator[Finding]:
    """The same where an attribute of people, not a journey's tag, says what they were offered."""
    for other, share, words in _noted(snapshot, audience):
        if other == offer:
            continue
        apart = abs(other.depth - (0.0 if offer is None else offer.depth))
        yield Finding(
            "high",
            audience.name,
            apart,
            f"{words} were offered {other.depth:.0%} ({other.name}), the ad says {_said(offer)}",
            "let journeys and ads name one offer of audiences.yaml; people take the deeper one, and learn to wait",
            money(snapshot, _given(snapshot, audience, apart * share)),
            subject=f"attribute: {other.name}",
        )


def _noted(snapshot: Snapshot, audience: Audience) -> Iterator[tuple[Offer, float, str]]:
    """Offers of the file that enough people's attribute names: which, to what share, and who they are."""
    noted = snapshot.of(audience).noted
    if noted is None:
        return
    for name, people in noted.people.items():
        offer = snapshot.programme.offer(name)
        if offer is not None and people >= NOTED * noted.looked_at > 0:
            words = (
                f"{people:,} of {noted.looked_at:,} people, by their {snapshot.programme.offer_attribute!r},"
            )
            yield offer, people / noted.looked_at, words


@check("offers.journey-conflict")
def journey_conflict(snapshot: Snapshot) -> Iterator[Finding]:
    """An ad early in a journey that offers more than the ads after it."""
    for windows in snapshot.programme.groups.values():
        deepest: tuple[float, str] = (0.0, "")
        for audience in _in_order(windows):
            offer = snapshot.programme.offer(audience.offer)
            depth = 0.0 if offer is None else offer.depth
            if depth < deepest[0]:
                apart = deepest[0] - depth
                yield Finding(
                    "medium",
                    audience.name,
                    apart,
                    f"its ads say {_said(offer)} after {deepest[1]} had said {deepest[0]:.0%}",
                    "let the price cut grow along the journey, or stay as it is",
                    money(snapshot, _given(snapshot, snapshot.programme.audience(deepest[1]), apart)),
                )
            deepest = max(deepest, (depth, audience.name))


@check("offers.too-early")
def too_early(snapshot: Snapshot) -> Iterator[Finding]:
    """An incentive before the touch at which the policy allows it."""
    for windows in snapshot.programme.groups.values():
        for touch, audience in enumerate(_in_order(windows), start=1):
            offer = snapshot.programme.offer(audience.offer)
            if offer is None or len(windows) == 1 or touch >= offer.first_touch:
                continue
            yield Finding(
                "medium",
                audience.name,
                touch,
                f"it offers {offer.depth:.0%} at touch {touch} of its journey; {offer.name} begins at touch {offer.first_touch}",
                "begin with a reminder, and keep the incentive for those whom it did not move",
                money(snapshot, _given(snapshot, audience, offer.depth)),
            )


@check("offers.wrong-buyers")
def wrong_buyers(snapshot: Snapshot) -> Iterator[Finding]:
    """A first-order code shown to repeat buyers, or a repeat buyers' code to people who never bought."""
    for audience in snapshot.programme.includes:
        offer, known = snapshot.programme.offer(audience.offer), snapshot.of(audience)
        if offer is None or offer.buyers == "all" or known.ever_bought is None or not known.on_list:
            continue
        repeat = known.ever_bought / known.on_list
        wrong, who = (repeat, "bought before") if offer.buyers == "new" else (1 - repeat, "never bought")
        if wrong < REPEATERS:
            continue
        cost = _given(snapshot, audience, offer.depth * wrong)
        yield Finding(
            "high" if offer.buyers == "new" else "medium",
            audience.name,
            wrong,
            f"its offer {offer.name} is for {offer.buyers} buyers, and {wrong:.0%} of its list {who}",
            "split the segment by orders so far, or name an offer for all",
            money(snapshot, cost),
        )


@check("offers.dates")
def dates(snapshot: Snapshot) -> Iterator[Finding]:
    """An audience, or a running journey, whose offer is over or has not begun."""
    for audience in snapshot.programme.includes:
        late = _out_of_date(snapshot, snapshot.programme.offer(audience.offer))
        if late is None:
            continue
        days, words = late
        yield Finding(
            "high",
            audience.name,
            days,
            f"its ads name the offer {audience.offer}, which {words}: the code fails at checkout",
            "change the ads and `offer`, or the dates of the offer",
        )
    for campaign in snapshot.campaigns or ():
        for name in campaign.offers:
            late = _out_of_date(snapshot, snapshot.programme.offer(name))
            if late is not None:
                days, words = late
                yield Finding(
                    "high",
                    None,
                    days,
                    f"the journey {campaign.name!r} names the offer {name}, which {words}: the code fails at checkout",
                    "change the journey and its tag, or the dates of the offer",
                    subject=f"{campaign.name}: {name}",
                )


@check("offers.unlisted")
def unlisted(snapshot: Snapshot) -> Iterator[Finding]:
    """A running journey with an offer that audiences.yaml does not know, so that nobody compares it."""
    for campaign in snapshot.campaigns or ():
        for name in campaign.offers:
            if snapshot.programme.offer(name) is None:
                yield Finding(
                    "low",
                    None,
                    1,
                    f"the journey {campaign.name!r} names the offer {name!r}, which audiences.yaml does not list",
                    "write it under `offers`, with depth and dates",
                    subject=f"{campaign.name}: {name}",
                )
    for audience in snapshot.programme.includes:
        noted = snapshot.of(audience).noted
        if noted is not None and noted.unlisted >= NOTED * noted.looked_at > 0:
            yield Finding(
                "low",
                audience.name,
                noted.unlisted,
                f"{noted.unlisted:,} of {noted.looked_at:,} people have something in {snapshot.programme.offer_attribute!r} that audiences.yaml does not list",
                "let journeys write the names that stand under `offers`, or look whether it is the right attribute",
                subject="attribute",
            )


def _out_of_date(snapshot: Snapshot, offer: Offer | None) -> tuple[int, str] | None:
    """How many days an offer is over or away, and in words; None where it holds today."""
    if offer is None:
        return None
    if offer.ends is not None and offer.ends < snapshot.today:
        return (snapshot.today - offer.ends).days, f"ended on {offer.ends}"
    if offer.starts is not None and offer.starts > snapshot.today:
        return (offer.starts - snapshot.today).days, f"begins on {offer.starts}"
    return None


def _campaigns(snapshot: Snapshot, audience: Audience) -> Iterator[Campaign]:
    return (each for each in snapshot.campaigns or () if audience.segment in each.segments)


def _in_order(windows: tuple[Audience, ...]) -> list[Audience]:
    """The windows of a journey as a person meets them: by time where it is known, else by priority."""
    stays = {each.name: stay_of(each) for each in windows}
    starts = {name: stay.start for name, stay in stays.items() if stay is not None}
    return (
        sorted(windows, key=lambda each: starts.get(each.name, 0))
        if len(starts) == len(windows)
        else list(windows)
    )


def _said(offer: Offer | None) -> str:
    return "nothing" if offer is None else f"{offer.depth:.0%} ({offer.name})"


def _given(snapshot: Snapshot, audience: Audience, depth: float) -> float | None:
    """A price cut on a week's revenue of the people advertised to: what it costs at most."""
    revenue = snapshot.of(audience).revenue
    return None if revenue is None else depth * revenue
