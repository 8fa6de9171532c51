"""Customer.io's journeys, as far as their tags and segments go. I/O."""

from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.customerio_wire import Ask


def list_campaigns(ask: Ask) -> Response:
    """GET /v1/campaigns: a welcome series, and a cart series that may name an offer."""
    offer = ask.switches.mistakes.mailed_offer
    cart = next(each.id for each in ask.workspace.segments.values() if each.name == "cart-2-7d")
    return JSONResponse(
        {
            "campaigns": [
                _campaign(1, "Welcome series", ["welcome"], []),
                _campaign(2, "Cart series", ["cart", *([f"offer:{offer}"] if offer else [])], [cart]),
                _campaign(3, "Old cart series", ["cart", "offer:gone"], [cart], state="stopped"),
            ]
        }
    )


def _campaign(
    number: int, name: str, tags: list[str], segments: list[int], *, state: str = "running"
) -> dict[str, Any]:
    created = 1_766_000_000 + number
    return {
        "id": number,
        "deduplicate_id": f"{number}:{created}",
        "name": name,
        "type": "segment" if segments else "event",
        "created": created,
        "updated": created,
        "active": state == "running",
        "state": state,
        "actions": [{"type": "email", "id": 100 + number}],
        "first_started": created,
        "tags": tags,
        "trigger_segment_ids": segments,
        "filter_segment_ids": [],
    }
