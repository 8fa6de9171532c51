"""Customer.io's activities: the shop's purchases of the last 30 days as events, newest first. I/O."""

from typing import Any

import numpy as np
from starlette.responses import JSONResponse, Response

from sandbox.customerio_wire import Ask, Handler, cursor, refuse
from sandbox.ledger import order_id
from sandbox.shop import DAY

DEFAULT_PAGE = 10
MAX_PAGE = 100


def list_activities(ask: Ask) -> Response:
    """GET /v1/activities and GET /v1/customers/{id}/activities: no dates, ten a page, a hundred at most."""
    limit, offset = min(ask.integer("limit", DEFAULT_PAGE), MAX_PAGE), ask.offset()
    query, market = ask.request.query_params, ask.workspace.market
    orders = market.ledger.read()
    shown = (orders.at >= market.clock.epoch() - 30 * DAY) & (orders.at <= market.clock.epoch())
    if query.get("type", "event") != "event" or query.get("name", "purchase") != "purchase":
        shown = np.zeros(len(orders), dtype=np.bool_)
    customer = ask.request.path_params.get("customer") or query.get("customer_id")
    if customer is not None:
        index = ask.workspace.find(customer, ask.id_type())
        if index is None:
            refuse(404, "customer does not exist")
        shown = shown & (orders.person == ask.workspace.profiles[index].person)
    rows = np.flatnonzero(shown)
    rows = rows[np.argsort(-orders.at[rows], kind="stable")]
    page = [_activity(ask, row) for row in rows[offset : offset + limit].tolist()]
    after = offset + len(page)
    return JSONResponse({"activities": page, "next": cursor(after) if after < len(rows) else ""})


def _activity(ask: Ask, row: int) -> dict[str, Any]:
    orders = ask.workspace.market.ledger.read()
    profile = ask.workspace.profiles[ask.workspace.profile_of(int(orders.person[row]))]
    number = int(orders.number[row])
    return {
        "id": f"01SANDB0X{number:017d}",
        "type": "event",
        "name": "purchase",
        "timestamp": int(orders.at[row]),
        "customer_id": profile.id,
        "customer_identifiers": {"email": profile.email, "id": profile.id, "cio_id": profile.cio_id},
        "data": {"order_id": order_id(number), "price": float(orders.revenue[row]), "currency": "EUR"},
    }


ADDRESSES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/v1/activities", list_activities),
    ("GET", "/v1/customers/{customer}/activities", list_activities),
)
