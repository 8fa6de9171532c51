"""Criteo's audiences: boolean algebra over segments, as its API answers. I/O."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from starlette.responses import Response

from sandbox.account import Algebra, Audience, InvalidAlgebraError, evaluate, segments_of
from sandbox.criteo_segments import bulk, name_problem, own_advertiser
from sandbox.criteo_wire import Call, Problem, envelope, invalid, problem, stamp


def resource(call: Call, audience: Audience) -> dict[str, Any]:
    """An audience as the API shows it, with the ad sets that use it."""
    account = call.market.account
    return {
        "id": audience.id,
        "type": "Audience",
        "attributes": {
            "advertiserId": account.advertiser_id,
            "name": audience.name,
            "description": audience.description,
            "algebra": audience.algebra,
            "adSetIds": [ad_set for ad_set, linked in account.links.items() if linked == audience.id],
            "createdAt": stamp(audience.created_at),
            "updatedAt": stamp(audience.updated_at),
        },
    }


def _algebra_problem(call: Call, algebra: Any) -> Problem | None:
    if not isinstance(algebra, Mapping):
        return problem("algebra-invalid", "An algebra is required", call.path)
    try:
        named = set(segments_of(algebra))
    except InvalidAlgebraError as error:
        return problem("algebra-invalid", str(error), call.path)
    unknown = named - set(call.market.account.segments)
    if unknown:
        return problem("segment-not-found", f"No segment {min(unknown)}", call.path)
    return None


def create(call: Call) -> Response:
    """POST audiences/create."""
    account, now = call.market.account, call.market.clock.now()
    done, failed = [], []
    for item in call.data():
        attributes = item.get("attributes") or {}
        own_advertiser(call, attributes.get("advertiserId"))
        names = {one.id: one.name for one in account.audiences.values()}
        why = name_problem(call, attributes.get("name"), names) or _algebra_problem(
            call, attributes.get("algebra")
        )
        if why is not None:
            failed.append(why)
            continue
        audience = Audience(
            account.new_id(),
            attributes["name"],
            attributes.get("description"),
            attributes["algebra"],
            now,
            now,
        )
        account.audiences[audience.id] = audience
        done.append(resource(call, audience))
    return bulk(call, done, failed)


def update(call: Call) -> Response:
    """PATCH audiences: algebra, name, description; what is left out stays."""
    account, done, failed = call.market.account, [], []
    for item in call.data():
        audience = account.audiences.get(str(item.get("id")))
        if audience is None:
            failed.append(problem("audience-not-found", f"No audience {item.get('id')}", call.path))
            continue
        why = _edit(call, audience, item.get("attributes") or {})
        if why is not None:
            failed.append(why)
        else:
            done.append(resource(call, audience))
    return bulk(call, done, failed)


def _edit(call: Call, audience: Audience, attributes: Mapping[str, Any]) -> Problem | None:
    algebra: Algebra | None = attributes.get("algebra")
    if algebra is not None and (why := _algebra_problem(call, algebra)) is not None:
        return why
    if "name" in attributes:
        names = {one.id: one.name for one in call.market.account.audiences.values()}
        if (why := name_problem(call, attributes["name"], names, audience.id)) is not None:
            return why
        audience.name = attributes["name"]
    if algebra is not None:
        audience.algebra = algebra
    if isinstance(attributes.get("description"), dict):
        audience.description = attributes["description"].get("value")
    audience.updated_at, audience.bought = call.market.clock.now(), False
    return None


def delete(call: Call) -> Response:
    """POST audiences/delete, which the specification answers with 200 or with 204."""
    account, done, failed = call.market.account, [], []
    for item in call.data():
        audience_id = str(item.get("id"))
        if audience_id in account.audiences:
            account.delete_audience(audience_id)
            done.append({"id": audience_id, "type": "Audience"})
        else:
            failed.append(problem("audience-not-found", f"No audience {audience_id}", call.path))
    if call.switches.audiences_delete_status == 204:
        return Response(status_code=204)
    return bulk(call, done, failed)


def search(call: Call) -> Response:
    """POST audiences/search: filters by id, advertiser, ad set and segment, all of them."""
    account, filters, (limit, offset) = call.market.account, call.attributes(), call.page()
    ids, advertisers = filters.get("audienceIds"), filters.get("advertiserIds")
    ad_sets, segments = filters.get("adSetIds"), filters.get("audienceSegmentIds")
    linked = {account.links.get(str(ad_set)) for ad_set in ad_sets or ()}
    found = [
        audience
        for audience in account.audiences.values()
        if (ids is None or audience.id in ids)
        and (advertisers is None or account.advertiser_id in advertisers)
        and (ad_sets is None or audience.id in linked)
        and (segments is None or set(segments) & set(segments_of(audience.algebra)))
    ]
    shown = [resource(call, audience) for audience in found[offset : offset + limit]]
    return envelope(shown, [], meta={"totalItems": len(found), "limit": limit, "offset": offset})


def _size(call: Call, algebra: Algebra) -> int:
    market = call.market
    seen_at, now = market.shop.seen_at, market.clock.epoch()
    held = evaluate(algebra, lambda one: market.account.holds(one, seen_at, now))
    return int(np.count_nonzero(held & market.account.matchable))


def compute_sizes(call: Call) -> Response:
    """POST audiences/compute-sizes."""
    done, failed = [], []
    for item in call.data():
        audience = call.market.account.audiences.get(str(item.get("id")))
        if audience is None:
            failed.append(problem("audience-not-found", f"No audience {item.get('id')}", call.path))
        else:
            size = {"size": _size(call, audience.algebra)}
            done.append({"id": audience.id, "type": "AudienceSize", "attributes": size})
    return envelope(done, failed)


def estimate_size(call: Call) -> Response:
    """POST audiences/estimate-size: the size of an algebra that no audience has yet."""
    attributes = call.attributes()
    own_advertiser(call, attributes.get("advertiserId"))
    if (why := _algebra_problem(call, attributes.get("algebra"))) is not None:
        invalid(why["code"], why["detail"])
    size = {"size": _size(call, attributes["algebra"])}
    return envelope({"type": "AudienceSize", "attributes": size}, [])
