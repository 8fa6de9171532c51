"""Reads `audiences.yaml` into a programme, and names the line of whatever is wrong in it. I/O."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from experiments.audience_values import Duration, Entry, HoldoutPpm, MemberFor, Name, Share, Text
from experiments.audiences import EXCLUDE_BOUNDS, Audience, Bounds, OrderSource, Programme, WriteBack
from experiments.identifier_entries import Forms
from experiments.identifiers import SHA256, Form
from experiments.lined_yaml import Place, Refuse, read_lined, read_text
from experiments.policy_entries import (
    AcceptedEntry,
    CriteoEntry,
    CustomerioEntry,
    OfferEntry,
    check_offers_exist,
    read_accepted,
    read_clock,
    read_offers,
    read_tests,
)

_RESERVED = {"universal", "programme"}


class _Bounds(Entry):
    shrink: Share | None = None
    growth: Share | None = None
    growth_from: Annotated[int, Field(ge=0)] | None = None
    removal: Share | None = None
    unusable: Share | None = None
    disagreement: Share | None = None


class _Audience(Entry):
    name: Name
    segment: Annotated[int, Field(gt=0, strict=True)]
    role: Literal["include", "exclude"] = "include"
    holdout: HoldoutPpm | None = None
    holdout_group: Name | None = None
    list: Text | None = None
    priority: Annotated[int, Field(ge=1, strict=True)] = 1
    window: Duration = 14 * 86_400
    planned_end: Duration | None = None
    ad_sets: tuple[Text, ...] = ()
    exclude: tuple[str, ...] = ()
    offer: str = "none"
    member_for: MemberFor | None = None
    bounds: _Bounds = _Bounds()
    identifier: Forms | None = None


class _Orders(Entry):
    url: str | None = None
    query: str | None = None
    files: tuple[str, ...] = ()
    rates: str | None = None


class _Group(Entry):
    push_holdout: bool = True
    write_back: WriteBack | None = None


class _File(Entry):
    advertiser: Text
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    margin: Share
    universal_holdout: HoldoutPpm = 0
    identifier: Forms = (SHA256,)
    orders: _Orders = _Orders()
    groups: Annotated[dict[Name, _Group], Field(default_factory=dict)]
    offers: Annotated[dict[Name, OfferEntry], Field(default_factory=dict)]
    accepted: tuple[AcceptedEntry, ...] = ()
    criteo: CriteoEntry = CriteoEntry()
    customerio: CustomerioEntry = CustomerioEntry()
    audiences: Annotated[tuple[_Audience, ...], Field(min_length=1)]


def read_programme(path: Path) -> Programme:
    """The programme that the file describes; raises Rejected with file, line and reason."""
    return parse_programme(read_text(path, "HOLDOUTS_AUDIENCES"), str(path))


def parse_programme(text: str, source: str = "audiences.yaml") -> Programme:
    """The same from the file's text; `source` is the name that errors carry."""
    entries, refuse = read_lined(text, source, _File)
    return _programme(entries, refuse)


def _programme(entries: _File, refuse: Refuse) -> Programme:
    if entries.margin == 0 or entries.margin > 1_000_000:
        raise refuse(("margin",), "margin: it must lie above 0% and at most at 100%")
    if not entries.orders.url and not entries.orders.files and "orders" in entries.model_fields_set:
        raise refuse(("orders",), "orders: give either url and query, or files")
    if entries.orders.url and not entries.orders.query:
        raise refuse(
            ("orders",), "orders: a url needs a query that selects order_id, email, ordered_at, revenue"
        )
    audiences = tuple(
        _audience(entry, index, entries.identifier, refuse) for index, entry in enumerate(entries.audiences)
    )
    _check_names(audiences, refuse)
    _check_references(audiences, entries, refuse)
    offers = read_offers(entries.offers, refuse)
    check_offers_exist(audiences, offers, refuse)
    return Programme(
        advertiser=entries.advertiser,
        currency=entries.currency,
        margin=entries.margin / 1_000_000,
        audiences=audiences,
        orders=OrderSource(
            entries.orders.url, entries.orders.query, entries.orders.files, entries.orders.rates
        ),
        universal_holdout_ppm=entries.universal_holdout,
        private_groups=frozenset(name for name, group in entries.groups.items() if not group.push_holdout),
        write_back={name: group.write_back for name, group in entries.groups.items() if group.write_back},
        offers=offers,
        accepted=read_accepted(entries.accepted, audiences, refuse),
        criteo=read_clock(entries.criteo),
        criteo_tests=read_tests(entries.criteo, refuse),
        offer_attribute=entries.customerio.offer_attribute,
    )


def _audience(entry: _Audience, index: int, forms: tuple[Form, ...], refuse: Refuse) -> Audience:
    at: Place = ("audiences", index)
    if entry.role == "exclude":
        for key in ("holdout", "holdout_group", "planned_end", "ad_sets", "exclude"):
            if key in entry.model_fields_set:
                raise refuse((*at, key), f"{entry.name} is an exclude audience, it can have no {key}")
    for key, value in (("name", entry.name), ("holdout_group", entry.holdout_group)):
        if value in _RESERVED:
            raise refuse((*at, key), f"{key}: {value!r} is a name that the product keeps for itself")
    return Audience(
        name=entry.name,
        segment=entry.segment,
        role=entry.role,
        list=entry.list or entry.name,
        holdout_ppm=entry.holdout or 0,
        holdout_group=(entry.holdout_group or entry.name) if entry.role == "include" else "",
        priority=entry.priority,
        window=entry.window,
        planned_end=entry.planned_end,
        ad_sets=entry.ad_sets,
        exclude=entry.exclude,
        offer=entry.offer,
        member_for=entry.member_for,
        bounds=_bounds(entry),
        forms=entry.identifier or forms,
    )


def _bounds(entry: _Audience) -> Bounds:
    default = EXCLUDE_BOUNDS if entry.role == "exclude" else Bounds()
    given: dict[str, Any] = entry.bounds.model_dump(exclude_none=True)
    growth_from = given.pop("growth_from", default.growth_from)
    shares = {name: ppm / 1_000_000 for name, ppm in given.items()}
    current = {
        name: getattr(default, name) for name in ("shrink", "growth", "removal", "unusable", "disagreement")
    }
    return Bounds(growth_from=growth_from, **{**current, **shares})


def _check_names(audiences: tuple[Audience, ...], refuse: Refuse) -> None:
    seen: dict[tuple[str, str], str] = {}
    for index, audience in enumerate(audiences):
        unique = [("name", audience.name), ("list", audience.list)]
        if audience.role == "include":
            unique.append(("priority", f"{audience.priority} of group {audience.holdout_group}"))
            unique.extend(("ad_sets", ad_set) for ad_set in audience.ad_sets)
        for key, value in unique:
            if (key, value) in seen:
                raise refuse(
                    ("audiences", index, key),
                    f"{key}: {value} is taken by the audience {seen[key, value]} already",
                )
            seen[key, value] = audience.name


def _check_references(audiences: tuple[Audience, ...], entries: _File, refuse: Refuse) -> None:
    excludes = {each.name for each in audiences if each.role == "exclude"}
    for index, audience in enumerate(audiences):
        for place, name in enumerate(audience.exclude):
            if name not in excludes:
                raise refuse(
                    ("audiences", index, "exclude", place),
                    f"exclude: there is no exclude audience named {name!r}",
                )
    _check_planned_ends(audiences, refuse)
    groups = {each.holdout_group for each in audiences if each.role == "include"}
    for name in entries.groups:
        if name not in groups:
            raise refuse(("groups", name), f"groups: no audience has the holdout group {name!r}")


def _check_planned_ends(audiences: tuple[Audience, ...], refuse: Refuse) -> None:
    """The windows of a group are read together, so they end together; and one window must have closed by then."""
    first: dict[str, Audience] = {}
    for index, each in enumerate(audiences):
        if each.role == "exclude":
            continue
        at = ("audiences", index, "planned_end")
        sibling = first.setdefault(each.holdout_group, each)
        if each.planned_end != sibling.planned_end:
            raise refuse(
                at, f"planned_end: {each.name} and {sibling.name} share a holdout group and must end together"
            )
        if each.planned_end is not None and each.planned_end <= each.window:
            raise refuse(
                at, f"planned_end: {each.name} would end before its first window closes; make it longer"
            )
