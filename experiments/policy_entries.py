"""The keys of `audiences.yaml` that the playbook reads: offers, accepted findings, Criteo's clock and tests. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from experiments.audience_values import Day, Delay, Entry, Share, Text, TimeOfDay
from experiments.audiences import Accepted, Audience, Buyers, CriteoClock, CriteoTest, Offer
from experiments.errors import Rejected
from experiments.playbook.checks import CODES

Path_ = tuple[str | int, ...]
Refuse = Callable[[Path_, str], Rejected]
NO_OFFER = "none"


class OfferEntry(Entry):
    """One offer, by its name."""

    depth: Share
    code: Text | None = None
    first_touch: Annotated[int, Field(ge=1, strict=True)] = 3
    from_: Annotated[Day | None, Field(alias="from")] = None
    until: Day | None = None
    for_: Annotated[Buyers, Field(alias="for")] = "all"


class AcceptedEntry(Entry):
    """One finding that the team lives with for a while."""

    code: str
    audience: str | None = None
    reason: Annotated[str, Field(min_length=3)]
    until: Day


class CriteoTestEntry(Entry):
    """One incrementality test of Criteo's own."""

    name: Text
    ad_sets: Annotated[tuple[Text, ...], Field(min_length=1)]
    from_: Annotated[Day, Field(alias="from")]
    until: Day


class CriteoEntry(Entry):
    """When Criteo takes over changes of a list, and which tests it runs itself."""

    processing: tuple[TimeOfDay, ...] = CriteoClock().processing
    delay: Delay = CriteoClock().delay
    tests: tuple[CriteoTestEntry, ...] = ()


class CustomerioEntry(Entry):
    """Where Customer.io keeps what the playbook asks for."""

    offer_attribute: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_ -]{0,63}$")] | None = None


def read_offers(entries: Mapping[str, OfferEntry], refuse: Refuse) -> tuple[Offer, ...]:
    """The offers; one that cuts no price, or ends before it begins, is refused."""
    for name, entry in entries.items():
        if name == NO_OFFER:
            raise refuse(("offers", name), f"offers: {name!r} means that an audience has no offer")
        if not 0 < entry.depth <= 1_000_000:
            raise refuse(("offers", name, "depth"), "depth: it must lie above 0% and at most at 100%")
        if entry.from_ and entry.until and entry.until < entry.from_:
            raise refuse(("offers", name, "until"), f"until: {entry.until} lies before {entry.from_}")
    return tuple(
        Offer(
            name=name,
            depth=entry.depth / 1_000_000,
            code=entry.code,
            first_touch=entry.first_touch,
            starts=entry.from_,
            ends=entry.until,
            buyers=entry.for_,
        )
        for name, entry in entries.items()
    )


def read_accepted(
    entries: Sequence[AcceptedEntry], audiences: Sequence[Audience], refuse: Refuse
) -> tuple[Accepted, ...]:
    """The accepted findings; a code or an audience that does not exist is refused."""
    names = {each.name for each in audiences}
    for index, entry in enumerate(entries):
        if entry.code not in CODES:
            raise refuse(
                ("accepted", index, "code"),
                f"code: the playbook has no finding {entry.code!r}; docs/playbook.md lists them",
            )
        if entry.audience is not None and entry.audience not in names:
            raise refuse(
                ("accepted", index, "audience"), f"audience: there is no audience named {entry.audience!r}"
            )
    return tuple(Accepted(each.code, each.reason, each.until, each.audience) for each in entries)


def read_clock(entry: CriteoEntry) -> CriteoClock:
    """Criteo's clock, its times in order."""
    return CriteoClock(tuple(sorted(set(entry.processing))), entry.delay)


def read_tests(entry: CriteoEntry, refuse: Refuse) -> tuple[CriteoTest, ...]:
    """Criteo's own tests; one that ends before it begins is refused."""
    for index, each in enumerate(entry.tests):
        if each.until < each.from_:
            raise refuse(("criteo", "tests", index, "until"), f"until: {each.until} lies before {each.from_}")
    return tuple(CriteoTest(each.name, each.ad_sets, each.from_, each.until) for each in entry.tests)


def check_offers_exist(audiences: Sequence[Audience], offers: Sequence[Offer], refuse: Refuse) -> None:
    """Refuses an audience that names an offer which stands nowhere."""
    known = {NO_OFFER, *(each.name for each in offers)}
    for index, audience in enumerate(audiences):
        if audience.offer not in known:
            raise refuse(
                ("audiences", index, "offer"),
                f"offer: there is no offer named {audience.offer!r}; write it under offers, or none",
            )
