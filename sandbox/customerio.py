"""The Customer.io App API: segments, their membership in pages, and people. I/O."""

from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import customerio_activities as activities
from sandbox import customerio_campaigns as campaigns
from sandbox import customerio_exports as exports
from sandbox import customerio_track as track
from sandbox.customerio_wire import Ask, Gate, Keys, cursor, refuse
from sandbox.workspace import InvalidFilterError, Segment, Workspace

DEFAULT_PAGE = 1000
MAX_PAGE = 30_000
DEFAULT_FOUND = 50
MAX_FOUND = 1000
MAX_ATTRIBUTES = 100


def _segment(ask: Ask) -> Segment:
    segment_id = ask.request.path_params["segment_id"]
    segment = ask.workspace.segments.get(segment_id)
    if segment is None:
        refuse(404, f"segment with id {segment_id} does not exist")
    return segment


def list_segments(ask: Ask) -> Response:
    """GET /v1/segments; looking at the list looks at each."""
    segments = list(ask.workspace.segments.values())
    shown = [segment.shown() for segment in segments]
    for segment in segments:
        segment.look()
    return JSONResponse({"segments": shown})


def get_segment(ask: Ask) -> Response:
    """GET /v1/segments/{id}."""
    segment = _segment(ask)
    shown = segment.shown()
    segment.look()
    return JSONResponse({"segment": shown})


def create_segment(ask: Ask) -> Response:
    """POST /v1/segments: a manual segment, empty."""
    wanted = ask.body.get("segment") if isinstance(ask.body, dict) else None
    if not isinstance(wanted, dict) or not wanted.get("name"):
        refuse(400, "segment.name is required")
    now = int(ask.workspace.market.clock.epoch())
    segment = ask.workspace.add_segment(wanted["name"], wanted.get("description", ""), now, manual=True)
    return JSONResponse({"segment": segment.shown()})


def delete_segment(ask: Ask) -> Response:
    """DELETE /v1/segments/{id}, manual ones only."""
    segment = _segment(ask)
    if segment.manual is None:
        refuse(400, "only manual segments can be deleted")
    del ask.workspace.segments[segment.id]
    return Response(status_code=204)


def customer_count(ask: Ask) -> Response:
    """GET /v1/segments/{id}/customer_count."""
    segment = _segment(ask)
    return JSONResponse({"segment_id": segment.id, "count": len(ask.workspace.members(segment))})


def used_by(ask: Ask) -> Response:
    """GET /v1/segments/{id}/used_by."""
    uses: dict[str, list[int]] = {"campaigns": [], "sent_newsletters": [], "draft_newsletters": []}
    return JSONResponse({"segment_id": _segment(ask).id, "used_by": uses})


def membership(ask: Ask) -> Response:
    """GET /v1/segments/{id}/membership: pages of up to 30,000, joined from JSON made once per profile."""
    segment, switches = _segment(ask), ask.switches
    limit, offset = ask.integer("limit", DEFAULT_PAGE), ask.offset()
    if limit > MAX_PAGE and switches.over_limit == "reject":
        refuse(400, f"limit must be at most {MAX_PAGE}")
    limit = min(limit, MAX_PAGE)
    members = ask.workspace.members(segment)
    if switches.churn_between_pages:
        members = _churned(ask, segment, switches.churn_between_pages * (offset // limit))
    page = members[offset : offset + limit].tolist()
    identifiers = b",".join([ask.workspace.identifier_json[index] for index in page])
    ids = b",".join([ask.workspace.id_json[index] for index in page])
    following = _next(ask, offset, len(page), len(members))
    tail = b"" if following is None else b',"next":"%s"' % following.encode()
    body = b'{"segment_id":%d,"ids":[%s],"identifiers":[%s]%s}' % (segment.id, ids, identifiers, tail)
    return Response(body, media_type="application/json")


def _churned(ask: Ask, segment: Segment, gone: int) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """The membership after `gone` people left at the front and as many came at the end since the first page."""
    inside = ask.workspace.in_segment(segment)
    return np.concatenate([np.flatnonzero(inside)[gone:], np.flatnonzero(~inside)[:gone]])


def _next(ask: Ask, offset: int, shown: int, total: int) -> str | None:
    switches, after = ask.switches, offset + shown
    if switches.looping_cursor:
        return cursor(0)
    if after < total or switches.trailing_empty_page:
        return cursor(after)
    return "" if switches.last_next == "empty" else None


def customers_by_email(ask: Ask) -> Response:
    """GET /v1/customers?email=: unknown people, and a `+` that was not encoded, give an empty 200."""
    email = ask.request.query_params.get("email")
    if email is None:
        refuse(400, "email is required")
    found = [ask.workspace.profiles[index] for index in ask.workspace.by_email.get(email.lower(), ())]
    results = [{"email": one.email, "id": one.id, "cio_id": one.cio_id} for one in found]
    return JSONResponse({"results": results})


def search_customers(ask: Ask) -> Response:
    """POST /v1/customers: a filter, 50 people a page, 1,000 at most."""
    workspace = ask.workspace
    limit, offset = min(ask.integer("limit", DEFAULT_FOUND), MAX_FOUND), ask.offset()
    try:
        found = np.flatnonzero(
            workspace.matching(ask.body.get("filter") if isinstance(ask.body, dict) else None)
        )
    except InvalidFilterError as error:
        refuse(400, str(error))
    page = [workspace.profiles[index] for index in found[offset : offset + limit].tolist()]
    after = offset + len(page)
    return JSONResponse(
        {
            "identifiers": [{"id": one.id, "email": one.email, "cio_id": one.cio_id} for one in page],
            "ids": [one.id or "" for one in page],
            "next": cursor(after) if after < len(found) else "",
        }
    )


def customers_attributes(ask: Ask) -> Response:
    """POST /v1/customers/attributes: 1 to 100 identifiers of one type; unknown ones are left out."""
    ids, kind = (ask.body.get("ids") if isinstance(ask.body, dict) else None), ask.id_type()
    if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_ATTRIBUTES:
        refuse(400, f"ids must contain between 1 and {MAX_ATTRIBUTES} values")
    found = [ask.workspace.find(str(value), kind) for value in ids]
    return JSONResponse(
        {"customers": [ask.workspace.customer(index) for index in found if index is not None]}
    )


def _customer(ask: Ask) -> int:
    index = ask.workspace.find(ask.request.path_params["customer"], ask.id_type())
    if index is None:
        refuse(404, "customer does not exist")
    return index


def customer_attributes(ask: Ask) -> Response:
    """GET /v1/customers/{id}/attributes."""
    return JSONResponse(ask.workspace.customer(_customer(ask)))


def customer_segments(ask: Ask) -> Response:
    """GET /v1/customers/{id}/segments."""
    index, workspace = _customer(ask), ask.workspace
    inside = [segment for segment in workspace.segments.values() if workspace.in_segment(segment)[index]]
    return JSONResponse(
        {"segments": [{"id": one.id, "name": one.name, "description": one.description} for one in inside]}
    )


def customerio(workspace: Workspace, keys: Keys) -> Starlette:
    """App and Track API of one workspace."""
    gate = Gate(workspace, keys)
    one = "/v1/segments/{segment_id:int}"
    person = "/v1/customers/{customer}"
    app = (
        ("GET", "/v1/segments", list_segments),
        ("POST", "/v1/segments", create_segment),
        ("GET", one, get_segment),
        ("DELETE", one, delete_segment),
        ("GET", f"{one}/customer_count", customer_count),
        ("GET", f"{one}/used_by", used_by),
        ("GET", "/v1/campaigns", campaigns.list_campaigns),
        ("GET", f"{one}/membership", membership),
        ("GET", "/v1/customers", customers_by_email),
        ("POST", "/v1/customers", search_customers),
        ("POST", "/v1/customers/attributes", customers_attributes),
        ("GET", f"{person}/attributes", customer_attributes),
        ("GET", f"{person}/segments", customer_segments),
        *activities.ADDRESSES,
        *exports.ADDRESSES,
    )
    routes = [Route(path, gate.app(handler), methods=[method]) for method, path, handler in app]
    routes += [
        Route(path, gate.track(handler), methods=[method]) for method, path, handler in track.ADDRESSES
    ]
    routes.append(Route("/_files/{name}", exports.file_of(workspace), methods=["GET"]))
    return Starlette(routes=routes)
