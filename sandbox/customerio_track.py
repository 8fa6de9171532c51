"""The Customer.io Track API: attributes in batches, manual segments, and which region this is. I/O."""

import json
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.customerio_wire import Ask, CustomerioError, Handler

MAX_BATCH_BYTES = 500_000
MAX_ITEM_BYTES = 32_000
MAX_SEGMENT_IDS = 1000
ENVIRONMENT_ID = 3

Reason = dict[str, Any]


def region(_: Ask) -> Response:
    """GET /api/v1/accounts/region."""
    return JSONResponse(
        {"url": "https://track.customer.io", "region": "us", "environment_id": ENVIRONMENT_ID}
    )


def batch(ask: Ask) -> Response:
    """POST /api/v2/batch: 207 names the items that are invalid, all the others are carried out."""
    items = ask.body.get("batch") if isinstance(ask.body, dict) else None
    if not isinstance(items, list):
        raise CustomerioError(400, {"errors": [_reason("required", "batch", "batch is required")]})
    if len(json.dumps(ask.body)) > MAX_BATCH_BYTES:
        raise CustomerioError(400, {"errors": [_reason("invalid", "batch", "batch is larger than 500 kB")]})
    failed = []
    for position, item in enumerate(items):
        why = _item_problem(item) or _refusal(ask, position)
        if why is not None:
            failed.append({"batch_index": position, **why})
        else:
            _identify(ask, item)
    return JSONResponse({"errors": failed}, 207) if failed else JSONResponse({})


def entity(ask: Ask) -> Response:
    """POST /api/v2/entity: one operation."""
    why = _item_problem(ask.body)
    if why is not None:
        raise CustomerioError(400, {"errors": [why]})
    _identify(ask, ask.body)
    return JSONResponse({})


def _reason(reason: str, name: str, message: str) -> Reason:
    return {"reason": reason, "field": name, "message": message}


def _item_problem(item: Any) -> Reason | None:
    if not isinstance(item, dict) or not item.get("type"):
        return _reason("required", "type", "type is required")
    if item["type"] != "person" or item.get("action") not in ("identify", "event"):
        return _reason("invalid", "action", "this sandbox identifies people and takes their events")
    identifiers = item.get("identifiers")
    if not isinstance(identifiers, dict) or len(identifiers) != 1:
        return _reason("invalid", "identifiers", "identifiers must contain exactly one identifier")
    if len(json.dumps(item)) > MAX_ITEM_BYTES:
        return _reason("invalid", "attributes", "item is larger than 32 kB")
    return None


def _refusal(ask: Ask, position: int) -> Reason | None:
    every = ask.switches.track_refuses_every
    if every and (position + 1) % every == 0:
        return _reason("invalid", "attributes", "the workspace has too many attributes")
    return None


def _identify(ask: Ask, item: dict[str, Any]) -> None:
    """Update whom the identifier names; somebody unknown is dropped without a word, as Customer.io does."""
    (kind, value), *_ = item["identifiers"].items()
    index = ask.workspace.find(str(value), kind)
    if index is None or item["action"] != "identify":
        return
    kept = ask.workspace.attributes.setdefault(index, {})
    for name, given in (item.get("attributes") or {}).items():
        if name != "_update":
            kept[name] = str(given).lower() if isinstance(given, bool) else str(given)


def _change_manual(ask: Ask, *, inside: bool) -> Response:
    segment = ask.workspace.segments.get(ask.request.path_params["segment_id"])
    ids = ask.body.get("ids") if isinstance(ask.body, dict) else None
    if segment is None or segment.manual is None:
        raise CustomerioError(400, {"meta": {"errors": ["segment is not a manual segment"]}})
    if not isinstance(ids, list) or not 1 <= len(ids) <= MAX_SEGMENT_IDS:
        raise CustomerioError(400, {"meta": {"errors": ["ids must contain between 1 and 1000 values"]}})
    for value in ids:
        index = ask.workspace.find(str(value), ask.id_type())
        if index is not None:
            segment.manual[index] = inside
    return JSONResponse({})


def add_customers(ask: Ask) -> Response:
    """POST /api/v1/segments/{id}/add_customers."""
    return _change_manual(ask, inside=True)


def remove_customers(ask: Ask) -> Response:
    """POST /api/v1/segments/{id}/remove_customers."""
    return _change_manual(ask, inside=False)


ADDRESSES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/api/v1/accounts/region", region),
    ("POST", "/api/v2/batch", batch),
    ("POST", "/api/v2/entity", entity),
    ("POST", "/api/v1/segments/{segment_id:int}/add_customers", add_customers),
    ("POST", "/api/v1/segments/{segment_id:int}/remove_customers", remove_customers),
)
